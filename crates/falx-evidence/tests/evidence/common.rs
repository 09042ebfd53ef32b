//! What several test files share.

use std::path::{Path, PathBuf};

use dicom_object::{DefaultDicomObject, InMemDicomObject, open_file};
use falx_core::{Interrupt, LABELS, Probability, Silent};
use falx_evidence::{
    AlgorithmIdentification, Finding, HeatMap, KeyPicture, MapFrame, MapQuantity, Presence,
    RgbPicture, SourceSlice, StudyFindings, WrittenAt,
};
use falx_phantom::{Layout, PhantomOptions};

pub fn share(number: f64) -> Probability {
    Probability::new(number).unwrap()
}

/// The files of a phantom of 64 × 64 pixels, by the names of its studies' folders.
pub fn phantom(out: &Path, patients: u32) -> Vec<PathBuf> {
    let options = PhantomOptions {
        patients,
        out: out.join("phantom"),
        seed: 3,
        layout: Layout::Folders,
        matrix: 64,
        masks: false,
        ..PhantomOptions::default()
    };
    let made = falx_phantom::write(&options, &Silent, &Interrupt::default()).unwrap();
    let mut files = falx_fixtures::files_under(&made.images);
    files.retain(|path| path.extension().is_some_and(|ending| ending == "dcm"));
    files
}

/// Findings with everything that there can be, of the first `slices` files.
pub fn findings(files: &[PathBuf], slices: usize) -> StudyFindings {
    let sources: Vec<SourceSlice> = files[..slices]
        .iter()
        .map(|path| SourceSlice::read(path).unwrap())
        .collect();
    of_sources(sources, 64)
}

/// The same for sources of `side` × `side` pixels.
pub fn of_sources(sources: Vec<SourceSlice>, side: usize) -> StudyFindings {
    let last = sources.len() - 1;
    let findings = LABELS.into_iter().enumerate().map(|(at, label)| Finding {
        label,
        probability: share(at as f64 / 7.0),
        presence: Some([Presence::Absent, Presence::Undetermined, Presence::Present][at / 2]),
        interval: Some([share(at as f64 / 8.0), share(at as f64 / 6.0)]),
        threshold: Some(share(0.5)),
        key_slices: if at < 2 { Vec::new() } else { vec![last, 0] },
    });
    let label = LABELS[4];
    StudyFindings {
        findings: findings.collect(),
        algorithm: AlgorithmIdentification {
            name: "test".into(),
            version: "1.2".into(),
            model_hash: "abc".into(),
            parameters: vec![("flip".into(), "true".into())],
        },
        prevalence: Some(share(0.1)),
        written_at: WrittenAt::new(1_600_000_000, 0).unwrap(),
        pictures: vec![KeyPicture {
            slice: last,
            label,
            description: "A test".into(),
            picture: RgbPicture {
                rows: 3,
                cols: 5,
                pixels: (0..45).collect(),
            },
        }],
        heat_maps: vec![HeatMap {
            label,
            quantity: MapQuantity::ClassActivation,
            frames: vec![MapFrame {
                slice: last,
                values: (0..side * side)
                    .map(|at| at as f32 / (side * side - 1) as f32)
                    .collect(),
            }],
        }],
        sources,
    }
}

/// An object that was written.
pub fn open(path: &Path) -> DefaultDicomObject {
    open_file(path).unwrap()
}

/// All content items of a report, below one another, with their value types.
pub fn items(set: &InMemDicomObject) -> Vec<&InMemDicomObject> {
    let below = set.get(dicom_dictionary_std::tags::CONTENT_SEQUENCE);
    let below = below
        .and_then(|element| element.items())
        .unwrap_or_default();
    let mut found = vec![set];
    found.extend(below.iter().flat_map(items));
    found
}

/// The code value of an item's sequence.
pub fn code(set: &InMemDicomObject, tag: dicom_core::Tag) -> Option<String> {
    let item = set.get(tag)?.items()?.first()?;
    let value = item.get(dicom_dictionary_std::tags::CODE_VALUE)?;
    Some(value.to_str().ok()?.trim().to_owned())
}

/// The text of an attribute.
pub fn text(set: &InMemDicomObject, tag: dicom_core::Tag) -> String {
    let found = set.get(tag).and_then(|element| element.to_str().ok());
    found
        .unwrap_or_default()
        .trim_end_matches([' ', '\0'])
        .to_owned()
}
