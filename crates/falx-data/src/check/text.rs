//! The report as people read it.

use std::fmt::Write;

use falx_dicom::{Defect, Refusal};

use super::{CheckReport, FileCheck, SeriesCheck, Verdict};

impl CheckReport {
    /// A line for each file that there is something to say of (or for `all`), the series, and what was counted.
    pub fn to_text(&self, all: bool) -> String {
        let files = self
            .files
            .iter()
            .filter(|file| all || file.verdict != Verdict::Ok)
            .map(of_file);
        let series = self
            .series
            .iter()
            .zip(1..)
            .map(|(series, number)| of_series(series, number));
        let parts: [Vec<String>; 2] = [files.collect(), series.collect()];
        let mut text = String::new();
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            text.push_str(&part.join("\n"));
            text.push_str("\n\n");
        }
        let count = |name: &str| self.counts.get(name).copied().unwrap_or_default();
        let _ = writeln!(
            text,
            "{} DICOM files: {} ok, {} with defects, {} refused, {} unreadable; other files: {}",
            self.files.len(),
            count("ok"),
            count("defects"),
            count("refused"),
            count("unreadable"),
            self.other_files
        );
        let defects = Defect::ALL
            .iter()
            .map(|defect| (defect.name(), defect.describe()));
        let refusals = Refusal::ALL
            .iter()
            .map(|refusal| (refusal.name(), refusal.describe()));
        for (name, meaning) in refusals.chain(defects).filter(|(name, _)| count(name) > 0) {
            let _ = writeln!(text, "{:>8}  {name}: {}", count(name), meaning.trim());
        }
        text
    }
}

fn of_file(file: &FileCheck) -> String {
    let path = file.path.display();
    let defects: Vec<&str> = file.defects.iter().map(|defect| defect.name()).collect();
    let message = file.message.as_deref().unwrap_or_default();
    match (file.verdict, file.refusal) {
        (Verdict::Ok, _) => format!("ok          {path}"),
        (Verdict::Defects, _) => format!("defects     {path}: {}", defects.join(", ")),
        (_, Some(refusal)) => format!("refused     {path}: {refusal}: {message}"),
        (_, None) => format!("unreadable  {path}: {message}"),
    }
}

fn of_series(series: &SeriesCheck, number: usize) -> String {
    let plural = if series.slices == 1 { "" } else { "s" };
    let mut text = format!(
        "study {}, series {number}: {} slice{plural}",
        series.study, series.slices
    );
    if let Some(mm) = series.spacing_mm {
        let _ = write!(text, ", {mm:.2} mm apart");
    }
    if let Some(tilt) = series.tilt_deg.filter(|tilt| tilt.abs() >= 0.05) {
        let _ = write!(text, ", tilt {tilt:.1} degrees");
    }
    if !series.is_volume {
        text.push_str(", no volume");
    }
    let defects: Vec<&str> = series.defects.iter().map(|defect| defect.name()).collect();
    if !defects.is_empty() {
        let _ = write!(text, " ({})", defects.join(", "));
    }
    text
}
