//! The ends of an interval from replicates: bias-corrected and accelerated where that is possible, else percentiles.

use crate::Estimate;
use crate::interval::{LEVEL, normal_quantile, normal_share};

/// Blocks of clusters that the jackknife leaves out in turn, at most.
///
/// The acceleration is the skewness of what single clusters add to the statistic, over 6 times the root of their number:
/// (sum of cubes) / 6 (sum of squares)^1.5. Of independent parts with mean 0 the mixed products vanish in expectation, so
/// sums over blocks have the same squares and cubes as single clusters, whatever the blocks' sizes; chance in the cubes
/// of 200 blocks moves the acceleration by about 6^0.5 / (6 x 200) = 0.002, and an end by under 0.01 standard errors.
pub(super) const BLOCKS: usize = 200;

/// A value with its 95 % interval.
///
/// A replicate may have no value (no positive patient drawn). Where more than half have none, there is no interval.
pub(super) fn interval(
    value: f64,
    without: &[Option<f64>],
    replicates: &[Option<f64>],
) -> Estimate {
    let mut values: Vec<f64> = replicates.iter().copied().flatten().collect();
    if values.is_empty() || values.len() * 2 < replicates.len() {
        return Estimate {
            value,
            low: None,
            high: None,
        };
    }
    values.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - LEVEL) / 2.0;
    let [low, high] = levels(value, without, &values, tail).unwrap_or([tail, 1.0 - tail]);
    Estimate {
        value,
        low: quantile(&values, low),
        high: quantile(&values, high),
    }
}

/// The shares of replicates below the ends; `None` where the correction is undefined: the statistic has no value
/// without a block, does not depend on who is left out, or all replicates lie on one side of it.
fn levels(value: f64, without: &[Option<f64>], sorted: &[f64], tail: f64) -> Option<[f64; 2]> {
    let acceleration = acceleration(without)?;
    let below = sorted.partition_point(|&v| v < value);
    let not_above = sorted.partition_point(|&v| v <= value);
    // Half of the replicates that equal the value count as below it.
    let share = (below + not_above) as f64 / (2 * sorted.len()) as f64;
    if share <= 0.0 || share >= 1.0 {
        return None;
    }
    let bias = normal_quantile(share);
    let level = |z: f64| {
        let moved = bias + z;
        let scale = 1.0 - acceleration * moved;
        (scale > 0.0).then(|| normal_share(bias + moved / scale))
    };
    let z = normal_quantile(tail);
    Some([level(z)?, level(-z)?])
}

/// The acceleration from the values without each block.
fn acceleration(without: &[Option<f64>]) -> Option<f64> {
    let values: Option<Vec<f64>> = without.iter().copied().collect();
    let values = values.filter(|v| v.len() > 1)?;
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let (mut squares, mut cubes) = (0.0, 0.0);
    for value in values {
        let influence = mean - value;
        squares += influence * influence;
        cubes += influence * influence * influence;
    }
    // Rounding alone makes no spread.
    let least = (mean * f64::EPSILON * 8.0).powi(2) * without.len() as f64;
    (squares > least).then(|| cubes / (6.0 * squares.powf(1.5)))
}

/// The quantile of sorted values, interpolated linearly between neighbours.
pub(crate) fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    let place = q * sorted.len().checked_sub(1)? as f64;
    let below = *sorted.get(place.floor() as usize)?;
    let above = *sorted.get(place.ceil() as usize)?;
    Some(below + (above - below) * place.fract())
}
