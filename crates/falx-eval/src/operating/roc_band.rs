//! How surely a ROC curve is known: its sensitivity at fixed specificities.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ranked::Ranked;
use crate::resampling::{LANES, Row, estimate};
use crate::{Estimate, Outcomes, Resampling};

/// The specificities of a [`crate::LabelScore`]'s band: close together where a clinic could bear the false alarms.
pub const BAND_SPECIFICITIES: [f64; 19] = [
    1.0, 0.99, 0.98, 0.97, 0.96, 0.95, 0.925, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2,
    0.1, 0.0,
];

/// One point of a ROC curve with the interval of its sensitivity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RocBandPoint {
    /// The specificity at which the curve is read.
    pub specificity: f64,
    /// The sensitivity there, on the straight line between the curve's corners; of a vertical piece its upper end. The 95 %
    /// interval is of this point alone: one in twenty points of a curve lies outside by chance.
    pub sensitivity: Estimate,
}

/// The sensitivity at fixed specificities, each with a pointwise interval; empty where a class is missing.
///
/// The threshold that has the specificity is found anew in each resample of patients, so the interval knows that it is
/// uncertain too; that of a locked threshold's sensitivity does not. Ends are percentiles: a sensitivity at a fixed
/// specificity hangs on a quantile, for which a jackknife gives no acceleration. Where a class lies in a single patient
/// there is no interval.
///
/// # Source
/// Platt, Hanley and Yang, "Bootstrap confidence intervals for the sensitivity of a quantitative diagnostic test",
/// Statistics in Medicine 19 (2000); as `ci.se` of R's pROC (Robin et al., BMC Bioinformatics 12, 2011) with
/// `boot.stratified = FALSE`, but drawing whole patients.
pub fn roc_band(
    outcomes: &Outcomes<'_>,
    specificities: &[f64],
    resampling: &Resampling,
) -> Vec<RocBandPoint> {
    if outcomes.clusters() > MOST_CLUSTERS {
        return Vec::new();
    }
    let curve = Curve::new(outcomes);
    let mut resampling = resampling.covering(outcomes.clusters());
    if !curve.is_spread {
        resampling = resampling.at_most(0);
    }
    let everyone = vec![Row([1; LANES]); resampling.clusters()];
    let values = curve.sensitivities(&everyone, specificities);
    let blocks = resampling.blocks_of_draws(&falx_core::Silent, |weights| {
        curve.sensitivities(weights.rows(), specificities)
    });
    specificities
        .iter()
        .zip(values)
        .enumerate()
        .filter_map(|(at, (&specificity, of_everyone))| {
            let value = of_everyone.first().copied().flatten()?;
            let draws = resampling.replicates_of(blocks.iter().filter_map(|block| block.get(at)));
            Some(RocBandPoint {
                specificity,
                sensitivity: estimate(value, draws.into_iter()),
            })
        })
        .collect()
}

/// The cases from the highest score down.
struct Curve {
    /// Cluster << 2 | positive << 1 | last of its ties.
    entries: Vec<u32>,
    /// Whether each class has two patients or more.
    is_spread: bool,
}

/// So many clusters can be numbered beside two flags.
const MOST_CLUSTERS: usize = 1 << 30;

/// What is added to a number of false alarms, so that rounding a share of the negatives does not change on which side of
/// a whole number it lies.
const ROUNDING: f64 = 1e-9;

impl Curve {
    fn new(outcomes: &Outcomes<'_>) -> Self {
        let ranked = Ranked::new(outcomes.iter().map(|(truth, score, _)| (truth, score)));
        let cluster = outcomes.cluster();
        let mut entries = Vec::with_capacity(outcomes.len());
        let mut first: [Option<u32>; 2] = [None; 2];
        let mut several = [false; 2];
        for ties in ranked.ties() {
            let of_ties = entries.len();
            for (case, positive) in ties {
                let of = cluster.get(case as usize).copied().unwrap_or_default();
                let class = usize::from(positive);
                let known = *first[class].get_or_insert(of);
                several[class] |= known != of;
                entries.push(of << 2 | u32::from(positive) << 1);
            }
            if entries.len() > of_ties
                && let Some(last) = entries.last_mut()
            {
                *last |= 1;
            }
        }
        Self {
            entries,
            is_spread: several == [true, true],
        }
    }

