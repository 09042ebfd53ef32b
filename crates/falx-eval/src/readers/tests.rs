//! Against scikit-learn, statsmodels and krippendorff; by hand; and what must hold for any reads.

use std::path::Path;

use falx_core::{Label, LabelRow, PatientId};
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::{Estimate, Resampling, StudyReads};

const LABEL: Label = Label::Any;

fn golden() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/agreement.json");
    let golden: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    golden["tables"].as_array().unwrap().clone()
}

fn near(found: f64, expected: &Value) {
    let expected = expected.as_f64().unwrap();
    assert!(
        (found - expected).abs() <= 1e-12,
        "{found} is not {expected}"
    );
}

fn row(said: Option<bool>) -> LabelRow {
    let mut row = LabelRow::default();
    if let Some(said) = said {
        row.set(LABEL, said);
    }
    row
}

/// A table of one label; each case a patient of its own.
fn table(reads: &[Vec<Option<bool>>]) -> ReaderTable {
    let readers = reads.first().map_or(1, Vec::len);
    let cases = (0..).zip(reads).map(|(cluster, said)| ReadCase {
        cluster,
        reads: said.iter().map(|&said| row(said)).collect(),
    });
    let names = (1..=readers).map(|r| format!("R{r}")).collect();
    ReaderTable::new(names, cases.collect()).unwrap()
}

fn resampling(clusters: usize) -> Resampling {
    Resampling::new(clusters, 200, 4)
}

fn value(estimate: Option<Estimate>) -> f64 {
    estimate.unwrap().value
}

#[test]
fn other_software_agrees() {
    let tables = golden();
    assert_eq!(tables.len(), 4);
    for expected in tables {
        let reads: Vec<Vec<Option<bool>>> = expected["reads"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                let said = row.as_array().unwrap().iter();
                said.map(|v| match v.as_i64().unwrap() {
                    -1 => None,
                    v => Some(v == 1),
                })
                .collect()
            })
            .collect();
        let found = agreement(&table(&reads), LABEL, None, &resampling(reads.len()));
        let pairs = expected["pairs"].as_array().unwrap();
        assert_eq!(found.pairs.len(), pairs.len());
        for (pair, expected) in found.pairs.iter().zip(pairs) {
            let t = &pair.table;
            for (cell, expected) in [t.both, t.first, t.second, t.neither]
                .iter()
                .zip(expected["cells"].as_array().unwrap())
            {
                near(*cell, expected);
            }
            near(value(pair.kappa), &expected["kappa"]);
            near(
                pair.kappa_standard_error.unwrap(),
                &expected["standard_error"],
            );
            near(value(pair.agreement), &expected["agreement"]);
            near(
                pair.prevalence_index.unwrap(),
                &expected["prevalence_index"],
            );
            near(pair.bias_index.unwrap(), &expected["bias_index"]);
        }
        near(value(found.all.fleiss_kappa), &expected["fleiss_kappa"]);
        near(
            found.all.fleiss_standard_error.unwrap(),
            &expected["fleiss_standard_error"],
        );
        near(value(found.all.krippendorff_alpha), &expected["alpha"]);
        let counts: Vec<(u32, u32)> = reads
            .iter()
            .map(|said| {
                let known = said.iter().flatten();
                (
                    known.clone().filter(|yes| **yes).count() as u32,
                    known.count() as u32,
                )
            })
            .collect();
        near(krippendorff_alpha(&counts).unwrap(), &expected["alpha"]);
        // The interval by resampling is about as wide as the formula says, where all cases are independent.
        let (kappa, se) = (
            found.all.fleiss_kappa.unwrap(),
            found.all.fleiss_standard_error.unwrap(),
        );
        let width = (kappa.high.unwrap() - kappa.low.unwrap()) / (2.0 * 1.96 * se);
        assert!((0.7..1.4).contains(&width), "{width}");
    }
}

