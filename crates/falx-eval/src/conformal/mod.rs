//! Saying "I don't know" with a guaranteed error rate: prediction sets, controlled misses, and what abstaining buys.
//!
//! * [`fit`] computes a [`ConformalModel`] on one set of cases; [`ConformalModel::set`] turns a probability into
//!   `{}`, `{no}`, `{yes}` or `{no, yes}`; [`evaluate`] says on other patients what share of the truths the sets hold.
//! * [`Detections::control`] chooses the threshold that keeps the expected share of missed haemorrhages below a level.
//! * [`selective_risk`] draws the error of the cases kept against the share that is kept.
//!
//! Slices of a patient resemble each other, so patients, not slices, are what is exchangeable here: every guarantee is
//! for a case drawn at random from a patient not seen before, and each patient counts the same whatever the number of
//! its slices.

mod coverage;
mod folds;
mod risk;
mod selective;
mod shares;
mod split;

pub use coverage::{ConformalEvaluation, Coverage, Covered, Promise, coverage, evaluate};
pub use folds::patient_folds;
pub use risk::{
    Detections, Misses, RealisedRisk, RiskControl, RiskControlEvaluation, evaluate_risk_control,
};
pub use selective::{
    RiskAt, RiskCoverage, RiskPoint, SelectiveLoss, confidence, selective_risk, selective_risk_of,
};
pub(crate) use shares::{Share, covering};
pub use split::{
    Clustering, Condition, ConformalError, ConformalModel, ConformalOptions, PredictionSet,
    Quantiles, Units, cross_fitted_sets, fit, nonconformity,
};

#[cfg(test)]
mod tests;
