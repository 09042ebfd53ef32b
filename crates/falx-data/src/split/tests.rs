use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{IndexColumns, Slices, Split, SplitError, SplitOptions, Tie, slices, split};
use crate::index::{Index, IndexRow, IndexSummary, read_listing};
use crate::synthetic::{index, row};

const OPTIONS: SplitOptions = SplitOptions {
    folds: 5,
    test_fraction: 0.0,
    seed: 1,
};

/// `patients` patients of `slices` slices; every third patient bleeds in every second slice.
fn cohort(patients: u32, slices: u32) -> Index {
    let rows = (0..patients).flat_map(|p| {
        (0..slices).map(move |s| {
            let bleeds = u8::from(p % 3 == 0 && s % 2 == 0);
            let patient = format!("P{p}");
            row(
                &format!("{p}-{s}"),
                Some(&patient),
                &format!("h{p}-{s}"),
                [0, bleeds, 0, 0, 0, bleeds],
            )
        })
    });
    index(rows.collect())
}

fn by_id(split: &Split) -> BTreeMap<String, i32> {
    let rows = split.rows.iter();
    rows.map(|row| (row.image_id.0.clone(), row.fold)).collect()
}

#[test]
fn folds_get_their_shares() {
    let index = cohort(100, 10);
    let options = SplitOptions {
        test_fraction: 0.2,
        folds: 4,
        seed: 3,
    };
    let split = split(&index, &options).unwrap();
    let audit = split.audit(&index);
    assert!(audit.fits() && !audit.leaks(), "{audit:?}");
    assert_eq!(
        audit.folds.iter().map(|fold| fold.fold).collect::<Vec<_>>(),
        [-1, 0, 1, 2, 3].map(Some)
    );
    for fold in audit.folds {
        assert!((180..=220).contains(&fold.slices), "{fold:?}");
        assert!((18..=22).contains(&fold.patients), "{fold:?}");
        assert!((30..=40).contains(&fold.positives[5]), "{fold:?}");
    }
    split.check_leaks(&index).unwrap();
}

#[test]
fn the_seed_decides_and_the_rows_order_does_not() {
    let mut index = cohort(30, 4);
    let first = split(&index, &OPTIONS).unwrap();
    let other = split(&index, &SplitOptions { seed: 2, ..OPTIONS }).unwrap();
    assert_ne!(by_id(&first), by_id(&other));
    index.rows.reverse();
    let reversed = split(&index, &OPTIONS).unwrap();
    assert_eq!(by_id(&first), by_id(&reversed));
    assert_eq!(first.data_hash, reversed.data_hash);
}

#[test]
fn too_few_patients_and_wrong_options_are_told_apart() {
    let index = cohort(4, 3);
    let error = split(&index, &OPTIONS).unwrap_err();
    assert!(matches!(
        error,
        SplitError::TooFewPatients {
            groups: 4,
            wanted: 5
        }
    ));
    for (folds, test_fraction) in [(1, 0.0), (2, 1.0), (2, -0.1), (2, f64::NAN)] {
        let options = SplitOptions {
            folds,
            test_fraction,
            seed: 0,
        };
        assert!(matches!(
            split(&index, &options),
            Err(SplitError::Options { .. })
        ));
    }
    let options = SplitOptions {
        folds: 3,
        test_fraction: 0.01,
        seed: 0,
    };
    let parts: BTreeSet<i32> = split(&index, &options)
        .unwrap()
        .rows
        .iter()
        .map(|row| row.fold)
        .collect();
    assert_eq!(
        parts,
        BTreeSet::from([-1, 0, 1, 2]),
        "every part gets somebody"
    );
}

#[test]
fn blank_pictures_do_not_tie_patients_and_unknown_ones_stay_with_their_study() {
    let mut rows: Vec<IndexRow> = (0..6)
        .map(|p| row(&format!("{p}"), Some(&format!("P{p}")), "blank", [0; 6]))
        .collect();
    for row in &mut rows {
        row.hu_max = row.hu_min;
    }
    for number in 0..4 {
        let mut row = row(&format!("u{number}"), None, &format!("u{number}"), [0; 6]);
        row.study_uid = Some("1.2.3".into());
        rows.push(row);
    }
    let index = index(rows);
    let split = split(
        &index,
        &SplitOptions {
            folds: 7,
            ..OPTIONS
        },
    )
    .unwrap();
    let unknown: BTreeSet<_> = split.rows[6..]
        .iter()
        .map(|row| (row.fold, row.patient.0.clone()))
        .collect();
    assert_eq!(unknown.len(), 1);
    assert!(split.rows[9].patient.as_str().starts_with("unknown-"));
}

