//! Where predictions come from: what a report, a check-list and a model card can say besides the scores.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is known of predictions besides their scores. Everything is optional: what nobody knows is left open, and the
/// check-lists then ask the authors.
///
/// # Units
/// Sentences or short phrases in plain English, to be shown as they stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Provenance {
    /// The data sets, by name.
    pub data_sets: Vec<String>,
    /// The data lock: hash of ids, pixels and labels.
    pub data_lock: Option<String>,
    /// Hash of who was learnt from, chose the epoch, and stayed locked.
    pub split_lock: Option<String>,
    /// How patients were dealt to the parts, and what is never on two sides.
    pub partition: Option<String>,
    /// Which cases were learnt from.
    pub learnt_from: Option<String>,
    /// Which cases chose the epoch, thresholds and calibration.
    pub developed_on: Option<String>,
    /// Which cases are judged, and whether anything had seen them before.
    pub judged_on: Option<String>,
    /// What was left out of the data, and why.
    pub left_out: Option<String>,
    /// What was done to an image before the network saw it.
    pub input: Option<String>,
    /// The network.
    pub network: Option<String>,
    /// What its weights started from.
    pub initial_weights: Option<String>,
    /// How it was trained.
    pub training: Option<String>,
    /// How the final weights were chosen.
    pub selection: Option<String>,
    /// Whether several networks speak together, and how.
    pub ensemble: Option<String>,
    /// How predictions are explained, and how the explanations were checked.
    pub explanation: Option<String>,
    /// What the predictions are meant for.
    pub intended_use: Option<String>,
    /// The licence of the model.
    pub licence: Option<String>,
    /// Programs and libraries with their versions.
    pub software: Vec<String>,
    /// Hash of the recipe without the places of its files.
    pub recipe_lock: Option<String>,
    /// The recipe itself.
    pub recipe: Option<String>,
    /// Where randomness started.
    pub seed: Option<u64>,
    /// The commands that make the same result from the same data.
    pub commands: Vec<String>,
    /// Anything else: (what, value).
    pub other: Vec<(String, String)>,
}

impl Provenance {
    /// What is known as rows of (what, value), in the order of a reader's questions: data, parts, model, software. The recipe's
    /// text and the commands are not among them.
    pub fn rows(&self) -> Vec<(String, String)> {
        let list = |words: &[String]| (!words.is_empty()).then(|| words.join(", "));
        let named = [
            ("Data", list(&self.data_sets)),
            ("Data lock", self.data_lock.clone()),
            ("Left out", self.left_out.clone()),
            ("Parts", self.partition.clone()),
            ("Split lock", self.split_lock.clone()),
            ("Learnt from", self.learnt_from.clone()),
            ("Chosen on", self.developed_on.clone()),
            ("Judged on", self.judged_on.clone()),
            ("Input", self.input.clone()),
            ("Network", self.network.clone()),
            ("Initial weights", self.initial_weights.clone()),
            ("Training", self.training.clone()),
            ("Choice of weights", self.selection.clone()),
            ("Ensemble", self.ensemble.clone()),
            ("Explanation", self.explanation.clone()),
            ("Intended use", self.intended_use.clone()),
            ("Licence", self.licence.clone()),
            ("Recipe", self.recipe_lock.clone()),
            ("Seed", self.seed.map(|seed| seed.to_string())),
            ("Software", list(&self.software)),
        ];
        named
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .chain(self.other.iter().cloned())
            .collect()
    }
}
