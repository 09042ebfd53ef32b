use falx_core::Label;
use falx_eval::Estimate;

use super::cases::Scored;
use super::*;
use crate::baseline::Baseline;

fn localisation(average_precision: f64) -> Localisation {
    Localisation {
        pointing: f64::from(u8::from(average_precision > 0.5)),
        iou: average_precision / 2.0,
        average_precision,
    }
}

/// Slices of one method and the two baselines, three a patient.
fn scored(patients: u32, method: impl Fn(u32) -> f64, baselines: [f64; 2]) -> Vec<Scored> {
    let slices = (0..3 * patients).map(|slice| Scored {
        patient: 10 * (slice / 3),
        label: Label::Subdural,
        marked: 0.02,
        maps: std::iter::once(method(slice))
            .chain(baselines)
            .map(localisation)
            .collect(),
    });
    slices.collect()
}

fn options() -> JudgeOptions {
    JudgeOptions {
        replicates: 200,
        seed: 4,
        ..JudgeOptions::default()
    }
}

fn of(scored: &[Scored], auc: Option<f64>) -> LabelJudgement {
    summary::of(Label::Subdural, scored, &[Method::GradCam], auc, &options()).unwrap()
}

fn value(estimate: Option<Estimate>) -> f64 {
    estimate.unwrap().value
}

#[test]
fn differences_are_slice_by_slice_with_intervals_by_patient() {
    let cases = scored(20, |slice| 0.4 + 0.02 * f64::from(slice % 10), [0.3, 0.45]);
    let label = of(&cases, Some(0.95));
    assert_eq!((label.slices, label.patients), (60, 20));
    let [method, bright, centre] = label.scores.as_slice() else {
        panic!("{:?}", label.scores);
    };
    assert!((value(method.scores.average_precision) - 0.49).abs() < 1e-9);
    assert!((value(bright.scores.iou) - 0.15).abs() < 1e-9);
    assert_eq!(centre.more_than, []);
    let [over_bright, over_centre] = method.more_than.as_slice() else {
        panic!("{:?}", method.more_than);
    };
    assert_eq!(over_bright.baseline, Baseline::Brightest.name());
    assert!((value(over_bright.scores.average_precision) - 0.19).abs() < 1e-9);
    assert!((value(over_centre.scores.average_precision) - 0.04).abs() < 1e-9);
    let interval = over_centre.scores.average_precision.unwrap();
    assert!(interval.low.unwrap() < 0.04 && interval.high.unwrap() > 0.04);
    assert!(
        summary::of(
            Label::Epidural,
            &cases,
            &[Method::GradCam],
            None,
            &options()
        )
        .is_none()
    );
}

fn judgement(label: LabelJudgement, spearman: f64) -> Judgement {
    let stage = Stage {
        share: 1.0,
        likeness: Likeness {
            spearman,
            ssim: 0.3,
        },
    };
    let mut judgement = Judgement {
        network: "simple_cnn".to_owned(),
        layers: [("grad-cam", "blocks.3.pool".to_owned())].into(),
        slices: 60,
        patients: 20,
        without_mask: 4,
        trained_on_these: false,
        labels: vec![label],
        sanity: vec![Sanity {
            method: "grad-cam",
            slices: 16,
            stages: vec![stage],
            shuffled: None,
            passed: spearman < ALIKE,
        }],
        warnings: Vec::new(),
        rules: text::rules(&options()),
        replicates: 200,
        seed: 4,
    };
    judgement.warnings = text::warnings(&judgement);
    judgement
}

#[test]
fn a_method_that_beats_both_and_follows_what_was_learnt_has_no_warning() {
    let wins = of(
        &scored(20, |slice| 0.6 + 0.01 * f64::from(slice % 7), [0.3, 0.45]),
        Some(0.95),
    );
    let sound = judgement(wins, 0.1);
    assert!(sound.is_sound(), "{:?}", sound.warnings);
    let text = sound.to_text();
    assert!(
        text.contains("Grad-CAM − centre prior") && text.contains("passed"),
        "{text}"
    );
    assert!(text.contains("(4 slices without a mask)") && text.ends_with("not a medical device."));
}

#[test]
fn what_must_be_known_is_said() {
    // Better than the brightest blob, no better than the centre.
    let even = |slice: u32| 0.45 + 0.02 * (f64::from(slice % 5) - 2.0);
    let loses = judgement(of(&scored(20, even, [0.3, 0.45]), Some(0.95)), 0.1);
    assert_eq!(loses.warnings.len(), 1, "{:?}", loses.warnings);
    assert!(loses.warnings[0].contains("subdural better than the centre prior"));
    // A label that the model does not find says nothing of the method.
    let unfound = judgement(of(&scored(20, even, [0.3, 0.45]), Some(0.7)), 0.1);
    assert_eq!(unfound.warnings.len(), 1);
    assert!(
        unfound.warnings[0].contains("subdural (0.70)"),
        "{:?}",
        unfound.warnings
    );
    let wins = of(&scored(20, |_| 0.9, [0.3, 0.45]), Some(0.95));
    let insane = judgement(wins, 0.5);
    assert!(
        insane.warnings[0].contains("fails the sanity check"),
        "{:?}",
        insane.warnings
    );
    assert!(insane.to_text().contains("FAILED"));
    let mut shuffled = judgement(of(&scored(20, |_| 0.9, [0.3, 0.45]), Some(0.95)), 0.1);
    shuffled.sanity[0].shuffled = Some(Likeness {
        spearman: 0.6,
        ssim: 0.3,
    });
    shuffled.sanity[0].passed = false;
    let warnings = text::warnings(&shuffled);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("shuffled labels") && warnings[0].contains("0.60"));
    assert!(shuffled.to_text().contains("shuffled labels: 0.60"));
    let learnt = Judgement {
        trained_on_these: true,
        ..insane
    };
    assert!(text::warnings(&learnt)[0].contains("trained with these very data"));
    // One patient has no interval: nothing is proven.
    let alone = judgement(of(&scored(1, |_| 0.9, [0.3, 0.45]), Some(0.95)), 0.1);
    assert_eq!(alone.warnings.len(), 2);
}
