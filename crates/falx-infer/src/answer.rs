//! What a detector says of studies, their series and slices.

use std::path::PathBuf;

use falx_core::{Label, Probability};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::{Deserialize, Serialize};

use crate::decisions::Presence;
use crate::studies::{Caveat, Refused};

/// What is said of one label.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The probability that the haemorrhage is there, at the prevalence that the answer names.
    pub probability: f64,
    /// Whether it is there, where the model has a rule that keeps an error rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence: Option<Presence>,
}

/// What is said of all six labels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Findings {
    /// Between the skull and the dura.
    pub epidural: Finding,
    /// Inside the brain's tissue.
    pub intraparenchymal: Finding,
    /// Inside the ventricles.
    pub intraventricular: Finding,
    /// In the sulci, fissures and cisterns.
    pub subarachnoid: Finding,
    /// Between the dura and the brain.
    pub subdural: Finding,
    /// Any of the five.
    pub any: Finding,
}

impl Findings {
    /// The findings of six probabilities, and of what a rule says of each.
    pub fn new(probabilities: [Probability; 6], presences: [Option<Presence>; 6]) -> Self {
        let of = |label: Label| Finding {
            probability: probabilities[label.index()].get(),
            presence: presences[label.index()],
        };
        Self {
            epidural: of(Label::Epidural),
            intraparenchymal: of(Label::Intraparenchymal),
            intraventricular: of(Label::Intraventricular),
            subarachnoid: of(Label::Subarachnoid),
            subdural: of(Label::Subdural),
            any: of(Label::Any),
        }
    }

    /// What is said of one label.
    pub const fn get(&self, label: Label) -> &Finding {
        match label {
            Label::Epidural => &self.epidural,
            Label::Intraparenchymal => &self.intraparenchymal,
            Label::Intraventricular => &self.intraventricular,
            Label::Subarachnoid => &self.subarachnoid,
            Label::Subdural => &self.subdural,
            Label::Any => &self.any,
        }
    }
}

/// One slice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SliceAnswer {
    /// Its id.
    pub image_id: String,
    /// SOP Instance UID.
    pub sop_uid: Option<String>,
    /// Its place in the series from the feet upwards, from 0.
    pub order: Option<u32>,
    /// Where it lies along the slice normal, in mm.
    pub z_mm: Option<f64>,
    /// What is said of it.
    pub findings: Findings,
    /// Where its bytes are; not written.
    #[serde(skip)]
    #[schemars(skip)]
    pub path: PathBuf,
}

/// A file of a series that gave no slice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LostSlice {
    /// Its id.
    pub image_id: String,
    /// The names of its refusal and defects.
    pub reasons: Vec<String>,
}

/// One series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesAnswer {
    /// Series Instance UID.
    pub series_uid: Option<String>,
    /// How it was taken, and how many slices it has, in words.
    pub description: String,
    /// Why it is no head CT that the model may answer, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refused>,
    /// What is worth knowing of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caveats: Vec<Caveat>,
    /// What is said of it from its slices, as of a study; left out where it was not answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<Findings>,
    /// Its slices from the feet upwards; none where it was not answered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<SliceAnswer>,
    /// Its slices that could not be read when their turn came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<LostSlice>,
}

/// One study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StudyAnswer {
    /// Study Instance UID.
    pub study_uid: Option<String>,
    /// What is said of it: the highest of the slices of the series that answer, or what the model makes of that
    /// (`studies_calibrated`); left out where none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<Findings>,
    /// Why these series answer, or none, in a sentence.
    pub choice: String,
    /// Its series, those that answer first.
    pub series: Vec<SeriesAnswer>,
}

/// The model behind answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelNamed {
    /// The network, or an ensemble's networks.
    pub network: String,
    /// The version of falx that made the bundle.
    pub falx_version: String,
    /// SHA-256 of the bundle's manifest, which holds the checksums of all of its parts.
    pub sha256: String,
    /// Whom the rules of presence were found on, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence_found_on: Option<String>,
    /// Whether the probabilities of studies and series are calibrated; otherwise each is its highest slice's, which is more
    /// often high by chance than one slice's alone.
    pub studies_calibrated: bool,
    /// The share of haemorrhages that may be called absent, and of heads without one that may be called present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_rate: Option<f64>,
}

/// What stands above the studies of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AnswerHead {
    /// The version of this form.
    pub format: u32,
    /// The version of falx that answered.
    pub falx_version: String,
    /// Research use; not a medical device.
    pub notice: String,
    /// The model.
    pub model: ModelNamed,
    /// The share of slices with haemorrhage for which the probabilities hold.
    pub prevalence: f64,
}

/// The whole answer: what `falx predict --format json` writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// What holds for all studies.
    #[serde(flatten)]
    pub head: AnswerHead,
    /// One a study.
    pub studies: Vec<StudyAnswer>,
    /// Files that are no slices, and why.
    pub unreadable: Vec<LostFile>,
}

/// A file that is no slice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LostFile {
    /// The file.
    pub path: PathBuf,
    /// The names of its refusal and defects.
    pub reasons: Vec<String>,
}

/// The schema of an [`Answer`]'s JSON, as `contract/answer.schema.json` holds it. Descriptions are the types' own.
///
/// # Source
/// JSON Schema, draft 2020-12.
pub fn answer_schema() -> serde_json::Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.root_schema_for::<Answer>();
    schema.insert("title".to_owned(), "falx answer".into());
    schema.to_value()
}
