//! Reading submissions and labels.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use falx_core::{ImageId, Label, LabelRow, Prediction, Probability};

use super::dialect::{Dialect, Header, header};
use super::lines::{Ending, Lines};
use super::row::{binary, clip_bytes, probability, split_id};
use super::{KaggleError, RowProblem, Truth};

pub(crate) fn open(path: &Path) -> Result<BufReader<File>, KaggleError> {
    File::open(path)
        .map(|file| BufReader::with_capacity(1 << 18, file))
        .map_err(|source| KaggleError::Read {
            path: path.to_owned(),
            source,
        })
}

/// A row where it stands.
pub(crate) struct Place<'a> {
    pub(crate) line: u64,
    pub(crate) ending: Ending,
    pub(crate) id: &'a str,
    pub(crate) image: &'a str,
    pub(crate) label: Label,
    pub(crate) value: &'a str,
}

/// Calls `each` for every row below the header; blank lines are skipped. Returns how many rows there were.
///
/// # Errors
/// [`KaggleError`] at the first line that is no row, and whatever `each` returns.
pub(crate) fn for_each_row(
    input: impl BufRead,
    path: &Path,
    mut each: impl FnMut(Place<'_>) -> Result<(), KaggleError>,
) -> Result<u64, KaggleError> {
    let mut lines = Lines::new(input);
    let mut rows = 0;
    loop {
        let line = lines.next().map_err(|source| KaggleError::Read {
            path: path.to_owned(),
            source,
        })?;
        let Some(line) = line else { break };
        if line.number == 1 {
            if header(line.text) == Header::Plain {
                continue;
            }
            return Err(KaggleError::Header {
                path: path.to_owned(),
                found: clip_bytes(line.text),
            });
        }
        if line.text.is_empty() {
            continue;
        }
        let at = |problem| bad_row(path, line.number, problem);
        let (id, value) = Dialect::PLAIN.fields(line.text).map_err(at)?;
        let (image, label) = split_id(id).map_err(at)?;
        rows += 1;
        each(Place {
            line: line.number,
            ending: line.ending,
            id,
            image,
            label,
            value,
        })?;
    }
    if rows == 0 {
        return Err(KaggleError::NoRows {
            path: path.to_owned(),
        });
    }
    Ok(rows)
}

fn bad_row(path: &Path, line: u64, problem: RowProblem) -> KaggleError {
    KaggleError::Row {
        path: path.to_owned(),
        line,
        problem,
    }
}

/// Rows gathered by image, in order of first appearance.
pub(crate) struct Gathered<T> {
    index: HashMap<String, usize>,
    pub(crate) rows: Vec<(ImageId, [Option<T>; 6])>,
}

impl<T: Copy> Gathered<T> {
    pub(crate) fn new() -> Self {
        Self {
            index: HashMap::new(),
            rows: Vec::new(),
        }
    }

    /// The number of an image's row, and the place of one of its labels. Rows of one image mostly follow each other, so
    /// the last image is tried first.
    pub(crate) fn cell(&mut self, image: &str, label: Label) -> Option<(usize, &mut Option<T>)> {
        let last = self.rows.len().wrapping_sub(1);
        let at = if self.rows.last().is_some_and(|(id, _)| id.as_str() == image) {
            last
        } else if let Some(&at) = self.index.get(image) {
            at
        } else {
            self.index.insert(image.to_owned(), self.rows.len());
            self.rows.push((ImageId::from(image), [None; 6]));
            self.rows.len() - 1
        };
        self.rows
            .get_mut(at)
            .and_then(|(_, values)| values.get_mut(label.index()))
            .map(|cell| (at, cell))
    }
}

/// Reads a submission as predictions, in the file's order of first appearance.
///
/// # Errors
/// [`KaggleError`] at the first line that is no prediction, and where an image lacks one of its six rows.
pub fn read(path: &Path) -> Result<Vec<Prediction>, KaggleError> {
    let mut gathered = Gathered::<Probability>::new();
    for_each_row(open(path)?, path, |row| {
        let value = probability(row.value).map_err(|problem| bad_row(path, row.line, problem))?;
        match gathered.cell(row.image, row.label) {
            Some((_, cell @ None)) => *cell = Some(value),
            _ => {
                return Err(KaggleError::Repeated {
                    path: path.to_owned(),
                    line: row.line,
                    id: row.id.to_owned(),
                });
            }
        }
        Ok(())
    })?;
    let mut incomplete = gathered
        .rows
        .iter()
        .filter(|(_, values)| values.iter().any(Option::is_none));
    if let Some((example, _)) = incomplete.next() {
        return Err(KaggleError::Incomplete {
            path: path.to_owned(),
            example: example.clone(),
            count: 1 + incomplete.count() as u64,
        });
    }
    Ok(gathered
        .rows
        .into_iter()
        .map(|(image_id, values)| Prediction {
            image_id,
            probabilities: values.map(Option::unwrap_or_default),
        })
        .collect())
}

/// Reads labels in Kaggle's form; a label without a row stays unknown.
///
/// RSNA's own file repeats some images; lines that agree with an earlier one are counted, not refused.
///
/// # Errors
/// [`KaggleError`] at the first line that is no label, and where two lines contradict each other.
pub fn read_truth(path: &Path) -> Result<Truth, KaggleError> {
    read_truth_from(open(path)?, path)
}

/// The same of what was opened.
pub(crate) fn read_truth_from(input: impl BufRead, path: &Path) -> Result<Truth, KaggleError> {
    let mut gathered = Gathered::<bool>::new();
    let mut repeated = Vec::new();
    for_each_row(input, path, |row| {
        let value = binary(row.value).map_err(|problem| bad_row(path, row.line, problem))?;
        match gathered.cell(row.image, row.label) {
            Some((_, cell @ None)) => *cell = Some(value),
            Some((at, Some(earlier))) if *earlier == value => repeated.push((at, row.label)),
            _ => {
                return Err(KaggleError::Contradiction {
                    path: path.to_owned(),
                    line: row.line,
                    id: row.id.to_owned(),
                });
            }
        }
        Ok(())
    })?;
    Ok(Truth {
        rows: gathered
            .rows
            .into_iter()
            .map(|(image, values)| (image, LabelRow(values)))
            .collect(),
        repeated,
    })
}
