//! Scores, baselines, intervals and the report for haemorrhage predictions.
//!
//! The crate sees predictions, labels and generic pictures; it knows neither DICOM nor any engine.
//!
//! * [`evaluate`] scores cases per slice and per study, always beside the no-skill baselines.
//! * [`predictions`] and [`kaggle`] read and write the two file forms.
//! * [`lint`] says whether a submission is valid, and what it would score.
//! * [`report`] lays an evaluation out as one self-contained HTML page.

mod calibration;
mod evaluate;
mod evaluation;
mod level;
mod metrics;
mod operating;
mod outcomes;
mod ranked;
mod resampling;
pub mod text;
mod warnings;

pub mod conformal;
pub mod kaggle;
pub mod lint;
pub mod predictions;
pub mod readers;
pub mod report;
pub mod subgroup;

pub use evaluate::{Attributes, Case, EvaluateError, EvaluateOptions, evaluate};
pub use evaluation::{
    Baseline, Bin, Calibration, Estimate, Evaluation, LabelScore, OperatingPoint, StudyScores,
    Verdict,
};
pub use metrics::{
    CLIP, Undefined, auc, auc_by_cluster, average_precision, label_log_loss, log_loss, prevalence,
    weighted_log_loss,
};
pub use outcomes::{Outcomes, OutcomesError};
pub use resampling::Resampling;

#[cfg(test)]
mod tests;