#[test]
fn a_split_survives_its_file_and_is_locked_to_its_data() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("split.parquet");
    let mut index = cohort(12, 3);
    let made = split(&index, &OPTIONS).unwrap();
    made.write(&path).unwrap();
    let read = Split::read(&path).unwrap();
    assert_eq!(read, made);
    index.rows[0].labels.0[0] = Some(true);
    assert!(matches!(
        read.check_leaks(&index),
        Err(SplitError::OtherData { .. })
    ));
    std::fs::write(&path, "no parquet").unwrap();
    assert!(
        Split::read(&path)
            .unwrap_err()
            .to_string()
            .contains("split.parquet")
    );
}

#[test]
fn a_leak_is_seen() {
    let index = cohort(12, 3);
    let mut split = split(&index, &OPTIONS).unwrap();
    split.rows[0].fold = (split.rows[0].fold + 1) % 5;
    assert!(matches!(
        split.check_leaks(&index),
        Err(SplitError::Leak { count: 1 })
    ));
}

#[test]
fn the_audit_names_each_kind_of_leak_and_what_does_not_fit() {
    let mut index = cohort(8, 2);
    for (at, row) in index.rows.iter_mut().enumerate() {
        let study = at / 2;
        row.study_uid = Some(format!("1.{study}").into());
        row.series_uid = Some(format!("1.{study}.{at}").into());
    }
    // The last two patients, and one of the first's slices, cannot be told apart by their picture.
    for at in [13, 15] {
        index.rows[at].pixel_hash = Some("twin".into());
    }
    index.rows[1].usable = false;
    let mut made = split(
        &index,
        &SplitOptions {
            folds: 2,
            ..OPTIONS
        },
    )
    .unwrap();
    assert!(
        made.audit(&index)
            .to_text()
            .contains("No patient, study, series, picture")
    );
    // Rows: 0 and then 2 … 15. One slice of patient 2 to the other fold, then a twin picture, then an id twice.
    let other = |fold: i32| (fold + 1) % 2;
    made.rows[3].fold = other(made.rows[3].fold);
    let lonely = made.rows[14].fold;
    for row in &mut made.rows[13..15] {
        row.fold = other(lonely);
    }
    let mut contradiction = made.rows[0].clone();
    contradiction.fold = other(contradiction.fold);
    made.rows.push(contradiction);
    made.rows.retain(|row| row.image_id.as_str() != "3-0");
    for id in ["1-1", "0-1"] {
        let mut stranger = made.rows[0].clone();
        stranger.image_id = if id == "1-1" {
            "elsewhere".into()
        } else {
            id.into()
        };
        made.rows.push(stranger);
    }
    let audit = made.audit(&index);
    let counts: Vec<(Tie, u64)> = audit
        .leaks
        .iter()
        .map(|leak| (leak.kind, leak.count))
        .collect();
    assert_eq!(
        counts,
        [
            (Tie::Patient, 1),
            (Tie::Study, 1),
            (Tie::Series, 0),
            (Tie::Picture, 1),
            (Tie::Image, 1)
        ]
    );
    assert_eq!(audit.leaks[3].examples, [["6-1".into(), "7-1".into()]]);
    assert_eq!(audit.not_in_split.examples, ["3-0".into()]);
    assert_eq!(audit.not_in_index.examples, ["elsewhere".into()]);
    assert_eq!(audit.not_usable.examples, ["0-1".into()]);
    assert!(!audit.fits() && audit.leaks());
    let text = audit.to_text();
    for words in [
        "LEAK: 1 picture is",
        "6-1 and 7-1",
        "3-0",
        "elsewhere",
        "cannot be used",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("P6"), "no patient is named: {text}");
}

#[test]
fn one_class_or_no_labels_at_all_are_split_all_the_same() {
    let mut index = cohort(10, 3);
    for negative in [Some(false), None] {
        for row in &mut index.rows {
            row.labels.0 = [negative; 6];
        }
        let audit = split(&index, &OPTIONS).unwrap().audit(&index);
        assert!(audit.fits() && !audit.leaks());
        assert!(audit.folds.iter().all(|fold| fold.slices == 6), "{audit:?}");
        assert_eq!(audit.whole.prevalence[5], negative.map(|_| 0.0));
        assert_eq!(audit.worst_deviation, [None; 6]);
        assert!(audit.to_text().contains('–'));
    }
}

#[test]
fn data_sets_and_sizes_of_studies_are_shared_out() {
    let mut index = cohort(120, 4);
    for (at, row) in index.rows.iter_mut().enumerate() {
        let patient = at / 4;
        row.dataset = if patient < 90 { "large" } else { "small" }.into();
        row.study_uid = Some(format!("1.{patient}").into());
    }
    // Every other patient of either data set has a study of two slices, not four.
    let mut at = 0;
    index.rows.retain(|_| {
        at += 1;
        (at - 1) / 4 % 2 == 0 || (at - 1) % 4 < 2
    });
    let made = split(&index, &OPTIONS).unwrap();
    let audit = made.audit(&index);
    for fold in &audit.folds {
        assert!((0.23..=0.27).contains(&fold.datasets["small"]), "{fold:?}");
        assert!((23..=25).contains(&fold.studies), "{fold:?}");
        assert!((70..=74).contains(&fold.slices), "{fold:?}");
    }
    assert!(audit.to_text().contains("data set small: 25.0 % of all"));
}

