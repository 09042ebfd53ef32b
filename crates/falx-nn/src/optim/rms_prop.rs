//! Steps by the root of the gradient's mean square.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Decay, Memory};
use crate::Tensor;

/// RMSprop as in PyTorch; weight decay is added to the gradient.
///
/// # Source
/// Tieleman and Hinton 2012, lecture 6.5 of "Neural Networks for Machine Learning"; Graves 2013, arXiv:1308.0850, for the
/// centred form.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RmsProp {
    /// The memory of the gradient's square.
    pub alpha: f32,
    /// Added to the root of the square.
    pub epsilon: f32,
    /// The share of the last direction that is kept.
    pub momentum: f32,
    /// Whether the square is of the distance from the gradient's mean.
    pub centered: bool,
    /// The pull towards 0.
    pub weight_decay: f32,
    /// Which parameters are pulled.
    pub decay: Decay,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self {
            alpha: 0.99,
            epsilon: 1e-8,
            momentum: 0.0,
            centered: false,
            weight_decay: 0.0,
            decay: Decay::All,
        }
    }
}

impl RmsProp {
    /// The square, the last direction, the mean.
    pub(super) fn memory(&self) -> [bool; 3] {
        [true, self.momentum > 0.0, self.centered]
    }

    pub(super) fn step(
        &self,
        tensor: &mut Tensor,
        gradient: &Tensor,
        [square, direction, mean]: &mut Memory,
        lr: f32,
    ) {
        let decay = self.decay.of(tensor, self.weight_decay);
        let values = tensor.data.iter_mut().zip(&gradient.data).zip(square);
        for (at, ((p, g), v)) in values.enumerate() {
            let g = g + decay * *p;
            *v = self.alpha * *v + (1.0 - self.alpha) * g * g;
            let variance = match mean.get_mut(at) {
                Some(mean) => {
                    *mean += (1.0 - self.alpha) * (g - *mean);
                    *v - *mean * *mean
                }
                None => *v,
            };
            let step = g / (variance.max(0.0).sqrt() + self.epsilon);
            *p -= lr
                * match direction.get_mut(at) {
                    Some(direction) => {
                        *direction = self.momentum * *direction + step;
                        *direction
                    }
                    None => step,
                };
        }
    }
}
