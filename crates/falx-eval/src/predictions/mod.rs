//! `predictions.csv`: one row a slice, `image_id` and the six labels as probabilities. Read are also other people's
//! forms of the same: Kaggle's `ID,Label`, other names of the id, semicolons or tabs, decimal commas, and, where that is
//! asked for, logits or percentages.

mod error;
mod faults;
mod long;
mod wide;

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, ErrorKind};
use std::path::Path;

use atomic_write_file::AtomicWriteFile;
use falx_core::{ImageId, LABELS, Label, Prediction};

pub use error::PredictionsError;

use crate::UnitOfAnalysis;
use crate::kaggle::KNOWN_DUPLICATES;
use crate::kaggle::dialect::{Header, header};
use crate::scale::Scale;
use crate::text::count;
use faults::Faults;

/// The name of the column that holds the slice's id.
const IMAGE_COLUMN: &str = "image_id";

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    /// One prediction a row, in the file's order; of a study the `image_id` is its name.
    pub rows: Vec<Prediction>,
    /// What a row is of: a slice, or, where only studies are named, a whole study.
    pub of: UnitOfAnalysis,
    /// Where the file departs from a plain `predictions.csv`, and how that was understood. A sentence each.
    pub notes: Vec<String>,
}

/// Reads a `predictions.csv` of slices, in the file's order. Columns are found by name; further ones are ignored.
///
/// # Errors
/// [`PredictionsError`] for a file that cannot be read or has a row that is no prediction.
pub fn read_csv(path: &Path) -> Result<Vec<Prediction>, PredictionsError> {
    let predictions = read(path, Scale::Probabilities)?;
    match predictions.of {
        UnitOfAnalysis::Slice => Ok(predictions.rows),
        UnitOfAnalysis::Study => Err(PredictionsError::Studies {
            path: path.to_owned(),
        }),
    }
}

/// Reads predictions whose numbers have a known scale, and says where the file departs from a plain `predictions.csv`.
///
/// # Errors
/// [`PredictionsError`] for a file that cannot be read or has a row that is no prediction. The whole file is read, so
/// that an error can say how many rows have its fault.
pub fn read(path: &Path, scale: Scale) -> Result<Predictions, PredictionsError> {
    let file = File::open(path).map_err(|source| PredictionsError::Read {
        path: path.to_owned(),
        source,
    })?;
    read_from(BufReader::with_capacity(1 << 18, file), path, scale)
}

/// The same of what was opened, or is in memory; `path` is its name in messages.
///
/// # Errors
/// As [`read`].
pub fn read_from(
    mut input: impl BufRead,
    path: &Path,
    scale: Scale,
) -> Result<Predictions, PredictionsError> {
    let start = loop {
        match input.fill_buf() {
            Ok(start) => break start,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(source) => {
                return Err(PredictionsError::Read {
                    path: path.to_owned(),
                    source,
                });
            }
        }
    };
    if let Some(what) = other_format(start) {
        return Err(PredictionsError::NotText {
            path: path.to_owned(),
            what,
        });
    }
    let start = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start);
    let first = start.split(|&b| b == b'\n' || b == b'\r').next();
    let found = match header(first.unwrap_or_default()) {
        Header::Plain | Header::Other { .. } => long::read(input, path)?,
        _ => wide::read(input, path)?,
    };
    found.settle(path, scale)
}

/// Rows as they stand in a file, with what was wrong on the way.
struct Raw {
    rows: Vec<(ImageId, [f64; 6])>,
    /// The line of each row.
    lines: Vec<u64>,
    faults: Faults,
    notes: Vec<String>,
    of: UnitOfAnalysis,
}

impl Raw {
    fn settle(mut self, path: &Path, scale: Scale) -> Result<Predictions, PredictionsError> {
        self.faults.fail(path, scale)?;
        if self.rows.is_empty() {
            return Err(PredictionsError::NoRows {
                path: path.to_owned(),
            });
        }
        self.keep_once(path)?;
        match scale {
            Scale::Probabilities => {}
            Scale::Logits => self.notes.push(
                "The values were read as logits: the sigmoid was applied to each.".to_owned(),
            ),
            Scale::Percentages => self
                .notes
                .push("The values were read as percentages and divided by 100.".to_owned()),
        }
        let rows = self
            .rows
            .into_iter()
            .map(|(image_id, values)| Prediction {
                image_id,
                // Whatever is no probability has failed above.
                probabilities: values.map(|x| scale.probability(x).unwrap_or_default()),
            })
            .collect();
        Ok(Predictions {
            rows,
            of: self.of,
            notes: self.notes,
        })
    }

