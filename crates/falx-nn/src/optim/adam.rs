//! Adam, with weight decay in the gradient or beside it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Decay, Memory};
use crate::Tensor;

/// Adam; weight decay is added to the gradient, and thus scaled like it.
///
/// # Source
/// Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization".
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// The memory of the gradient's mean.
    pub beta1: f32,
    /// The memory of the gradient's square.
    pub beta2: f32,
    /// Added to the root of the square.
    pub epsilon: f32,
    /// The pull towards 0.
    pub weight_decay: f32,
    /// Which parameters are pulled.
    pub decay: Decay,
}

/// Adam with decoupled weight decay.
///
/// # Source
/// Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization".
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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

impl Default for Adam {
    fn default() -> Self {
        let AdamW {
            beta1,
            beta2,
            epsilon,
            decay,
            ..
        } = AdamW::default();
        Self {
            beta1,
            beta2,
            epsilon,
            weight_decay: 0.0,
            decay,
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

/// How one step moves a parameter.
struct Move {
    /// The pull that is added to the gradient.
    in_gradient: f32,
    /// The pull that moves the parameter itself.
    beside: f32,
    beta1: f32,
    beta2: f32,
    epsilon: f32,
}

impl Move {
    fn step(
        &self,
        tensor: &mut Tensor,
        gradient: &Tensor,
        [mean, square, _]: &mut Memory,
        lr: f32,
        step: u64,
    ) {
        // The corrections of the first steps in f64: 1 - beta^t loses all digits in f32.
        let correction = |beta: f32| 1.0 - f64::from(beta).powf(step as f64);
        let rate = (f64::from(lr) / correction(self.beta1)) as f32;
        let scale = correction(self.beta2).sqrt() as f32;
        let memory = mean.iter_mut().zip(square);
        for ((p, &g), (m, v)) in tensor.data.iter_mut().zip(&gradient.data).zip(memory) {
            let g = g + self.in_gradient * *p;
            *p -= self.beside * *p;
            *m += (1.0 - self.beta1) * (g - *m);
            *v = self.beta2 * *v + (1.0 - self.beta2) * g * g;
            *p -= rate * *m / (v.sqrt() / scale + self.epsilon);
        }
    }
}

impl Adam {
    pub(super) fn step(
        &self,
        tensor: &mut Tensor,
        gradient: &Tensor,
        memory: &mut Memory,
        lr: f32,
        step: u64,
    ) {
        let of = Move {
            in_gradient: self.decay.of(tensor, self.weight_decay),
            beside: 0.0,
            beta1: self.beta1,
            beta2: self.beta2,
            epsilon: self.epsilon,
        };
        of.step(tensor, gradient, memory, lr, step);
    }
}

impl AdamW {
    pub(super) fn step(
        &self,
        tensor: &mut Tensor,
        gradient: &Tensor,
        memory: &mut Memory,
        lr: f32,
        step: u64,
    ) {
        let of = Move {
            in_gradient: 0.0,
            beside: self.decay.of(tensor, lr * self.weight_decay),
            beta1: self.beta1,
            beta2: self.beta2,
            epsilon: self.epsilon,
        };
        of.step(tensor, gradient, memory, lr, step);
    }
}