#[test]
fn the_columns_of_an_index_file_say_what_the_index_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.parquet");
    let mut index = cohort(12, 3);
    index.rows[0].hu_max = index.rows[0].hu_min;
    index.rows[4].usable = false;
    index.rows[5].labels.0[2] = None;
    index.rows[6].patient = None;
    index.rows[7].pixel_hash = None;
    index.write(&path).unwrap();
    let columns = IndexColumns::read(&path).unwrap();
    assert_eq!(slices::data_hash(&columns.slices()), index.data_hash());
    assert_eq!(
        split(&columns, &OPTIONS).unwrap(),
        split(&index, &OPTIONS).unwrap()
    );
    assert_eq!(
        format!("{:?}", columns.slices()),
        format!("{:?}", index.slices())
    );
    split(&index, &OPTIONS).unwrap().write(&path).unwrap();
    let error = IndexColumns::read(&path).err().unwrap().to_string();
    assert!(error.contains("index.parquet is no index"), "{error}");
}

#[test]
fn the_rsna_listing_is_split_evenly() {
    let Some(path) = falx_fixtures::shared("data/rsna-labels/slices.parquet") else {
        return;
    };
    let rows = read_listing(&path).unwrap();
    let summary = IndexSummary::of(&rows);
    let mut index = Index {
        rows,
        summary,
        study_labels: Vec::new(),
    };
    check_rsna(&index, 0.0);
    // Slices of unknown patients can go anywhere; without them it is harder.
    index.rows.retain(|row| row.patient.is_some());
    check_rsna(&index, 0.1);
}

fn check_rsna(index: &Index, test_fraction: f64) {
    let options = SplitOptions {
        test_fraction,
        ..OPTIONS
    };
    let audit = split(index, &options).unwrap().audit(index);
    assert!(audit.fits() && !audit.leaks(), "{:?}", audit.leaks);
    assert_eq!(audit.whole.slices, index.rows.len() as u64);
    for (at, worst) in audit.worst_deviation.iter().enumerate() {
        let most = if at == 0 { 0.08 } else { 0.03 };
        assert!(worst.unwrap().abs() <= most, "label {at}: {worst:?}");
    }
    for fold in audit.folds.iter().filter(|fold| fold.fold != Some(-1)) {
        let share = fold.slices as f64 / audit.whole.slices as f64 / (1.0 - test_fraction);
        assert!((share - 0.2).abs() < 0.002, "{share}");
    }
}

proptest! {
    #[test]
    fn splits_never_leak_and_folds_partition(
        slices in proptest::collection::vec((0_u32..40, 0_u32..60, 0_u8..2), 30..120),
        folds in 2_u32..6,
        test in prop_oneof![Just(0.0), 0.05..0.4],
        seed in 0_u64..1000,
    ) {
        let rows = slices.iter().enumerate().map(|(at, &(patient, picture, any))| {
            // A patient number above 30 is unknown.
            let name = format!("P{patient}");
            let patient = (patient < 30).then_some(name.as_str());
            row(&format!("{at}"), patient, &format!("h{picture}"), [0, 0, 0, 0, any, any])
        });
        let index = index(rows.collect());
        let options = SplitOptions { folds, test_fraction: test, seed };
        match split(&index, &options) {
            Err(SplitError::TooFewPatients { groups, wanted }) => prop_assert!(groups < wanted),
            Err(error) => prop_assert!(false, "{error}"),
            Ok(split) => {
                prop_assert_eq!(split.rows.len(), index.rows.len());
                let lowest = if test > 0.0 { -1 } else { 0 };
                let found: BTreeSet<i32> = split.rows.iter().map(|row| row.fold).collect();
                prop_assert_eq!(found, (lowest..folds as i32).collect());
                let mut of_patient = BTreeMap::new();
                let mut of_picture = BTreeMap::new();
                for (row, part) in index.rows.iter().zip(&split.rows) {
                    prop_assert_eq!(&row.image_id, &part.image_id);
                    if let Some(patient) = &row.patient {
                        prop_assert_eq!(*of_patient.entry(patient).or_insert(part.fold), part.fold);
                    }
                    prop_assert_eq!(*of_picture.entry(&row.pixel_hash).or_insert(part.fold), part.fold);
                }
                prop_assert!(split.check_leaks(&index).is_ok());
                prop_assert!(split.audit(&index).fits());
                let mut reversed = index.clone();
                reversed.rows.reverse();
                prop_assert_eq!(by_id(&split), by_id(&super::split(&reversed, &options).unwrap()));
            }
        }
    }
}