    /// The sensitivity at each specificity under each weighting; `None` where a weighting leaves a class empty.
    ///
    /// # Shape
    /// One row a cluster; one item a specificity.
    fn sensitivities(&self, rows: &[Row], specificities: &[f64]) -> Vec<[Option<f64>; LANES]> {
        let totals = self.totals(rows);
        let mut wanted: Vec<(usize, f64)> = specificities
            .iter()
            .map(|specificity| 1.0 - specificity)
            .enumerate()
            .collect();
        wanted.sort_by(|a, b| a.1.total_cmp(&b.1));
        let mut found = vec![[None; LANES]; specificities.len()];
        // How many of the wanted shares each lane has passed.
        let mut passed = [0_usize; LANES];
        let next = |lane: usize, passed: usize| {
            let (_, alarms) = wanted.get(passed)?;
            Some(alarms * f64::from(totals.negatives[lane]) + ROUNDING)
        };
        let mut limit: [f64; LANES] =
            std::array::from_fn(|lane| next(lane, 0).unwrap_or(f64::INFINITY));
        let mut now = Counts::default();
        // How many more negatives no lane needs to be looked at for.
        let mut slack = 0.0;
        for ties in self.entries.chunk_by(|entry, _| entry & 1 == 0) {
            let negatives = ties.iter().filter(|&entry| entry & 2 == 0).count();
            let most = negatives as f64 * f64::from(u8::MAX);
            if most <= slack {
                now.add_all(ties, rows);
                slack -= most;
                continue;
            }
            let before = now;
            now.add_all(ties, rows);
            slack = f64::INFINITY;
            for lane in 0..LANES {
                while f64::from(now.negatives[lane]) > limit[lane] {
                    let (from, to) = (before.at(lane), now.at(lane));
                    let part = ((limit[lane] - ROUNDING - from.0) / (to.0 - from.0)).max(0.0);
                    let reached = from.1 + part * (to.1 - from.1);
                    let place = wanted.get(passed[lane]).and_then(|w| found.get_mut(w.0));
                    if let Some(place) = place {
                        place[lane] = share(reached, totals.positives[lane]);
                    }
                    passed[lane] += 1;
                    limit[lane] = next(lane, passed[lane]).unwrap_or(f64::INFINITY);
                }
                slack = slack.min(limit[lane] - f64::from(now.negatives[lane]));
            }
        }
        // Where every negative may be called, every positive is.
        for lane in (0..LANES).filter(|&lane| totals.negatives[lane] > 0) {
            for (at, _) in wanted.iter().skip(passed[lane]) {
                if let Some(place) = found.get_mut(*at) {
                    place[lane] = share(f64::from(now.positives[lane]), totals.positives[lane]);
                }
            }
        }
        found
    }

    fn totals(&self, rows: &[Row]) -> Counts {
        let mut totals = Counts::default();
        totals.add_all(&self.entries, rows);
        totals
    }
}

fn share(part: f64, whole: u32) -> Option<f64> {
    (whole > 0).then(|| part / f64::from(whole))
}

/// Weighted cases of either class in every lane.
#[derive(Clone, Copy)]
struct Counts {
    positives: [u32; LANES],
    negatives: [u32; LANES],
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            positives: [0; LANES],
            negatives: [0; LANES],
        }
    }
}

impl Counts {
    fn add(&mut self, entry: u32, rows: &[Row]) {
        let Some(row) = rows.get((entry >> 2) as usize) else {
            return;
        };
        let class = if entry & 2 == 0 {
            &mut self.negatives
        } else {
            &mut self.positives
        };
        for (count, &weight) in class.iter_mut().zip(&row.0) {
            *count += u32::from(weight);
        }
    }

    fn add_all(&mut self, entries: &[u32], rows: &[Row]) {
        for &entry in entries {
            self.add(entry, rows);
        }
    }

    /// (negatives, positives) of a lane.
    fn at(&self, lane: usize) -> (f64, f64) {
        (
            f64::from(self.negatives[lane]),
            f64::from(self.positives[lane]),
        )
    }
}
