use falx_core::{ImageId, LabelRow, PatientId, Probability, Silent};

use super::*;
use crate::{Case, EvaluateOptions, Evaluation, Provenance, evaluate};

fn evaluation() -> Evaluation {
    let cases: Vec<Case> = (0..40)
        .map(|i| Case {
            image_id: ImageId(format!("ID_{i:02}")),
            patient: PatientId(format!("P{:02}", i / 2)),
            study: None,
            series: None,
            order: None,
            attributes: None,
            truth: LabelRow([false, i % 4 == 0, false, false, false, i % 4 == 0].map(Some)),
            prediction: [Probability::new(0.2 + f64::from(i % 3) / 5.0).unwrap(); 6],
        })
        .collect();
    let options = EvaluateOptions {
        replicates: 20,
        ..EvaluateOptions::default()
    };
    evaluate(&cases, &options, &Silent).unwrap()
}

fn known() -> Provenance {
    Provenance {
        data_sets: vec!["phantoms".to_owned()],
        network: Some("simple_cnn".to_owned()),
        input: Some("64 × 64 | three windows".to_owned()),
        selection: Some("lowest loss on fold 0".to_owned()),
        ..Provenance::default()
    }
}

#[test]
fn claim_has_its_44_items_in_order() {
    let numbers: Vec<String> = claim(&known(), &evaluation())
        .into_iter()
        .map(|item| item.number)
        .collect();
    let expected: Vec<String> = (1..=44).map(|n| n.to_string()).collect();
    assert_eq!(numbers, expected);
}

#[test]
fn stard_ai_has_its_40_items_in_48_rows() {
    let items = stard_ai(&known(), &evaluation());
    let parts = |n: u32| match n {
        15 => "abcd",
        16 => "abc",
        17 | 26 | 40 => "ab",
        _ => "",
    };
    let expected: Vec<String> = (1..=40)
        .flat_map(|n| match parts(n) {
            "" => vec![n.to_string()],
            letters => letters.chars().map(|c| format!("{n}{c}")).collect(),
        })
        .collect();
    let numbers: Vec<&str> = items.iter().map(|item| item.number.as_str()).collect();
    assert_eq!(numbers, expected);
    assert_eq!(numbers.len(), 48);
}

#[test]
fn what_nobody_knows_is_left_open() {
    let e = evaluation();
    let nothing = Provenance::default();
    for (items, open) in [
        (
            claim(&nothing, &e),
            ["1", "5", "11", "14", "21", "22", "33", "44"].as_slice(),
        ),
        (
            stard_ai(&nothing, &e),
            ["6", "8", "12", "15a", "22", "32", "39"].as_slice(),
        ),
    ] {
        for item in &items {
            assert!(!item.topic.is_empty() && !item.section.is_empty());
            if open.contains(&item.number.as_str()) {
                assert_eq!(item.answer, None, "{}", item.number);
            }
            assert_ne!(item.answer.as_deref(), Some(""));
        }
    }
    let more = claim(&known(), &e);
    assert!(answered(&more) > answered(&claim(&nothing, &e)));
    let answer = |number: &str| {
        let item = more.iter().find(|item| item.number == number).unwrap();
        item.answer.clone()
    };
    assert_eq!(answer("26").as_deref(), Some("lowest loss on fold 0"));
    assert_eq!(answer("7").as_deref(), Some("phantoms."));
}

#[test]
fn markdown_has_a_row_an_item_and_says_what_is_open() {
    let text = to_markdown(&claim(&known(), &evaluation()));
    assert_eq!(text.lines().count(), 46);
    assert!(text.contains("64 × 64 \\| three windows"));
    assert!(text.contains(OPEN));
    let bars = |line: &str| line.replace("\\|", "").matches('|').count();
    assert!(text.lines().all(|line| bars(line) == 5));
}
