//! The numbers of positives that a bin would show if its predictions were right.

use std::f64::consts::SQRT_2;

/// Above this variance a normal distribution corrected for skewness gives the limits.
const MOMENTS_DO: f64 = 64.0;
/// What the exact distribution leaves out at its ends.
const NOTHING: f64 = 1e-15;
/// The normal distribution's 97.5 % quantile.
const Z: f64 = 1.959963984540054;

/// Sums over a bin's cases: of p, p(1 - p) and p(1 - p)(1 - 2p).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Moments {
    pub(crate) mean: f64,
    pub(crate) variance: f64,
    pub(crate) third: f64,
}

impl Moments {
    pub(crate) fn add(&mut self, p: f64) {
        let variance = p * (1.0 - p);
        self.mean += p;
        self.variance += variance;
        self.third += variance * (1.0 - 2.0 * p);
    }
}

/// True where the limits need the predictions themselves.
pub(crate) fn needs_cases(variance: f64) -> bool {
    variance <= MOMENTS_DO
}

/// The 2.5 and 97.5 % quantiles of the number of positives if every prediction is right and cases are independent.
pub(crate) fn counts(moments: &Moments, predictions: &[f64]) -> (f64, f64) {
    if needs_cases(moments.variance) {
        exact(predictions)
    } else {
        approximate(moments)
    }
}

/// The limits of the share of positives among `cases` cases, wider by the root of the design effect.
pub(crate) fn shares(
    moments: &Moments,
    predictions: &[f64],
    cases: u64,
    design_effect: f64,
) -> (f64, f64) {
    let n = cases.max(1) as f64;
    let (low, high) = counts(moments, predictions);
    let (mean, wider) = (moments.mean / n, design_effect.max(1.0).sqrt());
    let limit = |count: f64| (mean + (count / n - mean) * wider).clamp(0.0, 1.0);
    (limit(low), limit(high))
}

/// The distribution of a sum of independent outcomes (Poisson's binomial), built case by case.
pub(super) fn exact(predictions: &[f64]) -> (f64, f64) {
    // `mass[start + k]` is the probability of `first + k` positives.
    let (mut mass, mut start, mut first) = (vec![1.0_f64], 0_usize, 0_u64);
    for &p in predictions.iter().filter(|p| **p > 0.0) {
        mass.push(0.0);
        let mut carried = 0.0;
        for m in mass.iter_mut().skip(start) {
            let here = *m;
            *m = here * (1.0 - p) + carried;
            carried = here * p;
        }
        while mass.len() > start + 1 && mass.last().is_some_and(|m| *m < NOTHING) {
            mass.pop();
        }
        while mass.len() > start + 1 && mass.get(start).is_some_and(|m| *m < NOTHING) {
            start += 1;
            first += 1;
        }
        if start > 1024 {
            mass.drain(..start);
            start = 0;
        }
    }
    let quantile = |share: f64| {
        let mut sum = 0.0;
        let below = mass.iter().skip(start).take_while(|m| {
            sum += **m;
            sum < share
        });
        (first + below.count() as u64) as f64
    };
    (quantile(0.025), quantile(0.975))
}

/// Cornish and Fisher's expansion to the skewness, with a correction for counts being whole.
pub(super) fn approximate(moments: &Moments) -> (f64, f64) {
    let deviation = moments.variance.sqrt();
    let skewness = moments.third / (moments.variance * deviation);
    let limit = |z: f64| {
        let z = z + skewness * (z * z - 1.0) / 6.0;
        (moments.mean + deviation * z - 0.5).ceil()
    };
    (limit(-Z), limit(Z))
}

/// The mean distance from 0 of a normal value with this mean and variance.
pub(crate) fn mean_distance(mean: f64, variance: f64) -> f64 {
    let deviation = variance.sqrt();
    if deviation <= 0.0 {
        return mean.abs();
    }
    let z = mean / deviation;
    deviation * (2.0 / std::f64::consts::PI).sqrt() * (-0.5 * z * z).exp()
        + mean * statrs::function::erf::erf(z / SQRT_2)
}
