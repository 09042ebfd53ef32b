use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{Split, SplitError, SplitOptions, split};
use crate::index::{Index, IndexRow};
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

#[test]
fn folds_get_their_shares() {
    let index = cohort(100, 10);
    let options = SplitOptions {
        test_fraction: 0.2,
        folds: 4,
        seed: 3,
    };
    let split = split(&index, &options).unwrap();
    let summary = split.summary(&index);
    assert_eq!(
        summary.iter().map(|fold| fold.fold).collect::<Vec<_>>(),
        [-1, 0, 1, 2, 3]
    );
    for fold in summary {
        assert!((180..=220).contains(&fold.slices), "{fold:?}");
        assert!((18..=22).contains(&fold.patients), "{fold:?}");
        assert!((30..=40).contains(&fold.positives[5]), "{fold:?}");
    }
    split.check_leaks(&index).unwrap();
}

#[test]
fn the_seed_decides_and_the_rows_order_does_not() {
    let mut index = cohort(30, 4);
    let by_id = |split: &Split| -> BTreeMap<String, i32> {
        split
            .rows
            .iter()
            .map(|row| (row.image_id.0.clone(), row.fold))
            .collect()
    };
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
            }
        }
    }
}
