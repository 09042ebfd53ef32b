//! Why predictions cannot be read or written.

use std::path::PathBuf;

use falx_core::ImageId;

use crate::kaggle::RowProblem;
use crate::text::thousands;

/// Why predictions cannot be read or written. Where a fault can show in many rows, the first is named and all are counted.
#[derive(Debug, thiserror::Error)]
pub enum PredictionsError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}; check the path and its permissions", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {source}; choose a folder that exists and is writable", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
    /// The file is no text.
    #[error("{} is {what}; save the predictions as CSV in UTF-8", .path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A column is missing.
    #[error(
        "{} has no column `{column}`, but {found}; the header must name image_id and the six labels epidural, intraparenchymal, intraventricular, subarachnoid, subdural, any",
        .path.display()
    )]
    Column {
        /// The file.
        path: PathBuf,
        /// The missing column.
        column: &'static str,
        /// The columns that are there.
        found: String,
    },
    /// The rows are studies.
    #[error(
        "{} has a column of studies and no image_id: its rows are studies; give one row a slice, with the slice's id as image_id",
        .path.display()
    )]
    Studies {
        /// The file.
        path: PathBuf,
    },
    /// There is no row.
    #[error("{} has no rows; it must have one below the header for every slice", .path.display())]
    NoRows {
        /// The file.
        path: PathBuf,
    },
    /// A line has not as many fields as the header.
    #[error("{}: line {line} has {found} fields and the header {expected}{}; write as many in every line", .path.display(), more(*.count))]
    Fields {
        /// The file.
        path: PathBuf,
        /// The first such line, counted from 1.
        line: u64,
        /// Its fields.
        found: usize,
        /// The header's fields.
        expected: usize,
        /// How many such lines.
        count: u64,
    },
    /// Numbers with a decimal comma between commas.
    #[error(
        "{}: line {line} has {found} fields and the header {expected}, as decimal commas make it{}; write decimal points, or separate fields by semicolons",
        .path.display(), more(*.count)
    )]
    DecimalComma {
        /// The file.
        path: PathBuf,
        /// The first such line, counted from 1.
        line: u64,
        /// Its fields.
        found: usize,
        /// The header's fields.
        expected: usize,
        /// How many such lines.
        count: u64,
    },
    /// A line in Kaggle's form is no row.
    #[error("{}: line {line} {problem}{}", .path.display(), more(*.count))]
    Row {
        /// The file.
        path: PathBuf,
        /// The first such line, counted from 1.
        line: u64,
        /// What is wrong with it.
        problem: RowProblem,
        /// How many lines are no rows.
        count: u64,
    },
    /// A value is no number.
    #[error("{}: line {line} has `{found}` as {column}{}; it must be a number from 0 to 1", .path.display(), more(*.count))]
    NotNumeric {
        /// The file.
        path: PathBuf,
        /// The first such line, counted from 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// What stands there.
        found: String,
        /// How many such values.
        count: u64,
    },
    /// A value is missing, NaN or infinite.
    #[error(
        "{}: line {line} has no finite number (`{found}`) as {column}{}; find out why the model gave none there, and predict every label of every slice",
        .path.display(), more(*.count)
    )]
    NotANumber {
        /// The file.
        path: PathBuf,
        /// The first such line, counted from 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// What stands there.
        found: String,
        /// How many such values.
        count: u64,
    },
    /// A value is no probability.
    #[error("{}: line {line} has {found} as {column}{}; a probability lies between 0 and 1", .path.display(), more(*.count))]
    Outside {
        /// The file.
        path: PathBuf,
        /// The first such line, counted from 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// What stands there.
        found: String,
        /// How many such values.
        count: u64,
    },
    /// Logits by mistake.
    #[error(
        "{}: the values look like logits ({} below 0, {} above 1, of {}): apply the sigmoid, or pass --logits",
        .path.display(), thousands(*.below), thousands(*.above), thousands(*.count)
    )]
    Logits {
        /// The file.
        path: PathBuf,
        /// Values below 0.
        below: u64,
        /// Values above 1.
        above: u64,
        /// All values.
        count: u64,
    },
    /// Percentages by mistake.
    #[error(
        "{}: the values look like percentages ({} above 1, of {}; the highest is {highest}); add --percentages to divide each by 100",
        .path.display(), thousands(*.above), thousands(*.count)
    )]
    Percentages {
        /// The file.
        path: PathBuf,
        /// Values above 1.
        above: u64,
        /// All values.
        count: u64,
        /// The highest.
        highest: f64,
    },
    /// A row names no slice.
    #[error("{}: line {line} names no image{}; fill its image_id", .path.display(), more(*.count))]
    NoImage {
        /// The file.
        path: PathBuf,
        /// The first such line, counted from 1.
        line: u64,
        /// How many such lines.
        count: u64,
    },
    /// A slice appears twice.
    #[error("{}: line {line} predicts {image} a second time{}; keep one row for each image", .path.display(), more(*.count))]
    Repeated {
        /// The file.
        path: PathBuf,
        /// The first such line.
        line: u64,
        /// The slice.
        image: ImageId,
        /// How many rows repeat an earlier one.
        count: u64,
    },
    /// An image in Kaggle's form has not all six rows.
    #[error("{}: image {image} lacks its row for {labels}{}; give every image all six", .path.display(), more(*.count))]
    Incomplete {
        /// The file.
        path: PathBuf,
        /// The first such image.
        image: ImageId,
        /// The labels without a row.
        labels: String,
        /// How many such images.
        count: u64,
    },
}

/// How many more there are than the one that is named.
fn more(count: u64) -> String {
    match count {
        0 | 1 => String::new(),
        n => format!(" (the first of {})", thousands(n)),
    }
}
