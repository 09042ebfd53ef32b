//! The report: one self-contained HTML page.
//!
//! Styles, drawings and pictures are all inside; there are no scripts and nothing is fetched, so the page can be sent
//! by mail, printed, and opened years later. It begins with what a clinician reads in a minute; details, origin and
//! check-lists follow. Every drawing says in words what it shows, and its figures stand in a table.

mod charts;
mod comparison;
mod data_uri;
mod frame;
mod minute;
mod page;
mod plain;
mod runs;
mod sections;
mod svg;
mod table;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;

use crate::{Evaluation, Provenance};

pub use comparison::{comparison_to_html, write_comparison};
pub use data_uri::png as png_data_uri;
pub use frame::Frame;
pub use plain::{Block, Figure, LineChart, PlainPage, plain_to_html, write_plain};

/// One curve of a training run.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingCurve {
    /// What it shows. Curves whose names end in the same word ("training loss", "validation loss") share a chart.
    pub name: String,
    /// (epoch or step, value). Points that are not finite are left out.
    pub points: Vec<(f64, f64)>,
    /// The no-skill value, drawn in beside it.
    pub baseline: Option<f64>,
}

/// One picture, say an example slice.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// The picture as a PNG file.
    pub png: Vec<u8>,
    /// What it shows; also its alternative text.
    pub caption: String,
    /// Pictures of one group stand together under its name, in the order given.
    pub group: String,
}

/// Everything that the page shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The page's title.
    pub title: String,
    /// One line below it.
    pub subtitle: String,
    /// What the result rests on: data, parts, model, versions, commands.
    pub provenance: Provenance,
    /// The result.
    pub evaluation: Evaluation,
    /// The training curves.
    pub curves: Vec<TrainingCurve>,
    /// The example slices.
    pub pictures: Vec<Picture>,
    /// Remarks, a paragraph each.
    pub notes: Vec<String>,
}

/// Why a report cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The file system refused.
    #[error(
        "cannot write the report {path}: {source}; choose a folder that exists and is writable"
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
}

/// The report as HTML.
pub fn to_html(report: &Report) -> String {
    together(&page::page(report).into_string())
}

/// Keeps a number and its per cent sign on one line, and so a bracket with an interval.
fn together(html: &str) -> String {
    let mut parts = html.split('(');
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        kept.push('(');
        match part.split_once(')') {
            Some((inside, rest)) if is_interval(inside) => {
                let inside = inside.replace(' ', "\u{a0}");
                kept.extend([&inside, ")", rest]);
            }
            _ => kept.push_str(part),
        }
    }
    with_per_cent(&kept)
}

/// "0.945 to 0.979", "−5 to 12".
fn is_interval(words: &str) -> bool {
    let number = |word: &str| {
        let digits = word.trim_start_matches('−');
        !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
    };
    let ends = words.split_once(" to ");
    ends.is_some_and(|(low, high)| number(low) && number(high))
}

fn with_per_cent(html: &str) -> String {
    let mut kept = String::with_capacity(html.len());
    for c in html.chars() {
        if c == '%' && kept.ends_with(' ') {
            kept.pop();
            if kept.ends_with(|c: char| c.is_ascii_digit()) {
                kept.push('\u{a0}');
            } else {
                kept.push(' ');
            }
        }
        kept.push(c);
    }
    kept
}

/// Writes the report as one HTML file.
///
/// # Errors
/// [`ReportError`] when the file cannot be written.
pub fn write_html(report: &Report, path: &Path) -> Result<(), ReportError> {
    write_page(&to_html(report), path)
}

fn write_page(html: &str, path: &Path) -> Result<(), ReportError> {
    let write = || {
        let mut file = AtomicWriteFile::open(path)?;
        file.write_all(html.as_bytes())?;
        file.commit()
    };
    write().map_err(|source| ReportError::Write {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests;
