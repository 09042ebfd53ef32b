use falx_core::{ImageId, LabelRow, PatientId, Probability, Silent};

use super::*;
use crate::{Case, EvaluateOptions, evaluate};

/// Forty patients of two slices, every second with a haemorrhage; `right` is what positive slices are given.
fn evaluation(right: f64, wrong: f64) -> Evaluation {
    let cases: Vec<Case> = (0..80)
        .map(|i| {
            let bleeds = (i / 2) % 2 == 0;
            let missed = i / 2 == 4;
            Case {
                image_id: ImageId(format!("ID_{i:02}")),
                patient: PatientId(format!("P{:02}", i / 2)),
                study: Some(format!("S{:02}", i / 2).into()),
                series: None,
                order: None,
                attributes: None,
                truth: LabelRow([false, bleeds, false, false, false, bleeds].map(Some)),
                prediction: [0, 1, 2, 3, 4, 5].map(|label| {
                    let any_or_parenchymal = [1, 5].contains(&label);
                    let given = if bleeds && !missed { right } else { wrong };
                    Probability::new(if any_or_parenchymal { given } else { 0.001 }).unwrap()
                }),
            }
        })
        .collect();
    let options = EvaluateOptions {
        replicates: 50,
        ..EvaluateOptions::default()
    };
    evaluate(&cases, &options, &Silent).unwrap()
}

fn said(e: &Evaluation) -> String {
    let s = of(e);
    let mut lines = vec![s.headline, s.comparison];
    lines.extend(s.tested.iter().map(|(n, what)| format!("{n} {what}")));
    if let Some(d) = s.detection {
        lines.extend([
            d.found_sentence(),
            d.alarm_sentence(),
            d.threshold_sentence(),
        ]);
    }
    lines.extend(s.calibration);
    lines.extend(s.not_to_conclude);
    lines.join("\n")
}

#[test]
fn sentences_of_skill() {
    insta::assert_snapshot!(said(&evaluation(0.9, 0.1)));
}

#[test]
fn sentences_of_worse_than_no_skill() {
    insta::assert_snapshot!(said(&evaluation(0.1, 0.99)));
}

#[test]
fn nearly_all_is_not_all() {
    let of = |value| OfHundred {
        share: Estimate {
            value,
            low: Some(0.951),
            high: Some(1.0),
        },
        cases: 1000,
    };
    assert_eq!(of(0.997).words(), "99 (95 to 100)");
    assert_eq!(of(1.0).number(), 100);
    assert_eq!(of(0.001).number(), 1);
    assert_eq!(of(0.0).number(), 0);
    assert_eq!(of(0.914).number(), 91);
}

#[test]
fn the_verdicts_word_is_that_of_its_json() {
    for verdict in [Verdict::Skill, Verdict::Unclear, Verdict::WorseThanNoSkill] {
        let json = serde_json::to_value(verdict).unwrap();
        assert_eq!(json, verdict_name(verdict));
    }
}

#[test]
fn a_threshold_found_on_these_cases_is_said_to_be() {
    let e = evaluation(0.9, 0.1);
    let mut d = of(&e).detection.unwrap();
    assert_eq!(d.chosen_on, ChosenOn::OtherFolds);
    d.chosen_on = ChosenOn::SameCases;
    assert!(d.threshold_sentence().contains("these same cases"));
}
