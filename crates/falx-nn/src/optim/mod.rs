//! Optimisers on plain buffers, in place, with PyTorch's arithmetic.

mod adam;
mod ema;
mod groups;
mod mean;
mod rms_prop;
mod sgd;
mod state;

use std::collections::BTreeMap;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Gradients, Parameters, Tensor};

pub use adam::{Adam, AdamW};
pub use ema::{Ema, EmaConfig};
pub use groups::{ParameterGroup, layer_wise};
pub use mean::WeightMean;
pub use rms_prop::RmsProp;
pub use sgd::Sgd;
pub use state::StateError;

/// Which optimiser, and its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    groups: Vec<ParameterGroup>,
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
            groups: Vec::new(),
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

    /// The numbers as they are now: momentum follows its schedule.
    pub fn config(&self) -> OptimizerConfig {
        self.config
    }

    /// How many steps were taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Moves each parameter that has a gradient; running statistics and frozen weights have none and stay.
    pub fn step(&mut self, parameters: &mut Parameters, gradients: &Gradients, lr: f32) {
        let first = self.steps == 0;
        self.steps += 1;
        let (steps, groups) = (self.steps, &self.groups);
        // Parameters and memories have the same names in the same order.
        let mut memories = self.memory.iter_mut().peekable();
        let mut moves = Vec::new();
        for (name, tensor) in parameters.iter_mut() {
            while memories
                .next_if(|(other, _)| other.as_str() < name)
                .is_some()
            {}
            let memory = memories.next_if(|(other, _)| *other == name);
            if let (Some(gradient), Some((_, memory))) = (gradients.get(name), memory) {
                let group = ParameterGroup::of(groups, name);
                moves.push((group, tensor, gradient, memory));
            }
        }
        moves
            .into_par_iter()
            .for_each(|(group, tensor, gradient, memory)| {
                let lr = lr * group.map_or(1.0, |group| group.rate);
                let pull = group.map_or(1.0, |group| group.decay);
                match self.config.pulled(pull) {
                    OptimizerConfig::Sgd(sgd) => sgd.step(tensor, gradient, memory, lr, first),
                    OptimizerConfig::Adam(adam) => adam.step(tensor, gradient, memory, lr, steps),
                    OptimizerConfig::AdamW(adam) => adam.step(tensor, gradient, memory, lr, steps),
                    OptimizerConfig::RmsProp(rms) => rms.step(tensor, gradient, memory, lr),
                }
            });
    }

    /// The same with rates and decays of their own for some modules.
    #[must_use]
    pub fn grouped(mut self, groups: &[ParameterGroup]) -> Self {
        self.groups = groups.to_vec();
        self
    }
}

/// For an engine that moves parameters itself.
#[cfg(feature = "torch")]
impl Optimizer {
    /// Counts a step; its number from 1.
    pub(crate) fn advance(&mut self) -> u64 {
        self.steps += 1;
        self.steps
    }

    /// The factor on the learning rate of a parameter, and what pulls it towards 0.
    pub(crate) fn pace(&self, name: &str, tensor: &Tensor) -> [f32; 2] {
        let group = ParameterGroup::of(&self.groups, name);
        let pulled = self.config.pulled(group.map_or(1.0, |group| group.decay));
        let (OptimizerConfig::Sgd(Sgd {
            weight_decay,
            decay,
            ..
        })
        | OptimizerConfig::Adam(Adam {
            weight_decay,
            decay,
            ..
        })
        | OptimizerConfig::AdamW(AdamW {
            weight_decay,
            decay,
            ..
        })
        | OptimizerConfig::RmsProp(RmsProp {
            weight_decay,
            decay,
            ..
        })) = pulled;
        [
            group.map_or(1.0, |group| group.rate),
            decay.of(tensor, weight_decay),
        ]
    }

    /// What is remembered of a parameter, in the order of its numbers; parts that are not needed are empty.
    pub(crate) fn memory(&self, name: &str) -> Option<&[Vec<f32>; 3]> {
        self.memory.get(name)
    }

    /// The same, to be changed.
    pub(crate) fn memory_mut(&mut self, name: &str) -> Option<&mut [Vec<f32>; 3]> {
        self.memory.get_mut(name)
    }
}

impl OptimizerConfig {
    /// The same with `factor` times the weight decay.
    fn pulled(mut self, factor: f32) -> Self {
        match &mut self {
            Self::Sgd(Sgd { weight_decay, .. })
            | Self::Adam(Adam { weight_decay, .. })
            | Self::AdamW(AdamW { weight_decay, .. })
            | Self::RmsProp(RmsProp { weight_decay, .. }) => *weight_decay *= factor,
        }
        self
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
