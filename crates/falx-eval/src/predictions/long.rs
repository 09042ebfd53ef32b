//! Kaggle's form as predictions: `ID,Label`, six rows an image.

use std::io::BufRead;
use std::path::Path;

use falx_core::{ImageId, LABELS};

use super::{Faults, PredictionsError, Raw};
use crate::UnitOfAnalysis;
use crate::kaggle::dialect::{Dialect, Header, header};
use crate::kaggle::lines::Lines;
use crate::kaggle::row::split_id;
use crate::kaggle::{Gathered, KNOWN_DUPLICATES};
use crate::text::count;

pub(super) fn read(input: impl BufRead, path: &Path) -> Result<Raw, PredictionsError> {
    let mut lines = Lines::new(input);
    let mut dialect = Dialect::PLAIN;
    let mut faults = Faults::default();
    let mut gathered = Gathered::<f64>::new();
    // The line of each image's first row.
    let mut first_lines = Vec::new();
    let mut known = 0;
    while let Some(line) = lines.next().map_err(|source| PredictionsError::Read {
        path: path.to_owned(),
        source,
    })? {
        if line.number == 1 {
            if let Header::Other { dialect: other, .. } = header(line.text) {
                dialect = other;
            }
            continue;
        }
        if line.text.is_empty() {
            continue;
        }
        let row = dialect
            .fields(line.text)
            .and_then(|(id, value)| Ok((split_id(id)?, value)));
        let ((image, label), value) = match row {
            Ok(row) => row,
            Err(problem) => {
                faults.rows.add(|| (line.number, problem));
                continue;
            }
        };
        let value = faults.number(value.as_bytes(), line.number, label);
        match gathered.cell(image, label) {
            Some((at, cell @ None)) => {
                *cell = Some(value);
                if at == first_lines.len() {
                    first_lines.push(line.number);
                }
            }
            Some((_, Some(earlier)))
                if KNOWN_DUPLICATES.contains(&image) && earlier.total_cmp(&value).is_eq() =>
            {
                known += 1;
            }
            _ => faults.repeated.add(|| (line.number, ImageId::from(image))),
        }
    }
    let mut rows = Vec::with_capacity(gathered.rows.len());
    for (image, values) in gathered.rows {
        if values.contains(&None) {
            let lacks = || {
                let labels = LABELS.into_iter().zip(values);
                let names: Vec<&str> = labels
                    .filter(|(_, value)| value.is_none())
                    .map(|(label, _)| label.name())
                    .collect();
                names.join(", ")
            };
            faults.incomplete.add(|| (image.clone(), lacks()));
        }
        rows.push((image, values.map(|value| value.unwrap_or(f64::NAN))));
    }
    let mut raw = Raw {
        rows,
        lines: first_lines,
        faults,
        notes: vec!["The file has Kaggle's form, `ID,Label` with six rows an image.".to_owned()],
        of: UnitOfAnalysis::Slice,
    };
    let separator = match dialect.separator_name() {
        Some("semicolons") => b';',
        Some(_) => b'\t',
        None => b',',
    };
    raw.say(separator, 0);
    if dialect.is_swapped() {
        raw.notes
            .push("The value stands before the id; read so.".to_owned());
    }
    if known > 0 {
        raw.notes.push(format!(
            "{} of images that RSNA's own files have twice, with the same values, were counted once.",
            count(known, "row")
        ));
    }
    Ok(raw)
}
