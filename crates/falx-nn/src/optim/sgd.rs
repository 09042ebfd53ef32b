//! Stochastic gradient descent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Decay, Memory};
use crate::Tensor;

/// Stochastic gradient descent with momentum; weight decay is added to the gradient.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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

impl Sgd {
    pub(super) fn memory(&self) -> [bool; 3] {
        [self.momentum != 0.0, false, false]
    }

    pub(super) fn step(
        &self,
        tensor: &mut Tensor,
        gradient: &Tensor,
        [momentum, ..]: &mut Memory,
        lr: f32,
        first: bool,
    ) {
        let decay = self.decay.of(tensor, self.weight_decay);
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
