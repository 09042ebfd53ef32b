//! A network cut, and given another head or another number of input channels.

use std::path::Path;

use crate::onnx::{self, Imported, Note, ReadError, ReadOptions};
use crate::similar::similar;
use crate::{
    Concat, Dropout, Flatten, Gemm, GlobalAveragePool, Graph, GraphError, Operator, Parameters,
    Tensor, Value,
};

/// The output of [`Graph::with_embedding`].
pub const EMBEDDING: &str = "embedding";
/// The node of the zoo's heads that holds what is known of an image.
const POOLED: &str = "flatten";

/// What is put on a backbone: global average pool of images, dropout, a linear layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Head {
    /// How many logits it gives.
    pub outputs: usize,
    /// The share of features that training drops before the linear layer; 0 for none.
    pub dropout: f32,
    /// What its first weights are drawn from.
    pub seed: u64,
}

/// A network that cannot be cut or changed so.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SurgeryError {
    /// A name that the network does not have.
    #[error(
        "no node or output of `{network}` is called `{name}`{}",
        suggestion(similar)
    )]
    Name {
        /// The network.
        network: String,
        /// The name that was asked for.
        name: String,
        /// Names that look alike.
        similar: Vec<String>,
    },
    /// The file is no network.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The nodes do not make a graph.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The input's channels meet something other than a plain convolution.
    #[error(
        "`{network}` takes its input into `{node}`, not into convolutions without groups; its channels cannot be changed"
    )]
    Input {
        /// The network.
        network: String,
        /// The first node that reads the input otherwise.
        node: String,
    },
    /// A weight of the first convolution is missing or has another shape.
    #[error("the parameters have no `{0}` that fits; load those of this network")]
    Weight(String),
}

fn suggestion(similar: &[String]) -> String {
    if similar.is_empty() {
        String::new()
    } else {
        format!("; perhaps one of these was meant: {}", similar.join(", "))
    }
}

/// The ONNX file at `path` as a network: read, cut at `cut` where given, and with `head` on it where given.
///
/// `cut` is a tensor or node of the file, or a node of the graph that is made of it (`falx models show`). What only
/// follows the cut is not read, so that it may hold operators falx does not have. Weights of a new head are drawn from
/// its seed. The notes say what was changed or assumed.
///
/// # Errors
/// [`SurgeryError`] when the file is no network, or nothing is called as `cut` says.
pub fn import(
    path: &Path,
    options: &ReadOptions,
    cut: Option<&str>,
    head: Option<&Head>,
) -> Result<(Graph, Parameters, Vec<Note>), SurgeryError> {
    let Imported {
        mut graph,
        mut parameters,
        mut notes,
    } = match cut {
        None => onnx::read(path, options)?,
        Some(cut) => cut_file(path, options, cut)?,
    };
    if let Some(head) = head {
        let outputs = graph.outputs().len();
        if outputs > 1 {
            notes.push(Note(format!(
                "the head sits on the first of {outputs} outputs"
            )));
        }
        graph = graph.with_head(head)?;
        let mut all = Parameters::initialise(&graph, head.seed);
        let known: Vec<String> = all.iter().map(|(name, _)| name.to_owned()).collect();
        for name in known {
            if let (Some(new), Some(old)) = (all.get_mut(&name), parameters.get(&name)) {
                *new = old.clone();
            }
        }
        parameters = all;
    }
    Ok((graph, parameters, notes))
}

/// The file up to a tensor or node of its own, or else up to a node of the graph that is made of it.
fn cut_file(path: &Path, options: &ReadOptions, cut: &str) -> Result<Imported, SurgeryError> {
    let named = ReadOptions {
        output: Some(cut.to_owned()),
        ..options.clone()
    };
    match onnx::read(path, &named) {
        Err(ReadError::Name { name, similar }) => {
            let Ok(whole) = onnx::read(path, options) else {
                return Err(ReadError::Name { name, similar }.into());
            };
            let graph = whole.graph.cut_at(cut)?;
            let parameters = crate::passes::kept(&whole.parameters, &graph);
            Ok(Imported {
                graph,
                parameters,
                notes: whole.notes,
            })
        }
        other => Ok(other?),
    }
}

impl Graph {
    /// The graph up to the node or output called `name`, whose value becomes the only output.
    ///
    /// # Errors
    /// [`SurgeryError::Name`] with names that look alike, when there is none.
    pub fn cut_at(&self, name: &str) -> Result<Self, SurgeryError> {
        let node = self.nodes().iter().position(|node| node.name == name);
        let output = || self.outputs().iter().find(|(output, _)| output == name);
        let value = node
            .map(Value::of_node)
            .or_else(|| output().map(|(_, value)| *value));
        let Some(value) = value else {
            let nodes = self.nodes().iter().map(|node| node.name.as_str());
            let outputs = self.outputs().iter().map(|(name, _)| name.as_str());
            return Err(SurgeryError::Name {
                network: self.name().to_owned(),
                name: name.to_owned(),
                similar: similar(name, nodes.chain(outputs)),
            });
        };
        Ok(crate::passes::needed(self, &[(name.to_owned(), value)])?)
    }

