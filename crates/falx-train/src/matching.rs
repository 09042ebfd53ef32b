//! Rules that were found on single networks, for the mean of several.
//!
//! The mean of some networks' probabilities is less extreme than each of them: where one network in ten slices without a haemorrhage
//! goes above a limit, the mean may do so in six or in fifteen. So limits go to where as many locked slices lie below them with the mean
//! as lie below the old ones with single networks. Nothing but predictions is looked at, and both are of the same slices.

use falx_core::Prediction;
use falx_infer::{Decisions, LabelRule};

/// What single networks and their mean say of the same slices, in order, label by label.
pub(crate) struct Matching {
    single: [Vec<f64>; 6],
    mean: [Vec<f64>; 6],
}

impl Matching {
    /// `single` of all networks together, `mean` of each slice once.
    pub(crate) fn of(single: &[Vec<Prediction>], mean: &[Prediction]) -> Self {
        let single: Vec<&Prediction> = single.iter().flatten().collect();
        let mean: Vec<&Prediction> = mean.iter().collect();
        let sorted = |predictions: &[&Prediction], at: usize| {
            let numbers = predictions.iter().map(|p| p.probabilities[at].get());
            let mut numbers: Vec<f64> = numbers.collect();
            numbers.sort_by(f64::total_cmp);
            numbers
        };
        Self {
            single: std::array::from_fn(|at| sorted(&single, at)),
            mean: std::array::from_fn(|at| sorted(&mean, at)),
        }
    }

    /// The same rules for the mean. A study's highest slice is moved as its slices are.
    pub(crate) fn moved(&self, mut decisions: Decisions) -> Decisions {
        for rule in decisions.slice.iter_mut().chain(&mut decisions.study) {
            *rule = self.rule(*rule);
        }
        decisions.found_on += "; limits moved to where as many locked slices lie below them with the mean of the networks as with one";
        decisions
    }

    fn rule(&self, rule: LabelRule) -> LabelRule {
        let at = rule.label.index();
        LabelRule {
            absent_up_to: self.limit(at, rule.absent_up_to),
            present_from: self.limit(at, rule.present_from),
            ..rule
        }
    }

    /// Where a limit goes; one beyond all that networks said stays beyond it.
    fn limit(&self, label: usize, limit: f64) -> f64 {
        let (single, mean) = (&self.single[label], &self.mean[label]);
        let (Some(&lowest), Some(&highest)) = (mean.first(), mean.last()) else {
            return limit;
        };
        let below = single.partition_point(|&p| p < limit);
        let up_to = single.partition_point(|&p| p <= limit);
        if up_to == 0 {
            return limit.min(lowest);
        }
        if below == single.len() {
            return limit.max(highest);
        }
        let share = f64::midpoint(below as f64, up_to as f64) / single.len() as f64;
        // The middle of the k-th of n numbers has (k - 1/2) / n below it.
        let place = (share * mean.len() as f64 - 0.5).clamp(0.0, (mean.len() - 1) as f64);
        let (low, part) = (place.floor() as usize, place.fract());
        let high = (low + 1).min(mean.len() - 1);
        (1.0 - part) * mean[low] + part * mean[high]
    }
}

#[cfg(test)]
mod tests;
