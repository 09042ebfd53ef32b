//! Cases in the order of their scores, for everything that only depends on that order.

mod walk;

use crate::Undefined;
pub(crate) use walk::{Areas, Counts, Walk};

/// The cases of one label from the highest score to the lowest: sorted once, scored under any weights.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ranked {
    entries: Vec<Entry>,
}

/// One case in its rank.
#[derive(Clone, Copy, Debug)]
struct Entry {
    case: u32,
    positive: bool,
    /// The last of its ties.
    closes: bool,
}

/// Weighted counts at the end of a group of ties.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Positives that score at least this much.
    pub(crate) positives: u64,
    /// Negatives that score at least this much.
    pub(crate) negatives: u64,
}

impl Ranked {
    /// Sorts cases by score; the place in `cases` is the number by which weights are asked for.
    pub(crate) fn new(cases: impl IntoIterator<Item = (bool, f64)>) -> Self {
        let mut sorted: Vec<(f64, u32, bool)> = cases
            .into_iter()
            .enumerate()
            .map(|(i, (positive, score))| (score, i as u32, positive))
            .collect();
        sorted.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let next = sorted.iter().skip(1).map(|e| Some(e.0)).chain([None]);
        let entries = sorted
            .iter()
            .zip(next)
            .map(|(&(score, case, positive), next)| Entry {
                case,
                positive,
                closes: next != Some(score),
            })
            .collect();
        Self { entries }
    }

    /// The cases, group of ties by group, from the highest score down: (case, positive).
    pub(crate) fn ties(
        &self,
    ) -> impl Iterator<Item = impl Iterator<Item = (u32, bool)> + Clone + '_> + '_ {
        self.entries
            .chunk_by(|a, _| !a.closes)
            .map(|group| group.iter().map(|e| (e.case, e.positive)))
    }

    /// Calls `visit` with the counts before and after each group of ties, and the number of one of its cases, from the
    /// highest score down.
    pub(crate) fn cuts(&self, weight: impl Fn(u32) -> u32, mut visit: impl FnMut(Cut, Cut, u32)) {
        let (mut before, mut now) = (Cut::default(), Cut::default());
        for entry in &self.entries {
            let w = u64::from(weight(entry.case));
            if entry.positive {
                now.positives += w;
            } else {
                now.negatives += w;
            }
            if entry.closes {
                visit(before, now, entry.case);
                before = now;
            }
        }
    }

    pub(crate) fn auc(&self, weight: impl Fn(u32) -> u32) -> Result<f64, Undefined> {
        self.areas(weight).0
    }

    pub(crate) fn average_precision(&self, weight: impl Fn(u32) -> u32) -> Result<f64, Undefined> {
        self.areas(weight).1
    }

    /// Area under the ROC curve and average precision in one walk.
    pub(crate) fn areas(
        &self,
        weight: impl Fn(u32) -> u32,
    ) -> (Result<f64, Undefined>, Result<f64, Undefined>) {
        // Twice the pairs won, so that half a pair for a tie stays a whole number and the area exact.
        let mut twice_won = 0_u128;
        let mut precision_sum = 0.0;
        let mut total = Cut::default();
        self.cuts(weight, |before, now, _| {
            let positives = now.positives - before.positives;
            let negatives = now.negatives - before.negatives;
            twice_won += u128::from(negatives) * u128::from(before.positives + now.positives);
            if positives > 0 {
                precision_sum += positives as f64 * now.positives as f64
                    / (now.positives + now.negatives) as f64;
            }
            total = now;
        });
        let Cut {
            positives,
            negatives,
        } = total;
        if positives + negatives == 0 {
            return (Err(Undefined::NoCases), Err(Undefined::NoCases));
        }
        if positives == 0 {
            return (Err(Undefined::NoPositives), Err(Undefined::NoPositives));
        }
        let ap = Ok(precision_sum / positives as f64);
        if negatives == 0 {
            return (Err(Undefined::NoNegatives), ap);
        }
        let pairs = u128::from(positives) * u128::from(negatives);
        (Ok(twice_won as f64 / (2 * pairs) as f64), ap)
    }
}