    /// The graph with `head` on its first output; the logits become the only output.
    ///
    /// # Errors
    /// [`GraphError`] when the graph has no output or the head's names are taken.
    pub fn with_head(&self, head: &Head) -> Result<Self, GraphError> {
        let (mut graph, values) = crate::passes::copied(self)?;
        let top = self.outputs().first();
        let top = top.and_then(|(_, value)| values.get(value.0).copied());
        let mut x = top.ok_or_else(|| GraphError::NoSuchValue("head".to_owned()))?;
        let rank = |value: Value| self.shape(value).map_or(0, <[usize]>::len);
        match self.outputs().first().map_or(0, |(_, value)| rank(*value)) {
            1 => {}
            3 => {
                x = graph.add("head.pool", GlobalAveragePool, &[x])?;
                x = graph.add("head.flatten", Flatten, &[x])?;
            }
            _ => x = graph.add("head.flatten", Flatten, &[x])?,
        }
        if head.dropout > 0.0 {
            let ratio = head.dropout;
            x = graph.add("head.dropout", Dropout { ratio }, &[x])?;
        }
        let features = head.outputs;
        let linear = Gemm {
            features,
            bias: true,
        };
        x = graph.add("head.fc", linear, &[x])?;
        graph.output("logits", x).finish()
    }

    /// The network of the zoo with a second output, [`EMBEDDING`]: what its head reads (all that is known of an image) and
    /// then its first output, the logits. The sequence models read this.
    ///
    /// # Errors
    /// [`SurgeryError::Name`] when the graph has no head of the zoo.
    pub fn with_embedding(&self) -> Result<Self, SurgeryError> {
        let (mut graph, values) = crate::passes::copied(self)?;
        let missing = || SurgeryError::Name {
            network: self.name().to_owned(),
            name: POOLED.to_owned(),
            similar: Vec::new(),
        };
        let pooled = self.nodes().iter().position(|node| node.name == POOLED);
        let pooled = pooled.map(Value::of_node).ok_or_else(missing)?;
        let (name, logits) = self.outputs().first().ok_or_else(missing)?;
        let place = |value: Value| values.get(value.0).copied().ok_or_else(missing);
        let (pooled, logits) = (place(pooled)?, place(*logits)?);
        let joined = graph.add(EMBEDDING, Concat { axis: 1 }, &[pooled, logits])?;
        let graph = graph.output(name, logits).output(EMBEDDING, joined);
        Ok(graph.finish()?)
    }

    /// The network for images of `channels` channels: each first convolution's weights are dealt to the new channels in
    /// turn, and scaled so that grey images give what they gave.
    ///
    /// # Errors
    /// [`SurgeryError`] when the input meets something else, or a weight is missing.
    pub fn with_input_channels(
        &self,
        parameters: &Parameters,
        channels: usize,
    ) -> Result<(Self, Parameters), SurgeryError> {
        let &[old, height, width] = self.input() else {
            let (network, node) = (self.name().to_owned(), "its first node".to_owned());
            return Err(SurgeryError::Input { network, node });
        };
        let mut parameters = parameters.clone();
        for node in self
            .nodes()
            .iter()
            .filter(|node| node.inputs.contains(&Value::INPUT))
        {
            match &node.operator {
                Operator::Conv(conv) if conv.groups == 1 => {}
                _ => {
                    let (network, node) = (self.name().to_owned(), node.name.clone());
                    return Err(SurgeryError::Input { network, node });
                }
            }
            let name = format!("{}.weight", node.name);
            let weight = parameters.get_mut(&name);
            let dealt = weight
                .as_ref()
                .and_then(|weight| dealt(weight, old, channels));
            match (weight, dealt) {
                (Some(weight), Some(dealt)) => *weight = dealt,
                _ => return Err(SurgeryError::Weight(name)),
            }
        }
        let graph = crate::passes::with_input(self, &[channels, height, width])?;
        Ok((graph, parameters))
    }
}

/// Weights of `old` input channels dealt to `new` ones; one new channel takes the sum of all.
fn dealt(weight: &Tensor, old: usize, new: usize) -> Option<Tensor> {
    let &[outputs, channels, rows, columns] = weight.shape.as_slice() else {
        return None;
    };
    let plane = rows * columns;
    if channels != old || old == 0 || new == 0 || plane == 0 {
        return None;
    }
    let mut data = Vec::with_capacity(outputs * new * plane);
    // How often each old channel is dealt: 1 / that keeps a grey image's sum.
    let often = |channel: usize| (new / old + usize::from(channel < new % old)).max(1) as f32;
    for kernel in weight.data.chunks_exact(old * plane) {
        for channel in 0..new {
            for place in 0..plane {
                data.push(if new < old {
                    let dealt = (channel..old).step_by(new);
                    dealt
                        .map(|channel| kernel[channel * plane + place])
                        .sum::<f32>()
                } else {
                    let from = channel % old;
                    kernel[from * plane + place] / often(from)
                });
            }
        }
    }
    Tensor::new(&[outputs, new, rows, columns], data).ok()
}

#[cfg(test)]
mod tests;
