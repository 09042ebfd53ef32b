//! What an evaluation and its provenance can answer. Each answer states what was computed or recorded, and nothing more.

use falx_core::Label;

use crate::summary::{self, Summary};
use crate::text::{count, interval, percent, thousands, value};
use crate::{Evaluation, LabelScore, Provenance};

/// How a reference is read here.
pub(super) const REFERENCE_CATEGORIES: &str = "A slice is positive for a label where its reference says so; a study where one of its slices is.";

/// What becomes of doubt.
const INDETERMINATE: &str =
    "Every slice gets a probability: there is no indeterminate result of the index test.";

/// The answers that several check-lists share.
pub(super) struct Answers<'a> {
    provenance: &'a Provenance,
    pub(super) evaluation: &'a Evaluation,
    summary: Summary,
}

impl<'a> Answers<'a> {
    pub(super) fn new(provenance: &'a Provenance, evaluation: &'a Evaluation) -> Self {
        Self {
            provenance,
            evaluation,
            summary: summary::of(evaluation),
        }
    }

    pub(super) fn technology(&self) -> Option<String> {
        let network = self.provenance.network.as_ref()?;
        Some(format!(
            "A trained neural network ({network}); the title is the authors'."
        ))
    }

    pub(super) fn data(&self) -> Option<String> {
        let p = self.provenance;
        let names = (!p.data_sets.is_empty()).then(|| p.data_sets.join(", "));
        let lock = p.data_lock.as_ref().map(|lock| format!("data lock {lock}"));
        sentence([names, lock])
    }

    pub(super) fn included(&self) -> Option<String> {
        let words: Vec<String> = self
            .summary
            .tested
            .iter()
            .map(|(n, word)| format!("{} {word}", thousands(*n)))
            .collect();
        let judged = format!("Judged: {}", words.join(", "));
        sentence([Some(judged), self.provenance.left_out.clone()])
    }

    pub(super) fn missing(&self) -> Option<String> {
        let unlabelled = self
            .evaluation
            .labels
            .iter()
            .map(|s| self.evaluation.slices - s.known.min(self.evaluation.slices))
            .max()?;
        let here = if unlabelled == 0 {
            "Every slice judged here has all six labels"
        } else {
            "Slices with some labels are judged by those"
        };
        Some(format!(
            "{here}; slices without any label are left out and counted among the warnings. Nothing is imputed."
        ))
    }

    pub(super) fn parts(&self) -> Option<String> {
        let p = self.provenance;
        let named = |name: &str, part: &Option<String>| {
            part.as_ref().map(|words| format!("{name}: {words}"))
        };
        sentence([
            p.partition.clone(),
            named("Learnt from", &p.learnt_from),
            named("Chosen on", &p.developed_on),
            named("Judged on", &p.judged_on),
        ])
    }

    pub(super) fn model(&self) -> Option<String> {
        let p = self.provenance;
        let input = p.input.as_ref().map(|input| format!("Input: {input}"));
        p.network.as_ref()?;
        let output = "Output: the probability of each of the six labels, slice by slice".to_owned();
        sentence([p.network.clone(), input, Some(output)])
    }

    pub(super) fn software(&self) -> Option<String> {
        let software = &self.provenance.software;
        (!software.is_empty()).then(|| software.join(", "))
    }

    pub(super) fn metrics(&self) -> Option<String> {
        let references: Vec<&str> = self
            .evaluation
            .baselines
            .iter()
            .map(|b| b.name.as_str())
            .collect();
        (!references.is_empty()).then(|| {
            format!(
                "Weighted log loss (the competition's), log loss, area under the ROC curve and average precision of each label, \
                 calibration, sensitivity and specificity, each beside no skill ({}).",
                references.join("; ")
            )
        })
    }

    pub(super) fn uncertainty(&self) -> Option<String> {
        let e = self.evaluation;
        (e.replicates > 0 && e.patients > 1).then(|| {
            format!(
                "95 % intervals over {} resamples of whole patients (seed {}). No adjustment for several labels: each interval \
                 holds for itself.",
                thousands(u64::from(e.replicates)),
                e.seed
            )
        })
    }

    pub(super) fn prevalence(&self) -> Option<String> {
        let words: Vec<String> = self
            .evaluation
            .labels
            .iter()
            .map(|s| {
                format!(
                    "{} {} of {} in {}",
                    s.label,
                    thousands(s.positives),
                    count(s.known, "slice"),
                    count(s.positive_patients, "patient")
                )
            })
            .collect();
        (!words.is_empty()).then(|| {
            format!(
                "Test part only, positives: {}. Age, sex and clinical characteristics are the authors' to add.",
                words.join("; ")
            )
        })
    }

    pub(super) fn loss(&self) -> String {
        format!("{}. {}", self.summary.headline, self.summary.comparison)
    }

    pub(super) fn accuracy(&self) -> Option<String> {
        let auc = self.any()?.auc?;
        let auc = format!(
            "Area under the ROC curve of any, slice by slice: {} ({})",
            value(auc.value, 3, false),
            interval(&auc, 3, false)
        );
        let test = self.summary.detection.as_ref().map(|d| {
            format!(
                "{} {} {}",
                d.found_sentence(),
                d.alarm_sentence(),
                d.threshold_sentence().trim_end_matches('.')
            )
        });
        sentence([Some(auc), test])
    }

    pub(super) fn cut_offs(&self) -> Option<String> {
        let d = self.summary.detection.as_ref()?;
        Some(d.threshold_sentence())
    }

    /// What becomes of doubt: there is an answer for every slice, unless one abstains.
    pub(super) fn indeterminate(&self) -> String {
        let abstention = self.evaluation.abstention.as_ref();
        let sets = abstention.and_then(|a| a.study.as_ref().unwrap_or(&a.main).sets(Label::Any));
        let doubt = sets.and_then(|sets| Some((sets.coverage.promised, sets.coverage.abstained?)));
        match doubt {
            Some((promised, abstained)) => format!(
                "{INDETERMINATE} Prediction sets of any that promise {} leave {} without an answer.",
                percent(promised, 0),
                percent(abstained.value, 1)
            ),
            None => INDETERMINATE.to_owned(),
        }
    }

    pub(super) fn failures(&self) -> Option<String> {
        self.cross_tabulation()
    }

    pub(super) fn cross_tabulation(&self) -> Option<String> {
        let d = self.summary.detection.as_ref()?;
        let c = &d.counts;
        Some(format!(
            "Label any, {}: {} found, {} missed, {} false alarms, {} rightly quiet. {}",
            d.unit,
            thousands(c.true_positives),
            thousands(c.false_negatives),
            thousands(c.false_positives),
            thousands(c.true_negatives),
            d.threshold_sentence()
        ))
    }

    fn any(&self) -> Option<&LabelScore> {
        let labels = &self.evaluation.labels;
        labels.iter().find(|s| s.label == Label::Any)
    }
}

/// Known parts, a sentence each; `None` where nothing is known.
fn sentence<const N: usize>(parts: [Option<String>; N]) -> Option<String> {
    let known: Vec<String> = parts
        .into_iter()
        .flatten()
        .map(|part| part.trim_end_matches('.').to_owned())
        .collect();
    (!known.is_empty()).then(|| format!("{}.", known.join(". ")))
}
