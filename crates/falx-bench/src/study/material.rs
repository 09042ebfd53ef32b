//! What contenders are given: a bundle, and studies of a phantom.

use std::path::{Path, PathBuf};

use falx_core::{Interrupt, Silent};
use falx_data::index::{Layout, scan};
use falx_data::input::InputSpec;
use falx_infer::{Bundle, BundleManifest, BundleMetrics, BundleParts};
use falx_nn::zoo::{self, NetworkConfig};
use falx_nn::{Parameters, onnx};
use falx_phantom::{PhantomOptions, restack};

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
        let files: Vec<PathBuf> = rows.into_iter().map(|row| row.path).collect();
        let study = |name: &str, slices: usize| -> Result<PathBuf, BenchError> {
            let out = folder.join(name);
            restack(&files, slices, &out)?;
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
        shuffled_labels: false,
        licence: "none".to_owned(),
        intended_use: "measuring time; it has learnt nothing".to_owned(),
        test_time_flip: false,
        smooth_mm: None,
        input: input.clone(),
        calibration: Vec::new(),
        prior: None,
        sequence: None,
        prevalence: [0.5; 6],
        training_prevalence: None,
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
