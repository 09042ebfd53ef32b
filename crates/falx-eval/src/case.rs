//! What is judged: slices with their truth and prediction, and what else may be known of them.

use std::sync::Arc;

use falx_core::{ImageId, LabelRow, PatientId, Probability};

/// One slice: whose it is, what is true of it, and what was predicted.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The slice.
    pub image_id: ImageId,
    /// Its patient; intervals resample patients.
    pub patient: PatientId,
    /// Its study, where known.
    pub study: Option<Arc<str>>,
    /// Its series, where known.
    pub series: Option<Arc<str>>,
    /// Its place in its series, from the feet upwards, where known.
    pub order: Option<u32>,
    /// What else is known of it, for scores of parts of the population.
    pub attributes: Option<Arc<Attributes>>,
    /// What is true.
    pub truth: LabelRow,
    /// What was predicted, in the order of [`falx_core::LABELS`].
    pub prediction: [Probability; 6],
}

/// What is known of a case beside its truth: (what, value), say `("kernel", "H30s")`. Shared by cases that have the same.
///
/// # Units
/// Words. A number (age, thickness, size) is named by its range, with its unit, by whoever knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes(pub Vec<(Arc<str>, Arc<str>)>);

/// What readers said of one whole study.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StudyReads {
    /// The patient.
    pub patient: PatientId,
    /// The study.
    pub study: Arc<str>,
    /// What counts as true: the majority's, or a table's.
    pub truth: LabelRow,
    /// Each reader's own labels, where known.
    pub readers: Vec<(String, LabelRow)>,
}

/// A prediction that did not look at the image but differs from case to case, say from metadata alone.
#[derive(Clone, Debug, PartialEq)]
pub struct BlindPrediction {
    /// What it predicts from, in words.
    pub name: String,
    /// One row a case, in the order of the cases.
    pub prediction: Vec<[f64; 6]>,
}

/// All that an evaluation is made from.
#[derive(Clone, Copy, Debug, Default)]
pub struct EvaluationInput<'a> {
    /// The cases that are judged.
    pub cases: &'a [Case],
    /// Other patients' cases on which thresholds and corrections are found; without them the judged cases are dealt into
    /// folds by patient, and each fold is judged with what the others found.
    pub development: Option<&'a [Case]>,
    /// What is known of whole studies: their truth where their slices have none, and each reader's labels.
    pub studies: &'a [StudyReads],
    /// Baselines that differ by case.
    pub blind: &'a [BlindPrediction],
}

impl<'a> From<&'a [Case]> for EvaluationInput<'a> {
    fn from(cases: &'a [Case]) -> Self {
        Self {
            cases,
            ..Self::default()
        }
    }
}
