//! Samples of a batch that are mixed with each other, and what becomes of their labels.
//!
//! A batch's samples go in pairs, each with its neighbour in the epoch's order, which the sampler has shuffled: the first
//! and the second, the third and the fourth. So a partner follows from a sample's place alone, and a sample whose partner
//! could not be read stays as it is. **Mixup** gives both a weighted mean of
//! their pixels, **cutmix** lets them exchange a rectangle. Labels become shares (soft targets):
//!
//! - a label is known of a mixture only where both samples' are known;
//! - it is the mean of both labels, by each sample's share: the weight of its pixels (mixup), or its part of the head
//!   that is seen (cutmix; head is where a channel is above 0);
//! - `any` is at least as large as every known subtype.
//!
//! What partners share is theirs: with mixup each label's mean over a batch in which it is known stays what it was, with
//! cutmix it does on average, so that the prior a network is shown is the sampler's.
//!
//! # Source
//! Zhang, Cisse, Dauphin, Lopez-Paz 2018 (mixup); Yun et al. 2019 (cutmix).

#[cfg(test)]
mod tests;

use std::ops::Range;

use falx_core::{LABELS, Probability, TargetRow, random};
use rand::RngExt;
use rand_distr::{Beta, Distribution};

use super::AugmentConfig;

/// Samples that are mixed with each other; parts of a batch keep them together.
pub(crate) const PAIR: usize = 2;
/// The place of `any` among the labels.
const ANY: usize = LABELS.len() - 1;
/// The smallest and largest side of an exchanged rectangle, as a share of the picture's.
const SIDES: (f32, f32) = (0.25, 0.6);

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
/// What is done to a pair follows from (seed, epoch, position of its first) alone. `first` is the position of the whole
/// batch's first sample in the epoch's order, `places` are those of the samples at hand within that batch, ascending: they may
/// be a part of it, or lack what could not be read.
///
/// # Shape
/// `images` is N × C × H × W as `shape` says; `places` and `targets` have N elements. What is missing from a shorter
/// list is not mixed.
///
/// # Units
/// `images` from 0 (black) to 1.
pub fn mix(
    config: &AugmentConfig,
    (seed, epoch, first): (u64, u64, u64),
    places: &[usize],
    shape: [usize; 4],
    images: &mut [f32],
    targets: &mut [TargetRow],
) {
    let [_, channels, height, width] = shape;
    let len = channels.saturating_mul(height).saturating_mul(width);
    if !config.mixes() || len == 0 {
        return;
    }
    let count = places.len().min(images.len() / len).min(targets.len());
    for at in 1..count {
        let [own, other] = [places[at - 1], places[at]];
        if own % PAIR != 0 || other != own + 1 {
            continue;
        }
        let key = (seed, epoch, first.wrapping_add(own as u64));
        let Some(mixture) = draw(config, key, [height, width]) else {
            continue;
        };
        let (before, behind) = images.split_at_mut(at * len);
        let pair = [&mut before[(at - 1) * len..], &mut behind[..len]];
        let share = match mixture {
            Mixture::Up(share) => {
                blend(pair, share);
                [share; 2]
            }
            Mixture::Cut(rows, cols) => exchange(pair, [height, width], &rows, &cols),
        };
        let (before, behind) = targets.split_at_mut(at);
        if let (Some(own), Some(other)) = (before.last_mut(), behind.first_mut()) {
            [*own, *other] = join([*own, *other], share);
        }
    }
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

/// The targets of two samples of which each keeps its share.
fn join(rows: [TargetRow; 2], share: [f32; 2]) -> [TargetRow; 2] {
    let of = |own: TargetRow, other: TargetRow, share: f32| {
        let share = f64::from(share);
        let mut row: [Option<f64>; 6] = std::array::from_fn(|label| {
            let (a, b) = (own.0[label]?.get(), other.0[label]?.get());
            Some(b + share * (a - b))
        });
        if let Some(any) = row[ANY] {
            row[ANY] = Some(row.into_iter().flatten().fold(any, f64::max));
        }
        // Rounding may leave the unit interval by an ulp.
        let checked = |share: f64| Probability::new(share.clamp(0.0, 1.0)).unwrap_or_default();
        TargetRow(row.map(|share| share.map(checked)))
    };
    let [one, other] = rows;
    [of(one, other, share[0]), of(other, one, share[1])]
}
