use std::path::PathBuf;

use falx_core::{ImageId, LabelRow};

use super::{LabelsError, read};

fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("labels.csv");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

const LONG: &str = "ID,Label\nID_b_epidural,0\nID_b_intraparenchymal,1\nID_b_intraventricular,0\n\
ID_b_subarachnoid,0\nID_b_subdural,0\nID_b_any,1\nID_a_any,0\n";

#[test]
fn the_long_form_splits_at_the_last_underscore() {
    let (_folder, path) = written(LONG);
    let table = read(&path).unwrap();
    assert_eq!(table.len(), 2);
    let bits = [0, 1, 0, 0, 0, 1].map(|b| Some(b == 1));
    assert_eq!(table.get(&ImageId::from("ID_b")), Some(LabelRow(bits)));
    let only_any = LabelRow([None, None, None, None, None, Some(false)]);
    assert_eq!(table.get(&ImageId::from("ID_a")), Some(only_any));
    assert_eq!(table.get(&ImageId::from("ID")), None);
    let ids: Vec<_> = table.iter().map(|(id, _)| id.as_str().to_owned()).collect();
    assert_eq!(ids, ["ID_a", "ID_b"]);
}

#[test]
fn the_wide_form_may_leave_labels_open() {
    let (_folder, path) = written(
        "\u{feff}image_id,any,epidural,intraparenchymal,intraventricular,subarachnoid,subdural\n1.2.3,1,,0,0,1.0,0\n",
    );
    let table = read(&path).unwrap();
    let expected = [
        None,
        Some(false),
        Some(false),
        Some(true),
        Some(false),
        Some(true),
    ];
    assert_eq!(table.get(&ImageId::from("1.2.3")), Some(LabelRow(expected)));
}

#[test]
fn duplicates_are_counted_and_a_contradiction_is_unknown() {
    let (_folder, path) = written(&format!("{LONG}ID_b_any,1\nID_a_any,1\nID_b_epidural,0\n"));
    let table = read(&path).unwrap();
    assert_eq!(
        (table.agreeing_duplicates(), table.disagreeing_duplicates()),
        (2, 1)
    );
    assert_eq!(table.disagreeing(), [ImageId::from("ID_a")]);
    assert!(table.get(&ImageId::from("ID_a")).unwrap().is_empty());
}

#[test]
fn a_missing_column_is_named_with_the_columns_found() {
    let (_folder, path) = written("ID,Value\nID_a_any,0\n");
    let message = read(&path).unwrap_err().to_string();
    assert!(
        message.contains("no column Label; found: ID, Value"),
        "{message}"
    );
    assert!(message.contains("labels.csv"), "{message}");
    let (_folder, path) = written("image_id,any,epidural\nx,0,0\n");
    let message = read(&path).unwrap_err().to_string();
    assert!(
        message.contains("no column intraparenchymal, intraventricular, subarachnoid, subdural"),
        "{message}"
    );
    let (_folder, path) = written("");
    assert!(matches!(
        read(&path),
        Err(LabelsError::MissingColumn { .. })
    ));
}

#[test]
fn bad_rows_are_named_with_their_lines() {
    let (_folder, path) = written("ID,Label\nID_a_any,0.5\nID_a_epidural,0\nID_a_bleeding,1\n");
    let message = read(&path).unwrap_err().to_string();
    assert!(message.contains("2 bad rows: line 2: `0.5`"), "{message}");
    assert!(message.contains("line 4: `ID_a_bleeding`"), "{message}");
}

#[test]
fn a_missing_file_is_named() {
    assert!(matches!(
        read("no/such/labels.csv"),
        Err(LabelsError::NoSuchFile { .. })
    ));
}

#[test]
fn a_short_row_is_an_error_with_its_line() {
    let (_folder, path) = written("ID,Label\nID_a_any\n");
    let message = read(&path).unwrap_err().to_string();
    assert!(
        message.contains("line: 2") || message.contains("line 2"),
        "{message}"
    );
}
