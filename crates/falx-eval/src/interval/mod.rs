//! Intervals and tests by formula: proportions, and areas under the ROC curve with or without clusters.
//!
//! [`crate::Resampling`] gives the intervals of everything else, and is the check of these.
//!
//! * [`wilson`] and [`clopper_pearson`]: a share of independent cases.
//! * [`delong`] and [`delong_difference`]: areas where every case stands for itself.
//! * [`clustered_area`] and [`clustered_difference`]: areas where slices of one patient resemble each other.
//! * [`holm`]: p-values of several tests.

mod area;
mod clustered;
mod delong;
mod multiplicity;
mod placement;
mod proportion;

pub use area::{Area, AreaDifference, AreaError};
pub(crate) use clustered::clustered_area_of;
pub use clustered::{clustered_area, clustered_difference};
pub use delong::{delong, delong_difference};
pub use multiplicity::holm;
pub use proportion::{ProportionError, clopper_pearson, wilson};

use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::gamma::checked_gamma_ur;

/// The level of every interval that does not say otherwise.
pub const LEVEL: f64 = 0.95;

/// The standard normal quantile.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p.clamp(0.0, 1.0))
}

/// The standard normal distribution's share below `z`.
pub(crate) fn normal_share(z: f64) -> f64 {
    // By the incomplete gamma function, which has 15 digits here where the library's error function has 11.
    let beyond = if z == 0.0 {
        0.5
    } else {
        0.5 * checked_gamma_ur(0.5, z * z / 2.0).unwrap_or(0.0)
    };
    if z < 0.0 { beyond } else { 1.0 - beyond }
}

/// How many standard errors a two-sided interval of this level reaches; `None` for a level that is not within (0, 1).
fn reach(level: f64) -> Option<f64> {
    (level > 0.0 && level < 1.0).then(|| normal_quantile(f64::midpoint(1.0, level)))
}

#[cfg(test)]
mod tests;
