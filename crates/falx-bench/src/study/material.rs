//! What contenders are given: a bundle, and studies of a phantom.

use std::path::{Path, PathBuf};

use dicom_core::VR;
use dicom_dictionary_std::tags;
use dicom_object::DefaultDicomObject;
use falx_core::{Interrupt, Silent};
use falx_data::index::{IndexRow, Layout, scan};
use falx_data::input::InputSpec;
use falx_infer::{Bundle, BundleManifest, BundleMetrics, BundleParts};
use falx_nn::zoo::{self, NetworkConfig};
use falx_nn::{Parameters, onnx};
use falx_phantom::PhantomOptions;

use super::StudyBenchOptions;
use crate::BenchError;

/// A bundle, and studies in folders of their own.
pub struct Material {
    pub bundle: PathBuf,
    pub input: InputSpec,
    /// A folder with the study that is answered.
    pub study: PathBuf,
    /// A folder with a study of one slice.
    pub slice: PathBuf,
    /// A folder with a study of many thin slices.
    pub thin: Option<PathBuf>,
}

impl Material {
    /// Makes all of it in `folder`.
    pub fn make(
        options: &StudyBenchOptions,
        folder: &Path,
        interrupt: &Interrupt,
    ) -> Result<Self, BenchError> {
        let input = InputSpec {
            size: options.size,
            ..InputSpec::default()
        };
        let phantoms = PhantomOptions {
            patients: 1,
            masks: false,
            out: folder.join("phantom"),
            ..PhantomOptions::default()
        };
        let made = falx_phantom::write(&phantoms, &Silent, interrupt)?;
        let mut rows = scan(&[made.images], Layout::Auto, &Silent, interrupt)?.rows;
        rows.sort_by_key(|row| row.order);
        let study = |name: &str, slices: usize| -> Result<PathBuf, BenchError> {
            let out = folder.join(name);
            std::fs::create_dir(&out)?;
            write_study(&rows, slices, &out)?;
            Ok(out)
        };
        let thin = (options.thin_slices > 0).then(|| study("thin", options.thin_slices));
        Ok(Self {
            bundle: bundle(&options.network, &input, &folder.join("bundle"))?,
            input,
            study: study("study", options.slices)?,
            slice: study("slice", 1)?,
            thin: thin.transpose()?,
        })
    }
}

/// A bundle of a network that has learnt nothing, which takes as long as one that has.
fn bundle(network: &str, input: &InputSpec, out: &Path) -> Result<PathBuf, BenchError> {
    let config = NetworkConfig {
        name: network.to_owned(),
        size: input.size,
        ..NetworkConfig::default()
    };
    let graph = zoo::build(&config)?;
    let parameters = Parameters::initialise(&graph, 1);
    let manifest = BundleManifest {
        format: 0,
        network: network.to_owned(),
        falx_version: env!("CARGO_PKG_VERSION").to_owned(),
        labels: Vec::new(),
        data_hash: "none".to_owned(),
        licence: "none".to_owned(),
        intended_use: "measuring time; it has learnt nothing".to_owned(),
        test_time_flip: false,
        smooth_mm: None,
        input: input.clone(),
        prior: None,
        sequence: None,
        prevalence: [0.5; 6],
        decisions: None,
        metrics: BundleMetrics::unmeasured("it has learnt nothing"),
        members: Vec::new(),
        parts: std::collections::BTreeMap::new(),
    };
    let parts = BundleParts {
        model_onnx: &onnx::to_bytes(&graph, &parameters)?,
        sequence_onnx: None,
        model_card: "A network that has learnt nothing, made to measure time.\n",
    };
    Bundle::write(out, manifest, &parts)?;
    Ok(out.to_owned())
}

/// A series of so many slices through the whole of the phantom in `rows`, each the nearest that is there; one slice is
/// the middle one.
fn write_study(rows: &[IndexRow], slices: usize, out: &Path) -> Result<(), BenchError> {
    let middle = rows.get(rows.len() / 2..).unwrap_or_default();
    let rows = if slices == 1 { middle } else { rows };
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return Err(BenchError::NoSlices { files: 0 });
    };
    let (feet, crown) = (corner(&first.path)?, corner(&last.path)?);
    for slice in 0..slices {
        let nearest = slice * (rows.len() - 1) / slices.saturating_sub(1).max(1);
        let row = rows.get(nearest).unwrap_or(first);
        let mut file = open(&row.path)?;
        let share = slice as f64 / slices.saturating_sub(1).max(1) as f64;
        let place: Vec<String> = feet
            .iter()
            .zip(&crown)
            .map(|(a, b)| format!("{:.5}", a + share * (b - a)))
            .collect();
        let uid = format!("2.25.{}", 7_000_000 + slice);
        file.meta_mut()
            .media_storage_sop_instance_uid
            .clone_from(&uid);
        file.put_str(tags::SOP_INSTANCE_UID, VR::UI, uid);
        file.put_str(tags::INSTANCE_NUMBER, VR::IS, (slice + 1).to_string());
        file.put_str(tags::IMAGE_POSITION_PATIENT, VR::DS, place.join("\\"));
        let path = out.join(format!("{slice:04}.dcm"));
        file.write_to_file(&path).map_err(std::io::Error::other)?;
    }
    Ok(())
}

fn open(path: &Path) -> Result<DefaultDicomObject, BenchError> {
    Ok(dicom_object::open_file(path).map_err(std::io::Error::other)?)
}

/// Image Position (Patient), in mm.
fn corner(path: &Path) -> Result<Vec<f64>, BenchError> {
    let file = open(path)?;
    let position = file
        .element(tags::IMAGE_POSITION_PATIENT)
        .map_err(std::io::Error::other)?;
    Ok(position.to_multi_float64().map_err(std::io::Error::other)?)
}
