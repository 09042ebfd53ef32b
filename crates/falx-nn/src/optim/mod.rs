//! Optimisers on plain buffers, in place, with PyTorch's arithmetic.

mod groups;
mod state;

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{Gradients, Parameters, Tensor};

pub use groups::{ParameterGroup, layer_wise};
pub use state::StateError;

/// Which optimiser, and its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "lowercase")]
pub enum OptimizerConfig {
    /// Stochastic gradient descent.
    Sgd(Sgd),
    /// Adam with decoupled weight decay.
    AdamW(AdamW),
}

/// Stochastic gradient descent with momentum; weight decay is added to the gradient.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    /// The share of the last direction that is kept.
    pub momentum: f32,
    /// Whether to look one step ahead (Nesterov).
    pub nesterov: bool,
    /// The pull towards 0.
    pub weight_decay: f32,
    /// Which parameters are pulled.
    pub decay: Decay,
}

/// Adam with decoupled weight decay.
///
/// # Source
/// Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization".
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamW {
    /// The memory of the gradient's mean.
    pub beta1: f32,
    /// The memory of the gradient's square.
    pub beta2: f32,
    /// Added to the root of the square.
    pub epsilon: f32,
    /// The pull towards 0, times the learning rate.
    pub weight_decay: f32,
    /// Which parameters are pulled.
    pub decay: Decay,
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

impl Default for Sgd {
    fn default() -> Self {
        Self {
            momentum: 0.9,
            nesterov: false,
            weight_decay: 0.0,
            decay: Decay::All,
        }
    }
}

impl Default for AdamW {
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.01,
            decay: Decay::All,
        }
    }
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self::AdamW(AdamW::default())
    }
}

/// An optimiser and what it remembers of each parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimizer {
    config: OptimizerConfig,
    groups: Vec<ParameterGroup>,
    steps: u64,
    memory: BTreeMap<String, [Vec<f32>; 2]>,
}

/// Numbers that one thread moves at once.
const SPAN: usize = 1 << 15;

impl Optimizer {
    /// An optimiser that has seen nothing of `parameters` yet.
    pub fn new(config: &OptimizerConfig, parameters: &Parameters) -> Self {
        let blank = |tensor: &Tensor| match config {
            OptimizerConfig::Sgd(sgd) if sgd.momentum == 0.0 => [Vec::new(), Vec::new()],
            OptimizerConfig::Sgd(_) => [vec![0.0; tensor.data.len()], Vec::new()],
            OptimizerConfig::AdamW(_) => {
                [vec![0.0; tensor.data.len()], vec![0.0; tensor.data.len()]]
            }
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

    /// The same with rates and decays of their own for some modules.
    #[must_use]
    pub fn grouped(mut self, groups: &[ParameterGroup]) -> Self {
        self.groups = groups.to_vec();
        self
    }

    /// How many steps were taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Moves each parameter that has a gradient; running statistics and frozen weights have none and stay.
    pub fn step(&mut self, parameters: &mut Parameters, gradients: &Gradients, lr: f32) {
        self.steps += 1;
        let (config, steps) = (self.config, self.steps);
        for (name, tensor) in parameters.iter_mut() {
            let (Some(gradient), Some([first, second])) =
                (gradients.get(name), self.memory.get_mut(name))
            else {
                continue;
            };
            let group = ParameterGroup::of(&self.groups, name);
            let lr = lr * group.map_or(1.0, |group| group.rate);
            let decayed = config.decay().applies(tensor);
            let decay = if decayed { config.weight_decay() } else { 0.0 };
            let decay = decay * group.map_or(1.0, |group| group.decay);
            // Each number moves alone, so that it does not matter how they are divided among the threads.
            let parts = tensor
                .data
                .par_chunks_mut(SPAN)
                .zip(gradient.data.par_chunks(SPAN));
            match config {
                OptimizerConfig::Sgd(sgd) if first.is_empty() => {
                    parts.for_each(|(p, g)| sgd.plain(p, g, lr, decay));
                }
                OptimizerConfig::Sgd(sgd) => {
                    parts
                        .zip(first.par_chunks_mut(SPAN))
                        .for_each(|((p, g), m)| sgd.step(p, g, m, lr, decay, steps == 1));
                }
                OptimizerConfig::AdamW(adam) => {
                    parts
                        .zip(first.par_chunks_mut(SPAN))
                        .zip(second.par_chunks_mut(SPAN))
                        .for_each(|(((p, g), m), v)| adam.step(p, g, [m, v], lr, decay, steps));
                }
            }
        }
    }
}

impl OptimizerConfig {
    const fn decay(&self) -> Decay {
        match self {
            Self::Sgd(sgd) => sgd.decay,
            Self::AdamW(adam) => adam.decay,
        }
    }

    const fn weight_decay(&self) -> f32 {
        match self {
            Self::Sgd(sgd) => sgd.weight_decay,
            Self::AdamW(adam) => adam.weight_decay,
        }
    }
}

impl Decay {
    fn applies(self, tensor: &Tensor) -> bool {
        self == Self::All || tensor.shape.len() >= 2
    }
}

impl Sgd {
    fn plain(&self, values: &mut [f32], gradient: &[f32], lr: f32, decay: f32) {
        for (p, g) in values.iter_mut().zip(gradient) {
            *p -= lr * (g + decay * *p);
        }
    }

    fn step(
        &self,
        values: &mut [f32],
        gradient: &[f32],
        momentum: &mut [f32],
        lr: f32,
        decay: f32,
        first: bool,
    ) {
        for ((p, g), m) in values.iter_mut().zip(gradient).zip(momentum) {
            let g = g + decay * *p;
            *m = if first { g } else { self.momentum * *m + g };
            *p -= lr
                * if self.nesterov {
                    g + self.momentum * *m
                } else {
                    *m
                };
        }
    }
}

impl AdamW {
    fn step(
        &self,
        values: &mut [f32],
        gradient: &[f32],
        [mean, square]: [&mut [f32]; 2],
        lr: f32,
        decay: f32,
        step: u64,
    ) {
        let decay = lr * decay;
        // The corrections of the first steps in f64: 1 - beta^t loses all digits in f32.
        let correction = |beta: f32| 1.0 - f64::from(beta).powf(step as f64);
        let rate = (f64::from(lr) / correction(self.beta1)) as f32;
        let scale = correction(self.beta2).sqrt() as f32;
        let memory = mean.iter_mut().zip(square);
        for ((p, &g), (m, v)) in values.iter_mut().zip(gradient).zip(memory) {
            *p -= decay * *p;
            *m += (1.0 - self.beta1) * (g - *m);
            *v = self.beta2 * *v + (1.0 - self.beta2) * g * g;
            *p -= rate * *m / (v.sqrt() / scale + self.epsilon);
        }
    }
}

#[cfg(test)]
mod tests;
