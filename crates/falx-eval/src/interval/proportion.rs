//! Intervals of a proportion: so many of so many independent cases.

use statrs::distribution::{Beta, Continuous, ContinuousCDF};

use super::reach;
use crate::Estimate;

/// Why a proportion has no interval.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum ProportionError {
    /// Nothing was counted.
    #[error("0 cases: a share of nothing has no value")]
    NoTrials,
    /// More successes than trials.
    #[error("{successes} of {trials} is no share; give at most as many successes as trials")]
    TooManySuccesses {
        /// Successes given.
        successes: u64,
        /// Trials given.
        trials: u64,
    },
    /// A level that is no level.
    #[error("the level {0} does not lie between 0 and 1; give a share such as 0.95")]
    Level(f64),
}

/// Steps of Newton's method; two or three do.
const STEPS: usize = 8;

fn share(successes: u64, trials: u64) -> Result<f64, ProportionError> {
    if trials == 0 {
        return Err(ProportionError::NoTrials);
    }
    if successes > trials {
        return Err(ProportionError::TooManySuccesses { successes, trials });
    }
    Ok(successes as f64 / trials as f64)
}

/// Wilson's score interval of a proportion: the default for shares of independent cases.
///
/// Its coverage is near the level on average, also for few cases and rare successes; with no success it starts at 0, and
/// with nothing but successes it ends at 1. Slices of one patient are not independent: for those resample patients.
///
/// # Errors
/// [`ProportionError`] for no cases, more successes than cases, or a level outside (0, 1).
///
/// # Source
/// Wilson EB. Probable inference, the law of succession, and statistical inference. J Am Stat Assoc 1927; 22:209.
pub fn wilson(successes: u64, trials: u64, level: f64) -> Result<Estimate, ProportionError> {
    let value = share(successes, trials)?;
    let z = reach(level).ok_or(ProportionError::Level(level))?;
    let n = trials as f64;
    let z2 = z * z;
    let centre = (value + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = z / (1.0 + z2 / n) * (value * (1.0 - value) / n + z2 / (4.0 * n * n)).sqrt();
    // At the ends the formula gives 0 and 1 but for rounding.
    let low = if successes == 0 { 0.0 } else { centre - half };
    let high = if successes == trials {
        1.0
    } else {
        centre + half
    };
    Ok(bounded(value, low, high))
}

/// The exact interval of a proportion, after Clopper and Pearson.
///
/// It never covers less than the level, hence mostly more: for a claim that must hold, not for the likeliest range.
///
/// # Errors
/// [`ProportionError`] for no cases, more successes than cases, or a level outside (0, 1).
///
/// # Source
/// Clopper CJ, Pearson ES. The use of confidence or fiducial limits illustrated in the case of the binomial.
/// Biometrika 1934; 26:404. Ends as quantiles of beta distributions.
pub fn clopper_pearson(
    successes: u64,
    trials: u64,
    level: f64,
) -> Result<Estimate, ProportionError> {
    let value = share(successes, trials)?;
    if !(level > 0.0 && level < 1.0) {
        return Err(ProportionError::Level(level));
    }
    let tail = (1.0 - level) / 2.0;
    let (k, n) = (successes as f64, trials as f64);
    let low = beta_quantile(k, n - k + 1.0, tail).unwrap_or(0.0);
    // From the other side, so that the smaller tail is always the one that is solved for.
    let high = 1.0 - beta_quantile(n - k, k + 1.0, tail).unwrap_or(0.0);
    Ok(bounded(value, low, high))
}

/// The quantile of a beta distribution; `None` where a shape is 0.
///
/// The library's quantile has about eight digits; Newton's steps from there give the rest.
fn beta_quantile(a: f64, b: f64, p: f64) -> Option<f64> {
    let beta = Beta::new(a, b).ok()?;
    let mut x = beta.inverse_cdf(p);
    for _ in 0..STEPS {
        let next = x - (beta.cdf(x) - p) / beta.pdf(x);
        if !(next > 0.0 && next < 1.0) {
            break;
        }
        let moved = (next - x).abs();
        x = next;
        if moved <= f64::EPSILON * x {
            break;
        }
    }
    Some(x)
}

fn bounded(value: f64, low: f64, high: f64) -> Estimate {
    Estimate {
        value,
        low: Some(low.clamp(0.0, value)),
        high: Some(high.clamp(value, 1.0)),
    }
}
