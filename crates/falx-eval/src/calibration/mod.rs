//! Calibration: do probabilities agree with frequencies, and what repairs them where they do not?
//!
//! * [`reliability`] is the reliability diagram's table, with intervals and consistency bands; [`expected_errors`] sums it up.
//! * [`slope`] and [`in_the_large`] are the clinic's two numbers: how far predictions are too extreme, and too high or low.
//! * [`Recalibrator`] repairs predictions (temperature, Platt, isotonic, beta); [`recalibrate`] and
//!   [`recalibrate_cross_fitted`] judge the repair on patients on whom it was not fitted.
//! * [`PriorShift`] corrects for a known change of prevalence, [`estimate_prior`] finds an unknown one.
//! * [`summary`] collects what a label's report needs.

mod band;
mod bins;
mod consistency;
mod expected;
mod fit_error;
mod logistic;
mod prior;
mod recalibration;
mod recalibrator;
mod slope;
mod summary;

pub use bins::{Binning, reliability};
pub use consistency::consistency;
pub use expected::{ExpectedErrors, expected_errors};
pub use fit_error::FitError;
pub use prior::{PriorError, PriorEstimate, PriorShift, estimate_prior, known_prior};
pub use recalibration::{
    FEW_PATIENTS, FittedOn, Quality, Recalibration, Recalibrations, quality, recalibrate,
    recalibrate_cross_fitted,
};
pub use recalibrator::{Beta, Isotonic, Method, Platt, PlattTargets, Recalibrator, Temperature};
pub use slope::{Slope, in_the_large, slope};
pub use summary::summary;

pub(crate) use bins::{Cell, Outcome, bin_of, cells};
pub(crate) use summary::calibration;

/// What a reader must know of an expected calibration error before believing it.
pub const CAVEAT: &str = "The expected calibration error depends on how the bins are cut, is too high by chance in small \
    samples (the debiased one takes some two fifths of that off where predictions are right, more where they are wrong), and does not say whether predictions are too high or too \
    low: errors on both sides of the diagonal look alike. Read it beside the reliability diagram, the slope and the \
    intercept.";

/// The probability of a logit.
pub(crate) fn sigmoid(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

/// The logit of a probability kept within `[CLIP, 1 - CLIP]`, so within about ±34.5.
pub(crate) fn logit(p: f64) -> f64 {
    let p = p.clamp(crate::CLIP, 1.0 - crate::CLIP);
    p.ln() - (-p).ln_1p()
}

#[cfg(test)]
mod tests;
