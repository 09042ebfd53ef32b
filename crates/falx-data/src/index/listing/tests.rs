use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, Float32Array, Int64Array, RecordBatch, StringArray,
    UInt8Array,
};
use parquet::arrow::ArrowWriter;

use super::{ListingError, read_listing};

/// Writes a table of these columns into a folder of its own.
fn table(columns: Vec<(&str, ArrayRef)>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hospital").join("slices.parquet");
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns
            .into_iter()
            .map(|(name, column)| (name, column, true)),
    )
    .unwrap();
    let file = std::fs::File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    (folder, path)
}

fn ids(ids: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(ids.to_vec()))
}

#[test]
fn names_of_any_case_and_dictionaries_are_read_and_sorted() {
    let series: DictionaryArray<Int32Type> = [Some("s1"), Some("s1"), None, Some("s2"), Some("s2")]
        .into_iter()
        .collect();
    let (_folder, path) = table(vec![
        ("ID", ids(&["a", "b", "c", "d", "e"])),
        ("Patient_ID", ids(&["p", "p", "", "q", "q"])),
        ("series_uid", Arc::new(series)),
        (
            "position_z",
            Arc::new(Float32Array::from(vec![
                Some(5.0),
                Some(-5.0),
                Some(1.0),
                None,
                Some(2.0),
            ])),
        ),
        (
            "ANY",
            Arc::new(UInt8Array::from(vec![
                Some(1),
                Some(0),
                None,
                Some(0),
                Some(1),
            ])),
        ),
        ("epidural", Arc::new(Int64Array::from(vec![1, 0, 0, 0, 0]))),
        (
            "subdural",
            Arc::new(BooleanArray::from(vec![true, false, false, false, true])),
        ),
    ]);
    let rows = read_listing(&path).unwrap();
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (row.image_id.as_str(), row.order))
        .collect();
    assert_eq!(
        seen,
        [
            ("b", Some(0)),
            ("a", Some(1)),
            ("d", None),
            ("e", None),
            ("c", None)
        ]
    );
    let a = &rows[1];
    assert_eq!(
        a.labels.0,
        [Some(true), None, None, None, Some(true), Some(true)]
    );
    assert!(a.patient.as_ref().unwrap().as_str().starts_with('P'));
    assert_eq!(&*a.dataset, "hospital");
    assert!(a.usable && a.pixel_hash.is_none());
    assert!(rows[4].patient.is_none() && rows[4].labels.0[5].is_none());
}

#[test]
fn what_cannot_be_used_is_named() {
    let (_folder, path) = table(vec![("picture", ids(&["a"]))]);
    let error = read_listing(&path).unwrap_err();
    assert!(matches!(error, ListingError::NoIds { .. }));
    assert!(error.to_string().contains("picture"), "{error}");

    let (_folder, path) = table(vec![
        ("image_id", ids(&["a", "b"])),
        ("any", Arc::new(UInt8Array::from(vec![1, 2]))),
    ]);
    let error = read_listing(&path).unwrap_err().to_string();
    assert!(
        error.contains("row 2") && error.contains("any is 2"),
        "{error}"
    );

    let (_folder, path) = table(vec![("image_id", Arc::new(UInt8Array::from(vec![1])))]);
    assert!(matches!(
        read_listing(&path),
        Err(ListingError::Type { .. })
    ));

    let (_folder, path) = table(vec![("image_id", ids(&["a", ""]))]);
    assert!(matches!(
        read_listing(&path),
        Err(ListingError::Row { row: 2, .. })
    ));

    let (_folder, path) = table(vec![("image_id", ids(&[]))]);
    assert!(matches!(
        read_listing(&path),
        Err(ListingError::Empty { .. })
    ));

    std::fs::write(&path, "image_id,any\na,1\n").unwrap();
    assert!(matches!(
        read_listing(&path),
        Err(ListingError::Parquet { .. })
    ));
    let error = read_listing(&path.with_file_name("none.parquet")).unwrap_err();
    assert!(error.to_string().contains("none.parquet"));
}

#[test]
fn the_rsna_listing_is_whole() {
    let Some(path) = falx_fixtures::shared("data/rsna-labels/slices.parquet") else {
        return;
    };
    let rows = read_listing(&path).unwrap();
    assert_eq!(rows.len(), 752_803);
    let positive = |at: usize| {
        rows.iter()
            .filter(|row| row.labels.0[at] == Some(true))
            .count()
    };
    assert_eq!([positive(0), positive(5)], [3145, 107_933]);
    let known = |get: fn(&super::IndexRow) -> bool| rows.iter().filter(|&row| get(row)).count();
    assert_eq!(known(|row| row.patient.is_some()), 354_287);
    assert_eq!(known(|row| row.study_uid.is_some()), 332_712);
    assert_eq!(known(|row| row.series_uid.is_some()), 336_543);
    assert_eq!(known(|row| row.z_mm.is_some()), 109_858);
    assert_eq!(&*rows[0].dataset, "rsna-labels");
}
