//! The mean of parameters at several times of training.

use crate::Parameters;

/// The mean of all parameters that it was shown, running statistics included, each time with the same weight: stochastic
/// weight averaging.
///
/// # Source
/// Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization" (2018); the arithmetic of PyTorch's
/// `torch.optim.swa_utils.AveragedModel`.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightMean {
    mean: Parameters,
    count: u64,
}

impl WeightMean {
    /// The mean of `count` times, of which `mean` is known; a single time is its own mean.
    pub fn new(mean: Parameters, count: u64) -> Self {
        Self { mean, count }
    }

    /// Takes in the parameters of one more time.
    pub fn take(&mut self, parameters: &Parameters) {
        self.count += 1;
        towards(&mut self.mean, parameters, 1.0 / self.count as f32);
    }

    /// How many times it was shown parameters.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean.
    pub fn parameters(&self) -> &Parameters {
        &self.mean
    }
}

/// Moves an average by `share` of its distance to `parameters`.
pub(super) fn towards(average: &mut Parameters, parameters: &Parameters, share: f32) {
    for (name, average) in average.iter_mut() {
        let Some(tensor) = parameters.get(name) else {
            continue;
        };
        for (average, x) in average.data.iter_mut().zip(&tensor.data) {
            *average += share * (x - *average);
        }
    }
}

#[cfg(test)]
mod tests;
