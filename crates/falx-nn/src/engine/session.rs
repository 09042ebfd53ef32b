//! Training from step to step: who holds the parameters, the optimiser's memory and the average between two batches.

use std::borrow::Cow;

use super::{EngineError, Input, Training};
use crate::optim::{Ema, Optimizer};
use crate::{Parameters, Targets, Tensor};

/// What training carries from one step to the next: all that a checkpoint needs of it.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingState {
    /// The weights, the running statistics and the constants.
    pub parameters: Parameters,
    /// The optimiser with its groups and its memory.
    pub optimizer: Optimizer,
    /// The average of all parameters, where one is kept; it follows every move.
    pub average: Option<Ema>,
}

impl TrainingState {
    /// The parameters in use, or their average where that is asked for and kept.
    pub fn weights(&self, weights: Weights) -> &Parameters {
        match (weights, &self.average) {
            (Weights::Averaged, Some(average)) => average.parameters(),
            _ => &self.parameters,
        }
    }
}

/// Which weights a network is evaluated with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weights {
    /// Those that are trained.
    #[default]
    Current,
    /// Their average; those that are trained where no average is kept.
    Averaged,
}

/// How a step moves the parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Motion {
    /// The learning rate.
    pub rate: f32,
    /// From now on the optimiser's momentum, as [`Optimizer::set_momentum`] takes it; left out, it stays.
    pub momentum: Option<f32>,
    /// The length that the gradients are shortened to; infinity measures it alone.
    pub clip_norm: Option<f64>,
}

/// How a step is computed, and how it moves the parameters.
#[derive(Clone, Copy, Debug)]
pub struct StepSettings<'a> {
    /// Chooses the dropout of this step: equal seeds and steps drop the same features.
    pub rng_step: u64,
    /// What stays as it is, and the loss.
    pub training: &'a Training,
    /// How the parameters move.
    pub motion: Motion,
}

/// What came out of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// The mean loss of the batch. Where it is not finite, nothing has moved.
    pub loss: f64,
    /// The length of the gradients before they were shortened; absent where no `clip_norm` asked for it.
    pub gradient_norm: Option<f64>,
}

/// A network in training, with all that is carried from step to step.
///
/// [`Engine::session`](super::Engine::session) starts one. It keeps its state where the engine computes, so that neither weights
/// nor gradients cross to the processor and back in each step.
pub trait TrainingSession: Send {
    /// The engine's name in recipes and reports.
    fn name(&self) -> &str;

    /// Adds `share` times the gradients of a batch to those that wait for [`TrainingSession::move_parameters`], and moves the running
    /// statistics; returns the batch's mean loss.
    ///
    /// A step of several small batches calls this for each, with a `rng_step` of its own and the batch's share of all
    /// samples. With a loss that is not finite no gradient waits any more, and the running statistics are as before.
    ///
    /// # Shape
    /// As [`Engine::step`](super::Engine::step).
    ///
    /// # Errors
    /// [`EngineError`] when the input or targets do not fit the graph; gradients that wait stay.
    fn accumulate(
        &mut self,
        input: Input<'_>,
        targets: &Targets,
        rng_step: u64,
        training: &Training,
        share: f32,
    ) -> Result<f64, EngineError>;

    /// Shortens the waiting gradients, moves the parameters by them, and lets the average follow; returns the gradients' length
    /// where `clip_norm` asked for it. Where that is not finite, nothing moves.
    ///
    /// # Errors
    /// [`EngineError`] when the engine's library fails.
    fn move_parameters(&mut self, motion: &Motion) -> Result<Option<f64>, EngineError>;

    /// One step on one batch: forward, loss, backward, and the move of the parameters.
    ///
    /// With a loss that is not finite nothing moves: neither parameters nor running statistics nor the optimiser's memory.
    ///
    /// # Shape
    /// As [`Engine::step`](super::Engine::step).
    ///
    /// # Errors
    /// [`EngineError`] when the input or targets do not fit the graph.
    fn step(
        &mut self,
        input: Input<'_>,
        targets: &Targets,
        settings: &StepSettings<'_>,
    ) -> Result<StepReport, EngineError> {
        let StepSettings {
            rng_step,
            training,
            motion,
        } = settings;
        let loss = self.accumulate(input, targets, *rng_step, training, 1.0)?;
        let gradient_norm = if loss.is_finite() {
            self.move_parameters(motion)?
        } else {
            None
        };
        Ok(StepReport {
            loss,
            gradient_norm,
        })
    }

    /// The logits in evaluation mode.
    ///
    /// # Shape
    /// As [`Engine::sequence_logits`](super::Engine::sequence_logits).
    ///
    /// # Errors
    /// [`EngineError`] when the input does not fit the graph.
    fn logits(&mut self, input: Input<'_>, weights: Weights) -> Result<Tensor, EngineError>;

    /// The state as it is now, for a checkpoint; gradients that wait are not part of it.
    ///
    /// # Errors
    /// [`EngineError`] when the engine's library fails.
    fn state(&self) -> Result<Cow<'_, TrainingState>, EngineError>;

    /// The state at the end.
    ///
    /// # Errors
    /// [`EngineError`] when the engine's library fails.
    fn into_state(self: Box<Self>) -> Result<TrainingState, EngineError>;

    /// Waits until all is computed; what measures time calls it. A card goes on after a step has returned.
    fn synchronize(&self) {}
}
