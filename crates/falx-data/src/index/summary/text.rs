//! The summary as text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use falx_core::{ImageId, LABELS};

use super::{IndexSummary, WindowFrom};
use crate::index::Unlisted;

impl IndexSummary {
    /// The summary as a few lines of text.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let mut line = |words: String| _ = writeln!(text, "{words}");
        for source in &self.sources {
            let how = if source.detected { "detected" } else { "given" };
            let window = match (source.window, source.window_from) {
                (Some([center, width]), Some(from)) => {
                    let from = match from {
                        WindowFrom::Declared => "declared",
                        WindowFrom::Layout => "the layout's",
                        WindowFrom::Assumed => "assumed; declare it with --window",
                    };
                    format!(", window {center}/{width} ({from})")
                }
                _ => String::new(),
            };
            line(format!(
                "source      {}: layout {} ({how}), {} files{window}",
                source.dataset, source.layout, source.files
            ));
        }
        for Unlisted { path, why } in &self.unlisted {
            line(format!(
                "not listed  {}: {why}; what is in it is missing",
                path.display()
            ));
        }
        if self.reused > 0 {
            line(format!(
                "reused      {} files had been read before",
                self.reused
            ));
        }
        line(format!(
            "slices      {} usable of {} ({} patients, {} studies, {} series)",
            self.usable, self.rows, self.patients, self.studies, self.series
        ));
        if self.not_dicom > 0 {
            line(format!(
                "no slices   {} of {} files, left out",
                self.not_dicom, self.files
            ));
        }
        if !self.refused.is_empty() {
            line(format!("refused     {}", counts(&self.refused)));
        }
        if !self.defects.is_empty() {
            line(format!("defects     {}", counts(&self.defects)));
        }
        text.push_str(&self.labels_text());
        text
    }

    fn labels_text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let mut line = |words: String| _ = writeln!(text, "{words}");
        if !self.has_labels {
            line("labels      none given".to_owned());
            return text;
        }
        let positives: Vec<_> = LABELS
            .iter()
            .zip(self.positives)
            .map(|(label, count)| format!("{label} {count}"))
            .collect();
        line(format!(
            "labels      {} of {} slices; positive: {}",
            self.labelled,
            self.rows,
            positives.join(", ")
        ));
        for (count, what, examples) in [
            (
                self.labels_without_file,
                "labelled ids have no file",
                &self.labels_without_file_examples,
            ),
            (
                self.files_without_label,
                "slices have no label",
                &self.files_without_label_examples,
            ),
            (
                self.disagreeing_label_ids,
                "ids have contradicting labels",
                &self.disagreeing_label_examples,
            ),
        ] {
            if count > 0 {
                let ids: Vec<_> = examples.iter().map(ImageId::as_str).collect();
                let more = if count as usize > ids.len() {
                    ", …"
                } else {
                    ""
                };
                line(format!(
                    "            {count} {what}: {}{more}",
                    ids.join(", ")
                ));
            }
        }
        if self.labelled_studies > 0 {
            line(format!(
                "            {} studies have labels of their own",
                self.labelled_studies
            ));
        }
        if self.masks > 0 {
            line(format!("masks       {} slices have one", self.masks));
        }
        if self.duplicate_label_rows > 0 {
            line(format!(
                "            {} label values are given twice",
                self.duplicate_label_rows
            ));
        }
        text
    }
}

fn counts(names: &BTreeMap<String, u64>) -> String {
    names
        .iter()
        .map(|(name, count)| format!("{name} {count}"))
        .collect::<Vec<_>>()
        .join(", ")
}
