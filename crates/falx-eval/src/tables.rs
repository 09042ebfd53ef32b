//! The evaluation's tables as CSV: one tidy file a table, plain column names, numbers in full.

mod abstention;
mod labels;
mod lists;
mod population;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;

pub use lists::write_checklists;

use crate::checklist::Item;
use crate::{Baseline, Estimate, Evaluation, LabelScore, UnitOfAnalysis, summary};

/// One table: a row a thing, a column a fact, a cell empty where a value is undefined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name, that of its file without `.csv`.
    pub name: &'static str,
    /// The columns' names.
    pub columns: Vec<&'static str>,
    /// The rows, each as long as `columns`.
    pub rows: Vec<Vec<String>>,
}

/// A level of analysis: its name, its labels' scores, its baselines.
type Level<'a> = (&'a str, &'a [LabelScore], &'a [Baseline]);

/// Why tables cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum TablesError {
    /// The file system refused.
    #[error("cannot write the table {path}: {source}; choose a folder that is writable")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
}

/// The evaluation's tables; one without rows is left out.
///
/// # Units
/// Losses in nats, shares from 0 to 1, intervals of 95 % as `…_low` and `…_high`. `level` is `slice`, `series` or `study`.
pub fn of(e: &Evaluation) -> Vec<Table> {
    let unit = unit(e);
    let mut levels: Vec<Level> = vec![(unit, &e.labels, &e.baselines)];
    if let Some(s) = &e.series {
        levels.push(("series", &s.labels, &s.baselines));
    }
    if let Some(s) = &e.study {
        levels.push(("study", &s.labels, &s.baselines));
    }
    let mut tables = vec![
        headline(e),
        baselines(&levels),
        labels::scores(&levels),
        labels::operating_points(&levels),
        labels::locked_points(&levels),
        labels::calibration(&levels),
        labels::recalibration(&levels),
        labels::roc(&levels),
        labels::roc_band(&levels),
        labels::decision_curves(&levels),
        aggregations(e),
        warnings(e),
    ];
    tables.extend(abstention::tables(e));
    tables.extend(population::of(e));
    tables.retain(|table| !table.rows.is_empty());
    tables
}

/// Writes each table as `NAME.csv` into a folder, which is made where it is missing; gives the files.
///
/// # Errors
/// [`TablesError`] when the folder or a file cannot be written.
pub fn write(e: &Evaluation, folder: &Path) -> Result<Vec<PathBuf>, TablesError> {
    make(folder)?;
    let mut files = Vec::new();
    for table in of(e) {
        let path = folder.join(table.name).with_extension("csv");
        write_text(&path, to_csv(&table))?;
        files.push(path);
    }
    Ok(files)
}

fn make(folder: &Path) -> Result<(), TablesError> {
    std::fs::create_dir_all(folder).map_err(|source| TablesError::Write {
        path: folder.to_owned(),
        source,
    })
}

fn write_text(path: &Path, text: std::io::Result<String>) -> Result<(), TablesError> {
    let write = || {
        let mut file = AtomicWriteFile::open(path)?;
        file.write_all(text?.as_bytes())?;
        file.commit()
    };
    write().map_err(|source| TablesError::Write {
        path: path.to_owned(),
        source,
    })
}

/// A check-list as a table.
pub fn checklist(name: &'static str, items: &[Item]) -> Table {
    let rows = items.iter().map(|item| {
        vec![
            item.number.clone(),
            item.section.clone(),
            item.topic.clone(),
            item.answer.clone().unwrap_or_default(),
        ]
    });
    Table {
        name,
        columns: vec!["item", "section", "topic", "answer"],
        rows: rows.collect(),
    }
}

/// A table as CSV: comma, decimal point, quotes where needed, a line feed after each row.
///
/// # Errors
/// What the writer said; in memory, only for rows of unequal length.
///
/// # Source
/// RFC 4180, with line feeds alone.
pub fn to_csv(table: &Table) -> std::io::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&table.columns)?;
    for row in &table.rows {
        writer.write_record(row)?;
    }
    let bytes = writer
        .into_inner()
        .map_err(csv::IntoInnerError::into_error)?;
    String::from_utf8(bytes).map_err(std::io::Error::other)
}

fn number(value: impl Into<Option<f64>>) -> String {
    value.into().map_or_else(String::new, |x| x.to_string())
}

fn scored(e: Option<&Estimate>) -> [String; 3] {
    [
        number(e.map(|e| e.value)),
        number(e.and_then(|e| e.low)),
        number(e.and_then(|e| e.high)),
    ]
}

fn headline(e: &Evaluation) -> Table {
    let row = |level: &str, cases: u64, patients: u64, loss: &Estimate, verdict: crate::Verdict| {
        let mut row = vec![level.to_owned(), cases.to_string(), patients.to_string()];
        row.extend(scored(Some(loss)));
        row.push(summary::verdict_name(verdict).to_owned());
        row
    };
    let any = e.labels.last().map_or(0, |s| s.known);
    let cases = match e.unit {
        UnitOfAnalysis::Slice => e.slices,
        UnitOfAnalysis::Study => any,
    };
    let main = row(unit(e), cases, e.patients, &e.weighted_log_loss, e.verdict);
    let series = e.series.as_ref().map(|s| {
        row(
            "series",
            s.series,
            s.patients,
            &s.weighted_log_loss,
            s.verdict,
        )
    });
    let study = e.study.as_ref().map(|s| {
        row(
            "study",
            s.studies,
            s.patients,
            &s.weighted_log_loss,
            s.verdict,
        )
    });
    Table {
        name: "headline",
        columns: vec![
            "level",
            "cases",
            "patients",
            "weighted_log_loss",
            "weighted_log_loss_low",
            "weighted_log_loss_high",
            "verdict",
        ],
        rows: std::iter::once(main).chain(series).chain(study).collect(),
    }
}

fn baselines(levels: &[Level<'_>]) -> Table {
    let mut rows = Vec::new();
    for (level, _, baselines) in levels {
        for b in *baselines {
            let mut row = vec![(*level).to_owned(), b.name.clone()];
            row.push(number(b.weighted_log_loss));
            row.extend(scored(b.skill.as_ref()));
            match b.prediction {
                Some(prediction) => row.extend(prediction.map(number)),
                None => row.resize(row.len() + 6, String::new()),
            }
            rows.push(row);
        }
    }
    Table {
        name: "baselines",
        columns: vec![
            "level",
            "baseline",
            "weighted_log_loss",
            "skill",
            "skill_low",
            "skill_high",
            "epidural",
            "intraparenchymal",
            "intraventricular",
            "subarachnoid",
            "subdural",
            "any",
        ],
        rows,
    }
}

const fn unit(e: &Evaluation) -> &'static str {
    match e.unit {
        UnitOfAnalysis::Slice => "slice",
        UnitOfAnalysis::Study => "study",
    }
}

fn aggregations(e: &Evaluation) -> Table {
    let rows = e.aggregations.iter().map(|a| {
        vec![
            a.aggregation.name().to_owned(),
            number(a.weighted_log_loss),
            number(a.auc_of_any),
        ]
    });
    Table {
        name: "aggregations",
        columns: vec!["aggregation", "weighted_log_loss", "auc_of_any"],
        rows: rows.collect(),
    }
}

fn warnings(e: &Evaluation) -> Table {
    Table {
        name: "warnings",
        columns: vec!["warning"],
        rows: e.warnings.iter().map(|w| vec![w.clone()]).collect(),
    }
}

#[cfg(test)]
mod tests;
