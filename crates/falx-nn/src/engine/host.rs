//! A session on the processor's memory, with any engine.

use std::borrow::Cow;

use super::session::{Motion, TrainingSession, TrainingState, Weights};
use super::{Engine, EngineError, Input, Training};
use crate::{Gradients, Graph, ParameterKind, Targets, Tensor};

/// The session of an engine that computes on plain buffers: [`Engine::step`], and the optimiser in place.
pub fn host_session(
    engine: Box<dyn Engine>,
    graph: &Graph,
    state: TrainingState,
) -> Box<dyn TrainingSession> {
    let statistics = graph.parameters().iter();
    let statistics = statistics.filter(|spec| spec.kind == ParameterKind::RunningStatistic);
    Box::new(HostSession {
        before: statistics
            .map(|spec| (spec.name.clone(), Vec::new()))
            .collect(),
        engine,
        graph: graph.clone(),
        state,
        waiting: None,
    })
}

struct HostSession {
    engine: Box<dyn Engine>,
    graph: Graph,
    state: TrainingState,
    /// The gradients of batches that have not moved the parameters yet.
    waiting: Option<Gradients>,
    /// The running statistics before a step, for a loss that is not finite.
    before: Vec<(String, Vec<f32>)>,
}

impl HostSession {
    fn remember(&mut self) {
        for (name, kept) in &mut self.before {
            if let Some(tensor) = self.state.parameters.get(name) {
                kept.clone_from(&tensor.data);
            }
        }
    }

    fn restore(&mut self) {
        for (name, kept) in &self.before {
            if let Some(tensor) = self.state.parameters.get_mut(name) {
                tensor.data.clone_from(kept);
            }
        }
    }
}

impl TrainingSession for HostSession {
    fn name(&self) -> &str {
        self.engine.name()
    }

    fn accumulate(
        &mut self,
        input: Input<'_>,
        targets: &Targets,
        rng_step: u64,
        training: &Training,
        share: f32,
    ) -> Result<f64, EngineError> {
        self.remember();
        let parameters = &mut self.state.parameters;
        let output =
            self.engine
                .step(&self.graph, parameters, input, targets, rng_step, training)?;
        if !output.loss.is_finite() {
            self.waiting = None;
            self.restore();
            return Ok(output.loss);
        }
        if let Some(waiting) = &mut self.waiting {
            waiting.add(&output.gradients, share);
        } else {
            self.waiting.insert(output.gradients).scale(share);
        }
        Ok(output.loss)
    }

    fn move_parameters(&mut self, motion: &Motion) -> Result<Option<f64>, EngineError> {
        let Some(mut gradients) = self.waiting.take() else {
            return Ok(None);
        };
        let norm = motion.clip_norm.map(|limit| gradients.clip(limit));
        if norm.is_some_and(|norm| !norm.is_finite()) {
            return Ok(norm);
        }
        let TrainingState {
            parameters,
            optimizer,
            average,
        } = &mut self.state;
        if let Some(momentum) = motion.momentum {
            optimizer.set_momentum(momentum);
        }
        let step = optimizer.steps();
        optimizer.step(parameters, &gradients, motion.rate);
        if let Some(average) = average {
            average.follow(parameters, step);
        }
        Ok(norm)
    }

    fn logits(&mut self, input: Input<'_>, weights: Weights) -> Result<Tensor, EngineError> {
        let parameters = self.state.weights(weights);
        self.engine.sequence_logits(&self.graph, parameters, input)
    }

    fn state(&self) -> Result<Cow<'_, TrainingState>, EngineError> {
        Ok(Cow::Borrowed(&self.state))
    }

    fn into_state(self: Box<Self>) -> Result<TrainingState, EngineError> {
        Ok(self.state)
    }
}

#[cfg(test)]
mod tests;
