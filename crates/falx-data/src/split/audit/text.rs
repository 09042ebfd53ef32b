//! The audit of a split as text.

use std::fmt::Write as _;

use falx_core::{ImageId, LABELS};

use super::{FoldAudit, SplitAudit};
use crate::split::Tie;

impl SplitAudit {
    /// The audit as a table and some sentences.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        _ = write!(
            text,
            "{:<8}{:>9}{:>9}{:>10}",
            "fold", "slices", "studies", "patients"
        );
        for label in LABELS {
            _ = write!(text, "{:>18}", label.name());
        }
        text.push('\n');
        for fold in std::iter::once(&self.whole).chain(&self.folds) {
            fold.line(&mut text);
        }
        _ = write!(text, "{:<36}", "worst deviation from all");
        for deviation in self.worst_deviation {
            let shown =
                deviation.map_or("–".to_owned(), |share| format!("{:+.1} %", 100.0 * share));
            _ = write!(text, "{shown:>18}");
        }
        text.push('\n');
        self.datasets(&mut text);
        self.faults(&mut text);
        text
    }

    /// Shares by data set, where there is more than one.
    fn datasets(&self, text: &mut String) {
        if self.whole.datasets.len() < 2 {
            return;
        }
        for (name, share) in &self.whole.datasets {
            let of = |fold: &FoldAudit| fold.datasets.get(name).copied().unwrap_or_default();
            let shares = self
                .folds
                .iter()
                .map(|fold| format!("{:.1} %", 100.0 * of(fold)));
            let shares = shares.collect::<Vec<_>>().join(", ");
            _ = writeln!(
                text,
                "data set {name}: {:.1} % of all; by fold {shares}",
                100.0 * share
            );
        }
    }

    fn faults(&self, text: &mut String) {
        text.push('\n');
        if !self.leaks() {
            text.push_str("No patient, study, series, picture or image id is on two sides.\n");
        }
        for leak in self.leaks.iter().filter(|leak| leak.count > 0) {
            let pairs = leak.examples.iter().map(|[a, b]| {
                if a == b {
                    a.to_string()
                } else {
                    format!("{a} and {b}")
                }
            });
            _ = writeln!(
                text,
                "LEAK: {} {} in more than one fold: {}{}",
                leak.count,
                leak.kind.noun(leak.count),
                pairs.collect::<Vec<_>>().join("; "),
                more(leak.count, leak.examples.len()),
            );
        }
        if !self.same_data {
            text.push_str(
                "The split was made from other data than this index: the data locks differ.\n",
            );
        }
        for (found, what) in [
            (
                &self.not_in_split,
                "usable slices of the index are in no fold",
            ),
            (
                &self.not_in_index,
                "slices of the split are not in the index",
            ),
            (
                &self.not_usable,
                "slices of the split cannot be used, as the index says",
            ),
        ] {
            if found.count > 0 {
                let ids: Vec<&str> = found.examples.iter().map(ImageId::as_str).collect();
                let more = more(found.count, ids.len());
                _ = writeln!(text, "{} {what}: {}{more}", found.count, ids.join(", "));
            }
        }
        if self.patient_unknown > 0 {
            _ = writeln!(
                text,
                "Of {} slices the patient is not known: they stay together by study, series and picture only, and the \
                 same person may be on two sides unseen.",
                self.patient_unknown
            );
        }
    }
}

impl FoldAudit {
    fn line(&self, text: &mut String) {
        let name = match self.fold {
            None => "all".to_owned(),
            Some(-1) => "test".to_owned(),
            Some(fold) => fold.to_string(),
        };
        let (slices, studies, patients) = (self.slices, self.studies, self.patients);
        _ = write!(text, "{name:<8}{slices:>9}{studies:>9}{patients:>10}");
        for (count, prevalence) in self.positives.iter().zip(self.prevalence) {
            let share =
                prevalence.map_or("–".to_owned(), |share| format!("{:.3} %", 100.0 * share));
            let shown = format!("{count} {share:>9}");
            _ = write!(text, "{shown:>18}");
        }
        text.push('\n');
    }
}

impl Tie {
    fn noun(self, count: u64) -> &'static str {
        match (self, count) {
            (Self::Patient, 1) => "patient is",
            (Self::Patient, _) => "patients are",
            (Self::Study, 1) => "study is",
            (Self::Study, _) => "studies are",
            (Self::Series, 1) => "series is",
            (Self::Series, _) => "series are",
            (Self::Picture, 1) => "picture is",
            (Self::Picture, _) => "pictures are",
            (Self::Image, 1) => "image id is",
            (Self::Image, _) => "image ids are",
        }
    }
}

fn more(count: u64, shown: usize) -> &'static str {
    if count > shown as u64 { ", …" } else { "" }
}
