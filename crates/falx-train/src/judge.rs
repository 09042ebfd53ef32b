//! How runs and predictions are judged.

use std::path::Path;

use falx_core::Progress;
use falx_data::index::Index;
use falx_eval::{
    Aggregation, BlindPrediction, Case, EvaluateOptions, Evaluation, EvaluationInput, StudyReads,
    evaluate_input,
};

use crate::TrainError;
use crate::attributes::AttributeTable;
use crate::groups::Groups;

/// How to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JudgeOptions<'a> {
    /// Resamples behind every interval; 0 gives no intervals.
    pub replicates: u32,
    /// The seed of the resamples.
    pub seed: u64,
    /// How slices' predictions become one of their series and study.
    pub aggregation: Aggregation,
    /// A table of what scores are to be broken down by, besides what an index knows.
    pub groups: Option<&'a Path>,
}

impl Default for JudgeOptions<'_> {
    fn default() -> Self {
        Self {
            replicates: 1000,
            seed: 0,
            aggregation: Aggregation::default(),
            groups: None,
        }
    }
}

/// What is judged.
pub(crate) struct Judged {
    pub(crate) cases: Vec<Case>,
    pub(crate) development: Option<Vec<Case>>,
    pub(crate) studies: Vec<StudyReads>,
    pub(crate) metadata: Option<BlindPrediction>,
}

impl JudgeOptions<'_> {
    pub(crate) fn attributes(&self, index: Option<&Index>) -> Result<AttributeTable, TrainError> {
        let groups = self.groups.map(Groups::read).transpose()?;
        Ok(AttributeTable::new(index, groups))
    }

    pub(crate) fn judge(
        &self,
        judged: &Judged,
        train_prevalence: Option<[f64; 6]>,
        progress: &dyn Progress,
    ) -> Result<Evaluation, TrainError> {
        let input = EvaluationInput {
            cases: &judged.cases,
            development: judged.development.as_deref(),
            studies: &judged.studies,
            blind: judged.metadata.as_slice(),
        };
        let options = self.evaluate(train_prevalence);
        Ok(evaluate_input(&input, &options, progress)?)
    }

    pub(crate) fn evaluate(&self, train_prevalence: Option<[f64; 6]>) -> EvaluateOptions {
        EvaluateOptions {
            replicates: self.replicates,
            seed: self.seed,
            train_prevalence,
            aggregation: self.aggregation,
        }
    }
}
