//! Order, spacing, tilt and defects of the conformance set's series folders.

use std::path::{Path, PathBuf};

use falx_dicom::series::{FolderFile, FolderSeries, SeriesSlice, arrange, sort_folder};
use falx_dicom::{Refusal, SliceHeader, read_header};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A folder's files in the order of their names, as paths relative to the set.
fn files_of(root: &Path, folder: &str) -> Vec<String> {
    let relative = format!("traps/series/{folder}");
    let entries = std::fs::read_dir(root.join(&relative)).unwrap();
    let mut files: Vec<String> = entries
        .map(|entry| {
            format!(
                "{relative}/{}",
                entry.unwrap().file_name().to_str().unwrap()
            )
        })
        .collect();
    files.sort();
    files
}

fn round(x: f64, decimals: i32) -> f64 {
    let unit = 10_f64.powi(decimals);
    // Adding zero turns -0 into 0.
    (x * unit).round() / unit + 0.0
}

#[test]
fn every_folder_is_arranged_as_expected() {
    let Some(root) = falx_fixtures::shared("conformance") else {
        return;
    };
    let set: Value =
        serde_json::from_slice(&std::fs::read(root.join("series.json")).unwrap()).unwrap();
    let folders = set["folders"].as_object().unwrap();
    for (name, want) in folders {
        let files = files_of(&root, name);
        let read: Vec<_> = files.iter().map(|file| read(root.join(file))).collect();
        let views: Vec<_> = read.iter().map(view).collect();
        let folder = sort_folder(&views);
        let excluded: Vec<Value> = folder
            .excluded
            .iter()
            .map(|e| json!({"file": files[e.index], "why": e.defect.unwrap().name()}))
            .collect();
        assert_eq!(Value::from(excluded), want["excluded"], "{name}");
        let defects: Vec<_> = folder.defects.iter().map(|d| d.name()).collect();
        assert_eq!(sorted(defects), want["defects"], "{name}");
        let series = want["series"].as_array().unwrap();
        assert_eq!(folder.series.len(), series.len(), "{name}");
        for (got, want) in folder.series.iter().zip(series) {
            compare(got, want, &files);
        }
    }
    assert!(folders.len() > 10, "the set is not empty");
}

fn sorted(mut names: Vec<&str>) -> Value {
    names.sort_unstable();
    Value::from(names)
}

fn compare(got: &FolderSeries, want: &Value, files: &[String]) {
    let geometry = &got.geometry;
    let file = |index: usize| files[got.members[index]].clone();
    let list = |indices: &[usize]| -> Vec<String> { indices.iter().map(|&i| file(i)).collect() };
    let rounded = |values: &[f64], decimals| -> Vec<f64> {
        values.iter().map(|&x| round(x, decimals)).collect()
    };
    let absent = Value::Array(Vec::new());
    let or_empty = |key: &str| want.get(key).unwrap_or(&absent).clone();
    let positions: Vec<f64> = geometry.positions.iter().map(|p| p.0).collect();
    let defects: Vec<_> = geometry.defects.iter().map(|d| d.name()).collect();

    assert_eq!(
        got.series_instance_uid.as_deref(),
        want["series_instance_uid"].as_str()
    );
    assert_eq!(
        json!(got.members.len() - geometry.dropped_copies.len()),
        want["files"]
    );
    assert_eq!(json!(list(&geometry.order)), want["order"]);
    assert_eq!(
        json!(rounded(&geometry.normal.unwrap(), 6)),
        positive_zeros(&want["normal"])
    );
    assert_eq!(
        json!(rounded(&positions, 4)),
        positive_zeros(&want["positions_along_normal_mm"])
    );
    assert_eq!(
        json!(rounded(&geometry.gaps_mm, 4)),
        want["gaps_along_normal_mm"]
    );
    assert_eq!(
        json!(geometry.spacing_mm.map(|x| round(x, 4))),
        want["spacing_mm"]
    );
    assert_eq!(sorted(defects), want["defects"], "{want}");
    assert_eq!(geometry.is_volume(), want["volume"] != "refuse", "{want}");
    for (key, decimals, value) in [
        ("tilt_degrees", 3, geometry.tilt_deg),
        ("step_mm", 4, geometry.step_mm),
    ] {
        let value = value.map(|x| json!(round(x, decimals)));
        assert_eq!(value.as_ref(), want.get(key), "{key} of {want}");
    }
    let pairs = |pairs: &[(usize, usize)]| -> Vec<Value> {
        pairs
            .iter()
            .map(|&(a, b)| json!([file(a), file(b)]))
            .collect()
    };
    assert_eq!(
        Value::from(pairs(&geometry.duplicates)),
        or_empty("duplicates")
    );
    let uids: Vec<Value> = geometry
        .duplicate_uids
        .iter()
        .map(|i| json!(list(i)))
        .collect();
    assert_eq!(Value::from(uids), or_empty("duplicate_uid_files"));
    let missing = geometry
        .missing
        .iter()
        .map(|&(after, count)| json!({"after": file(after), "count": count}));
    assert_eq!(
        Value::from(missing.collect::<Vec<_>>()),
        or_empty("missing")
    );
    let copies = geometry
        .dropped_copies
        .iter()
        .map(|&(copy, kept)| json!({"file": file(copy), "same_as": file(kept)}));
    assert_eq!(
        Value::from(copies.collect::<Vec<_>>()),
        or_empty("dropped_copies")
    );
}

