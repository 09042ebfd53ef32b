//! Contenders that take turns, because a machine's speed drifts, and do the same work.

use falx_core::{Interrupt, Progress};

use crate::BenchError;
use crate::report::median;

/// The difference of a probability up to which two contenders do the same work.
const SAME_WORK: f64 = 1e-4;

/// What one run costs.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub wall_ms: f64,
    pub cpu_ms: f64,
}

/// Rounds that warm memory and caches up and are not counted, and those that count.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    pub warm_up: usize,
    pub counted: usize,
}

impl Rounds {
    /// How many there are.
    pub const fn all(self) -> usize {
        self.warm_up + self.counted
    }

    /// Lets every contender act in every round, which it is told whether it counts.
    ///
    /// # Errors
    /// What a contender says, and [`BenchError::Interrupted`].
    pub fn in_turns<C>(
        self,
        contenders: &mut [C],
        progress: &dyn Progress,
        interrupt: &Interrupt,
        act: impl Fn(&mut C, bool) -> Result<(), BenchError>,
    ) -> Result<(), BenchError> {
        for round in 0..self.all() {
            if interrupt.is_requested() {
                return Err(BenchError::Interrupted);
            }
            // Nobody is always the first after the same other.
            let first = round % contenders.len().max(1);
            contenders.rotate_left(first);
            for contender in &mut *contenders {
                act(contender, round >= self.warm_up)?;
            }
            contenders.rotate_right(first);
            progress.advance(1);
        }
        Ok(())
    }
}

/// The largest difference of a contender's probability to the first contender's; infinite where one has none.
pub fn difference(first: &[f64], other: &[f64]) -> f64 {
    if first.is_empty() || first.len() != other.len() {
        return f64::INFINITY;
    }
    let pairs = first.iter().zip(other);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// Refuses a contender whose probabilities differ.
pub fn same_work(contender: &str, difference: f64) -> Result<(), BenchError> {
    // A NaN is no small difference.
    if difference <= SAME_WORK {
        return Ok(());
    }
    Err(BenchError::OtherProbabilities {
        contender: contender.to_owned(),
        difference,
    })
}

/// The median ratio of times that were measured side by side.
pub fn paired_ratio(theirs: &[f64], ours: &[f64]) -> f64 {
    let ratios = theirs.iter().zip(ours).map(|(a, b)| a / b);
    median(&ratios.collect::<Vec<f64>>())
}
