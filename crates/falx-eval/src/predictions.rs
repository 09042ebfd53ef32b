//! `predictions.csv`: one row a slice, `image_id` and the six labels as probabilities.

use std::collections::HashSet;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;
use falx_core::{ImageId, LABELS, Label, Prediction, Probability};

/// The name of the column that holds the slice's id.
const IMAGE_COLUMN: &str = "image_id";

/// Why predictions cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum PredictionsError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}; check the path and its permissions")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write {path}: {source}; choose a folder that exists and is writable")]
    Write {
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
        "{path} has no column `{column}`; the header must name image_id and the six labels epidural, intraparenchymal, intraventricular, subarachnoid, subdural, any"
    )]
    Column {
        /// The file.
        path: PathBuf,
        /// The missing column.
        column: &'static str,
    },
    /// A value is no probability.
    #[error("{path}: line {line} has `{found}` as {column}; it must be a number from 0 to 1")]
    Value {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// What stands there.
        found: String,
    },
    /// A row names no slice.
    #[error("{path}: line {line} names no image; fill its image_id")]
    NoImage {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
    },
    /// A slice appears twice.
    #[error("{path}: line {line} predicts {image} a second time; keep one row for each image")]
    Repeated {
        /// The file.
        path: PathBuf,
        /// The later line.
        line: u64,
        /// The slice.
        image: ImageId,
    },
}

/// Reads a `predictions.csv`, in the file's order. Columns are found by name; further ones are ignored.
///
/// # Errors
/// [`PredictionsError`] for a file that cannot be read or has a row that is no prediction.
pub fn read_csv(path: &Path) -> Result<Vec<Prediction>, PredictionsError> {
    let table = |source: csv::Error| PredictionsError::Table {
        path: path.to_owned(),
        source,
    };
    let file = std::fs::File::open(path).map_err(|source| PredictionsError::Read {
        path: path.to_owned(),
        source,
    })?;
    let mut reader = csv::Reader::from_reader(file);
    let header = reader.headers().map_err(table)?.clone();
    let column = |name: &'static str| {
        header
            .iter()
            .position(|field| field.trim() == name)
            .ok_or_else(|| PredictionsError::Column {
                path: path.to_owned(),
                column: name,
            })
    };
    let image_column = column(IMAGE_COLUMN)?;
    let mut label_columns = [0; 6];
    for (place, label) in label_columns.iter_mut().zip(LABELS) {
        *place = column(label.name())?;
    }

    let mut predictions = Vec::new();
    let mut seen = HashSet::new();
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(table)? {
        let line = record.position().map_or(0, csv::Position::line);
        let image = record.get(image_column).unwrap_or_default().trim();
        if image.is_empty() {
            return Err(PredictionsError::NoImage {
                path: path.to_owned(),
                line,
            });
        }
        let image_id = ImageId::from(image);
        if !seen.insert(image_id.clone()) {
            return Err(PredictionsError::Repeated {
                path: path.to_owned(),
                line,
                image: image_id,
            });
        }
        let mut probabilities = [Probability::default(); 6];
        for ((p, label), place) in probabilities.iter_mut().zip(LABELS).zip(label_columns) {
            let field = record.get(place).unwrap_or_default().trim();
            *p = field
                .parse()
                .ok()
                .and_then(|x| Probability::new(x).ok())
                .ok_or_else(|| PredictionsError::Value {
                    path: path.to_owned(),
                    line,
                    column: label.name(),
                    found: crate::kaggle::row::clip(field),
                })?;
        }
        predictions.push(Prediction {
            image_id,
            probabilities,
        });
    }
    Ok(predictions)
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
