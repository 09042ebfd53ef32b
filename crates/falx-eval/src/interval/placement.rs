//! Placements: for each case, the share of the other class that scores on its wrong side.

use crate::ranked::Ranked;
use crate::{Outcomes, Undefined};

/// Every case's structural component of the area: for a positive case the share of negatives below it, for a negative
/// case the share of positives above it, ties counting one half.
///
/// # Source
/// Sun X, Xu W. Fast implementation of `DeLong`'s algorithm for comparing the areas under correlated receiver operating
/// characteristic curves. IEEE Signal Process Lett 2014; 21:1389: from ranks, in O(n log n).
#[derive(Clone, Debug)]
pub(super) struct Placements {
    pub(super) auc: f64,
    pub(super) positives: u64,
    pub(super) negatives: u64,
    /// One a case, in the order of the cases.
    pub(super) components: Vec<f64>,
}

impl Placements {
    pub(super) fn of(outcomes: &Outcomes<'_>) -> Result<Self, Undefined> {
        let cases = outcomes.iter().map(|(truth, score, _)| (truth, score));
        Self::ranked(&Ranked::new(cases))
    }

    pub(super) fn ranked(ranked: &Ranked) -> Result<Self, Undefined> {
        let auc = ranked.auc(|_| 1)?;
        let (mut positives, mut negatives) = (0_u64, 0_u64);
        for ties in ranked.ties() {
            for (_, positive) in ties {
                positives += u64::from(positive);
                negatives += u64::from(!positive);
            }
        }
        let mut components = vec![0.0; (positives + negatives) as usize];
        let (mut positives_above, mut negatives_above) = (0_u64, 0_u64);
        for ties in ranked.ties() {
            let positives_here = ties.clone().filter(|&(_, positive)| positive).count() as u64;
            let negatives_here = ties.clone().count() as u64 - positives_here;
            // Twice the count, so that a tie's half is whole.
            let below = 2 * (negatives - negatives_above) - negatives_here;
            let above = 2 * positives_above + positives_here;
            for (case, positive) in ties {
                if let Some(place) = components.get_mut(case as usize) {
                    *place = if positive {
                        below as f64 / (2 * negatives) as f64
                    } else {
                        above as f64 / (2 * positives) as f64
                    };
                }
            }
            positives_above += positives_here;
            negatives_above += negatives_here;
        }
        Ok(Self {
            auc,
            positives,
            negatives,
            components,
        })
    }
}
