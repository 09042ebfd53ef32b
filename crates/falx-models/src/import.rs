//! Weights from elsewhere onto a network of the zoo.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use falx_nn::weights::{self, MapRules, Mapping};
use falx_nn::zoo::NetworkConfig;
use falx_nn::{Backbone, Graph, Parameters, backbone};
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
    let [safetensors, onnx] = write_network(graph, &parameters, out)?;
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
    let manifest = write_manifest(&manifest, out)?;
    Ok(Imported {
        mapping,
        onnx,
        safetensors,
        manifest,
    })
}

/// Writes the weights alone, and the network with them; its probabilities too, where its outputs are logits.
fn write_network(
    graph: Graph,
    parameters: &Parameters,
    out: &Path,
) -> Result<[Written; 2], ModelsError> {
    std::fs::create_dir_all(out).map_err(ModelsError::io(out))?;
    let safetensors = export(&graph, parameters, &out.join("weights.safetensors"))?;
    let graph = graph.clone().with_probabilities().unwrap_or(graph);
    let onnx = export(&graph, parameters, &out.join("model.onnx"))?;
    Ok([safetensors, onnx])
}

fn write_manifest(manifest: &impl Serialize, out: &Path) -> Result<PathBuf, ModelsError> {
    let path = out.join("import.toml");
    let text = toml::to_string_pretty(manifest)
        .map_err(|error| ModelsError::archive(&path, &format!("cannot be written: {error}")))?;
    write(&path, text.as_bytes())?;
    Ok(path)
}

/// An ONNX file to take as the backbone of a network.
#[derive(Clone, Debug)]
pub struct BackboneOptions {
    /// The file.
    pub file: PathBuf,
    /// The tensor or node whose value the head reads; left out = the file's first output.
    pub cut: Option<String>,
    /// Images and head.
    pub network: NetworkConfig,
    /// Where the head starts.
    pub seed: u64,
    /// The folder to write.
    pub out: PathBuf,
}

/// A network with a backbone from elsewhere.
#[derive(Clone, Debug, Serialize)]
pub struct ImportedBackbone {
    /// What was changed or assumed on the way.
    pub notes: Vec<String>,
    /// Weights in the backbone, and in all.
    pub parameters: [usize; 2],
    /// What the head reads: the shape without the batch.
    pub features: Vec<usize>,
    /// The network with its weights, the head's drawn from the seed.
    pub onnx: Written,
    /// The weights alone.
    pub safetensors: Written,
    /// What was made of what.
    pub manifest: PathBuf,
}

#[derive(Serialize)]
struct BackboneManifest<'a> {
    falx_version: &'static str,
    source: String,
    source_sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<&'a str>,
    seed: u64,
    notes: &'a [String],
    network: &'a NetworkConfig,
}

/// Cuts an ONNX file, puts a head on it, and writes `model.onnx`, `weights.safetensors` and `import.toml`.
///
/// # Errors
/// [`ModelsError`] when the file is no network, there is nothing to cut at, or nothing can be written.
pub fn import_backbone(options: &BackboneOptions) -> Result<ImportedBackbone, ModelsError> {
    let cut = options.cut.as_deref();
    let made = backbone(&options.file, cut, &options.network);
    let made = made.map_err(|source| ModelsError::Backbone {
        path: options.file.clone(),
        source: Box::new(source),
    })?;
    let weights = |parameters: &Parameters| -> usize {
        parameters.iter().map(|(_, tensor)| tensor.data.len()).sum()
    };
    let all = made.first(options.seed);
    let counts = [weights(&made.parameters), weights(&all)];
    let Backbone { graph, notes, .. } = made;
    let features = features(&graph);
    let notes: Vec<String> = notes.iter().map(ToString::to_string).collect();
    let out = &options.out;
    let [safetensors, onnx] = write_network(graph, &all, out)?;
    let manifest = BackboneManifest {
        falx_version: env!("CARGO_PKG_VERSION"),
        source: file_name(&options.file),
        source_sha256: crate::fetch::sha256_of(&options.file)?,
        cut,
        seed: options.seed,
        notes: &notes,
        network: &options.network,
    };
    let manifest = write_manifest(&manifest, out)?;
    Ok(ImportedBackbone {
        notes,
        parameters: counts,
        features,
        onnx,
        safetensors,
        manifest,
    })
}

/// The shape of the last value of the backbone.
fn features(graph: &Graph) -> Vec<usize> {
    let backbone = graph.nodes().iter();
    let last = backbone
        .take_while(|node| node.name.starts_with("backbone."))
        .last();
    last.map_or_else(|| graph.input().to_vec(), |node| node.shape.clone())
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

impl ImportedBackbone {
    /// What was imported, in words.
    pub fn to_text(&self) -> String {
        let shape: Vec<String> = self.features.iter().map(ToString::to_string).collect();
        let [own, all] = self.parameters;
        let mut text = format!(
            "backbone of {own} weights, features of {}; with the head {all}",
            shape.join(" × ")
        );
        for note in &self.notes {
            let _ = write!(text, "\nnote: {note}");
        }
        let _ = write!(
            text,
            "\nwritten: {}, {}, {}",
            self.onnx.path.display(),
            self.safetensors.path.display(),
            self.manifest.display()
        );
        text
    }
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
