//! The range test of learning rates.
//!
//! # Source
//! Smith 2017, "Cyclical Learning Rates for Training Neural Networks", section 3.3.

use serde::Serialize;

/// Which rates are tried.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RateTest {
    /// The first rate.
    pub first: f64,
    /// The last rate; each is the one before it times a constant.
    pub last: f64,
    /// Steps, one a rate; at least 10.
    pub steps: usize,
    /// The test ends once the smoothed loss is so many times the lowest.
    pub too_much: f64,
}

impl Default for RateTest {
    fn default() -> Self {
        Self {
            first: 1e-7,
            last: 1.0,
            steps: 100,
            too_much: 4.0,
        }
    }
}

impl RateTest {
    /// The rate of step `step`, from 0.
    pub fn rate(&self, step: usize) -> f64 {
        let share = step as f64 / (self.steps.max(2) - 1) as f64;
        self.first * (self.last / self.first).powf(share)
    }
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RatePoint {
    /// The learning rate.
    pub rate: f64,
    /// The loss of the step's batch before the step.
    pub loss: f64,
    /// The mean loss of the steps around it.
    pub smoothed: f64,
}

/// Why a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RateEnd {
    /// All rates were tried.
    Complete,
    /// The loss had grown far above the lowest.
    Diverged,
    /// The loss was no number any more.
    NotFinite,
}

/// What a test has found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RateFinding {
    /// The steps, by rate.
    pub points: Vec<RatePoint>,
    /// Why there are no more.
    pub ended: RateEnd,
    /// The rate at which the loss falls steepest.
    pub steepest: Option<f64>,
    /// A tenth of the rate at which the loss is lowest.
    pub tenth_of_lowest: Option<f64>,
    /// The rate to try first: the smaller of the two. None where the loss never fell.
    pub suggestion: Option<f64>,
}

/// The smoothing by which divergence is judged: each step's share of the running mean is a tenth.
const KEPT: f64 = 0.9;

/// Tries one rate a step; `step` takes one at a rate and gives the loss of its batch before it.
///
/// # Errors
/// What `step` says. A loss that is no number is none: it ends the test.
pub fn find_rate<E>(
    test: &RateTest,
    mut step: impl FnMut(f64) -> Result<f64, E>,
) -> Result<RateFinding, E> {
    let mut tried: Vec<(f64, f64)> = Vec::with_capacity(test.steps);
    let (mut mean, mut lowest) = (0.0, f64::INFINITY);
    let mut ended = RateEnd::Complete;
    for number in 0..test.steps {
        let rate = test.rate(number);
        let loss = step(rate)?;
        if !loss.is_finite() {
            ended = RateEnd::NotFinite;
            break;
        }
        tried.push((rate, loss));
        mean = KEPT * mean + (1.0 - KEPT) * loss;
        // The mean began at 0: undone as Adam undoes it.
        let unbiased = mean / (1.0 - KEPT.powi(number as i32 + 1));
        lowest = lowest.min(unbiased);
        if unbiased > test.too_much * lowest {
            ended = RateEnd::Diverged;
            break;
        }
    }
    Ok(finding(&tried, ended, test.steps))
}

fn finding(tried: &[(f64, f64)], ended: RateEnd, steps: usize) -> RateFinding {
    let losses: Vec<f64> = tried.iter().map(|point| point.1).collect();
    // A batch's loss says little: means and slopes are of a fifth of the test.
    let around = (steps / 10).max(2);
    let window = |at: usize| at.saturating_sub(around)..(at + around + 1).min(losses.len());
    let points: Vec<RatePoint> = tried
        .iter()
        .enumerate()
        .map(|(at, &(rate, loss))| RatePoint {
            rate,
            loss,
            smoothed: losses[window(at)].iter().sum::<f64>() / window(at).len() as f64,
        })
        .collect();
    let by = |value: &dyn Fn(usize) -> f64, places: &mut dyn Iterator<Item = usize>| {
        places.min_by(|&a, &b| value(a).total_cmp(&value(b)))
    };
    let lowest = by(&|at| points[at].smoothed, &mut (0..points.len()));
    // Only whole windows have a slope that can be compared, and after the lowest loss there is no descent.
    let last = losses.len().saturating_sub(around);
    let slopes = |at: usize| slope(&losses[window(at)]);
    let steepest = by(&slopes, &mut (around..last)).filter(|&at| slopes(at) < 0.0);
    let steepest = steepest.map(|at| points[at].rate);
    let tenth = lowest.map(|at| points[at].rate / 10.0);
    RateFinding {
        ended,
        steepest,
        tenth_of_lowest: steepest.and(tenth),
        suggestion: steepest.zip(tenth).map(|(a, b)| a.min(b)),
        points,
    }
}

/// The slope of the straight line through values at 0, 1, 2 and on, by least squares.
fn slope(values: &[f64]) -> f64 {
    let middle = (values.len() as f64 - 1.0) / 2.0;
    let (mut both, mut own) = (0.0, 0.0);
    for (at, value) in values.iter().enumerate() {
        let from = at as f64 - middle;
        both += from * value;
        own += from * from;
    }
    both / own.max(f64::MIN_POSITIVE)
}
