//! Ratios of sums over patients: what resampling can reweigh without going over the cases again.

use crate::{Outcomes, Resampling};

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
    Resampling {
        clusters: resampling.clusters.max(outcomes.clusters()),
        ..*resampling
    }
}
