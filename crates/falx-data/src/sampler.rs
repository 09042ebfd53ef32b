//! In which order, and how often, an epoch shows each slice.

#[cfg(test)]
mod tests;

use falx_core::{LABELS, Label, LabelRow, random};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use crate::samples::Samples;

/// How an epoch is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SamplerConfig {
    /// Repeat slices with a positive `any` until they make up this share of the epoch; `None` shows each once.
    pub positive_any_share: Option<f64>,
}

/// The order of one epoch: indexes into `samples`, shuffled; every slice of which a label is known appears at least
/// once.
pub fn order(samples: &Samples, config: &SamplerConfig, seed: u64, epoch: u64) -> Vec<u32> {
    let mut random = random::stream(seed, "sampler", &[epoch]);
    let mut order: Vec<u32> = samples.labelled().map(|at| at as u32).collect();
    let mut positive: Vec<u32> = order
        .iter()
        .copied()
        .filter(|&at| is_positive(samples.labels(at as usize)))
        .collect();
    let extra = extra_positives(positive.len(), order.len(), config);
    positive.shuffle(&mut random);
    // Whole rounds over the positives, then a random part of them: no slice is shown two times more than another.
    order.extend(positive.iter().copied().cycle().take(extra));
    order.shuffle(&mut random);
    order
}

/// How often each label is positive among the known ones of an epoch, as the network sees it.
///
/// Without oversampling this is the prevalence of `samples`; with it, the prior that prediction must undo.
/// A label that is nowhere known has a prior of 0.
pub fn prior(samples: &Samples, config: &SamplerConfig) -> [f64; 6] {
    let rows = || samples.labelled().map(|at| samples.labels(at));
    let positives = rows().filter(|row| is_positive(*row)).count();
    let extra = extra_positives(positives, rows().count(), config);
    let repeat = 1.0 + extra as f64 / positives.max(1) as f64;
    let mut known = [0.0; 6];
    let mut positive = [0.0; 6];
    for row in rows() {
        let weight = if is_positive(row) { repeat } else { 1.0 };
        for label in LABELS {
            if let Some(value) = row.get(label) {
                known[label.index()] += weight;
                positive[label.index()] += weight * f64::from(u8::from(value));
            }
        }
    }
    std::array::from_fn(|i| {
        if known[i] > 0.0 {
            positive[i] / known[i]
        } else {
            0.0
        }
    })
}

fn is_positive(row: LabelRow) -> bool {
    row.get(Label::Any) == Some(true)
}

/// How many repeats of positives bring their share to the wanted one (0 where it is reached already).
fn extra_positives(positives: usize, all: usize, config: &SamplerConfig) -> usize {
    let Some(share) = config.positive_any_share else {
        return 0;
    };
    if positives == 0 || !share.is_finite() {
        return 0;
    }
    // A share of 1 would need endless repeats.
    let share = share.clamp(0.0, MAX_SHARE);
    let others = (all - positives) as f64;
    let wanted = (share / (1.0 - share) * others).round() as usize;
    wanted.saturating_sub(positives)
}

const MAX_SHARE: f64 = 0.95;