#[test]
fn kappa_by_hand() {
    // Cohen's kappa of 20, 5, 10, 15 is .4; of perfect and of chance agreement 1 and 0.
    let of = |both, first, second, neither| PairTable {
        both,
        first,
        second,
        neither,
    };
    assert!((of(20.0, 5.0, 10.0, 15.0).kappa().unwrap() - 0.4).abs() < 1e-15);
    assert_eq!(of(3.0, 0.0, 0.0, 7.0).kappa(), Some(1.0));
    assert_eq!(of(2.0, 2.0, 2.0, 2.0).kappa(), Some(0.0));
    assert_eq!(of(0.0, 0.0, 0.0, 9.0).kappa(), None);
    assert_eq!(PairTable::default().agreement(), None);
    assert_eq!(fleiss_kappa(&[(0, 3), (0, 3)], 3), None);
    assert_eq!(fleiss_kappa(&[(1, 1)], 1), None);
    assert_eq!(krippendorff_alpha(&[(1, 1), (0, 1)]), None);
}

#[test]
fn votes_and_majority_are_counted() {
    let (y, n) = (Some(true), Some(false));
    let table = table(&[
        vec![y, y, y, y],
        vec![n, n, n, None],
        vec![y, y, n, n],
        vec![y, n, n, n],
        vec![None, None, y, None],
        vec![None; 4],
    ]);
    let votes = Votes {
        unread: 1,
        single: 1,
        all_negative: 1,
        all_positive: 1,
        split: 2,
        tied: 1,
    };
    assert_eq!(table.votes(LABEL), votes);
    let majority: Vec<Option<bool>> = table.majority().iter().map(|r| r.get(LABEL)).collect();
    assert_eq!(majority, [y, n, None, n, y, None]);
    let found = agreement(&table, LABEL, None, &resampling(6));
    assert_eq!(
        (found.all.complete_cases, found.all.incomplete_cases),
        (3, 2)
    );
    assert_eq!(
        found.notes.len(),
        2,
        "missing reads and a tie: {:?}",
        found.notes
    );
}

#[test]
fn a_model_that_repeats_a_reader_agrees_as_that_reader_does() {
    let reads: Vec<Vec<Option<bool>>> = (0..60_u32)
        .map(|i| {
            [
                i % 3 == 0,
                i % 3 == 0 || i % 10 == 1,
                i % 3 == 0 && i % 4 != 0,
            ]
            .map(Some)
            .to_vec()
        })
        .collect();
    let table = table(&reads);
    let prediction: Vec<Option<f64>> = reads
        .iter()
        .enumerate()
        .map(|(i, said)| (i != 5).then(|| if said[0] == Some(true) { 0.8 } else { 0.3 }))
        .collect();
    let model = ModelReads {
        prediction: &prediction,
        threshold: Some(0.5),
        own_thresholds: None,
        chosen_on: None,
    };
    let found = agreement(&table, LABEL, Some(&model), &resampling(60));
    let model = found.model.unwrap();
    assert_eq!(model.readers[0].cases, 59, "one case has no prediction");
    assert_eq!(value(model.readers[0].kappa), 1.0);
    assert_eq!(value(model.readers[0].auc), 1.0);
    assert_eq!(value(model.majority.kappa), 1.0);
    assert!(value(model.readers[1].kappa) < 1.0);
    let difference = model.difference.unwrap();
    let expected = value(model.mean_kappa_with_readers) - value(model.mean_kappa_among_readers);
    assert_eq!(difference.value, expected);
    assert!(difference.value > 0.0 && difference.low.is_some());

    let no_threshold = ModelReads {
        prediction: &prediction,
        threshold: None,
        own_thresholds: None,
        chosen_on: None,
    };
    let found = agreement(&table, LABEL, Some(&no_threshold), &resampling(60));
    let model = found.model.unwrap();
    assert_eq!(model.difference, None);
    assert_eq!(model.readers[0].kappa, None);
    assert!(model.readers[0].auc.is_some());
}

