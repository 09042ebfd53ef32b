//! A table of anything that scores are to be broken down by: one row a slice, study or patient, one column an axis.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use falx_core::{ImageId, PatientId};

/// Why a table of groups cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GroupsError {
    /// The file cannot be read as a table.
    #[error("{path} is not a readable CSV table: {source}; give a file with a header and commas")]
    Table {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        source: csv::Error,
    },
    /// No column says of whom a row is.
    #[error(
        "{path} has no column image_id, study_uid or patient; found: {found}; name one of them so"
    )]
    NoKey {
        /// The file.
        path: PathBuf,
        /// The columns that are there.
        found: String,
    },
    /// There is nothing besides.
    #[error(
        "{path} has no column but {key}; add one for each axis that scores are to be broken down by"
    )]
    NoAxis {
        /// The file.
        path: PathBuf,
        /// The column of keys.
        key: &'static str,
    },
    /// One thing has two rows.
    #[error("{path}: line {line} repeats the {key} of an earlier line; keep one row for each")]
    Repeated {
        /// The file.
        path: PathBuf,
        /// The later line.
        line: u64,
        /// The column of keys.
        key: &'static str,
    },
}

/// The columns by which rows are found, the finest first.
const KEYS: [&str; 3] = ["image_id", "study_uid", "patient"];

/// A table's groups, numbers already cut into ranges.
#[derive(Debug)]
pub(crate) struct Groups {
    key: &'static str,
    axes: Vec<String>,
    /// By key, one value an axis; empty where nothing is known.
    rows: HashMap<String, Vec<String>>,
}

impl Groups {
    /// Reads a table. The first of `image_id`, `study_uid` and `patient` that it has is its key; the other columns are
    /// axes. An axis of numbers with more than four values is cut at its quartiles, each range named by its ends; others
    /// are taken as they are. An empty field is not known.
    ///
    /// # Errors
    /// [`GroupsError`].
    pub(crate) fn read(path: &Path) -> Result<Self, GroupsError> {
        let table = |source| GroupsError::Table {
            path: path.to_owned(),
            source,
        };
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_path(path)
            .map_err(table)?;
        let names: Vec<String> = reader
            .headers()
            .map_err(table)?
            .iter()
            .map(|name| name.trim_start_matches('\u{feff}').to_owned())
            .collect();
        let find = |key: &&str| names.iter().any(|name| name.eq_ignore_ascii_case(key));
        let Some(key) = KEYS.into_iter().find(find) else {
            return Err(GroupsError::NoKey {
                path: path.to_owned(),
                found: names.join(", "),
            });
        };
        let is_axis = |name: &str| !KEYS.iter().any(|key| name.eq_ignore_ascii_case(key));
        let axes: Vec<usize> = (0..names.len())
            .filter(|&at| names.get(at).is_some_and(|name| is_axis(name)))
            .collect();
        if axes.is_empty() {
            let path = path.to_owned();
            return Err(GroupsError::NoAxis { path, key });
        }
        let key_at = names.iter().position(|name| name.eq_ignore_ascii_case(key));
        let mut rows: HashMap<String, Vec<String>> = HashMap::new();
        for record in reader.records() {
            let record = record.map_err(table)?;
            let field = |at: usize| record.get(at).unwrap_or_default().to_owned();
            let name = key_at.map(field).unwrap_or_default();
            let values = axes.iter().map(|&at| field(at)).collect();
            if rows.insert(name, values).is_some() {
                return Err(GroupsError::Repeated {
                    path: path.to_owned(),
                    line: record.position().map_or(0, csv::Position::line),
                    key,
                });
            }
        }
        for axis in 0..axes.len() {
            cut(&mut rows, axis);
        }
        let axes = axes.into_iter().filter_map(|at| names.get(at).cloned());
        Ok(Self {
            key,
            axes: axes.collect(),
            rows,
        })
    }

    /// What the table says of a slice.
    pub(crate) fn of(
        &self,
        image: &ImageId,
        patient: &PatientId,
        study: Option<&str>,
    ) -> Vec<(String, String)> {
        let name = match self.key {
            "image_id" => Some(image.as_str()),
            "study_uid" => study,
            _ => Some(patient.as_str()),
        };
        let values = name.and_then(|name| self.rows.get(name));
        self.axes
            .iter()
            .zip(values.into_iter().flatten())
            .filter(|(_, value)| !value.is_empty())
            .map(|(axis, value)| (axis.clone(), value.clone()))
            .collect()
    }
}

/// Cuts an axis of numbers at its quartiles.
fn cut(rows: &mut HashMap<String, Vec<String>>, axis: usize) {
    let values = rows.values().filter_map(|row| row.get(axis));
    let filled: Vec<&String> = values.filter(|value| !value.is_empty()).collect();
    let mut numbers: Vec<f64> = filled.iter().filter_map(|v| number(v)).collect();
    let are_numbers = numbers.len() == filled.len();
    numbers.sort_unstable_by(f64::total_cmp);
    let mut distinct = numbers.clone();
    distinct.dedup();
    if !are_numbers || distinct.len() <= 4 {
        return;
    }
    // A range ends with a value that occurs.
    let mut ends: Vec<f64> = (1..=4)
        .filter_map(|part| numbers.get((part * numbers.len()).div_ceil(4) - 1).copied())
        .collect();
    ends.dedup();
    let name = |value: f64| {
        let range = ends.partition_point(|&end| end < value);
        let high = ends.get(range).copied().unwrap_or(value);
        match range.checked_sub(1).and_then(|below| ends.get(below)) {
            None => format!("up to {high}"),
            Some(_) if range + 1 == ends.len() => {
                format!("over {}", ends.get(range - 1).copied().unwrap_or(high))
            }
            Some(low) => format!("over {low} to {high}"),
        }
    };
    for row in rows.values_mut() {
        if let Some(value) = row.get_mut(axis)
            && let Some(number) = number(value)
        {
            *value = name(number);
        }
    }
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}
