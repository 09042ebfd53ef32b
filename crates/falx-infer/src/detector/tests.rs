use falx_core::LABELS;

use super::*;
use crate::decisions::{LabelCases, Presence};

fn six(p: [f64; 6]) -> [Probability; 6] {
    p.map(|p| Probability::new(p).unwrap())
}

#[test]
fn the_highest_of_each_label_counts() {
    let a = six([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
    let b = six([0.2, 0.1, 0.3, 0.9, 0.0, 0.7]);
    assert_eq!(higher(a, b), six([0.2, 0.2, 0.3, 0.9, 0.5, 0.7]));
}

/// A rule found on 40 patients: 20 without a haemorrhage from .01 to .2, 20 with one from .61 to .8.
fn rule() -> LabelRule {
    let mut cases = LabelCases::default();
    for patient in 0..20 {
        cases.add(false, six([f64::from(patient + 1) / 100.0; 6])[0], patient);
        cases.add(
            true,
            six([0.6 + f64::from(patient + 1) / 100.0; 6])[0],
            20 + patient,
        );
    }
    cases.rule(Label::Any, 0.1).unwrap()
}

#[test]
fn a_rule_says_present_absent_or_nothing() {
    let rule = rule();
    // ⌈21 × .9⌉ = 19 of 20 in order: up to .19, and from .62.
    assert!((rule.absent_up_to - 0.19).abs() < 1e-9, "{rule:?}");
    assert!((rule.present_from - 0.62).abs() < 1e-9, "{rule:?}");
    let said = |p: f64| rule.presence(Probability::new(p).unwrap());
    assert_eq!(said(0.05), Presence::Absent);
    assert_eq!(said(0.4), Presence::Abstains);
    assert_eq!(said(0.9), Presence::Present);
    let by_label = presences(&[rule], six([0.9; 6]));
    let told = LABELS
        .iter()
        .zip(by_label)
        .filter(|(_, presence)| presence.is_some());
    assert_eq!(
        told.collect::<Vec<_>>(),
        [(&Label::Any, Some(Presence::Present))]
    );
}

#[test]
fn too_few_patients_give_no_rule() {
    let mut cases = LabelCases::default();
    for patient in 0..5 {
        cases.add(patient > 2, Probability::default(), patient);
    }
    assert_eq!(cases.rule(Label::Any, 0.1), None);
    assert_eq!(LabelCases::default().rule(Label::Any, 0.1), None);
}

#[test]
fn a_rule_survives_its_file() {
    let rule = rule();
    let text = toml::to_string(&rule).unwrap();
    let back: LabelRule = toml::from_str(&text).unwrap();
    assert_eq!(back, rule);
    for p in [0.19, 0.190000001, 0.62, 0.6199999] {
        let p = Probability::new(p).unwrap();
        assert_eq!(back.presence(p), rule.presence(p));
    }
}

/// The contract is what the types say. `FALX_UPDATE=1 cargo test -p falx-infer schema` writes it anew.
#[test]
fn the_committed_schema_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contract/answer.schema.json");
    let current = format!(
        "{}\n",
        serde_json::to_string_pretty(&crate::answer_schema()).unwrap()
    );
    if std::env::var_os("FALX_UPDATE").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(
        committed == current,
        "contract/answer.schema.json is not what the types say; FALX_UPDATE=1 cargo test -p falx-infer schema writes it anew"
    );
}

/// 60 patients whose studies' highest slices are twice as far from certainty as they should be: logit(p) = 2 logit(q) + 1 for
/// the share q of haemorrhages.
fn studies() -> LabelCases {
    let mut cases = LabelCases::default();
    let mut patient = 0;
    for (positive, of, logit) in [(2, 20, -2.197_f64), (10, 20, 0.0), (18, 20, 2.197)] {
        for study in 0..of {
            let p = Probability::from_logit(2.0 * logit + 1.0);
            cases.add(study < positive, p, patient);
            patient += 1;
        }
    }
    cases
}

#[test]
fn a_studys_probability_is_what_such_studies_showed() {
    let line = studies().line(Label::Any).unwrap();
    assert_eq!((line.positive_patients, line.negative_patients), (30, 30));
    let said = |logit: f64| {
        line.probability(Probability::from_logit(2.0 * logit + 1.0))
            .get()
    };
    // Platt's targets, 31/32 and 1/32, draw everything a little to the middle.
    for (logit, share) in [(-2.197, 0.1), (0.0, 0.5), (2.197, 0.9)] {
        assert!(
            (said(logit) - share).abs() < 0.06,
            "{} {share}",
            said(logit)
        );
    }
    assert!(said(-2.197) > 0.1 && said(2.197) < 0.9);
    // The subtypes have no line, and `any` is at least as likely as each.
    let made = calibrated(&[line], six([0.1, 0.2, 0.9, 0.1, 0.1, 0.95]));
    assert_eq!(made[2].get(), 0.9);
    assert_eq!(made[Label::Any.index()].get(), 0.9);
}

#[test]
fn few_patients_or_a_falling_line_calibrate_nothing() {
    let mut few = LabelCases::default();
    let mut falling = LabelCases::default();
    for patient in 0..40_u32 {
        let p = Probability::new(f64::from(patient + 1) / 50.0).unwrap();
        // As many studies as are needed, but of nine patients with a haemorrhage.
        few.add(patient >= 20, p, patient.min(28));
        falling.add(patient < 20, p, patient);
    }
    assert_eq!(few.line(Label::Any), None);
    assert_eq!(falling.line(Label::Any), None);
    assert_eq!(LabelCases::default().line(Label::Any), None);
}
