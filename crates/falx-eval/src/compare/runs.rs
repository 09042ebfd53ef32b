//! What the runs among the entries were. Whoever makes an entry of a run says it; a file of predictions has none.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Comparison;

/// What a run was, beside what it scored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunFacts {
    /// The network's name.
    pub network: String,
    /// Its weights; running statistics are not counted.
    pub parameters: u64,
    /// Those of them that learnt in some epoch: the others were frozen throughout.
    pub trained_parameters: u64,
    /// Multiply-adds of one image's way forward.
    pub multiply_adds: u64,
    /// Channels, height and width of an image.
    pub input: [u64; 3],
    /// What computed.
    pub engine: String,
    /// How often which slices were shown, in a word.
    pub sampling: String,
    /// How slices were changed, in a word.
    pub augmentation: String,
    /// What training made small, in a word: the training loss is in its terms.
    pub loss: String,
    /// What was learnt from.
    pub training: Slices,
    /// What chose the epoch.
    pub validation: Slices,
    /// What the run is judged on.
    pub judged: Slices,
    /// Which part that is.
    pub judged_part: JudgedPart,
    /// Epochs that the recipe asks for.
    pub epochs_planned: u64,
    /// The epoch, from 1, whose weights are judged.
    pub best_epoch: Option<u64>,
    /// Each epoch's losses.
    pub epochs: Vec<EpochLosses>,
    /// The training loss of predicting the prevalence of the slices as they were shown; `None` where the recipe's loss is no
    /// plain log loss of whole labels, so that this value is not known.
    pub training_baseline: Option<f64>,
    /// Where the time went; `None` where the run has no record of it.
    pub timing: Option<RunTiming>,
}

/// How many slices, and of how many patients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Slices {
    /// Slices with a label.
    pub slices: u64,
    /// Their patients; a slice or study of nobody known counts as one of its own.
    pub patients: u64,
}

/// The part of its data that a run is judged on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum JudgedPart {
    /// Patients that were locked away: neither training nor the choice of the epoch saw them.
    Test,
    /// The fold that chose the epoch, where nothing was locked away.
    Validation,
}

impl JudgedPart {
    /// As the tables call it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Test => "locked test",
            Self::Validation => "validation fold",
        }
    }
}

/// The losses of one epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EpochLosses {
    /// The epoch, from 1.
    pub epoch: u64,
    /// The mean of the recipe's loss on the training slices as they were shown: resampled, augmented, before each step, the
    /// network in training mode. No score.
    pub training_loss: f64,
    /// The weighted log loss on the fold that chose the epoch.
    pub validation_loss: f64,
    /// The same where the prevalence of the training folds is predicted for every slice of that fold.
    pub validation_baseline: f64,
}

/// Where the time of a run went.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunTiming {
    /// Seconds of training.
    pub training_seconds: f64,
    /// Seconds of validation.
    pub validation_seconds: f64,
    /// Slices that were learnt from in a second of training.
    pub slices_per_second: f64,
    /// The share of training in which the network waited for slices.
    pub waiting_share: f64,
    /// Whether all epochs are in it from end to end: of one that was stopped and gone on with, only the last part is timed.
    pub is_whole: bool,
}

impl RunFacts {
    /// The losses of the epoch whose weights are judged.
    pub fn best(&self) -> Option<&EpochLosses> {
        let best = self.best_epoch?;
        self.epochs.iter().find(|line| line.epoch == best)
    }

    /// The losses of the last epoch.
    pub fn last(&self) -> Option<&EpochLosses> {
        self.epochs.last()
    }
}

/// What must be said where not all runs were judged on patients that were locked away.
pub(crate) fn remark(c: &Comparison) -> Option<String> {
    let of = |part: JudgedPart| -> Vec<&str> {
        let runs = c.entries.iter().filter(|entry| {
            let run = entry.run.as_ref();
            run.is_some_and(|run| run.judged_part == part)
        });
        runs.map(|entry| entry.name.as_str()).collect()
    };
    let (tested, validated) = (of(JudgedPart::Test), of(JudgedPart::Validation));
    if validated.is_empty() {
        return None;
    }
    let flattered = format!(
        "{} judged on the validation fold, which chose the epoch: such a score is a little too good.",
        who(&validated)
    );
    if tested.is_empty() {
        return Some(flattered);
    }
    Some(format!(
        "{} judged on the locked test; {flattered} The two are no fair match.",
        who(&tested)
    ))
}

fn who(names: &[&str]) -> String {
    let verb = if names.len() == 1 { "was" } else { "were" };
    format!("{} {verb}", crate::text::joined(names))
}

/// What must be said where training losses are in different terms.
pub(crate) fn loss_remark(c: &Comparison) -> Option<String> {
    let mut losses: Vec<&str> = Vec::new();
    for run in c.entries.iter().filter_map(|entry| entry.run.as_ref()) {
        if !losses.contains(&run.loss.as_str()) {
            losses.push(&run.loss);
        }
    }
    (losses.len() > 1).then(|| {
        format!(
            "Training losses are by different losses ({}): they cannot be compared with each other.",
            losses.join("; ")
        )
    })
}

/// What each loss is, for below the tables.
pub(crate) const WHAT_LOSSES_ARE: [&str; 4] = [
    "Training loss: the recipe’s loss on training slices as they were shown (resampled, augmented, before each step, the \
     network in training mode); no score.",
    "Validation loss: the weighted log loss on the fold that chose the epoch, so a little too good.",
    "Judged loss: the weighted log loss on the slices that all entries have, of the part that is named.",
    "No skill: prevalence predicted for the same slices; for the training loss that of the slices as they were shown, else \
     that of the training folds.",
];

/// A count in thousands, millions and so on, with three digits.
pub(crate) fn scaled(n: u64) -> String {
    let (mut value, mut unit) = (n as f64, "");
    for next in ["k", "M", "G", "T"] {
        if value < 999.5 {
            break;
        }
        (value, unit) = (value / 1e3, next);
    }
    let digits = match value {
        _ if unit.is_empty() => 0,
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {unit}").trim_end().to_owned()
}

impl RunFacts {
    /// Its weights, and how many of them learnt where that is not all.
    pub(crate) fn weights(&self) -> String {
        let all = scaled(self.parameters);
        if self.trained_parameters == self.parameters {
            all
        } else {
            format!("{} of {all}", scaled(self.trained_parameters))
        }
    }

    /// Channels × height × width.
    pub(crate) fn shape(&self) -> String {
        self.input.map(|length| length.to_string()).join(" × ")
    }

    /// Epochs that were run, and of how many where it stopped before.
    pub(crate) fn epochs_run(&self) -> String {
        let run = self.epochs.len() as u64;
        if run == self.epochs_planned {
            run.to_string()
        } else {
            format!("{run} of {}", self.epochs_planned)
        }
    }

    /// How long training took, and with it validation.
    pub(crate) fn time(&self) -> [String; 2] {
        let Some(timing) = &self.timing else {
            return ["not known".to_owned(), "not known".to_owned()];
        };
        let at_least = if timing.is_whole { "" } else { "at least " };
        [timing.training_seconds, timing.validation_seconds]
            .map(|seconds| format!("{at_least}{}", crate::text::duration(seconds)))
    }

    /// Slices learnt from in a second.
    pub(crate) fn speed(&self) -> String {
        self.timing.map_or_else(
            || "not known".to_owned(),
            |timing| format!("{:.1}", timing.slices_per_second),
        )
    }
}
