//! In which order, and how often, an epoch shows each slice.

#[cfg(test)]
mod tests;

use falx_core::{LABELS, Label, random};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use crate::loader::Sample;

/// How an epoch is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SamplerConfig {
    /// Repeat slices with a positive `any` until they make up this share of the epoch; `None` shows each once.
    pub positive_any_share: Option<f64>,
}

/// The order of one epoch: indexes into `samples`, shuffled; every slice appears at least once.
pub fn order(samples: &[Sample], config: &SamplerConfig, seed: u64, epoch: u64) -> Vec<usize> {
    let mut random = random::stream(seed, "sampler", &[epoch]);
    let mut order: Vec<usize> = (0..samples.len()).collect();
    let mut positive: Vec<usize> = order
        .iter()
        .copied()
        .filter(|&i| is_positive(&samples[i]))
        .collect();
    let extra = extra_positives(positive.len(), samples.len(), config);
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
pub fn prior(samples: &[Sample], config: &SamplerConfig) -> [f64; 6] {
    let positives = samples.iter().filter(|s| is_positive(s)).count();
    let extra = extra_positives(positives, samples.len(), config);
    let repeat = 1.0 + extra as f64 / positives.max(1) as f64;
    let mut known = [0.0; 6];
    let mut positive = [0.0; 6];
    for sample in samples {
        let weight = if is_positive(sample) { repeat } else { 1.0 };
        for label in LABELS {
            if let Some(value) = sample.labels.get(label) {
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

fn is_positive(sample: &Sample) -> bool {
    sample.labels.get(Label::Any) == Some(true)
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
