//! Where a detector's numbers come from: a table of studies, or an evaluation.

use std::path::{Path, PathBuf};

use falx_core::Label;
use serde::Deserialize;

use super::assumptions::Detector;
use crate::OperatingPoint;
use crate::operating::{ChosenOn, LockedPoints};

/// Why a file gives no detector.
#[derive(Debug, thiserror::Error)]
pub enum DetectorFileError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}; check the path and its permissions")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
    /// The file is no table.
    #[error("{path} is not a readable CSV table: {source}")]
    Table {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        source: csv::Error,
    },
    /// A column is missing.
    #[error(
        "{path} has no column `{column}`; give one row a study with the columns score and truth (0 or 1)"
    )]
    Column {
        /// The file.
        path: PathBuf,
        /// The missing column.
        column: &'static str,
    },
    /// A value cannot be used.
    #[error("{path}: line {line} has `{found}` as {column}; it must be {must}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// What stands there.
        found: String,
        /// What it must be.
        must: &'static str,
    },
    /// The table holds one kind of study only.
    #[error("{path} has no study {kind} haemorrhage; scores of both kinds are needed")]
    OneKind {
        /// The file.
        path: PathBuf,
        /// `with` or `without`.
        kind: &'static str,
    },
    /// The file is no evaluation.
    #[error("{path} is no evaluation: {source}; write one with falx evaluate --json")]
    Evaluation {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        source: serde_json::Error,
    },
    /// The evaluation does not judge studies.
    #[error(
        "{path} has no operating point of `any` by study; evaluate predictions whose slices name their studies (an index does)"
    )]
    NoStudies {
        /// The file.
        path: PathBuf,
    },
    /// No operating point has the wanted name.
    #[error("{path} has no operating point named `{wanted}`; it has: {}", found.join("; "))]
    NoPoint {
        /// The file.
        path: PathBuf,
        /// What was asked for.
        wanted: String,
        /// What there is.
        found: Vec<String>,
    },
}

/// A detector as it was found in a file, with the share of positives there.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundDetector {
    /// The detector.
    pub detector: Detector,
    /// The share of positives among the file's studies.
    pub prevalence: f64,
    /// What a reader must know of it.
    pub note: Option<String>,
}

/// Reads a table of studies: one row each, with the columns `score` and `truth` (0 or 1); further ones are ignored.
///
/// # Errors
/// [`DetectorFileError`] for a file that cannot be read, a row that cannot be used, or one kind of study only.
pub fn read_studies(path: &Path, threshold: f64) -> Result<FoundDetector, DetectorFileError> {
    let table = |source: csv::Error| DetectorFileError::Table {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(|source| DetectorFileError::Read {
        path: path.to_owned(),
        source,
    })?;
    let mut reader = csv::Reader::from_reader(file);
    let header = reader.headers().map_err(table)?.clone();
    let column = |name: &'static str| {
        header
            .iter()
            .position(|field| field.trim_start_matches('\u{feff}').trim() == name)
            .ok_or_else(|| DetectorFileError::Column {
                path: path.to_owned(),
                column: name,
            })
    };
    let (score_column, truth_column) = (column("score")?, column("truth")?);
    let (mut positive, mut negative) = (Vec::new(), Vec::new());
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(table)? {
        let line = record.position().map_or(0, csv::Position::line);
        let wrong = |column, found: &str, must| DetectorFileError::Value {
            path: path.to_owned(),
            line,
            column,
            found: crate::kaggle::row::clip(found),
            must,
        };
        let field = |place| record.get(place).unwrap_or_default().trim();
        let text = field(score_column);
        let score: f64 = text
            .parse()
            .ok()
            .filter(|score: &f64| score.is_finite())
            .ok_or_else(|| wrong("score", text, "a finite number"))?;
        match field(truth_column) {
            "1" | "1.0" => positive.push(score),
            "0" | "0.0" => negative.push(score),
            other => return Err(wrong("truth", other, "0 or 1")),
        }
    }
    for (scores, kind) in [(&positive, "with"), (&negative, "without")] {
        if scores.is_empty() {
            return Err(DetectorFileError::OneKind {
                path: path.to_owned(),
                kind,
            });
        }
    }
    Ok(FoundDetector {
        prevalence: positive.len() as f64 / (positive.len() + negative.len()) as f64,
        detector: Detector::Studies {
            positive,
            negative,
            threshold,
        },
        note: None,
    })
}

/// What is read of an evaluation's JSON.
#[derive(Deserialize)]
struct Judged {
    #[serde(default)]
    unit: Option<String>,
    #[serde(default)]
    labels: Vec<Row>,
    #[serde(default)]
    study: Option<Study>,
}

#[derive(Deserialize)]
struct Study {
    labels: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    label: Label,
    known: u64,
    positives: u64,
    #[serde(default)]
    locked_points: Option<LockedPoints>,
    #[serde(default)]
    operating_points: Vec<OperatingPoint>,
}

/// One operating point, from wherever it was written.
struct Point {
    name: String,
    sensitivity: f64,
    specificity: f64,
    chosen_on: ChosenOn,
}

impl Row {
    /// The locked points, or where there are none, those chosen on the same cases.
    fn points(&self) -> Vec<Point> {
        let locked = self.locked_points.iter().flat_map(|l| &l.points);
        let locked: Vec<Point> = locked
            .filter_map(|point| {
                Some(Point {
                    name: point.name.clone(),
                    sensitivity: point.test.sensitivity?.value,
                    specificity: point.test.specificity?.value,
                    chosen_on: point.chosen_on,
                })
            })
            .collect();
        if !locked.is_empty() {
            return locked;
        }
        let each = self.operating_points.iter().map(|point| Point {
            name: point.rule.clone(),
            sensitivity: point.sensitivity,
            specificity: point.specificity,
            chosen_on: point.chosen_on,
        });
        each.collect()
    }
}

/// Reads the sensitivity and specificity of `any` by study from an evaluation's JSON, at the operating point with this
/// name.
///
/// # Errors
/// [`DetectorFileError`] for a file that is no evaluation, judges no studies, or has no such point.
pub fn read_evaluation(path: &Path, point: &str) -> Result<FoundDetector, DetectorFileError> {
    let text = std::fs::read(path).map_err(|source| DetectorFileError::Read {
        path: path.to_owned(),
        source,
    })?;
    let judged: Judged =
        serde_json::from_slice(&text).map_err(|source| DetectorFileError::Evaluation {
            path: path.to_owned(),
            source,
        })?;
    let rows = match judged.study {
        Some(study) => study.labels,
        None if judged.unit.as_deref() == Some("study") => judged.labels,
        None => Vec::new(),
    };
    let any = rows.iter().find(|row| row.label == Label::Any);
    let points = any.map(Row::points).unwrap_or_default();
    let Some(row) = any.filter(|row| row.known > 0 && !points.is_empty()) else {
        return Err(DetectorFileError::NoStudies {
            path: path.to_owned(),
        });
    };
    let Some(chosen) = points.iter().find(|p| p.name == point) else {
        return Err(DetectorFileError::NoPoint {
            path: path.to_owned(),
            wanted: point.to_owned(),
            found: points.into_iter().map(|p| p.name).collect(),
        });
    };
    let note = format!(
        "The detector's threshold ({}) was {}.",
        chosen.name,
        chosen.chosen_on.words()
    );
    Ok(FoundDetector {
        detector: Detector::Rates {
            sensitivity: chosen.sensitivity,
            specificity: chosen.specificity,
        },
        prevalence: row.positives as f64 / row.known as f64,
        note: Some(note),
    })
}
