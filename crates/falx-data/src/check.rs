//! What is right and wrong with DICOM files, file by file and series by series, without an index.

#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use falx_core::{Interrupt, Progress};
use falx_dicom::series::{FolderFile, SeriesDefect, sort_folder};
use falx_dicom::{Decoded, Defect, DicomError, Reader, Refusal, SliceHeader};
use rayon::prelude::*;
use serde::Serialize;

use crate::index::{IndexError, find};

/// What a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Hounsfield units, and nothing to say of the file.
    Ok,
    /// Hounsfield units that are certain, and named defects.
    Defects,
    /// No Hounsfield units, for a named reason.
    Refused,
    /// The system did not give the file's bytes.
    Unreadable,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FileCheck {
    /// The file.
    pub path: PathBuf,
    /// What it turned out to be.
    pub verdict: Verdict,
    /// Its frames, 0 where it gives no Hounsfield units.
    pub frames: usize,
    /// What was wrong with it.
    pub defects: Vec<Defect>,
    /// Why it is refused.
    pub refusal: Option<Refusal>,
    /// What was found where, and what to do, where it is refused or unreadable.
    pub message: Option<String>,
}

/// One series of the files that give Hounsfield units.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeriesCheck {
    /// The number of its study, from 1 in the order of the files.
    pub study: usize,
    /// Its slices.
    pub slices: usize,
    /// The common spacing along the slices' normal, where there is one.
    pub spacing_mm: Option<f64>,
    /// The gantry's tilt.
    pub tilt_deg: Option<f64>,
    /// Whether each slice's place is determined.
    pub is_volume: bool,
    /// What is odd about it.
    pub defects: Vec<SeriesDefect>,
}

/// All files.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckReport {
    /// The DICOM files, and those that should be, in the order of their paths.
    pub files: Vec<FileCheck>,
    /// Files in folders that are no DICOM and are not called so.
    pub other_files: u64,
    /// How many files have each verdict, defect and refusal.
    pub counts: BTreeMap<String, u64>,
    /// The series, in the order of their first files.
    pub series: Vec<SeriesCheck>,
}

impl CheckReport {
    /// True where no file is refused or unreadable.
    pub fn is_fine(&self) -> bool {
        let gives_hu = |file: &FileCheck| matches!(file.verdict, Verdict::Ok | Verdict::Defects);
        self.files.iter().all(gives_hu)
    }
}

/// Reads every file of the sources.
///
/// Runs on rayon's current pool; the report does not depend on the number of threads.
///
/// # Errors
/// [`IndexError`] where a source does not exist, cannot be listed or holds no DICOM, or somebody asked to stop; a file
/// that cannot be read is no error but a line of the report.
pub fn check(
    sources: &[PathBuf],
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<CheckReport, IndexError> {
    let found = find(sources)?;
    progress.begin("checking DICOM files", Some(found.len() as u64));
    let read: Vec<Option<Checked>> = found
        .par_iter()
        .map_init(Reader::new, |reader, file| {
            if interrupt.is_requested() {
                return None;
            }
            let is_named = file.is_dcm() || sources.contains(&file.path);
            let checked = check_file(reader, &file.path, is_named);
            progress.advance(1);
            Some(checked)
        })
        .collect();
    progress.finish();
    let read: Option<Vec<Checked>> = read.into_iter().collect();
    let read = read.ok_or(IndexError::Interrupted)?;
    let (checks, headers): (Vec<_>, Vec<_>) = read.into_iter().map(|c| (c.file, c.slices)).unzip();
    let series = series(&headers.concat());
    let other_files = checks.iter().filter(|check| check.is_none()).count() as u64;
    let files: Vec<FileCheck> = checks.into_iter().flatten().collect();
    if files.is_empty() {
        let path = sources.first().cloned().unwrap_or_default();
        return Err(IndexError::NoDicom {
            path,
            files: other_files,
        });
    }
    Ok(CheckReport {
        counts: counts(&files),
        files,
        other_files,
        series,
    })
}

/// A file's line, none for one that is no DICOM and need not be; and what its series needs to know.
struct Checked {
    file: Option<FileCheck>,
    slices: Vec<(SliceHeader, [u8; 32])>,
}

fn check_file(reader: &mut Reader, path: &Path, is_named: bool) -> Checked {
    let line = |verdict, frames, defects, refusal, message| FileCheck {
        path: path.to_owned(),
        verdict,
        frames,
        defects,
        refusal,
        message,
    };
    match reader.read(path) {
        Ok(decoded) => {
            let defects = decoded.defects();
            let verdict = if defects.is_empty() {
                Verdict::Ok
            } else {
                Verdict::Defects
            };
            Checked {
                file: Some(line(verdict, decoded.slices.len(), defects, None, None)),
                slices: headers(decoded),
            }
        }
        Err(error) => {
            let refused = error.refused();
            let refusal = refused.map(|refused| refused.refusal);
            let message = match &error {
                DicomError::Refused { refused, .. } => {
                    format!("{}; {}", refused.detail, refused.refusal.remedy())
                }
                DicomError::Io { source, .. } => source.to_string(),
            };
            let verdict = if refusal.is_some() {
                Verdict::Refused
            } else {
                Verdict::Unreadable
            };
            let is_other = refusal == Some(Refusal::NotDicom) && !is_named;
            Checked {
                file: (!is_other).then(|| line(verdict, 0, Vec::new(), refusal, Some(message))),
                slices: Vec::new(),
            }
        }
    }
}

/// Each slice's header, with a digest by which an identical copy is known.
fn headers(decoded: Decoded) -> Vec<(SliceHeader, [u8; 32])> {
    let of_slice = |slice: falx_dicom::CtSlice| {
        let mut hasher = blake3::Hasher::new();
        for hu in &slice.hu {
            hasher.update(&hu.0.to_le_bytes());
        }
        hasher.update(format!("{:?}", slice.header).as_bytes());
        (slice.header, *hasher.finalize().as_bytes())
    };
    decoded.slices.into_iter().map(of_slice).collect()
}

fn series(slices: &[(SliceHeader, [u8; 32])]) -> Vec<SeriesCheck> {
    let files: Vec<FolderFile<'_>> = slices
        .iter()
        .map(|(header, digest)| {
            let mut file = FolderFile::from(header);
            file.slice.digest = Some(*digest);
            file
        })
        .collect();
    let folder = sort_folder(&files);
    let mut study_of = vec![0; folder.series.len()];
    for (study, number) in folder.studies.iter().zip(1..) {
        for &series in &study.series {
            study_of[series] = number;
        }
    }
    folder
        .series
        .iter()
        .zip(study_of)
        .map(|(series, study)| SeriesCheck {
            study,
            slices: series.geometry.order.len(),
            spacing_mm: series.geometry.spacing_mm,
            tilt_deg: series.geometry.tilt_deg,
            is_volume: series.geometry.is_volume(),
            defects: series.geometry.defects.clone(),
        })
        .collect()
}

fn counts(files: &[FileCheck]) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    let mut add = |name: &str| *counts.entry(name.to_owned()).or_insert(0) += 1;
    for file in files {
        add(match file.verdict {
            Verdict::Ok => "ok",
            Verdict::Defects => "defects",
            Verdict::Refused => "refused",
            Verdict::Unreadable => "unreadable",
        });
        file.defects.iter().for_each(|defect| add(defect.name()));
        file.refusal.iter().for_each(|refusal| add(refusal.name()));
    }
    counts
}
