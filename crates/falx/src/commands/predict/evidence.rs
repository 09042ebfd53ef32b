//! Answers as DICOM objects in their studies.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use falx_core::{LABELS, Label, Probability};
use falx_data::source::SliceReader;
use falx_evidence::{
    AlgorithmIdentification, Finding, Presence, SourceSlice, StudyFindings, WrittenAt, write_study,
};
use falx_infer::{AnswerHead, SliceAnswer, StudyAnswer};
use serde::Serialize;

use super::heat_maps::Drawing;

/// Slices that are shown for a finding.
const KEY_SLICES: usize = 3;
/// Names the instant that objects are written at, in seconds since 1970, where their bytes are to be the same again.
///
/// # Source
/// Reproducible Builds, the specification of `SOURCE_DATE_EPOCH`.
const INSTANT: &str = "SOURCE_DATE_EPOCH";

/// What became of a study's objects.
#[derive(Serialize)]
pub(super) struct WrittenStudy {
    study: String,
    objects: Vec<PathBuf>,
    /// Why there are none, or what archives may not like.
    remarks: Vec<String>,
}

impl WrittenStudy {
    /// Whether the objects are there.
    pub fn is_written(&self) -> bool {
        !self.objects.is_empty()
    }

    /// In a line.
    pub fn to_text(&self) -> String {
        let remarks = self.remarks.join("; ");
        match self.objects.as_slice() {
            [] => format!("study {} was not written: {remarks}", self.study),
            objects if remarks.is_empty() => {
                format!("study {}: {} objects", self.study, objects.len())
            }
            objects => format!("study {}: {} objects; {remarks}", self.study, objects.len()),
        }
    }
}

/// Writes the objects of studies into a folder with a folder for each.
pub(super) struct Writer<'a> {
    out: PathBuf,
    head: AnswerHead,
    drawing: Option<Drawing<'a>>,
    written_at: WrittenAt,
    reader: SliceReader,
    pub studies: Vec<WrittenStudy>,
}

impl<'a> Writer<'a> {
    /// Makes the folder.
    pub fn new(out: &Path, head: AnswerHead, drawing: Option<Drawing<'a>>) -> anyhow::Result<Self> {
        std::fs::create_dir_all(out).with_context(|| super::answers::cannot_write(out))?;
        Ok(Self {
            out: out.to_owned(),
            head,
            drawing,
            written_at: WrittenAt::new(instant()?, 0)?,
            reader: SliceReader::new(),
            studies: Vec::new(),
        })
    }

    /// Writes the objects of a study that was answered. What cannot be written is remembered, and the next study is written all
    /// the same.
    pub fn write(&mut self, study: &StudyAnswer) {
        let slices: Vec<&SliceAnswer> = study.series.iter().flat_map(|s| &s.slices).collect();
        let (Some(first), true) = (slices.first(), study.findings.is_some()) else {
            return;
        };
        let name = study.study_uid.as_deref().unwrap_or(&first.image_id);
        let mut written = WrittenStudy {
            study: name.to_owned(),
            objects: Vec::new(),
            remarks: Vec::new(),
        };
        let folder = self.out.join(as_file_name(name));
        let done = self
            .findings(study, &slices, &folder)
            .and_then(|findings| Ok(write_study(&findings, &folder)?));
        match done {
            Ok(done) => {
                written.objects = done.objects.into_iter().map(|object| object.path).collect();
                written.remarks = done.not_uids.iter().map(ToString::to_string).collect();
            }
            Err(error) => written.remarks.push(format!("{error:#}")),
        }
        self.studies.push(written);
    }

    fn findings(
        &mut self,
        study: &StudyAnswer,
        slices: &[&SliceAnswer],
        folder: &Path,
    ) -> anyhow::Result<StudyFindings> {
        let mut sources = Vec::with_capacity(slices.len());
        for slice in slices {
            sources.push(match self.reader.entry(&slice.path) {
                Some(bytes) => SourceSlice::from_bytes(&slice.path, &bytes?)?,
                None => SourceSlice::read(&slice.path)?,
            });
        }
        let mut findings = Vec::new();
        for label in LABELS {
            findings.extend(finding(label, study, slices)?);
        }
        let (pictures, heat_maps) = match &self.drawing {
            Some(drawing) => drawing.maps(study, slices, &sources, &findings, folder)?,
            None => (Vec::new(), Vec::new()),
        };
        let series = study
            .series
            .iter()
            .filter(|series| !series.slices.is_empty());
        let uids = series.filter_map(|series| series.series_uid.clone());
        Ok(StudyFindings {
            sources,
            findings,
            algorithm: AlgorithmIdentification {
                name: format!("falx {}", self.head.model.network),
                version: self.head.falx_version.clone(),
                model_hash: self.head.model.sha256.clone(),
                parameters: uids.map(|uid| ("series".to_owned(), uid)).collect(),
            },
            prevalence: Probability::new(self.head.prevalence).ok(),
            written_at: self.written_at,
            pictures,
            heat_maps,
        })
    }
}

/// What is said of a label, with the slices that speak most for it.
fn finding(
    label: Label,
    study: &StudyAnswer,
    slices: &[&SliceAnswer],
) -> anyhow::Result<Option<Finding>> {
    let Some(findings) = &study.findings else {
        return Ok(None);
    };
    let said = findings.get(label);
    let presence = said.presence.map(|said| match said {
        falx_infer::Presence::Present => Presence::Present,
        falx_infer::Presence::Absent => Presence::Absent,
        falx_infer::Presence::Abstains => Presence::Undetermined,
    });
    let of = |at: usize| {
        slices
            .get(at)
            .map_or(0.0, |s| s.findings.get(label).probability)
    };
    let mut order: Vec<usize> = (0..slices.len()).collect();
    order.sort_by(|&a, &b| of(b).total_cmp(&of(a)));
    order.truncate(if presence == Some(Presence::Absent) {
        0
    } else {
        KEY_SLICES
    });
    Ok(Some(Finding {
        label,
        probability: Probability::new(said.probability)?,
        presence,
        interval: None,
        threshold: None,
        key_slices: order,
    }))
}

/// Now, or what the environment says instead.
fn instant() -> anyhow::Result<i64> {
    if let Ok(text) = std::env::var(INSTANT) {
        return text.parse().with_context(|| {
            format!("{INSTANT} is `{text}`; it must be a number of seconds since 1970")
        });
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    Ok(now.map_or(0, |now| now.as_secs() as i64))
}

/// A UID is a name by itself; whatever else a file calls its study becomes one.
fn as_file_name(study: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let name: String = study
        .chars()
        .map(|c| if is_plain(c) { c } else { '_' })
        .collect();
    // No way up.
    name.trim_start_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::as_file_name;

    #[test]
    fn a_study_names_a_folder_within_the_folder() {
        for (study, name) in [
            ("1.2.840.1", "1.2.840.1"),
            ("ID_1efc8a4d9f", "ID_1efc8a4d9f"),
            ("../../etc", "_.._etc"),
            ("a b/c", "a_b_c"),
        ] {
            assert_eq!(as_file_name(study), name);
        }
    }
}
