//! Intervals by resampling patients: slices of one patient resemble each other, so whole patients are drawn.

use falx_core::{Progress, Silent, random};
use rand::RngExt;
use rayon::prelude::*;

use crate::Estimate;

/// Resampling of whole clusters (patients) with replacement: the source of every interval that is no formula's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resampling {
    /// How many clusters there are, numbered from 0.
    pub clusters: usize,
    /// How often they are drawn.
    pub replicates: u32,
    /// The seed of the draws.
    pub seed: u64,
}

impl Resampling {
    /// The statistic on everyone, with its 95 % interval; `None` where it has no value on everyone.
    ///
    /// `statistic` is given how often each cluster counts.
    pub fn estimate(&self, statistic: impl Fn(&[u32]) -> Option<f64> + Sync) -> Option<Estimate> {
        let one = self.estimates(|weights| vec![statistic(weights)]);
        one.into_iter().next().flatten()
    }

    /// Several statistics of the same draws, as [`Self::estimate`]; `statistics` gives as many each time.
    pub fn estimates(
        &self,
        statistics: impl Fn(&[u32]) -> Vec<Option<f64>> + Sync,
    ) -> Vec<Option<Estimate>> {
        let values = statistics(&vec![1; self.clusters]);
        let draws = replicate(
            self.clusters,
            self.replicates,
            self.seed,
            &Silent,
            &statistics,
        );
        (0..)
            .zip(values)
            .map(|(i, value)| {
                let of_this = draws.iter().map(|draw| draw.get(i).copied().flatten());
                Some(estimate(value?, of_this))
            })
            .collect()
    }
}

/// Runs `score` under `replicates` draws of `patients` patients with replacement; the weight of a patient is how often
/// it was drawn. Each replicate has its own random stream, so threads change nothing.
pub(crate) fn replicate<T: Send>(
    patients: usize,
    replicates: u32,
    seed: u64,
    progress: &dyn Progress,
    score: impl Fn(&[u32]) -> T + Sync,
) -> Vec<T> {
    let Ok(n) = u32::try_from(patients) else {
        return Vec::new();
    };
    // One patient resampled is the same patient: no spread would be seen, and it would look like certainty.
    if n < 2 {
        return Vec::new();
    }
    (0..replicates)
        .into_par_iter()
        .map_init(
            || vec![0_u32; patients],
            |weights, r| {
                weights.fill(0);
                let mut rng = random::stream(seed, "bootstrap", &[u64::from(r)]);
                for _ in 0..n {
                    let drawn = rng.random_range(0..n) as usize;
                    if let Some(weight) = weights.get_mut(drawn) {
                        *weight += 1;
                    }
                }
                let result = score(weights);
                progress.advance(1);
                result
            },
        )
        .collect()
}

/// A value with the 95 % percentile interval of its replicates.
///
/// A replicate may have no value (no positive patient drawn). Where more than half have none, there is no interval.
pub(crate) fn estimate(value: f64, replicates: impl Iterator<Item = Option<f64>>) -> Estimate {
    let mut drawn = 0_usize;
    let mut values: Vec<f64> = replicates.inspect(|_| drawn += 1).flatten().collect();
    if values.is_empty() || values.len() * 2 < drawn {
        return Estimate {
            value,
            low: None,
            high: None,
        };
    }
    values.sort_unstable_by(f64::total_cmp);
    Estimate {
        value,
        low: quantile(&values, 0.025),
        high: quantile(&values, 0.975),
    }
}

/// The quantile of sorted values, interpolated linearly between neighbours.
pub(crate) fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let place = q * sorted.len().checked_sub(1)? as f64;
    let below = *sorted.get(place.floor() as usize)?;
    let above = *sorted.get(place.ceil() as usize)?;
    Some(below + (above - below) * place.fract())
}
