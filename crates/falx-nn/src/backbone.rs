//! A network from elsewhere as a backbone: an ONNX file, cut where asked, with a head of the zoo on it.

use std::path::Path;

use crate::onnx::{Note, ReadError, ReadOptions};
use crate::passes::{copied_with, with_input};
use crate::zoo::{self, NetworkConfig};
use crate::{Graph, Parameters, SurgeryError, import};

/// What the nodes and parameters of a backbone from elsewhere are called, before their own names.
const PREFIX: &str = "backbone.";

/// A network whose backbone comes from elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct Backbone {
    /// The whole network: all that the file has up to the cut, its names after `backbone.`, and the head.
    pub graph: Graph,
    /// The parameters of the backbone; the head has none yet.
    pub parameters: Parameters,
    /// What was changed or assumed on the way.
    pub notes: Vec<Note>,
}

impl Backbone {
    /// The parameters of the whole network: the backbone's as they are, the head's drawn from `seed`.
    pub fn first(&self, seed: u64) -> Parameters {
        let mut all = Parameters::initialise(&self.graph, seed);
        for (name, tensor) in self.parameters.iter() {
            if let Some(parameter) = all.get_mut(name) {
                parameter.clone_from(tensor);
            }
        }
        all
    }
}

/// The network of the ONNX file at `path` as the backbone of one for the images and with the head that `config` describes.
///
/// `cut` is a tensor or node of the file; without it the file's first output is taken. A map of features is pooled, a row of
/// features taken as it is. Of `config`, `name`, `width` and `stochastic_depth` do not matter. Images of another size are
/// taken where every layer can; other channels where the first layers are plain convolutions.
///
/// # Errors
/// [`SurgeryError`] when the file is no network, nothing is called as `cut` says, or the images do not fit.
pub fn backbone(
    path: &Path,
    cut: Option<&str>,
    config: &NetworkConfig,
) -> Result<Backbone, SurgeryError> {
    let (mut graph, mut parameters, mut notes) = read(path, cut, config)?;
    let outputs = graph.outputs().len();
    if outputs > 1 {
        notes.push(Note(format!(
            "the head sits on the first of {outputs} outputs; name another with a cut"
        )));
    }
    let input = graph.input().to_vec();
    if let [channels, height, width] = input[..]
        && [height, width] != [config.size; 2]
    {
        graph = with_input(&graph, &[channels, config.size, config.size])?;
        notes.push(Note(format!(
            "the file is for images of {height} x {width}; it is used for {0} x {0}",
            config.size
        )));
    }
    if input.first() != Some(&config.channels) {
        (graph, parameters) = graph.with_input_channels(&parameters, config.channels)?;
        notes.push(Note(format!(
            "the first convolutions' weights were dealt to {} channels",
            config.channels
        )));
    }
    let (mut builder, values) = copied_with(&graph, PREFIX)?;
    let top = graph.outputs().first().map(|(_, value)| *value);
    let top = top.and_then(|value| values.get(value.0).copied());
    let top = top.ok_or_else(|| ReadError::NotOnnx("it has no output".to_owned()))?;
    let logits = zoo::add_head(&mut builder, top, config)?;
    let named = parameters.iter();
    Ok(Backbone {
        graph: builder.output("logits", logits).finish()?,
        parameters: named
            .map(|(name, tensor)| (format!("{PREFIX}{name}"), tensor.clone()))
            .collect(),
        notes,
    })
}

/// The file as it is; where it leaves its input's lengths open, for the images' size.
fn read(
    path: &Path,
    cut: Option<&str>,
    config: &NetworkConfig,
) -> Result<(Graph, Parameters, Vec<Note>), SurgeryError> {
    let with = |input: Option<Vec<usize>>| {
        let options = ReadOptions {
            input,
            ..ReadOptions::default()
        };
        import(path, &options, cut, None)
    };
    let sized = |channels| with(Some(vec![channels, config.size, config.size]));
    match with(None) {
        // Most files are for colour pictures.
        Err(SurgeryError::Read(ReadError::Size { .. })) => match sized(3) {
            Err(SurgeryError::Read(ReadError::Misfit { .. })) => sized(config.channels),
            other => other,
        },
        other => other,
    }
}
