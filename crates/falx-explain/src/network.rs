//! A network of slices as it is explained: its graph, its parameters, and the maps within it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use falx_core::{LABELS, Label};
use falx_nn::onnx::{ReadOptions, read_bytes};
use falx_nn::{
    ActivationGradients, Graph, ParameterKind, ParameterSpec, Parameters, SurgeryError, Tensor,
    Value, activation_gradients, passes,
};

use crate::ExplainError;

const OUTPUTS: [&str; 2] = ["logits", "probabilities"];

/// Which map within a network is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Layer {
    /// The last one, which the head reads.
    Last,
    /// The last one that is at least twice as fine: its maps point better, by measurement (docs/explain.md).
    #[default]
    Finer,
    /// What the node of this name gives.
    Named(String),
}

impl FromStr for Layer {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "last" => Self::Last,
            "finer" => Self::Finer,
            name => Self::Named(name.to_owned()),
        })
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Last => "last",
            Self::Finer => "finer",
            Self::Named(name) => name,
        })
    }
}

/// A network of slices with six outputs.
#[derive(Clone, Debug)]
pub struct Network {
    graph: Graph,
    parameters: Parameters,
    path: PathBuf,
}

impl Network {
    /// The network in the bytes of an ONNX file, which errors call `path`.
    ///
    /// # Errors
    /// [`ExplainError`] when falx's kernels do not know the network, or it has not six logits or probabilities.
    pub fn read(onnx: Vec<u8>, path: &Path) -> Result<Self, ExplainError> {
        let read = read_bytes(onnx, &ReadOptions::default());
        let read = read.map_err(|source| ExplainError::Network {
            path: path.to_owned(),
            source: Box::new(source.into()),
        })?;
        Self::new(&read.graph, read.parameters, path)
    }

    /// A network in memory, called as its file would be.
    ///
    /// # Errors
    /// As [`Network::read`].
    pub fn new(graph: &Graph, parameters: Parameters, path: &Path) -> Result<Self, ExplainError> {
        let named = |name: &&&str| graph.outputs().iter().any(|(output, _)| output == **name);
        let output = OUTPUTS.iter().find(named);
        let six = |value: Value| graph.shape(value) == Some(&[LABELS.len()]);
        let value = graph
            .outputs()
            .iter()
            .find(|(name, value)| output.is_some_and(|output| name == output) && six(*value));
        let (Some((name, value)), [_, height, width]) = (value, graph.input()) else {
            return Err(ExplainError::NotSixOutputs(path.to_owned()));
        };
        if height != width {
            return Err(ExplainError::NotSixOutputs(path.to_owned()));
        }
        // What the logits do not need, as an embedding, is left out.
        let source = |source: SurgeryError| ExplainError::Network {
            path: path.to_owned(),
            source: Box::new(source),
        };
        let alone = passes::needed(graph, &[(name.clone(), *value)]);
        let alone = alone.map_err(|error| source(error.into()))?;
        Ok(Self {
            graph: alone,
            parameters,
            path: path.to_owned(),
        })
    }

    /// Its graph up to the logits.
    pub const fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Its parameters.
    pub const fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The side of its pictures in pixels.
    pub fn size(&self) -> usize {
        self.graph.input().last().copied().unwrap_or(0)
    }

