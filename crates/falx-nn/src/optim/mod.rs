//! Optimisers on plain buffers, in place, with PyTorch's arithmetic.

mod adam;
mod ema;
mod rms_prop;
mod sgd;
mod state;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Gradients, Parameters, Tensor};

pub use adam::{Adam, AdamW};
pub use ema::{Ema, EmaConfig};
pub use rms_prop::RmsProp;
pub use sgd::Sgd;
pub use state::StateError;

/// Which optimiser, and its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "lowercase")]
pub enum OptimizerConfig {
    /// Stochastic gradient descent.
    Sgd(Sgd),
    /// Adam with weight decay in the gradient.
    Adam(Adam),
    /// Adam with decoupled weight decay.
    AdamW(AdamW),
    /// Steps by the root of the gradient's mean square.
    RmsProp(RmsProp),
}

/// Which parameters weight decay pulls towards 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decay {
    /// All of them, as PyTorch does.
    #[default]
    All,
    /// Only weights of two or more dimensions: neither biases nor normalisation.
    Matrices,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self::AdamW(AdamW::default())
    }
}

/// What is remembered of one parameter; empty where nothing is.
type Memory = [Vec<f32>; 3];

/// An optimiser and what it remembers of each parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimizer {
    config: OptimizerConfig,
    steps: u64,
    memory: BTreeMap<String, Memory>,
}

impl Optimizer {
    /// An optimiser that has seen nothing of `parameters` yet.
    pub fn new(config: &OptimizerConfig, parameters: &Parameters) -> Self {
        let needed = match config {
            OptimizerConfig::Sgd(sgd) => sgd.memory(),
            OptimizerConfig::Adam(_) | OptimizerConfig::AdamW(_) => [true, true, false],
            OptimizerConfig::RmsProp(rms_prop) => rms_prop.memory(),
        };
        let blank = |tensor: &Tensor| {
            needed.map(|needed| vec![0.0; if needed { tensor.data.len() } else { 0 }])
        };
        Self {
            config: *config,
            steps: 0,
            memory: parameters
                .iter()
                .map(|(name, tensor)| (name.to_owned(), blank(tensor)))
                .collect(),
        }
    }

    /// From now on the momentum of SGD and RMSprop, or Adam's memory of the gradient's mean, is `momentum`: one-cycle schedules
    /// turn it down where the learning rate is high. An optimiser without momentum stays without.
    pub fn set_momentum(&mut self, momentum: f32) {
        match &mut self.config {
            OptimizerConfig::Sgd(Sgd { momentum: own, .. })
            | OptimizerConfig::RmsProp(RmsProp { momentum: own, .. }) => {
                if *own > 0.0 {
                    *own = momentum;
                }
            }
            OptimizerConfig::Adam(adam) => adam.beta1 = momentum,
            OptimizerConfig::AdamW(adam) => adam.beta1 = momentum,
        }
    }

    /// How many steps were taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Moves each parameter that has a gradient; running statistics have none and stay.
    pub fn step(&mut self, parameters: &mut Parameters, gradients: &Gradients, lr: f32) {
        let first = self.steps == 0;
        self.steps += 1;
        for (name, tensor) in parameters.iter_mut() {
            let (Some(gradient), Some(memory)) = (gradients.get(name), self.memory.get_mut(name))
            else {
                continue;
            };
            match &self.config {
                OptimizerConfig::Sgd(sgd) => sgd.step(tensor, gradient, memory, lr, first),
                OptimizerConfig::Adam(adam) => adam.step(tensor, gradient, memory, lr, self.steps),
                OptimizerConfig::AdamW(adam) => adam.step(tensor, gradient, memory, lr, self.steps),
                OptimizerConfig::RmsProp(rms_prop) => rms_prop.step(tensor, gradient, memory, lr),
            }
        }
    }
}

impl Decay {
    /// `pull` where it applies to `tensor`, else 0.
    fn of(self, tensor: &Tensor, pull: f32) -> f32 {
        if self == Self::All || tensor.shape.len() >= 2 {
            pull
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests;