    /// Refuses a slice that is predicted twice, but for those that RSNA's own files have twice, with the same values.
    fn keep_once(&mut self, path: &Path) -> Result<(), PredictionsError> {
        let mut seen = HashSet::with_capacity(self.rows.len());
        let again: Vec<usize> = (0..)
            .zip(&self.rows)
            .filter_map(|(at, (image, _))| (!seen.insert(image.as_str())).then_some(at))
            .collect();
        drop(seen);
        let known = |at: &&usize| {
            self.rows.get(**at).is_some_and(|(image, values)| {
                KNOWN_DUPLICATES.contains(&image.as_str())
                    && self
                        .rows
                        .iter()
                        .filter(|(other, _)| other == image)
                        .all(|(_, others)| others == values)
            })
        };
        let mut refused = again.iter().filter(|at| !known(at));
        if let Some(&first) = refused.next()
            && let Some((image, _)) = self.rows.get(first)
        {
            return Err(PredictionsError::Repeated {
                path: path.to_owned(),
                line: self.lines.get(first).copied().unwrap_or(0),
                image: image.clone(),
                count: 1 + refused.count() as u64,
            });
        }
        if !again.is_empty() {
            self.notes.push(format!(
                "{} of images that RSNA's own files have twice, with the same values, were counted once.",
                count(again.len() as u64, "row")
            ));
        }
        for at in again.into_iter().rev() {
            self.rows.remove(at);
        }
        Ok(())
    }
}

/// What a file is that is no text, where its first bytes tell.
fn other_format(start: &[u8]) -> Option<&'static str> {
    const FORMATS: [(&[u8], &str); 8] = [
        (b"PAR1", "a Parquet table"),
        (b"PK\x03\x04", "a zip archive or an Excel workbook"),
        (b"\x1F\x8B", "compressed with gzip"),
        (b"\x28\xB5\x2F\xFD", "compressed with Zstandard"),
        (b"\xFF\xFE", "UTF-16 text"),
        (b"\xFE\xFF", "UTF-16 text"),
        (b"\x93NUMPY", "a NumPy array"),
        (b"\x89HDF", "an HDF5 file"),
    ];
    let known = FORMATS.iter().find(|(magic, _)| start.starts_with(magic));
    let head = start.get(..4096).unwrap_or(start);
    known
        .map(|(_, what)| *what)
        .or_else(|| head.contains(&0).then_some("a binary file"))
}

/// Writes a `predictions.csv`, in the given order, every probability with all its digits.
///
/// # Errors
/// [`PredictionsError::Write`] when the file cannot be written.
pub fn write_csv(predictions: &[Prediction], path: &Path) -> Result<(), PredictionsError> {
    let failed = |source: std::io::Error| PredictionsError::Write {
        path: path.to_owned(),
        source,
    };
    let file = AtomicWriteFile::open(path).map_err(failed)?;
    let mut writer = csv::Writer::from_writer(BufWriter::new(file));
    let header = std::iter::once(IMAGE_COLUMN).chain(LABELS.map(Label::name));
    writer.write_record(header).map_err(|e| failed(e.into()))?;
    for prediction in predictions {
        let values = prediction.probabilities.map(|p| p.get().to_string());
        let row =
            std::iter::once(prediction.image_id.as_str()).chain(values.iter().map(String::as_str));
        writer.write_record(row).map_err(|e| failed(e.into()))?;
    }
    let buffered = writer.into_inner().map_err(|e| failed(e.into_error()))?;
    let file = buffered.into_inner().map_err(|e| failed(e.into_error()))?;
    file.commit().map_err(failed)
}

#[cfg(test)]
mod tests;