#[test]
fn studies_with_readers_make_a_table() {
    let study = |patient: &str, readers: &[(&str, bool)]| StudyReads {
        patient: PatientId::from(patient),
        study: patient.into(),
        truth: LabelRow::default(),
        readers: readers
            .iter()
            .map(|&(name, said)| (name.to_owned(), row(Some(said))))
            .collect(),
    };
    let studies = [
        study("P2", &[("R2", true), ("R1", false)]),
        study("P1", &[("R3", true)]),
        study("P2", &[]),
    ];
    let table = ReaderTable::of_studies(&studies).unwrap();
    assert_eq!(table.readers(), ["R1", "R2", "R3"]);
    let clusters: Vec<u32> = table.cases().iter().map(|c| c.cluster).collect();
    assert_eq!(clusters, [1, 0, 1]);
    assert_eq!(table.of_reader(0, LABEL), [Some(false), None, None]);
    assert_eq!(table.of_reader(2, LABEL), [None, Some(true), None]);
    assert_eq!(
        ReaderTable::of_studies(&studies[2..]),
        Err(ReaderTableError::NoReaders)
    );
}

#[test]
fn what_is_no_table_is_refused() {
    let names = |n: &[&str]| n.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        ReaderTable::new(vec![], vec![]),
        Err(ReaderTableError::NoReaders)
    );
    assert_eq!(
        ReaderTable::new(names(&["A", "B", "A"]), vec![]),
        Err(ReaderTableError::SameName("A".to_owned()))
    );
    let case = ReadCase {
        cluster: 0,
        reads: vec![LabelRow::default()],
    };
    let error = ReaderTable::new(names(&["A", "B"]), vec![case]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "case 0 has 1 reads of 2 readers; give one for each, unknown where there is none"
    );
}

fn reads() -> impl Strategy<Value = Vec<Vec<Option<bool>>>> {
    let one = prop::option::weighted(0.85, any::<bool>());
    prop::collection::vec(prop::collection::vec(one, 3), 1..40)
}

proptest! {
    #[test]
    fn swapping_readers_or_answers_keeps_kappa(a in 0..50_u32, b in 0..50_u32, c in 0..50_u32, d in 0..50_u32) {
        let [a, b, c, d] = [a, b, c, d].map(f64::from);
        let table = PairTable { both: a, first: b, second: c, neither: d };
        let swapped = PairTable { both: a, first: c, second: b, neither: d };
        let turned = PairTable { both: d, first: c, second: b, neither: a };
        prop_assert_eq!(table.kappa(), swapped.kappa());
        match (table.kappa(), turned.kappa(), table.by_chance(), table.agreement()) {
            (Some(kappa), Some(turned), Some(chance), Some(agreement)) => {
                prop_assert!((kappa - turned).abs() < 1e-12);
                prop_assert!((-1.0..=1.0).contains(&kappa));
                prop_assert!((kappa - (agreement - chance) / (1.0 - chance)).abs() < 1e-9);
                prop_assert!(table.kappa_standard_error().unwrap().is_finite());
            }
            (kappa, turned, ..) => prop_assert_eq!(kappa, turned),
        }
    }

    #[test]
    fn everything_is_finite_and_the_order_of_cases_changes_no_value(reads in reads(), turn in 0..40_usize) {
        let forward = table(&reads);
        let mut turned = reads.clone();
        turned.rotate_left(turn % reads.len());
        let none = Resampling::new(0, 0, 0);
        let a = agreement(&forward, LABEL, None, &none);
        let b = agreement(&table(&turned), LABEL, None, &none);
        prop_assert_eq!(a.votes, b.votes);
        prop_assert_eq!(a.pairs, b.pairs);
        for (x, y) in [(a.all.fleiss_kappa, b.all.fleiss_kappa), (a.all.krippendorff_alpha, b.all.krippendorff_alpha)] {
            prop_assert_eq!(x.is_some(), y.is_some());
            if let (Some(x), Some(y)) = (x, y) {
                prop_assert!((x.value - y.value).abs() < 1e-12 && x.value <= 1.0 + 1e-12);
            }
        }
        prop_assert!(serde_json::to_string(&b.all).is_ok());
    }
}
