//! What is on disk is what was meant: pixels, geometry, labels, masks.

use std::collections::BTreeMap;
use std::io::Read;

use crate::common::{files, make, small};
use falx_core::LABELS;
use falx_phantom::{Layout, PhantomOptions, VISIBLE_AREA_MM2, head};

/// The table's values by image.
fn table(text: &str) -> BTreeMap<String, Vec<(String, String)>> {
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("ID,Label"));
    let mut rows: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for line in lines {
        let (id, value) = line.split_once(',').unwrap();
        let (image, label) = id.rsplit_once('_').unwrap();
        rows.entry(image.to_owned())
            .or_default()
            .push((label.to_owned(), value.to_owned()));
    }
    rows
}

#[test]
fn files_read_back_as_the_hu_that_were_meant() {
    let dir = tempfile::tempdir().unwrap();
    let options = PhantomOptions {
        patients: 8,
        layout: Layout::Folders,
        ..small(dir.path())
    };
    let made = make(&options);
    let mut scanners = std::collections::BTreeSet::new();
    let mut by_patient: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for file in files(&made.out)
        .iter()
        .filter(|f| f.extension().is_some_and(|e| e == "dcm"))
    {
        let patient = file.iter().next().unwrap().to_string_lossy().into_owned();
        by_patient
            .entry(patient)
            .or_default()
            .push(made.out.join(file));
    }
    assert_eq!(by_patient.len(), 8);
    let mut met = 0;
    for number in 0..8 {
        let head = head(options.seed, number, options.slice_prevalence);
        scanners.insert(head.scanner());
        let meant: Vec<_> = (0..head.slices()).map(|k| head.render(k, 64).hu).collect();
        // Names tell nothing of the number, so the series is found by its first slice.
        let series = by_patient.values().find(|paths| {
            falx_dicom::read_slice(&paths[0]).unwrap().hu == meant[0] && paths.len() == meant.len()
        });
        for (path, hu) in series
            .expect("one of the series is this patient's")
            .iter()
            .zip(&meant)
        {
            let read = falx_dicom::read_slice(path).unwrap();
            assert_eq!(&read.hu, hu, "{}", path.display());
            assert!(read.defects.is_empty(), "{:?}", read.defects);
            met += 1;
        }
    }
    assert_eq!(met, made.slices);
    assert!(
        scanners.len() > 2,
        "eight patients meet several scanners: {scanners:?}"
    );
}

#[test]
fn rsna_tables_list_every_file_once_in_the_order_of_ids() {
    let dir = tempfile::tempdir().unwrap();
    let options = PhantomOptions {
        test_patients: 2,
        ..small(dir.path())
    };
    let made = make(&options);
    let stems = |folder: &str| -> Vec<String> {
        files(&made.out.join(folder))
            .iter()
            .map(|f| f.file_stem().unwrap().to_string_lossy().into_owned())
            .collect()
    };
    let read = |name: &str| std::fs::read_to_string(made.out.join(name)).unwrap();
    let labels = table(&read("stage_2_train.csv"));
    assert_eq!(
        labels.keys().cloned().collect::<Vec<_>>(),
        stems("stage_2_train")
    );
    assert_eq!(labels.len() as u64, made.slices);
    let mut positive = [0; 6];
    for (image, row) in &labels {
        assert!(image.len() == 12 && image.starts_with("ID_"));
        let names: Vec<_> = row.iter().map(|(label, _)| label.as_str()).collect();
        assert_eq!(names, LABELS.map(falx_core::Label::name));
        let bits: Vec<bool> = row.iter().map(|(_, value)| value == "1").collect();
        assert_eq!(bits[5], bits[..5].contains(&true));
        for (count, bit) in positive.iter_mut().zip(bits) {
            *count += u64::from(bit);
        }
    }
    assert_eq!(positive, made.positive_slices);
    assert!(positive[5] > 0);
    let sample = table(&read("stage_2_sample_submission.csv"));
    assert_eq!(
        sample.keys().cloned().collect::<Vec<_>>(),
        stems("stage_2_test")
    );
    assert!(sample.values().flatten().all(|(_, value)| value == "0.5"));
    assert_eq!(
        table(&read("truth/stage_2_test.csv")).len() as u64,
        made.test_slices
    );
}

#[test]
fn masks_give_the_labels_by_the_rule_of_visible_area() {
    let dir = tempfile::tempdir().unwrap();
    let options = PhantomOptions {
        layout: Layout::Folders,
        ..small(dir.path())
    };
    let made = make(&options);
    let labels = table(&std::fs::read_to_string(&made.labels).unwrap());
    let mut seen = 0;
    for mask in std::fs::read_dir(made.out.join("masks")).unwrap() {
        let path = mask.unwrap().path();
        let mut bytes = Vec::new();
        let file = std::fs::File::open(&path).unwrap();
        flate2::read::GzDecoder::new(file)
            .read_to_end(&mut bytes)
            .unwrap();
        let short = |at: usize| i16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let float = |at: usize| f32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        assert_eq!((short(0), &bytes[344..348]), (348, b"n+1\0".as_slice()));
        assert_eq!((short(40), short(42), short(44)), (3, 64, 64));
        let series = path
            .file_name()
            .unwrap()
            .to_string_lossy()
            .replace(".nii.gz", "");
        let mut slices: Vec<_> = files(&made.out)
            .into_iter()
            .filter(|f| f.to_string_lossy().contains(&series) && f.extension().unwrap() == "dcm")
            .collect();
        slices.sort();
        assert_eq!(usize::try_from(short(46)).unwrap(), slices.len());
        let voxels = &bytes[352..];
        assert_eq!(voxels.len(), slices.len() * 64 * 64);
        let area = f64::from(float(80) * float(84));
        for (file, mask) in slices.iter().zip(voxels.chunks_exact(64 * 64)) {
            let read = falx_dicom::read_slice(&made.out.join(file)).unwrap();
            let row = &labels[read.header.sop_instance_uid.as_deref().unwrap()];
            for (k, (label, value)) in row.iter().take(5).enumerate() {
                let n = mask.iter().filter(|&&m| m >> k & 1 == 1).count();
                assert_eq!(n as f64 * area >= VISIBLE_AREA_MM2, value == "1", "{label}");
            }
            seen += 1;
        }
    }
    assert_eq!(seen, made.slices);
}
