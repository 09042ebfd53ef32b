//! Weights from elsewhere onto a network of the zoo.

use std::path::{Path, PathBuf};

use falx_nn::Parameters;
use falx_nn::weights::{self, MapRules, Mapping};
use falx_nn::zoo::NetworkConfig;
use serde::Serialize;

use crate::files::write;
use crate::{ModelsError, Written, export, network};

/// What to import, and where to.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// The file of weights.
    pub file: PathBuf,
    /// The network that gets them.
    pub network: NetworkConfig,
    /// What holds when tensors become parameters.
    pub rules: MapRules,
    /// Where what the file lacks starts.
    pub seed: u64,
    /// The folder to write.
    pub out: PathBuf,
}

/// What was imported.
#[derive(Clone, Debug, Serialize)]
pub struct Imported {
    /// What became of every parameter and every tensor.
    pub mapping: Mapping,
    /// The network with its weights.
    pub onnx: Written,
    /// The weights alone.
    pub safetensors: Written,
    /// What was made of what.
    pub manifest: PathBuf,
}

#[derive(Serialize)]
struct Manifest<'a> {
    falx_version: &'static str,
    source: String,
    source_sha256: String,
    format: String,
    seed: u64,
    matched: usize,
    kept_at_start: Vec<&'a str>,
    network: &'a NetworkConfig,
}

/// Puts the weights of a file onto a network and writes `model.onnx`, `weights.safetensors` and `import.toml`.
///
/// # Errors
/// [`ModelsError`] when the file is no file of weights, nothing or (strict) not all fits, or nothing can be written.
pub fn import_weights(options: &ImportOptions) -> Result<Imported, ModelsError> {
    let graph = network(&options.network)?;
    let named = weights::read(&options.file)?;
    let mapping = weights::map(&named, &graph, &options.rules)?;
    let parameters = mapping.apply(Parameters::initialise(&graph, options.seed));
    let out = &options.out;
    std::fs::create_dir_all(out).map_err(ModelsError::io(out))?;
    let safetensors = export(&graph, &parameters, &out.join("weights.safetensors"))?;
    let with_probabilities = graph.clone().with_probabilities();
    let graph = with_probabilities.unwrap_or(graph);
    let onnx = export(&graph, &parameters, &out.join("model.onnx"))?;
    let misfit = mapping.misfit.iter().map(|misfit| misfit.name.as_str());
    let kept = mapping
        .missing
        .iter()
        .map(|single| single.name.as_str())
        .chain(misfit);
    let manifest = Manifest {
        falx_version: env!("CARGO_PKG_VERSION"),
        source: file_name(&options.file),
        source_sha256: crate::fetch::sha256_of(&options.file)?,
        format: named.format.to_string(),
        seed: options.seed,
        matched: mapping.matched.len(),
        kept_at_start: kept
            .chain(mapping.left.iter().map(String::as_str))
            .collect(),
        network: &options.network,
    };
    let path = out.join("import.toml");
    let text = toml::to_string_pretty(&manifest)
        .map_err(|error| ModelsError::archive(&path, &format!("cannot be written: {error}")))?;
    write(&path, text.as_bytes())?;
    Ok(Imported {
        mapping,
        onnx,
        safetensors,
        manifest: path,
    })
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

impl Imported {
    /// What was imported, in words.
    pub fn to_text(&self) -> String {
        format!(
            "{}\nwritten: {}, {}, {}",
            self.mapping.to_text(),
            self.onnx.path.display(),
            self.safetensors.path.display(),
            self.manifest.display()
        )
    }
}
