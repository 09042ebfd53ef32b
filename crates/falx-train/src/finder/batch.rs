//! How large a batch serves a machine.

use serde::Serialize;

/// What batches of one size cost.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BatchPoint {
    /// Slices in a batch.
    pub batch: usize,
    /// Slices in a second of steps; loading is not counted.
    pub images_per_second: f64,
    /// The most memory of this process meanwhile, where the system tells.
    pub peak_mib: Option<f64>,
}

/// Why no larger batch was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchEnd {
    /// It would need more memory than there is.
    Memory,
    /// Twice the batch was not 5 % faster.
    Throughput,
    /// There are not so many slices to learn from.
    Slices,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BatchFinding {
    /// The sizes that were tried.
    pub points: Vec<BatchPoint>,
    /// Why there are no more.
    pub ended: BatchEnd,
    /// The smallest size that is within 5 % of the fastest, of those that fit.
    pub suggestion: Option<usize>,
}

/// Below this a larger batch is no faster.
const FASTER: f64 = 1.05;

/// Tries 1, 2, 4 and so on up to `most`; `measure` takes some steps, or says that there can be none of that size.
///
/// The memory of the next size is foretold from the last two; of the second, from what was used before (`idle_mib`).
///
/// # Errors
/// What `measure` says.
pub fn find_batch<E>(
    budget_mib: Option<f64>,
    idle_mib: Option<f64>,
    most: usize,
    mut measure: impl FnMut(usize) -> Result<Option<BatchPoint>, E>,
) -> Result<BatchFinding, E> {
    let mut points: Vec<BatchPoint> = Vec::new();
    let mut ended = BatchEnd::Slices;
    let mut batch = 1;
    while batch <= most {
        let needed = foretold(&points, idle_mib);
        if needed
            .zip(budget_mib)
            .is_some_and(|(needed, budget)| needed > budget)
        {
            ended = BatchEnd::Memory;
            break;
        }
        if let Some(point) = measure(batch)? {
            let before = points.last().copied();
            points.push(point);
            if point
                .peak_mib
                .zip(budget_mib)
                .is_some_and(|(peak, budget)| peak > budget)
            {
                ended = BatchEnd::Memory;
                break;
            }
            if before
                .is_some_and(|before| point.images_per_second < FASTER * before.images_per_second)
            {
                ended = BatchEnd::Throughput;
                break;
            }
        }
        batch *= 2;
    }
    let fits = |point: &&BatchPoint| {
        point
            .peak_mib
            .zip(budget_mib)
            .is_none_or(|(peak, budget)| peak <= budget)
    };
    let fastest = points
        .iter()
        .filter(fits)
        .map(|point| point.images_per_second)
        .fold(0.0, f64::max);
    let is_fast = |point: &&BatchPoint| point.images_per_second * FASTER >= fastest;
    let suggestion = points.iter().filter(fits).find(is_fast);
    Ok(BatchFinding {
        suggestion: suggestion.map(|point| point.batch),
        points,
        ended,
    })
}

/// What twice the last batch will need: each further slice as much as those of the last doubling.
fn foretold(points: &[BatchPoint], idle_mib: Option<f64>) -> Option<f64> {
    let last = points.last()?.peak_mib?;
    match points {
        [.., before, _] => Some(last + 2.0 * (last - before.peak_mib?).max(0.0)),
        _ => Some(last + (last - idle_mib?).max(0.0)),
    }
}
