//! The engines that train a graph: one trait, so that the loop never knows which numeric library computes.

#[cfg(any(test, feature = "vulkan", feature = "metal"))]
mod burn;
mod flex;
mod host;
mod kind;
mod session;
#[cfg(feature = "torch")]
mod torch;
mod training;

use crate::loss::LossError;
use crate::{Gradients, Graph, Parameters, Targets, Tensor};

#[cfg(any(feature = "vulkan", feature = "metal"))]
pub use burn::card_engine;
pub use flex::{ActivationGradients, PrepareError, Prepared, activation_gradients, flex_engine};
pub use kind::{CardInterface, EngineKind, TorchConfig, TorchDevice};
pub use session::{Motion, StepReport, StepSettings, TrainingSession, TrainingState, Weights};
#[cfg(feature = "torch")]
pub use torch::torch_engine;
pub use training::Training;
pub(crate) use training::belongs;

/// What one training step gives.
#[derive(Clone, Debug, PartialEq)]
pub struct StepOutput {
    /// The mean loss of the batch.
    pub loss: f64,
    /// The batch's logits in training mode, N x outputs.
    pub logits: Tensor,
    /// The gradient of every weight that is trained.
    pub gradients: Gradients,
}

/// A batch, and where its samples are sequences how long each is.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Images, or sequences padded to the graph's length.
    pub values: &'a Tensor,
    /// The length of each sequence; left out where all are full.
    pub lengths: Option<&'a [usize]>,
}

impl<'a> From<&'a Tensor> for Input<'a> {
    fn from(values: &'a Tensor) -> Self {
        Self {
            values,
            lengths: None,
        }
    }
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
    /// Lengths that are not one of 1 to the graph's steps for each sequence.
    #[error(
        "`{network}` takes a length from 1 to {steps} for each of {batch} sequences, but got {lengths:?}"
    )]
    Lengths {
        /// The network.
        network: String,
        /// The longest sequence.
        steps: usize,
        /// How many sequences there are.
        batch: usize,
        /// The lengths.
        lengths: Vec<usize>,
    },
    /// An operator that this engine does not compute.
    #[error("node `{node}`: this engine does not compute {operator}")]
    Unsupported {
        /// The node.
        node: String,
        /// Its operator.
        operator: &'static str,
    },
    /// A value that is not before the graph's logits.
    #[error("`{0}` has no such value before its logits; take one of its nodes")]
    NoValue(String),
    /// Weights of the logits that are not as the logits are.
    #[error("the logits' weights are {found:?}, but the logits {expected:?}")]
    Slopes {
        /// The shape of the logits.
        expected: Vec<usize>,
        /// The weights' shape.
        found: Vec<usize>,
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
    /// No engine has that name.
    #[error(
        "no engine is called `{0}`; there are flex, torch with `:cuda` or `:cuda:1` for a card and `:bf16` for mixed \
         precision (torch:cuda:bf16), and vulkan and metal, with `:1` for the second card"
    )]
    Name(String),
    /// This build has no such engine.
    #[error("this falx was built without the engine {engine}; {remedy}")]
    NotBuilt {
        /// The engine.
        engine: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// A device that the engine's library does not see.
    #[error(
        "there is no device `{asked}`; the engine's library sees {}",
        listed(devices)
    )]
    Device {
        /// The device's name.
        asked: String,
        /// Those that there are.
        devices: Vec<String>,
    },
    /// The engine's library failed, as when a device's memory is full.
    #[error("the engine's library failed: {0}")]
    Library(String),
    /// Logits and targets do not belong together.
    #[error(transparent)]
    Loss(#[from] LossError),
}

fn listed(devices: &[String]) -> String {
    if devices.is_empty() {
        "none: is the card's driver installed, with its Vulkan or Metal library?".to_owned()
    } else {
        devices.join(", ")
    }
}

/// What computes logits and gradients of a graph.
pub trait Engine: Send {
    /// The engine's name in recipes and reports.
    fn name(&self) -> &str;

    /// One step in training mode, as `training` says: forward, loss, backward; moves the running statistics in
    /// `parameters`.
    ///
    /// `rng_step` chooses the dropout of this step: equal seeds and steps drop the same features.
    ///
    /// # Shape
    /// The values are N, C, H, W with the graph's C, H, W; or N, T, F of sequences, whose targets have a row for each of the
    /// N·T slices, unknown past the end.
    ///
    /// # Errors
    /// [`EngineError`] when the input, targets or parameters do not fit the graph.
    fn step(
        &mut self,
        graph: &Graph,
        parameters: &mut Parameters,
        input: Input<'_>,
        targets: &Targets,
        rng_step: u64,
        training: &Training,
    ) -> Result<StepOutput, EngineError>;

    /// One step that trains everything: [`Engine::step`] with the default [`Training`].
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
    ) -> Result<StepOutput, EngineError> {
        let training = Training::default();
        self.step(
            graph,
            parameters,
            images.into(),
            targets,
            rng_step,
            &training,
        )
    }

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
    ) -> Result<Tensor, EngineError> {
        self.sequence_logits(graph, parameters, images.into())
    }

    /// A step as [`Engine::gradients`] on sequences of any length.
    ///
    /// # Shape
    /// The values are N, T, F with the graph's T, F; targets have a row for each of the N·T slices, unknown past the end.
    ///
    /// # Errors
    /// [`EngineError`] when the input, targets or parameters do not fit the graph.
    fn sequence_gradients(
        &mut self,
        graph: &Graph,
        parameters: &mut Parameters,
        input: Input<'_>,
        targets: &Targets,
        rng_step: u64,
    ) -> Result<StepOutput, EngineError> {
        let training = Training::default();
        self.step(graph, parameters, input, targets, rng_step, &training)
    }

    /// The logits in evaluation mode of sequences of any length.
    ///
    /// # Shape
    /// The values are N, T, F; the logits N, T, outputs.
    ///
    /// # Errors
    /// [`EngineError`] when the input or parameters do not fit the graph.
    fn sequence_logits(
        &mut self,
        graph: &Graph,
        parameters: &Parameters,
        input: Input<'_>,
    ) -> Result<Tensor, EngineError>;

    /// Training from `state` on, kept where this engine computes; equal states and engines go on alike.
    ///
    /// # Errors
    /// [`EngineError`] when the state does not fit the graph, or the engine's library fails.
    fn session(
        &self,
        graph: &Graph,
        state: TrainingState,
    ) -> Result<Box<dyn TrainingSession>, EngineError>;
}
