//! Class activation mapping: the head's own weights on the last maps, for networks that a run-time alone executes.

use falx_core::{LABELS, Label};
use falx_infer::runtime::{self, Runtime, RuntimeKind};
use falx_nn::{Graph, Operator, Tensor, Value, onnx, passes};

use crate::{ExplainError, Network};

const FEATURES: &str = "features";

/// A network cut before its pooling, and what its linear layer makes of each feature map.
///
/// # Source
/// Zhou et al. 2016, "Learning Deep Features for Discriminative Localization". Where pooling is a mean and one linear layer
/// follows, this is Grad-CAM of the last layer up to a factor, without a gradient.
pub struct ClassActivation {
    runtime: Box<dyn Runtime>,
    /// Outputs × channels.
    weights: Tensor,
}

impl ClassActivation {
    /// Cuts `network` by graph surgery and loads what is before the cut into a run-time.
    ///
    /// # Errors
    /// [`ExplainError::NoCam`] where the head is another one, [`ExplainError::Runtime`] where the run-time refuses the network.
    pub fn new(network: &Network, kind: RuntimeKind, threads: usize) -> Result<Self, ExplainError> {
        let path = network.path();
        let no_cam = || ExplainError::NoCam(path.to_owned());
        let graph = network.graph();
        let (features, linear) = head(graph).ok_or_else(no_cam)?;
        let weights = network.parameters().get(&format!("{linear}.weight"));
        let weights = weights.ok_or_else(no_cam)?.clone();
        let source = |source: falx_nn::SurgeryError| ExplainError::Network {
            path: path.to_owned(),
            source: Box::new(source),
        };
        let cut = passes::needed(graph, &[(FEATURES.to_owned(), features)]);
        let cut = cut.map_err(|error| source(error.into()))?;
        let bytes = onnx::to_bytes(&cut, network.parameters());
        let bytes = bytes.map_err(|source| ExplainError::Cut {
            path: path.to_owned(),
            source,
        })?;
        let runtime = runtime::load(kind, bytes, threads);
        Ok(Self {
            runtime: runtime.map_err(|source| ExplainError::Runtime {
                path: path.to_owned(),
                source,
            })?,
            weights,
        })
    }

    /// The last maps of some images.
    ///
    /// # Shape
    /// `images` is N × C × H × W; the result N × features × rows × columns.
    ///
    /// # Errors
    /// [`falx_infer::RuntimeError`] when images do not fit the network.
    pub fn features(
        &mut self,
        images: &[f32],
        shape: [usize; 4],
    ) -> Result<Tensor, falx_infer::RuntimeError> {
        let outputs = self.runtime.run(images, shape)?;
        let found = outputs.into_iter().find(|(name, _)| name == FEATURES);
        Ok(found.map(|(_, tensor)| tensor).unwrap_or_default())
    }

    /// The map of `label` from one image's features: their sum, weighted as the linear layer weights them, without what speaks
    /// against the label.
    ///
    /// # Shape
    /// `features` is channels × plane; the result a plane.
    pub fn map(&self, features: &[f32], label: Label) -> Vec<f32> {
        let channels = self.weights.shape.last().copied().unwrap_or(0).max(1);
        let plane = features.len() / channels;
        let mut weights = self.weights.data.chunks_exact(channels);
        let weights = weights.nth(label.index()).unwrap_or_default();
        let mut sums = vec![0.0_f32; plane];
        for (features, weight) in features.chunks_exact(plane.max(1)).zip(weights) {
            for (sum, feature) in sums.iter_mut().zip(features) {
                *sum += weight * feature;
            }
        }
        for sum in &mut sums {
            *sum = sum.max(0.0);
        }
        sums
    }
}

/// The maps that are pooled by their mean, and the linear layer that then gives the logits; `None` for other heads.
fn head(graph: &Graph) -> Option<(Value, &str)> {
    let nodes = graph.nodes();
    let (_, logits) = graph.outputs().first()?;
    let linear = nodes.get(logits.node()?)?;
    let is_linear = matches!(&linear.operator, Operator::Gemm(_));
    if !is_linear || linear.shape != [LABELS.len()] {
        return None;
    }
    let mut value = *linear.inputs.first()?;
    loop {
        let node = nodes.get(value.node()?)?;
        let before = *node.inputs.first()?;
        match &node.operator {
            Operator::Flatten(_) | Operator::Reshape(_) | Operator::Dropout(_) => value = before,
            Operator::GlobalAveragePool(_) => {
                let is_map =
                    matches!(graph.shape(before), Some([_, rows, cols]) if rows * cols > 1);
                return is_map.then_some((before, linear.name.as_str()));
            }
            Operator::ReduceMean(mean) if mean.axes == [2, 3] => {
                return Some((before, linear.name.as_str()));
            }
            _ => return None,
        }
    }
}
