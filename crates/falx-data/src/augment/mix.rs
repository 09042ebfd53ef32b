//! Samples of a batch that are mixed with each other, and what becomes of their labels.
//!
//! Pairs are drawn within a batch, so that each sample has one partner at most. **Mixup** gives both a weighted mean of
//! their pixels, **cutmix** lets them exchange a rectangle. Labels become shares (soft targets):
//!
//! - a label is known of a mixture only where both samples' are known;
//! - it is the mean of both labels, by each sample's share: the weight of its pixels (mixup), or its part of the head
//!   that is seen (cutmix; head is where a channel is above 0);
//! - `any` is at least as large as every known subtype.
//!
//! # Source
//! Zhang, Cisse, Dauphin, Lopez-Paz 2018 (mixup); Yun et al. 2019 (cutmix).

#[cfg(test)]
mod tests;

use std::ops::Range;

use falx_core::{LABELS, LabelRow, random};
use rand::RngExt;
use rand_distr::{Beta, Distribution};

use super::AugmentConfig;

/// The place of `any` among the labels.
const ANY: usize = LABELS.len() - 1;
/// The smallest and largest side of an exchanged rectangle, as a share of the picture's.
const SIDES: (f32, f32) = (0.25, 0.6);

/// What a batch's samples are to be taken for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Targets {
    /// From 0 to 1, in label order; 0 where a label is not known.
    pub share: Vec<[f32; 6]>,
    /// Which labels are known.
    pub known: Vec<[bool; 6]>,
}

impl Targets {
    /// The labels of samples as they are.
    pub fn of(labels: &[LabelRow]) -> Self {
        Self {
            share: labels
                .iter()
                .map(|row| row.0.map(|label| f32::from(u8::from(label == Some(true)))))
                .collect(),
            known: labels
                .iter()
                .map(|row| row.0.map(|l| l.is_some()))
                .collect(),
        }
    }
}

/// What is done to a pair.
#[derive(Clone, Debug, PartialEq)]
enum Mixture {
    /// Each becomes so much of itself, and the rest of the other.
    Up(f32),
    /// They exchange these rows and columns.
    Cut(Range<usize>, Range<usize>),
}

/// Mixes a batch's samples with each other, as `config` says, and their targets.
///
/// Pairs and shares follow from (seed, epoch, position) alone. `positions` are the samples' places in the epoch's order:
/// a sample that was left out of the batch changes the pairs of the others, but nothing changes them from run to run.
///
/// # Shape
/// `images` is N × C × H × W as `shape` says, `positions` and both lists of `targets` have N elements. What is missing
/// from a shorter list is not mixed.
///
/// # Units
/// `images` from 0 (black) to 1.
pub fn mix(
    config: &AugmentConfig,
    (seed, epoch): (u64, u64),
    positions: &[u64],
    shape: [usize; 4],
    images: &mut [f32],
    targets: &mut Targets,
) {
    let [_, channels, height, width] = shape;
    let len = channels.saturating_mul(height).saturating_mul(width);
    if !config.mixes() || len == 0 {
        return;
    }
    let count = positions.len().min(images.len() / len);
    let count = count.min(targets.share.len()).min(targets.known.len());
    for [one, other] in pairs(seed, epoch, &positions[..count]) {
        let Some(mixture) = draw(config, (seed, epoch, positions[one]), [height, width]) else {
            continue;
        };
        let (first, second) = (one.min(other), one.max(other));
        let (before, behind) = images.split_at_mut(second * len);
        let pair = [&mut before[first * len..][..len], &mut behind[..len]];
        let share = match mixture {
            Mixture::Up(share) => {
                blend(pair, share);
                [share; 2]
            }
            Mixture::Cut(rows, cols) => exchange(pair, [height, width], &rows, &cols),
        };
        join(targets, [first, second], share);
    }
}