fn positive_zeros(list: &Value) -> Value {
    let numbers = list.as_array().unwrap().iter();
    json!(
        numbers
            .map(|x| x.as_f64().unwrap() + 0.0)
            .collect::<Vec<_>>()
    )
}

struct Read {
    header: Result<SliceHeader, Refusal>,
    digest: [u8; 32],
}

fn read(path: PathBuf) -> Read {
    Read {
        header: read_header(&path).map_err(|error| error.refused().unwrap().refusal),
        digest: Sha256::digest(std::fs::read(path).unwrap()).into(),
    }
}

fn view(read: &Read) -> FolderFile<'_> {
    match &read.header {
        Ok(header) => {
            let mut file = FolderFile::from(header);
            file.slice.digest = Some(read.digest);
            file
        }
        Err(refusal) => FolderFile::from(*refusal),
    }
}

#[test]
fn studies_keep_their_series_apart_even_under_one_series_uid() {
    let header = |study: &str, series: &str| SliceHeader {
        study_instance_uid: Some(study.to_owned()),
        series_instance_uid: Some(series.to_owned()),
        ..SliceHeader::default()
    };
    let headers = [
        header("2", "7"),
        header("1", "7"),
        header("2", "8"),
        header("2", "7"),
    ];
    let files: Vec<_> = headers.iter().map(FolderFile::from).collect();
    let folder = sort_folder(&files);
    let members: Vec<_> = folder.series.iter().map(|s| s.members.clone()).collect();
    assert_eq!(members, [vec![0, 3], vec![1], vec![2]]);
    let studies: Vec<_> = folder
        .studies
        .iter()
        .map(|s| (s.study_instance_uid.as_deref(), s.series.clone()))
        .collect();
    assert_eq!(studies, [(Some("2"), vec![0, 2]), (Some("1"), vec![1])]);
}

#[test]
fn headers_place_a_slice_by_its_position_on_its_normal() {
    let header = SliceHeader {
        image_position: Some([-125.0, 3.0, 40.0]),
        image_orientation: Some([1.0, 0.0, 0.0, 0.0, 0.8, -0.6]),
        ..SliceHeader::default()
    };
    assert_eq!(header.normal(), Some([0.0, 0.6, 0.8]));
    let position = header.position_mm().unwrap().0;
    assert!((position - (0.6 * 3.0 + 0.8 * 40.0)).abs() < 1e-12);
    assert!((header.tilt_deg().unwrap() - 0.8_f64.acos().to_degrees()).abs() < 1e-12);
    let flat = SliceHeader {
        image_orientation: Some([0.0; 6]),
        ..header
    };
    assert_eq!(flat.normal(), None);
}

/// Slices of one orientation at whole millimetres.
fn slices_at(heights: &[i32]) -> Vec<SeriesSlice<'static>> {
    let at = |&height: &i32| SeriesSlice {
        rows: 4,
        cols: 4,
        image_position: Some([-1.0, 2.0, f64::from(height)]),
        image_orientation: Some([1.0, 0.0, 0.0, 0.0, 1.0, 0.0]),
        pixel_spacing: Some([0.5, 0.5]),
        ..SeriesSlice::default()
    };
    heights.iter().map(at).collect()
}

proptest! {
    #[test]
    fn the_order_given_changes_nothing_but_the_indices(
        heights in proptest::collection::hash_set(-500..500_i32, 1..40),
        seed in any::<u64>(),
    ) {
        let mut sorted: Vec<i32> = heights.into_iter().collect();
        sorted.sort_unstable();
        let mut shuffled = sorted.clone();
        shuffled.sort_by_key(|&height| (i64::from(height).wrapping_mul(seed.cast_signed() | 1), height));
        let got = arrange(&slices_at(&shuffled));
        let want = arrange(&slices_at(&sorted));
        let heights: Vec<i32> = got.order.iter().map(|&i| shuffled[i]).collect();
        prop_assert_eq!(heights, sorted);
        prop_assert_eq!(&got.positions, &want.positions);
        prop_assert_eq!(got.spacing_mm, want.spacing_mm);
        prop_assert_eq!(got.defects, want.defects);
    }
}

#[test]
fn a_series_without_any_position_is_no_volume() {
    let geometry = arrange(&[SeriesSlice::default(), SeriesSlice::default()]);
    assert!(geometry.order.is_empty());
    assert!(!geometry.is_volume());
    assert!(!arrange(&[]).is_volume());
}
