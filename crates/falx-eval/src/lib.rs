//! Scores, baselines, intervals and the report for haemorrhage predictions.
//!
//! The crate sees predictions, labels and generic pictures; it knows neither DICOM nor any engine.
//!
//! * [`evaluate`] scores cases per slice and per study, always beside the no-skill baselines.
//! * [`compare`](compare::compare) sets several models side by side on the same cases.
//! * [`calibration`] says whether probabilities agree with frequencies, and what repairs them; [`score`] holds further scores.
//! * [`predictions`] and [`kaggle`] read and write the two file forms.
//! * [`lint`] says whether a submission is valid, and what it would score.
//! * [`report`] lays an evaluation out as one self-contained HTML page, [`tables`] as CSV; [`schema`] describes its JSON.
//! * [`summary`] says it in sentences, which page, [`model_card`] and [`checklist`] share.
//! * [`interval`] has the intervals and tests that come from a formula; [`Resampling`] those from resamples.
//! * [`operating`] chooses thresholds, locks them, and says what they do; decision curves.
//! * [`conformal`] abstains with a promised error rate, and keeps the share missed below a level; selective risk. An
//!   evaluation holds what they do as [`Abstention`].
//! * [`subgroup`] scores parts of the population and their gaps; [`readers`] how readers agree, and a model among them.
//! * [`worklist`] simulates what flags do to a work list.

mod abstention;
mod aggregate;
mod case;
mod details;
mod evaluate;
mod evaluation;
mod level;
mod metrics;
mod outcomes;
mod provenance;
mod ranked;
mod resampling;
mod scale;
pub mod text;
mod units;
mod warnings;

pub mod calibration;
pub mod checklist;
pub mod compare;
pub mod conformal;
pub mod interval;
pub mod kaggle;
pub mod lint;
pub mod model_card;
pub mod operating;
pub mod predictions;
pub mod readers;
pub mod report;
pub mod schema;
pub mod score;
pub mod subgroup;
pub mod summary;
pub mod tables;
pub mod worklist;

pub use abstention::{Abstention, LabelSets, LevelAbstention, Selective};
pub use aggregate::{Aggregation, UnknownAggregation};
pub use case::{Attributes, BlindPrediction, Case, EvaluationInput, StudyReads};
pub use evaluate::{EvaluateError, EvaluateOptions, evaluate, evaluate_input};
pub use evaluation::{
    AggregationScore, Baseline, Bin, Calibration, Development, Estimate, Evaluation, LabelScore,
    OperatingPoint, SeriesScores, StudyScores, UnitOfAnalysis, Verdict,
};
pub use metrics::{
    CLIP, Undefined, auc, auc_by_cluster, average_precision, label_log_loss, log_loss, prevalence,
    weighted_log_loss,
};
pub use outcomes::{Outcomes, OutcomesError};
pub use provenance::Provenance;
pub use resampling::Resampling;
pub use scale::Scale;

#[cfg(test)]
mod tests;
