//! Entries that are runs.

use super::*;

fn facts(part: JudgedPart, epochs: u64) -> RunFacts {
    let losses = (1..=epochs).map(|epoch| EpochLosses {
        epoch,
        training_loss: 0.5 / epoch as f64,
        validation_loss: 0.4 + 0.01 * (epoch as f64 - 2.0).abs(),
        validation_baseline: 0.45,
    });
    RunFacts {
        network: "resnet18".to_owned(),
        parameters: 11_179_590,
        trained_parameters: 11_179_590,
        multiply_adds: 2_379_000_000,
        input: [9, 256, 256],
        engine: "flex".to_owned(),
        sampling: "any to 40 %".to_owned(),
        augmentation: "default".to_owned(),
        loss: "log loss".to_owned(),
        training: Slices {
            slices: 1_234,
            patients: 56,
        },
        validation: Slices {
            slices: 400,
            patients: 40,
        },
        judged: Slices {
            slices: 400,
            patients: 40,
        },
        judged_part: part,
        epochs_planned: 4,
        best_epoch: Some(2),
        epochs: losses.collect(),
        training_baseline: Some(0.6123),
        timing: Some(RunTiming {
            training_seconds: 3_725.0,
            validation_seconds: 61.0,
            slices_per_second: 12.34,
            waiting_share: 0.01,
            is_whole: true,
        }),
    }
}

fn entries() -> [Entry; 3] {
    let other = RunFacts {
        trained_parameters: 3_078,
        loss: "focal".to_owned(),
        training_baseline: None,
        timing: None,
        ..facts(JudgedPart::Validation, 3)
    };
    [
        Entry {
            run: Some(facts(JudgedPart::Test, 4)),
            ..entry("tested", cohort(40))
        },
        Entry {
            run: Some(other),
            ..entry("validated", blurred(cohort(40)))
        },
        entry("a, file", cohort(40)),
    ]
}

#[test]
fn a_table_of_experiments_says_what_the_runs_were_and_calls_each_loss_what_it_is() {
    let c = run(&entries()).unwrap();
    let text = c.to_text();
    let begin = text.find("What was trained").unwrap();
    let end = text.find("\nepidural:").unwrap();
    insta::assert_snapshot!(&text[begin..end]);
    let json = serde_json::to_string(&c).unwrap();
    let back: Comparison = serde_json::from_str(&json).unwrap();
    assert_eq!(back, c);
    // A comparison of files alone has no such table.
    let files = [entry("a", cohort(40)), entry("b", blurred(cohort(40)))];
    assert!(!run(&files).unwrap().to_text().contains("What was trained"));
}

#[test]
fn the_table_as_a_csv_has_a_row_an_entry() {
    let csv = run(&entries()).unwrap().to_table_csv();
    let mut reader = ::csv::Reader::from_reader(csv.as_bytes());
    let head = reader.headers().unwrap().clone();
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 3);
    let cell = |row: usize, name: &str| {
        let at = head.iter().position(|column| column == name).unwrap();
        rows[row].get(at).unwrap().to_owned()
    };
    assert_eq!(cell(0, "judged_on"), "locked test");
    assert_eq!(cell(0, "best_training_loss"), "0.25");
    assert_eq!(cell(0, "last_training_loss"), "0.125");
    assert_eq!(cell(0, "training_no_skill"), "0.6123");
    assert_eq!(cell(1, "training_no_skill"), "");
    assert_eq!(cell(1, "training_seconds"), "");
    assert_eq!(cell(1, "trained_parameters"), "3078");
    assert_eq!(cell(2, "entry"), "a, file");
    assert_eq!(cell(2, "network"), "");
    assert_eq!(cell(2, "weighted_log_loss"), cell(0, "weighted_log_loss"));
}

#[test]
fn scores_as_a_csv_have_the_runs_numbers() {
    let csv = run(&entries()).unwrap().to_csv();
    for line in [
        "tested,run,,parameters,11179590,,,,",
        "tested,run,,best_validation_loss,0.4,,,,",
        "validated,run,,best_epoch,2,,,,",
    ] {
        assert!(csv.lines().any(|l| l == line), "{line} is not in {csv}");
    }
    assert!(!csv.contains("validated,run,,training_seconds"));
    assert!(!csv.contains("\"a, file\",run"));
}

#[test]
fn the_page_draws_all_runs_over_each_other_and_says_who_was_judged_on_what() {
    let c = run(&entries()).unwrap();
    let page = crate::report::comparison_to_html(&c);
    for part in [
        "What the runs were",
        "Training loss: tested, validated",
        "Validation loss: tested, validated",
        "tested: last 0.42, no skill 0.45; validated: last 0.41, no skill 0.45.",
        "no skill 0.6123",
        "As a table: validation loss",
        "tested was judged on the locked test; validated was judged on the validation fold",
        "different losses (log loss; focal)",
        "3.08 k of 11.2 M",
        "not known",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let mut ids: Vec<&str> = page.split(" id=\"").skip(1).collect();
    for id in &mut ids {
        *id = id.split('"').next().unwrap();
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "two elements have one id");
    assert!(!page.contains("NaN"));
}

#[test]
fn nobody_is_warned_where_all_were_judged_on_the_locked_test() {
    let of = |part: JudgedPart| {
        let mut all = entries();
        for entry in &mut all {
            entry.run = Some(facts(part, 4));
        }
        run(&all).unwrap()
    };
    assert_eq!(remark(&of(JudgedPart::Test)), None);
    assert_eq!(loss_remark(&of(JudgedPart::Test)), None);
    let said = remark(&of(JudgedPart::Validation)).unwrap();
    assert!(said.contains("a little too good") && !said.contains("fair match"));
}

#[test]
fn counts_are_scaled_with_three_digits() {
    let shown: Vec<String> = [
        0,
        7,
        999,
        1_000,
        99_949,
        99_950,
        999_499,
        999_500,
        2_379_000_000,
    ]
    .map(scaled)
    .to_vec();
    assert_eq!(
        shown,
        [
            "0", "7", "999", "1.00 k", "99.9 k", "100 k", "999 k", "1.00 M", "2.38 G"
        ]
    );
}

#[test]
fn published_losses_begin_with_the_best_and_name_what_the_seed_measured_on() {
    assert!(PUBLISHED.is_sorted_by(|a, b| a.1 <= b.1));
    let seed: Vec<_> = PUBLISHED
        .iter()
        .filter(|p| p.0.contains("falx began from"))
        .collect();
    assert_eq!(seed.len(), 3);
    assert!(seed[0].2.contains("slice by slice") && seed[1].2.contains("slice by slice"));
}
