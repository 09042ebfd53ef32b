//! Optimisers on plain buffers, in place, with PyTorch's arithmetic.

mod state;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Gradients, Parameters, Tensor};

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
    steps: u64,
    memory: BTreeMap<String, [Vec<f32>; 2]>,
}

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
            steps: 0,
            memory: parameters
                .iter()
                .map(|(name, tensor)| (name.to_owned(), blank(tensor)))
                .collect(),
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
                OptimizerConfig::AdamW(adam) => adam.step(tensor, gradient, memory, lr, self.steps),
            }
        }
    }
}

impl Decay {
    fn applies(self, tensor: &Tensor) -> bool {
        self == Self::All || tensor.shape.len() >= 2
    }
}

impl Sgd {
    fn step(
        &self,
        tensor: &mut Tensor,
        gradient: &Tensor,
        [momentum, _]: &mut [Vec<f32>; 2],
        lr: f32,
        first: bool,
    ) {
        let decay = if self.decay.applies(tensor) {
            self.weight_decay
        } else {
            0.0
        };
        let pairs = tensor.data.iter_mut().zip(&gradient.data);
        if self.momentum == 0.0 {
            pairs.for_each(|(p, g)| *p -= lr * (g + decay * *p));
            return;
        }
        for ((p, g), m) in pairs.zip(momentum) {
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
        tensor: &mut Tensor,
        gradient: &Tensor,
        [mean, square]: &mut [Vec<f32>; 2],
        lr: f32,
        step: u64,
    ) {
        let decay = if self.decay.applies(tensor) {
            lr * self.weight_decay
        } else {
            0.0
        };
        // The corrections of the first steps in f64: 1 - beta^t loses all digits in f32.
        let correction = |beta: f32| 1.0 - f64::from(beta).powf(step as f64);
        let rate = (f64::from(lr) / correction(self.beta1)) as f32;
        let scale = correction(self.beta2).sqrt() as f32;
        let memory = mean.iter_mut().zip(square);
        for ((p, &g), (m, v)) in tensor.data.iter_mut().zip(&gradient.data).zip(memory) {
            *p -= decay * *p;
            *m += (1.0 - self.beta1) * (g - *m);
            *v = self.beta2 * *v + (1.0 - self.beta2) * g * g;
            *p -= rate * *m / (v.sqrt() / scale + self.epsilon);
        }
    }
}

#[cfg(test)]
mod tests;
