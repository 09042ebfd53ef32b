//! Ratios of sums over patients: what resampling can reweigh without going over the cases again.

use falx_core::Silent;

use crate::resampling::{LANES, totals};
use crate::{Estimate, Outcomes, Resampling};

/// A ratio whose numerator and denominator are sums of what each patient contributes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Share {
    numerators: Vec<f64>,
    denominators: Vec<f64>,
}

impl Share {
    /// Adds up (cluster, numerator, denominator) by cluster.
    pub(crate) fn of(clusters: usize, cases: impl IntoIterator<Item = (u32, f64, f64)>) -> Self {
        let mut share = Self {
            numerators: vec![0.0; clusters],
            denominators: vec![0.0; clusters],
        };
        for (cluster, numerator, denominator) in cases {
            let cluster = cluster as usize;
            let place = share.numerators.get_mut(cluster);
            if let Some((n, d)) = place.zip(share.denominators.get_mut(cluster)) {
                *n += numerator;
                *d += denominator;
            }
        }
        share
    }

    /// The mean over patients of their own ratios: each patient counts once, however many cases it has.
    pub(crate) fn by_patient(&self) -> Self {
        let parts = self.parts().map(|(numerator, denominator)| {
            if denominator > 0.0 {
                (numerator / denominator, 1.0)
            } else {
                (0.0, 0.0)
            }
        });
        let (numerators, denominators) = parts.unzip();
        Self {
            numerators,
            denominators,
        }
    }

    /// Every patient's numerator and denominator.
    fn parts(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let numerators = self.numerators.iter().copied();
        numerators.zip(self.denominators.iter().copied())
    }

    /// Patients that contribute.
    pub(crate) fn patients(&self) -> u64 {
        let denominators = self.denominators.iter();
        denominators.filter(|part| **part > 0.0).count() as u64
    }

    /// Several ratios, each with its interval over the same draws; `None` where one has no value on everyone.
    pub(crate) fn estimates(shares: &[Self], resampling: &Resampling) -> Vec<Option<Estimate>> {
        let columns: Vec<&[f64]> = shares
            .iter()
            .flat_map(|share| [&*share.numerators, &*share.denominators])
            .collect();
        let blocks = resampling.blocks_of_draws(&Silent, |weights| {
            let totals = totals(&columns, weights);
            let (pairs, _) = totals.as_chunks::<2>();
            let ratios = pairs.iter().map(|[numerators, denominators]| {
                let lane = |l: usize| {
                    let (n, d) = (numerators[l], denominators[l]);
                    (d > 0.0).then(|| n / d)
                };
                std::array::from_fn(lane)
            });
            ratios.collect::<Vec<[Option<f64>; LANES]>>()
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
        for (part, &weight) in self.parts().zip(weights) {
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
