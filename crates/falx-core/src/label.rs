//! The six labels and their fixed order.

use serde::{Deserialize, Serialize};

use crate::Probability;

/// One of the six labels of a slice: the five subtypes of intracranial haemorrhage, and `any`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Label {
    /// Between the skull and the dura (EDH).
    Epidural,
    /// Inside the brain's tissue (IPH).
    Intraparenchymal,
    /// Inside the ventricles (IVH).
    Intraventricular,
    /// In the sulci, fissures and cisterns (SAH).
    Subarachnoid,
    /// Between the dura and the brain (SDH).
    Subdural,
    /// Any of the five.
    Any,
}

/// All six labels in the order that every file and every tensor of falx uses.
pub const LABELS: [Label; 6] = [
    Label::Epidural,
    Label::Intraparenchymal,
    Label::Intraventricular,
    Label::Subarachnoid,
    Label::Subdural,
    Label::Any,
];

/// The five subtypes, in the order of [`LABELS`].
pub const SUBTYPES: [Label; 5] = [
    Label::Epidural,
    Label::Intraparenchymal,
    Label::Intraventricular,
    Label::Subarachnoid,
    Label::Subdural,
];

/// A word that is none of the six labels.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a label; the labels are epidural, intraparenchymal, intraventricular, subarachnoid, subdural, any"
)]
pub struct UnknownLabel(pub String);

impl Label {
    /// The label's place in [`LABELS`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The label's name in files and columns.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Epidural => "epidural",
            Self::Intraparenchymal => "intraparenchymal",
            Self::Intraventricular => "intraventricular",
            Self::Subarachnoid => "subarachnoid",
            Self::Subdural => "subdural",
            Self::Any => "any",
        }
    }

    /// The label's share of the weighted multi-label log loss: `any` counts double.
    ///
    /// # Source
    /// RSNA Intracranial Hemorrhage Detection (Kaggle, 2019), evaluation page.
    pub const fn loss_weight(self) -> f64 {
        match self {
            Self::Any => 2.0 / 7.0,
            _ => 1.0 / 7.0,
        }
    }
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Label {
    type Err = UnknownLabel;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        LABELS
            .into_iter()
            .find(|label| label.name() == word)
            .ok_or_else(|| UnknownLabel(word.to_owned()))
    }
}

/// What is known of a slice's six labels, in the order of [`LABELS`]; `None` where a label is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelRow(pub [Option<bool>; 6]);

impl LabelRow {
    /// The value of one label.
    pub const fn get(&self, label: Label) -> Option<bool> {
        self.0[label.index()]
    }

    /// Sets one label.
    pub const fn set(&mut self, label: Label, value: bool) {
        self.0[label.index()] = Some(value);
    }

    /// True when all six are known.
    pub fn is_complete(&self) -> bool {
        self.0.iter().all(Option::is_some)
    }

    /// True when none of the six is known.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// True when `any` and the subtypes contradict each other: `any` = 0 with a positive subtype, or
    /// `any` = 1 with all five subtypes known to be 0.
    pub fn contradicts_itself(&self) -> bool {
        let some_subtype = SUBTYPES.iter().any(|&s| self.get(s) == Some(true));
        let no_subtype = SUBTYPES.iter().all(|&s| self.get(s) == Some(false));
        match self.get(Label::Any) {
            Some(false) => some_subtype,
            Some(true) => no_subtype,
            None => false,
        }
    }
}

/// What a sample is to be taken for, in the order of [`LABELS`]: how much of it each label is true of; `None` where that is
/// not known.
///
/// Of a slice it is 0 or 1. Of two that were mixed it is what is seen of the positive ones; then `any` is at least as
/// large as every known subtype.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TargetRow(pub [Option<Probability>; 6]);

impl TargetRow {
    /// The share of one label.
    pub const fn get(&self, label: Label) -> Option<Probability> {
        self.0[label.index()]
    }

    /// True when none of the six is known.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }
}

impl From<LabelRow> for TargetRow {
    fn from(row: LabelRow) -> Self {
        Self(row.0.map(|label| label.map(Probability::from)))
    }
}
