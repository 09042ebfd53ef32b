//! DICOM and 8-bit pictures of the same kind of slices become the same input.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use falx_core::SEED_WINDOWS;
use falx_dicom::CtSlice;

use super::super::{Crop, InputSpec};
use crate::source::{Place, SliceReader};

/// RSNA's slices that are there as DICOM and as 8-bit pictures of a window of brain.
fn shared_slices() -> Option<[Vec<PathBuf>; 2]> {
    let data = falx_fixtures::shared("data")?;
    let folders = ["rsna-dicom/stage_2_train", "rsna-slices-8bit/images"];
    Some(folders.map(|folder| {
        let files = std::fs::read_dir(data.join(folder)).unwrap();
        let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        paths.sort();
        paths
    }))
}

fn read(path: &Path) -> CtSlice {
    let is_picture = path.extension() != Some("dcm".as_ref());
    let window = is_picture.then_some(SEED_WINDOWS[0]);
    SliceReader::new().read(Place { path, window }).unwrap()
}

/// Pictures show each file's own window, as the one slice says that is there both ways.
fn as_pictures() -> InputSpec {
    InputSpec {
        size: 224,
        windows: vec![SEED_WINDOWS[0]],
        crop: Crop::Head,
        clip_hu: Some([0.0, 80.0]),
        own_window: true,
        ..InputSpec::default()
    }
}

#[test]
fn dicom_through_its_own_window_is_what_a_picture_of_it_holds() {
    let Some([dicom, pictures]) = shared_slices() else {
        return;
    };
    let in_both = |path: &PathBuf| {
        let mut pictures = pictures.iter();
        let picture = pictures.find(|picture| picture.file_stem() == path.file_stem())?;
        Some([read(path), read(picture)])
    };
    let in_both: Vec<_> = dicom.iter().filter_map(in_both).collect();
    assert_eq!(in_both.len(), 1);
    let spec = as_pictures();
    let grey = |slice: &CtSlice, spec: &InputSpec| {
        let mut out = vec![f32::NAN; spec.len()];
        spec.render(slice, None, &mut out);
        out.into_iter()
            .map(|share| 255.0 * share)
            .collect::<Vec<_>>()
    };
    let apart = |a: Vec<f32>, b: Vec<f32>| {
        let pairs = a.into_iter().zip(b);
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    for [whole, kept] in in_both {
        let values = |slice: &CtSlice| {
            let slice = spec.clipped(slice);
            slice.hu.iter().map(|hu| 255.0 / 80.0 * hu.0).collect()
        };
        let most = apart(values(&whole), values(&kept));
        assert!(most < 1.0, "{most} grey levels apart");
        assert_eq!(spec.view(&whole), spec.view(&kept));
        let most = apart(grey(&whole, &spec), grey(&kept, &spec));
        assert!(most < 1.0, "{most} grey levels apart");
        // Through 40/80 brain is darker; without the cut the skull is spread over its neighbours.
        let fixed = InputSpec {
            own_window: false,
            ..spec.clone()
        };
        let uncut = InputSpec {
            clip_hu: None,
            crop: Crop::None,
            ..fixed.clone()
        };
        for (other, least) in [(fixed, 10.0), (uncut, 20.0)] {
            let most = apart(grey(&whole, &other), grey(&kept, &other));
            assert!(most > least, "{most} grey levels apart");
        }
    }
}

/// Few slices are there both ways, but brain is as bright in both sets, patient by patient.
#[test]
fn brain_in_dicom_through_own_windows_is_as_bright_as_in_pictures() {
    let Some([dicom, pictures]) = shared_slices() else {
        return;
    };
    let spec = as_pictures();
    let other = InputSpec {
        own_window: false,
        ..spec.clone()
    };
    let median = |mut levels: Vec<usize>| {
        levels.sort_unstable();
        levels[levels.len() / 2]
    };
    // Whole series of few patients are among the DICOM files.
    let of_patients = |paths: &mut dyn Iterator<Item = &PathBuf>, spec: &InputSpec| {
        let mut patients: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for path in paths {
            let slice = read(path);
            if let Some(level) = brain_level(&slice, spec) {
                let patient = slice.header.patient_id;
                let patient = patient.unwrap_or_else(|| path.display().to_string());
                patients.entry(patient).or_default().push(level);
            }
        }
        assert!(patients.len() > 30, "{} patients", patients.len());
        median(patients.into_values().map(median).collect())
    };
    let of_pictures = of_patients(&mut pictures.iter().step_by(6), &spec);
    let own = of_patients(&mut dicom.iter(), &spec);
    let fixed = of_patients(&mut dicom.iter(), &other);
    assert!(own.abs_diff(of_pictures) <= 5, "{own} and {of_pictures}");
    assert!(
        fixed.abs_diff(of_pictures) > 10,
        "{fixed} and {of_pictures}"
    );
}

/// The commonest grey level of a slice's middle, smoothed over five, where enough of it is neither black nor white.
fn brain_level(slice: &CtSlice, spec: &InputSpec) -> Option<usize> {
    let slice = spec.clipped(slice);
    let mut counts = [0_u32; 256];
    for (row, hu) in slice.hu.chunks_exact(slice.header.cols).enumerate() {
        if (128..384).contains(&row) {
            for hu in hu.iter().skip(128).take(256) {
                counts[(255.0 / 80.0 * hu.0).round() as usize] += 1;
            }
        }
    }
    let smoothed = |at: usize| counts[at - 2..=at + 2].iter().sum::<u32>();
    let enough = counts[50..200].iter().sum::<u32>() > 10_000;
    enough.then(|| (50..200).max_by_key(|&at| smoothed(at)))?
}