/// Who is with whom: neighbours in an order that is drawn by place.
fn pairs(seed: u64, epoch: u64, positions: &[u64]) -> Vec<[usize; 2]> {
    let key = |&position: &u64| random::stream(seed, "pairs", &[epoch, position]).random::<u64>();
    let mut order: Vec<(u64, usize)> = positions.iter().map(key).zip(0..).collect();
    order.sort_unstable();
    let pairs = order.chunks_exact(2);
    pairs.map(|pair| [pair[0].1, pair[1].1]).collect()
}

fn draw(
    config: &AugmentConfig,
    (seed, epoch, position): (u64, u64, u64),
    [height, width]: [usize; 2],
) -> Option<Mixture> {
    let mut random = random::stream(seed, "mix", &[epoch, position]);
    let kind: f32 = random.random();
    let [tall, wide, top, left] = [(); 4].map(|()| random.random::<f32>());
    if kind < config.mixup {
        let alpha = config.mixup_alpha.max(0.01);
        let share = Beta::new(alpha, alpha).ok()?.sample(&mut random);
        // The larger share is a sample's own: the other way round it is its partner's sample.
        return Some(Mixture::Up(share.max(1.0 - share)));
    }
    if kind < config.mixup + config.cutmix {
        let range = |side: usize, length: f32, place: f32| {
            let length = (SIDES.0 + (SIDES.1 - SIDES.0) * length) * side as f32;
            let start = (place * (side as f32 - length)) as usize;
            start..(start + length as usize).min(side)
        };
        return Some(Mixture::Cut(
            range(height, tall, top),
            range(width, wide, left),
        ));
    }
    None
}

fn blend([one, other]: [&mut [f32]; 2], share: f32) {
    for (one, other) in one.iter_mut().zip(other) {
        let (a, b) = (*one, *other);
        *one = b + share * (a - b);
        *other = a + share * (b - a);
    }
}

/// Exchanges a rectangle, and says how much of each sample's head is its own.
fn exchange(
    [one, other]: [&mut [f32]; 2],
    [height, width]: [usize; 2],
    rows: &Range<usize>,
    cols: &Range<usize>,
) -> [f32; 2] {
    // Pixels of the head, of both samples: all, and those in the rectangle.
    let (mut all, mut inside) = ([0_usize; 2], [0_usize; 2]);
    for (channel, (one, other)) in one
        .chunks_exact_mut(height * width)
        .zip(other.chunks_exact_mut(height * width))
        .enumerate()
    {
        let lines = one
            .chunks_exact_mut(width)
            .zip(other.chunks_exact_mut(width));
        for (row, (one, other)) in lines.enumerate() {
            let head = |line: &[f32]| line.iter().filter(|&&value| value > 0.0).count();
            // One channel is enough to tell head from air.
            if channel == 0 {
                all[0] += head(one);
                all[1] += head(other);
            }
            if !rows.contains(&row) {
                continue;
            }
            let (one, other) = (&mut one[cols.clone()], &mut other[cols.clone()]);
            if channel == 0 {
                inside[0] += head(one);
                inside[1] += head(other);
            }
            one.swap_with_slice(other);
        }
    }
    let share = |own: usize, other: usize| {
        let kept = all[own] - inside[own];
        let seen = kept + inside[other];
        if seen == 0 {
            1.0
        } else {
            kept as f32 / seen as f32
        }
    };
    [share(0, 1), share(1, 0)]
}

/// Joins the targets of two samples of which each keeps its share.
fn join(targets: &mut Targets, at: [usize; 2], share: [f32; 2]) {
    let rows = at.map(|at| targets.share[at]);
    let known = at.map(|at| targets.known[at]);
    let both: [bool; 6] = std::array::from_fn(|label| known[0][label] && known[1][label]);
    for (own, share) in share.into_iter().enumerate() {
        let other = 1 - own;
        let mut row: [f32; 6] = std::array::from_fn(|label| {
            let (a, b) = (rows[own][label], rows[other][label]);
            if both[label] {
                b + share * (a - b)
            } else {
                0.0
            }
        });
        if both[ANY] {
            row[ANY] = row.into_iter().fold(row[ANY], f32::max);
        }
        targets.share[at[own]] = row.map(|share| share.clamp(0.0, 1.0));
        targets.known[at[own]] = both;
    }
}
