//! One row a slice, one column a label.

use std::io::BufRead;
use std::path::Path;

use falx_core::{ImageId, LABELS};

use super::{Faults, IMAGE_COLUMN, PredictionsError, Raw};
use crate::UnitOfAnalysis;
use crate::kaggle::row::clip;
use crate::text::thousands;

/// What the column with the slice's id is called, best first.
const IMAGE_COLUMNS: [&str; 8] = [
    IMAGE_COLUMN,
    "ID",
    "image",
    "imageid",
    "sop_uid",
    "SOPInstanceUID",
    "sop_instance_uid",
    "filename",
];

/// What a column with the study's id is called.
const STUDY_COLUMNS: [&str; 4] = ["study_uid", "study_id", "StudyInstanceUID", "study"];

pub(super) fn read(mut input: impl BufRead, path: &Path) -> Result<Raw, PredictionsError> {
    let failed = |source: std::io::Error| PredictionsError::Read {
        path: path.to_owned(),
        source,
    };
    let separator = separator(input.fill_buf().map_err(failed)?);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .flexible(true)
        .from_reader(input);
    let header = reader.byte_headers().map_err(|e| failed(e.into()))?;
    let names: Vec<String> = header
        .iter()
        .map(|name| String::from_utf8_lossy(name).trim().to_owned())
        .collect();
    if names.is_empty() {
        return Err(PredictionsError::NoRows {
            path: path.to_owned(),
        });
    }
    let columns = Columns::of(&names, path)?;
    let mut raw = Raw {
        rows: Vec::new(),
        lines: Vec::new(),
        faults: Faults::default(),
        notes: Vec::new(),
        of: columns.of,
    };
    if !columns.image_name.eq_ignore_ascii_case(IMAGE_COLUMN) {
        let whose = match columns.of {
            UnitOfAnalysis::Slice => "slices",
            UnitOfAnalysis::Study => "studies",
        };
        raw.notes.push(format!(
            "The {whose}' ids were read from the column `{}`.",
            columns.image_name
        ));
    }
    let mut with_ending = 0;
    let mut record = csv::ByteRecord::new();
    while reader
        .read_byte_record(&mut record)
        .map_err(|e| failed(e.into()))?
    {
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != names.len() {
            let found = (line, record.len(), names.len());
            raw.faults.fields.add(|| found);
            continue;
        }
        let image = String::from_utf8_lossy(record.get(columns.image).unwrap_or_default());
        let mut image = image.trim();
        if image.is_empty() {
            raw.faults.no_image.add(|| line);
            continue;
        }
        if let Some(stem) = image.strip_suffix(".dcm") {
            with_ending += 1;
            image = stem;
        }
        let mut values = [0.0; 6];
        for ((value, label), place) in values.iter_mut().zip(LABELS).zip(columns.labels) {
            let field = record.get(place).unwrap_or_default();
            *value = raw.faults.number(field, line, label);
        }
        raw.rows.push((ImageId::from(image), values));
        raw.lines.push(line);
    }
    raw.say(separator, with_ending);
    Ok(raw)
}

impl Raw {
    /// Notes how the file is written.
    pub(super) fn say(&mut self, separator: u8, with_ending: u64) {
        let name = match separator {
            b';' => Some("semicolons"),
            b'\t' => Some("tabs"),
            _ => None,
        };
        if let Some(name) = name {
            let note = format!("Fields are separated by {name}, not commas.");
            self.notes.push(note);
        }
        if self.faults.decimal_commas > 0 {
            self.notes.push(format!(
                "{} have a decimal comma, which was read as a decimal point.",
                crate::text::count(self.faults.decimal_commas, "value")
            ));
        }
        if with_ending > 0 {
            self.notes.push(format!(
                "`.dcm` was taken off the end of {} ids.",
                thousands(with_ending)
            ));
        }
    }
}

/// The separator under which the first line names most of the columns; a comma where none does.
fn separator(start: &[u8]) -> u8 {
    let first = start.split(|&b| b == b'\n' || b == b'\r').next();
    let text = String::from_utf8_lossy(first.unwrap_or_default()).to_ascii_lowercase();
    let named = |separator: u8| {
        text.split(char::from(separator))
            .filter(|word| {
                let word = word.trim().trim_matches('"').trim();
                LABELS.iter().any(|label| label.name() == word)
            })
            .count()
    };
    // Of equal counts the last is taken.
    [b'\t', b';', b',']
        .into_iter()
        .max_by_key(|&s| named(s))
        .unwrap_or(b',')
}

/// Where in a row what stands.
struct Columns {
    of: UnitOfAnalysis,
    image: usize,
    image_name: String,
    labels: [usize; 6],
}

impl Columns {
    fn of(names: &[String], path: &Path) -> Result<Self, PredictionsError> {
        let place = |name: &str| {
            names
                .iter()
                .position(|n| n == name)
                .or_else(|| names.iter().position(|n| n.eq_ignore_ascii_case(name)))
        };
        let missing = |column: &'static str| {
            let list: Vec<String> = names.iter().take(12).map(|n| clip(n)).collect();
            PredictionsError::Column {
                path: path.to_owned(),
                column,
                found: if names.len() > list.len() {
                    format!("`{}` and more", list.join("`, `"))
                } else {
                    format!("`{}`", list.join("`, `"))
                },
            }
        };
        let mut labels = [0; 6];
        for (column, label) in labels.iter_mut().zip(LABELS) {
            *column = place(label.name()).ok_or_else(|| missing(label.name()))?;
        }
        let image = IMAGE_COLUMNS.iter().find_map(|name| place(name));
        // Without a slice's id a row stands for a whole study.
        let study = || STUDY_COLUMNS.iter().find_map(|name| place(name));
        let of = match image {
            Some(_) => UnitOfAnalysis::Slice,
            None => UnitOfAnalysis::Study,
        };
        let Some(image) = image.or_else(study) else {
            return Err(missing(IMAGE_COLUMN));
        };
        Ok(Self {
            of,
            image,
            image_name: names.get(image).map(|n| clip(n)).unwrap_or_default(),
            labels,
        })
    }
}
