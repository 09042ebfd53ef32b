use falx_core::{ImageId, LabelRow, PatientId, Probability, Silent};

use super::*;
use crate::{Case, EvaluateOptions, evaluate};

fn evaluation(prediction: f64) -> Evaluation {
    let cases: Vec<Case> = (0..40)
        .map(|i| Case {
            image_id: ImageId(format!("ID_{i:02}")),
            patient: PatientId(format!("P{:02}", i / 2)),
            study: None,
            series: None,
            order: None,
            attributes: None,
            truth: LabelRow([false, i % 4 == 0, false, false, false, i % 4 == 0].map(Some)),
            prediction: [Probability::new(prediction).unwrap(); 6],
        })
        .collect();
    let options = EvaluateOptions {
        replicates: 20,
        ..EvaluateOptions::default()
    };
    evaluate(&cases, &options, &Silent).unwrap()
}

#[test]
fn headings_are_those_of_the_paper() {
    let card = markdown("simple_cnn", &Provenance::default(), &evaluation(0.3));
    let headings: Vec<&str> = card
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    assert_eq!(
        headings,
        [
            "Model details",
            "Intended use",
            "Factors",
            "Metrics",
            "Evaluation data",
            "Training data",
            "Quantitative analyses",
            "Ethical considerations",
            "Caveats and recommendations"
        ]
    );
    assert!(
        card.contains(OPEN),
        "what nobody knows is left to the authors"
    );
    assert!(card.contains("Brackets: 95 % intervals from 20 resamples"));
    assert!(card.contains("| prevalence of these slices |"));
}

#[test]
fn worse_than_no_skill_stands_first() {
    let card = markdown("simple_cnn", &Provenance::default(), &evaluation(0.999));
    let warning = card.find("**WORSE THAN NO SKILL").unwrap();
    assert!(warning < card.find("## Model details").unwrap());
    let mut good = evaluation(0.3);
    good.verdict = Verdict::Skill;
    assert!(!markdown("x", &Provenance::default(), &good).contains("**"));
}

#[test]
fn what_is_known_is_said() {
    let p = Provenance {
        intended_use: Some("Research on phantoms.".to_owned()),
        network: Some("a\nb|c".to_owned()),
        seed: Some(7),
        ..Provenance::default()
    };
    let card = markdown("x", &p, &evaluation(0.3));
    assert!(card.contains("Research on phantoms."));
    assert!(card.contains("- Network: a b\\|c\n"));
    assert!(card.contains("- Seed: 7\n"));
}
