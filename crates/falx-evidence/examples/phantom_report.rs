//! Writes all objects for made-up findings of a phantom, and what was given as `expected.json`:
//! `phantom_report OUT [SOURCES]`. With SOURCES, a folder of CT files, its first study is taken instead of a phantom.

use std::error::Error;
use std::path::{Path, PathBuf};

use falx_core::{Interrupt, LABELS, Label, Probability, Silent, Window};
use falx_dicom::CtSlice;
use falx_evidence::{
    AlgorithmIdentification, Finding, HeatMap, KeyPicture, MapFrame, MapQuantity, Presence,
    RgbPicture, SourceSlice, StudyFindings, WrittenAt, write_study,
};
use falx_phantom::{Layout, PhantomOptions};
use serde_json::json;

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Probability and threshold of each label, in their order; the last label abstains.
const GIVEN: [(f64, f64); 6] = [
    (0.031, 0.25),
    (0.8724, 0.31),
    (1.0 / 3.0, 0.4),
    (0.0, 0.2),
    (0.6180339887498949, 0.28),
    (0.9431, 0.5),
];

fn main() -> Fallible<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let out = arguments
        .next()
        .ok_or("usage: phantom_report OUT [SOURCES]")?;
    let sources = match arguments.next() {
        Some(folder) => folder,
        None => phantom(&out.join("phantom"))?,
    };
    let study = Study::read(&sources)?;
    let findings = findings(&study)?;
    let written = write_study(&findings, &out.join("objects"))?;
    let expected = json!({
        "sources": study.sources.iter().map(SourceSlice::sop_instance_uid).collect::<Vec<_>>(),
        "findings": findings.findings.iter().map(|finding| json!({
            "label": finding.label,
            "probability": finding.probability,
            "presence": finding.presence.map(|presence| format!("{presence:?}")),
            "interval": finding.interval,
            "threshold": finding.threshold,
            "slices": finding.key_slices.iter().map(|&at| study.sources[at].sop_instance_uid()).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "algorithm": { "name": findings.algorithm.name, "version": findings.algorithm.version },
        "prevalence": findings.prevalence,
        "heat_map": findings.heat_maps[0].frames.iter().map(|frame| {
            frame.values.iter().map(|&value| f64::from(value)).sum::<f64>()
        }).collect::<Vec<_>>(),
        "objects": written.objects.iter().map(|object| json!({
            "path": object.path, "kind": object.kind, "sop_instance_uid": object.sop_instance_uid,
        })).collect::<Vec<_>>(),
    });
    std::fs::write(out.join("expected.json"), expected.to_string())?;
    for object in &written.objects {
        println!("{}: {}", object.kind, object.path.display());
    }
    for concern in &written.not_uids {
        println!("{concern}");
    }
    Ok(())
}

fn phantom(out: &Path) -> Fallible<PathBuf> {
    let options = PhantomOptions {
        patients: 1,
        out: out.to_owned(),
        seed: 5,
        layout: Layout::Folders,
        matrix: 256,
        slice_prevalence: 0.5,
        masks: false,
        ..PhantomOptions::default()
    };
    Ok(falx_phantom::write(&options, &Silent, &Interrupt::default())?.images)
}

/// The slices of a study in their order along the head.
struct Study {
    sources: Vec<SourceSlice>,
    slices: Vec<CtSlice>,
}

impl Study {
    /// Reads the first study of a folder.
    fn read(folder: &Path) -> Fallible<Self> {
        let mut found = Vec::new();
        for path in falx_fixtures::files_under(folder) {
            // Tables and notes lie beside the images.
            if let Ok(slice) = falx_dicom::read_slice(&path) {
                found.push((path, slice));
            }
        }
        let study = |slice: &CtSlice| slice.header.study_instance_uid.clone();
        let first = found.first().and_then(|(_, slice)| study(slice));
        found.retain(|(_, slice)| study(slice) == first);
        let height = |slice: &CtSlice| slice.header.position_mm().map_or(0.0, |mm| mm.0);
        found.sort_by(|(_, a), (_, b)| height(a).total_cmp(&height(b)));
        let sources = found.iter().map(|(path, _)| SourceSlice::read(path));
        Ok(Self {
            sources: sources.collect::<Result<_, _>>()?,
            slices: found.into_iter().map(|(_, slice)| slice).collect(),
        })
    }
}

fn findings(study: &Study) -> Fallible<StudyFindings> {
    let middle = study.slices.len() / 2;
    let keys: Vec<usize> = [middle, middle + 1, middle.saturating_sub(2)]
        .into_iter()
        .filter(|&at| at < study.slices.len())
        .collect();
    let mut findings = Vec::new();
    for (label, (probability, threshold)) in LABELS.into_iter().zip(GIVEN) {
        let presence = match label {
            Label::Any => Presence::Undetermined,
            _ if probability >= threshold => Presence::Present,
            _ => Presence::Absent,
        };
        let interval = [probability * 0.9, probability.sqrt()];
        findings.push(Finding {
            label,
            probability: Probability::new(probability)?,
            presence: Some(presence),
            interval: Some([
                Probability::new(interval[0])?,
                Probability::new(interval[1])?,
            ]),
            threshold: Some(Probability::new(threshold)?),
            key_slices: if presence == Presence::Absent {
                Vec::new()
            } else {
                keys.clone()
            },
        });
    }
    let pictures = keys.iter().map(|&slice| KeyPicture {
        slice,
        label: Label::Intraparenchymal,
        description: "Left: the slice in the brain window. Right: what lies between 50 and 90 HU"
            .to_owned(),
        picture: picture(&study.slices[slice]),
    });
    let frames = study.slices.iter().enumerate().map(|(slice, ct)| MapFrame {
        slice,
        values: blood(ct),
    });
    Ok(StudyFindings {
        sources: study.sources.clone(),
        findings,
        algorithm: AlgorithmIdentification {
            name: "falx made-up findings".to_owned(),
            version: "1".to_owned(),
            model_hash: "0123456789abcdef".repeat(4),
            parameters: vec![("flip".to_owned(), "true".to_owned())],
        },
        prevalence: Some(Probability::new(0.14)?),
        written_at: WrittenAt::new(1_700_000_000, 60)?,
        pictures: pictures.collect(),
        heat_maps: vec![HeatMap {
            label: Label::Intraparenchymal,
            quantity: MapQuantity::Saliency,
            frames: frames.collect(),
        }],
    })
}

/// How near each pixel is to 70 HU, from 0 to 1.
fn blood(slice: &CtSlice) -> Vec<f32> {
    let near = |hu: f32| (1.0 - (hu - 70.0).abs() / 20.0).max(0.0);
    slice.hu.iter().map(|hu| near(hu.0)).collect()
}

/// The slice in the brain window, twice, the second time with what looks like blood in orange.
fn picture(slice: &CtSlice) -> RgbPicture {
    let (rows, cols) = (slice.header.rows, slice.header.cols);
    let [window, ..] = falx_core::SEED_WINDOWS;
    let grey = |hu: f32| (255.0 * shade(window, hu)) as u8;
    let heat = blood(slice);
    let mut pixels = Vec::with_capacity(2 * rows * cols * 3);
    for (line, heat) in slice.hu.chunks(cols).zip(heat.chunks(cols)) {
        pixels.extend(line.iter().flat_map(|hu| [grey(hu.0); 3]));
        pixels.extend(line.iter().zip(heat).flat_map(|(hu, &heat)| {
            let grey = f32::from(grey(hu.0));
            let mix = |over: f32| (grey + heat * 0.7 * (over - grey)) as u8;
            [mix(255.0), mix(140.0), mix(0.0)]
        }));
    }
    RgbPicture {
        rows,
        cols: 2 * cols,
        pixels,
    }
}

fn shade(window: Window, hu: f32) -> f32 {
    ((hu - window.center()) / window.width() + 0.5).clamp(0.0, 1.0)
}
