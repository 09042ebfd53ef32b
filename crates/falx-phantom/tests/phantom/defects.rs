//! Planted defects are there, and listed.

use crate::common::{make, small};
use falx_phantom::{Layout, PhantomOptions};
use serde_json::Value;

fn planted(layout: Layout) -> (tempfile::TempDir, falx_phantom::PhantomSummary, Vec<Value>) {
    let dir = tempfile::tempdir().unwrap();
    let options = PhantomOptions {
        layout,
        defects: true,
        ..small(dir.path())
    };
    let made = make(&options);
    let list = std::fs::read(made.out.join("defects.json")).unwrap();
    let list: Vec<Value> = serde_json::from_slice(&list).unwrap();
    assert_eq!(made.defects, list.len() as u64);
    (dir, made, list)
}

fn one<'a>(list: &'a [Value], kind: &str) -> &'a Value {
    list.iter()
        .find(|d| d["kind"] == kind)
        .expect("the kind is planted")
}

#[test]
fn spoilt_files_read_or_fail_as_their_kind_says() {
    for layout in [Layout::Rsna, Layout::Folders] {
        let (_dir, made, list) = planted(layout);
        let path = |d: &Value| made.out.join(d["file"].as_str().unwrap());
        let names = |kind: &str| -> Vec<String> {
            let read = falx_dicom::read_slice(&path(one(&list, kind))).unwrap();
            read.defects.iter().map(|d| format!("{d:?}")).collect()
        };
        assert!(!names("twelve_bit_wrap").is_empty());
        assert!(!names("undeclared_padding").is_empty());
        assert!(falx_dicom::read_slice(&path(one(&list, "truncated"))).is_err());
        assert!(path(one(&list, "text_file")).exists());
        let twin = one(&list, "same_pixels");
        let other = list.iter().find(|d| d["image"] == twin["other"]);
        assert!(other.is_none(), "the twin's pixels are a sound file's");
    }
}

#[test]
fn a_wrapped_file_is_repaired_to_the_hu_that_were_meant() {
    let (_dir, made, list) = planted(Layout::Rsna);
    let file = made
        .out
        .join(one(&list, "twelve_bit_wrap")["file"].as_str().unwrap());
    let read = falx_dicom::read_slice(&file).unwrap();
    let brain = read
        .hu
        .iter()
        .filter(|hu| (0.0..80.0).contains(&hu.0))
        .count();
    let air = read.hu.iter().filter(|hu| hu.0 < -900.0).count();
    assert!(
        brain > 400 && air > 1000,
        "{brain} pixels of brain, {air} of air"
    );
}

#[test]
fn the_table_lacks_repeats_and_invents_as_listed() {
    let (_dir, made, list) = planted(Layout::Rsna);
    let text = std::fs::read_to_string(&made.labels).unwrap();
    let rows = |kind: &str| {
        let start = format!("{}_", one(&list, kind)["image"].as_str().unwrap());
        text.lines().filter(|l| l.starts_with(&start)).count()
    };
    assert_eq!(rows("duplicate_rows"), 12);
    assert_eq!(rows("missing_label"), 5);
    assert_eq!(rows("unlabelled_file"), 0);
    assert_eq!(rows("label_without_file"), 6);
    assert_eq!(rows("same_pixels"), 6);
}
