//! The engines that train a graph: one trait, so that the loop never knows which numeric library computes.

mod flex;

use crate::loss::LossError;
use crate::{Gradients, Graph, Parameters, Targets, Tensor};

pub use flex::flex_engine;

/// What one training step gives.
#[derive(Clone, Debug, PartialEq)]
pub struct StepOutput {
    /// The mean loss of the batch.
    pub loss: f64,
    /// The batch's logits in training mode, N x outputs.
    pub logits: Tensor,
    /// The gradient of every weight.
    pub gradients: Gradients,
}

/// A batch or parameters that do not fit the graph.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EngineError {
    /// Images of another shape than the network's.
    #[error(
        "`{network}` takes images of N x {expected:?}, but the batch is {found:?} with {values} values"
    )]
    Images {
        /// The network.
        network: String,
        /// The shape of one sample.
        expected: Vec<usize>,
        /// The batch's shape.
        found: Vec<usize>,
        /// How many values the batch holds.
        values: usize,
    },
    /// A batch of one sample per channel has no variance to normalise by.
    #[error("`{node}` has one value per channel to normalise; train with a batch of at least 2")]
    OneValue {
        /// The batch normalisation's name.
        node: String,
    },
    /// An operator that this engine does not compute.
    #[error("node `{node}`: this engine does not compute {operator}")]
    Unsupported {
        /// The node.
        node: String,
        /// Its operator.
        operator: &'static str,
    },
    /// A graph without an output.
    #[error("`{0}` has no output; name its logits")]
    NoOutput(String),
    /// A parameter of the graph is missing or has another shape.
    #[error(
        "the parameters have no `{name}` of the shape {expected:?}; initialise or load them for this network"
    )]
    Parameter {
        /// The parameter.
        name: String,
        /// The shape the graph wants.
        expected: Vec<usize>,
    },
    /// Logits and targets do not belong together.
    #[error(transparent)]
    Loss(#[from] LossError),
}

/// What computes logits and gradients of a graph.
pub trait Engine: Send {
    /// The engine's name in recipes and reports.
    fn name(&self) -> &str;

    /// One step in training mode: forward, loss, backward; moves the running statistics in `parameters`.
    ///
    /// `rng_step` chooses the dropout of this step: equal seeds and steps drop the same features.
    ///
    /// # Shape
    /// `images` is N, C, H, W with the graph's C, H, W.
    ///
    /// # Errors
    /// [`EngineError`] when images, targets or parameters do not fit the graph.
    fn gradients(
        &mut self,
        graph: &Graph,
        parameters: &mut Parameters,
        images: &Tensor,
        targets: &Targets,
        rng_step: u64,
    ) -> Result<StepOutput, EngineError>;

    /// The logits in evaluation mode.
    ///
    /// # Shape
    /// `images` is N, C, H, W; the logits are N x outputs.
    ///
    /// # Errors
    /// [`EngineError`] when images or parameters do not fit the graph.
    fn logits(
        &mut self,
        graph: &Graph,
        parameters: &Parameters,
        images: &Tensor,
    ) -> Result<Tensor, EngineError>;
}
