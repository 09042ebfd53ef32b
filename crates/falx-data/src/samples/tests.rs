use std::path::PathBuf;

use falx_core::{ImageId, Interrupt, Label, LabelRow, Silent};
use proptest::prelude::*;

use super::{Packed, Sample, Samples};
use crate::index::{Index, IndexOptions, build};
use crate::split::{SplitOptions, split};
use crate::synthetic::Ct;

/// Three series of two patients: 6 slices 5 mm apart, 4 slices, and 3 that follow after a gap.
fn index(folder: &std::path::Path) -> (std::path::PathBuf, Index) {
    for number in 0..6 {
        Ct::new("one", 1, number).write(folder.join(format!("data/a/{number}.dcm")));
    }
    for number in [0, 1, 2, 3] {
        Ct::new("two", 2, number).write(folder.join(format!("data/b/{number}.dcm")));
    }
    for number in [0, 1, 9] {
        Ct::new("three", 3, number).write(folder.join(format!("data/c/{number}.dcm")));
    }
    let options = IndexOptions {
        sources: vec![folder.join("data")],
        out: folder.join("index.parquet"),
        ..IndexOptions::default()
    };
    build(&options, &Silent, &Interrupt::default()).unwrap();
    let index = Index::read(&options.out).unwrap();
    (options.out, index)
}

fn same(a: &Samples, b: &Samples) {
    assert_eq!(a.len(), b.len());
    assert_eq!(a.studies().unwrap(), b.studies().unwrap());
    for at in 0..a.len() {
        assert_eq!(a.get(at).unwrap(), b.get(at).unwrap());
        for offset in [-30.0, -5.0, 2.0, 7.0] {
            assert_eq!(
                a.near(at, &[offset]).unwrap(),
                b.near(at, &[offset]).unwrap()
            );
        }
    }
}

#[test]
fn the_index_read_batch_by_batch_gives_the_same_as_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (path, index) = index(folder.path());
    let all = Samples::of_index(&index).unwrap();
    assert_eq!(all.len(), 13);
    same(&all, &Samples::read(&path, None).unwrap());

    let made = split(
        &index,
        &SplitOptions {
            folds: 2,
            test_fraction: 0.0,
            seed: 3,
        },
    )
    .unwrap();
    let file = folder.path().join("split.parquet");
    made.write(&file).unwrap();
    let mut in_all = 0;
    for fold in [0, 1] {
        let part = Samples::of_folds(&index, &made, &[fold]).unwrap();
        same(
            &part,
            &Samples::read(&path, Some((&file, &[fold]))).unwrap(),
        );
        in_all += part.len();
    }
    assert_eq!(in_all, 13);

    let mut other = made;
    other.rows[4].image_id = ImageId::from("elsewhere");
    other.write(&file).unwrap();
    assert!(Samples::read(&path, Some((&file, &[0]))).is_err());
}

#[test]
fn neighbours_are_found_by_millimetres_within_the_series() {
    let folder = tempfile::tempdir().unwrap();
    let (_, index) = index(folder.path());
    let samples = Samples::of_index(&index).unwrap();
    let id = |at: usize| samples.get(at).unwrap().image_id.0;
    let near = |from: &str, offset: f32| {
        let at = (0..samples.len()).find(|&at| id(at) == from).unwrap();
        id(samples.near(at, &[offset]).unwrap()[0])
    };
    assert_eq!(near("1.2.1.2", 0.0), "1.2.1.2");
    assert_eq!(near("1.2.1.2", 5.0), "1.2.1.3");
    assert_eq!(near("1.2.1.2", -5.0), "1.2.1.1");
    assert_eq!(near("1.2.1.2", 2.4), "1.2.1.2");
    assert_eq!(near("1.2.1.2", 2.6), "1.2.1.3");
    assert_eq!(near("1.2.1.2", -60.0), "1.2.1.0", "beyond the end the last");
    assert_eq!(
        near("1.2.1.5", 60.0),
        "1.2.1.5",
        "never into another series"
    );
    assert_eq!(near("1.2.3.1", 15.0), "1.2.3.1", "a gap is no neighbour");
    assert_eq!(near("1.2.3.1", 25.0), "1.2.3.9");
    assert_eq!(samples.near(0, &[-5.0, 0.0, 5.0]).unwrap().len(), 3);
}

#[test]
fn studies_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (_, index) = index(folder.path());
    let samples = Samples::of_index(&index).unwrap();
    assert_eq!(
        samples.studies().unwrap(),
        [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2]
    );
    assert!(samples.get(13).is_err());
}

proptest! {
    #[test]
    fn labels_are_kept_in_twelve_bits(row in proptest::array::uniform6(proptest::option::of(any::<bool>()))) {
        prop_assert_eq!(Packed::of(LabelRow(row)).row(), LabelRow(row));
    }
}

#[test]
fn slices_without_any_label_are_not_labelled() {
    let mut row = LabelRow::default();
    assert!(Packed::of(row).row().is_empty());
    row.set(Label::Any, false);
    assert_eq!(Packed::of(row).row(), row);
}

#[test]
fn shuffled_labels_are_the_same_ones_elsewhere() {
    let sample = |number: u32| {
        let mut labels = LabelRow::default();
        // Every fourth slice says nothing.
        if !number.is_multiple_of(4) {
            labels.set(Label::Any, number.is_multiple_of(3));
        }
        Sample {
            path: PathBuf::from(format!("{number}.dcm")),
            window: None,
            image_id: ImageId(format!("ID_{number}")),
            labels,
            row: number,
        }
    };
    let rows = |samples: &Samples| -> Vec<LabelRow> {
        (0..samples.len()).map(|at| samples.labels(at)).collect()
    };
    let original = Samples::of_list((0..80).map(sample)).unwrap();
    let shuffled = |seed: u64| {
        let mut samples = Samples::of_list((0..80).map(sample)).unwrap();
        samples.shuffle_labels(seed);
        samples
    };
    let other = shuffled(1);
    assert_eq!(rows(&other), rows(&shuffled(1)));
    assert_ne!(rows(&other), rows(&shuffled(2)));
    assert_ne!(rows(&other), rows(&original));
    assert!(other.labelled().eq(original.labelled()));
    let positive = |samples: &Samples| {
        let found = rows(samples).into_iter();
        found
            .filter(|row| row.get(Label::Any) == Some(true))
            .count()
    };
    assert_eq!(positive(&other), positive(&original));
    // What a slice is given as is what it is listed with.
    assert_eq!(other.get(7).unwrap().labels, other.labels(7));
}