    /// The value that `layer` means, and its node's name.
    ///
    /// # Errors
    /// [`ExplainError::Network`] for a name that the network does not have, with names that look alike;
    /// [`ExplainError::NotAMap`] where the value has no rows and columns.
    pub fn layer(&self, layer: &Layer) -> Result<(Value, String), ExplainError> {
        let nodes = self.graph.nodes();
        let side = |at: usize| match nodes.get(at).map(|node| node.shape.as_slice()) {
            Some(&[_, rows, cols]) if rows > 1 && cols > 1 => Some(rows.min(cols)),
            _ => None,
        };
        let last = (0..nodes.len()).rev().find_map(|at| Some((at, side(at)?)));
        let found = match layer {
            Layer::Last => last.map(|(at, _)| at),
            Layer::Finer => {
                let (at, least) = last.map_or((0, 0), |(at, side)| (at, 2 * side));
                let finer = (0..at).rev();
                let mut finer = finer.filter(|&at| side(at).is_some_and(|side| side >= least));
                finer.next().or(last.map(|(at, _)| at))
            }
            Layer::Named(name) => {
                if let Err(source) = self.graph.cut_at(name) {
                    return Err(ExplainError::Network {
                        path: self.path.clone(),
                        source: Box::new(source),
                    });
                }
                let at = nodes.iter().position(|node| node.name == *name);
                at.filter(|&at| side(at).is_some())
            }
        };
        let node = found.and_then(|at| Some((Value::of_node(at), nodes.get(at)?.name.clone())));
        node.ok_or_else(|| ExplainError::NotAMap {
            path: self.path.clone(),
            layer: layer.to_string(),
        })
    }

    /// The value `at` for some images, and the gradients with regard to it of each image's `labels`: in the first gradient
    /// those of every image's first label, and so on. An image with fewer labels than others has none in the rest.
    ///
    /// # Shape
    /// `images` is N × C × H × W.
    ///
    /// # Errors
    /// [`ExplainError::Engine`] when images do not fit the network.
    pub fn gradients(
        &self,
        images: &[f32],
        shape: [usize; 4],
        at: Value,
        labels: &[Vec<Label>],
    ) -> Result<ActivationGradients, ExplainError> {
        let most = labels.iter().map(Vec::len).max().unwrap_or(0);
        let slopes = (0..most).map(|pass| {
            let mut slopes = Tensor::filled(&[shape[0], LABELS.len()], 0.0);
            for (row, labels) in slopes.data.chunks_exact_mut(LABELS.len()).zip(labels) {
                if let Some(slope) = labels.get(pass).and_then(|l| row.get_mut(l.index())) {
                    *slope = 1.0;
                }
            }
            slopes
        });
        let images = Tensor {
            shape: shape.to_vec(),
            data: images.to_vec(),
        };
        let slopes: Vec<Tensor> = slopes.collect();
        activation_gradients(&self.graph, &self.parameters, &images, at, &slopes)
            .map_err(|source| ExplainError::engine(&self.path, source))
    }

    /// The names of the nodes that have weights, from the input to the logits.
    pub fn weighted_nodes(&self) -> Vec<&str> {
        let specs = self.graph.parameters();
        let nodes = self.graph.nodes().iter().map(|node| node.name.as_str());
        let has_weights = |name: &&str| {
            let mut own = specs.iter().filter(|spec| belongs(spec, name));
            own.any(|spec| spec.kind == ParameterKind::Weight)
        };
        nodes.filter(has_weights).collect()
    }

    /// The same network with the parameters of its last `nodes` nodes with weights drawn anew, as before training; their
    /// running statistics start anew too.
    #[must_use]
    pub fn randomised(&self, nodes: usize, seed: u64) -> Self {
        let fresh = Parameters::initialise(&self.graph, seed);
        let all = self.weighted_nodes();
        let last = all.get(all.len().saturating_sub(nodes)..).unwrap_or(&[]);
        let mut parameters = self.parameters.clone();
        for spec in self.graph.parameters() {
            let is_last = last.iter().any(|node| belongs(spec, node));
            if spec.kind == ParameterKind::Constant || !is_last {
                continue;
            }
            if let (Some(old), Some(new)) = (parameters.get_mut(&spec.name), fresh.get(&spec.name))
            {
                old.clone_from(new);
            }
        }
        Self {
            graph: self.graph.clone(),
            parameters,
            path: self.path.clone(),
        }
    }
}

/// Whether a parameter is `node`'s own.
fn belongs(spec: &ParameterSpec, node: &str) -> bool {
    let owner = spec.name.rsplit_once('.').map(|(owner, _)| owner);
    owner == Some(node) || spec.name == node
}

#[cfg(test)]
mod tests;
