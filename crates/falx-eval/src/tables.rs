//! The evaluation's tables as CSV: one tidy file a table, plain column names, numbers in full.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;

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
    let mut levels: Vec<(&str, &[LabelScore], &[Baseline])> = vec![(unit, &e.labels, &e.baselines)];
    if let Some(s) = &e.series {
        levels.push(("series", &s.labels, &s.baselines));
    }
    if let Some(s) = &e.study {
        levels.push(("study", &s.labels, &s.baselines));
    }
    let mut tables = vec![
        headline(e),
        baselines(&levels),
        labels(&levels),
        operating_points(&levels),
        calibration(&levels),
        roc(&levels),
        aggregations(e),
        warnings(e),
    ];
    tables.retain(|table| !table.rows.is_empty());
    tables
}

/// Writes each table as `NAME.csv` into a folder, which is made where it is missing; gives the files.
///
/// # Errors
/// [`TablesError`] when the folder or a file cannot be written.
pub fn write(e: &Evaluation, folder: &Path) -> Result<Vec<PathBuf>, TablesError> {
    let refused = |path: &Path| {
        let path = path.to_owned();
        move |source| TablesError::Write { path, source }
    };
    std::fs::create_dir_all(folder).map_err(refused(folder))?;
    let mut files = Vec::new();
    for table in of(e) {
        let path = folder.join(table.name).with_extension("csv");
        let write = || {
            let mut file = AtomicWriteFile::open(&path)?;
            file.write_all(to_csv(&table)?.as_bytes())?;
            file.commit()
        };
        write().map_err(refused(&path))?;
        files.push(path);
    }
    Ok(files)
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

fn baselines(levels: &[(&str, &[LabelScore], &[Baseline])]) -> Table {
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

fn labels(levels: &[(&str, &[LabelScore], &[Baseline])]) -> Table {
    let mut rows = Vec::new();
    for (level, labels, _) in levels {
        for s in *labels {
            let mut row = vec![(*level).to_owned(), s.label.name().to_owned()];
            row.extend([s.known, s.positives, s.positive_patients].map(|n| n.to_string()));
            row.extend(scored(s.log_loss.as_ref()));
            row.push(number(s.baseline_log_loss));
            row.extend(scored(s.auc.as_ref()));
            row.extend(scored(s.average_precision.as_ref()));
            let c = &s.calibration;
            row.extend(
                [
                    Some(c.expected_error),
                    c.expected_error_debiased,
                    c.maximum_error,
                ]
                .map(number),
            );
            row.extend(scored(c.slope.as_ref()));
            row.extend(scored(c.intercept.as_ref()));
            row.extend(scored(c.in_the_large.as_ref()));
            row.push(number(c.brier.map(|b| b.score)));
            row.push(s.few.to_string());
            rows.push(row);
        }
    }
    Table {
        name: "labels",
        columns: vec![
            "level",
            "label",
            "known",
            "positives",
            "positive_patients",
            "log_loss",
            "log_loss_low",
            "log_loss_high",
            "baseline_log_loss",
            "auc",
            "auc_low",
            "auc_high",
            "average_precision",
            "average_precision_low",
            "average_precision_high",
            "expected_calibration_error",
            "expected_calibration_error_debiased",
            "largest_calibration_error",
            "calibration_slope",
            "calibration_slope_low",
            "calibration_slope_high",
            "calibration_intercept",
            "calibration_intercept_low",
            "calibration_intercept_high",
            "calibration_in_the_large",
            "calibration_in_the_large_low",
            "calibration_in_the_large_high",
            "brier_score",
            "few",
        ],
        rows,
    }
}

fn operating_points(levels: &[(&str, &[LabelScore], &[Baseline])]) -> Table {
    let mut rows = Vec::new();
    for (level, labels, _) in levels {
        for s in *labels {
            for p in &s.operating_points {
                let mut row = vec![(*level).to_owned(), s.label.name().to_owned()];
                row.extend([p.rule.clone(), number(p.threshold)]);
                row.extend(
                    [
                        p.true_positives,
                        p.false_positives,
                        p.true_negatives,
                        p.false_negatives,
                    ]
                    .map(|n| n.to_string()),
                );
                row.extend([
                    number(p.sensitivity),
                    number(p.specificity),
                    number(p.positive_predictive_value),
                    number(p.negative_predictive_value),
                    number(p.f1),
                    number(p.positive_likelihood_ratio),
                    number(p.negative_likelihood_ratio),
                    p.chosen_on.words().to_owned(),
                ]);
                rows.push(row);
            }
        }
    }
    Table {
        name: "operating_points",
        columns: vec![
            "level",
            "label",
            "rule",
            "threshold",
            "true_positives",
            "false_positives",
            "true_negatives",
            "false_negatives",
            "sensitivity",
            "specificity",
            "positive_predictive_value",
            "negative_predictive_value",
            "f_score",
            "positive_likelihood_ratio",
            "negative_likelihood_ratio",
            "threshold_chosen",
        ],
        rows,
    }
}

fn calibration(levels: &[(&str, &[LabelScore], &[Baseline])]) -> Table {
    let mut rows = Vec::new();
    for (level, labels, _) in levels {
        for s in *labels {
            for b in &s.calibration.bins {
                let mut row = vec![(*level).to_owned(), s.label.name().to_owned()];
                row.extend([b.low, b.high, b.predicted].map(number));
                row.extend(scored(Some(&b.observed)));
                row.extend([b.consistency_low, b.consistency_high].map(number));
                row.push(b.count.to_string());
                rows.push(row);
            }
        }
    }
    Table {
        name: "calibration",
        columns: vec![
            "level",
            "label",
            "lowest_prediction",
            "highest_prediction",
            "mean_prediction",
            "observed",
            "observed_low",
            "observed_high",
            "consistency_low",
            "consistency_high",
            "cases",
        ],
        rows,
    }
}

fn roc(levels: &[(&str, &[LabelScore], &[Baseline])]) -> Table {
    let mut rows = Vec::new();
    for (level, labels, _) in levels {
        for s in *labels {
            for (x, y) in &s.roc {
                let name = s.label.name().to_owned();
                rows.push(vec![(*level).to_owned(), name, number(*x), number(*y)]);
            }
        }
    }
    Table {
        name: "roc",
        columns: vec!["level", "label", "false_positive_rate", "sensitivity"],
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
