//! Ratios of sums over patients: what resampling can reweigh without going over the cases again.

use falx_core::Silent;

use crate::resampling::{LANES, Weights};
use crate::{Estimate, Outcomes, Resampling};

/// A ratio whose numerator and denominator are sums of what each patient contributes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Share {
    parts: Vec<(f64, f64)>,
}

impl Share {
    /// Adds up (cluster, numerator, denominator) by cluster.
    pub(crate) fn of(clusters: usize, cases: impl IntoIterator<Item = (u32, f64, f64)>) -> Self {
        let mut parts = vec![(0.0, 0.0); clusters];
        for (cluster, numerator, denominator) in cases {
            if let Some(part) = parts.get_mut(cluster as usize) {
                part.0 += numerator;
                part.1 += denominator;
            }
        }
        Self { parts }
    }

    /// The mean over patients of their own ratios: each patient counts once, however many cases it has.
    pub(crate) fn by_patient(&self) -> Self {
        let parts = self.parts.iter().map(|&(numerator, denominator)| {
            if denominator > 0.0 {
                (numerator / denominator, 1.0)
            } else {
                (0.0, 0.0)
            }
        });
        Self {
            parts: parts.collect(),
        }
    }

    /// Patients that contribute.
    pub(crate) fn patients(&self) -> u64 {
        self.parts.iter().filter(|part| part.1 > 0.0).count() as u64
    }

    /// The ratios in many draws at once; `None` where nothing counts.
    fn in_lanes(&self, weights: &Weights) -> [Option<f64>; LANES] {
        let (mut numerators, mut denominators) = ([0.0; LANES], [0.0; LANES]);
        for (&(numerator, denominator), row) in self.parts.iter().zip(weights.rows()) {
            if denominator == 0.0 && numerator == 0.0 {
                continue;
            }
            let sums = numerators.iter_mut().zip(&mut denominators);
            for ((n, d), &weight) in sums.zip(&row.0) {
                *n += numerator * f64::from(weight);
                *d += denominator * f64::from(weight);
            }
        }
        std::array::from_fn(|lane| {
            let (n, d) = (numerators[lane], denominators[lane]);
            (d > 0.0).then(|| n / d)
        })
    }

    /// Several ratios, each with its interval over the same draws; `None` where one has no value on everyone.
    pub(crate) fn estimates(shares: &[Self], resampling: &Resampling) -> Vec<Option<Estimate>> {
        let blocks = resampling.blocks_of_draws(&Silent, |weights| {
            let each = shares.iter().map(|share| share.in_lanes(weights));
            each.collect::<Vec<_>>()
        });
        let everyone = vec![1; resampling.clusters()];
        let estimates = shares.iter().enumerate().map(|(at, share)| {
            let value = share.under(&everyone)?;
            let draws = blocks.iter().filter_map(|block| block.get(at));
            Some(resampling.interval_of(value, draws))
        });
        estimates.collect()
    }

    /// The ratio when each cluster counts as often as `weights` says; `None` where nothing counts.
    pub(crate) fn under(&self, weights: &[u32]) -> Option<f64> {
        let (mut numerator, mut denominator) = (0.0, 0.0);
        for (part, &weight) in self.parts.iter().zip(weights) {
            numerator += part.0 * f64::from(weight);
            denominator += part.1 * f64::from(weight);
        }
        (denominator > 0.0).then(|| numerator / denominator)
    }
}

/// The resampling, over all clusters that the outcomes name.
pub(crate) fn covering(resampling: &Resampling, outcomes: &Outcomes<'_>) -> Resampling {
    resampling.covering(outcomes.clusters())
}
