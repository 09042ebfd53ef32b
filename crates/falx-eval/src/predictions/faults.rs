//! What is wrong in a file of predictions, counted while it is read.

use std::path::{Path, PathBuf};

use falx_core::{ImageId, Label};

use super::PredictionsError;
use crate::kaggle::RowProblem;
use crate::kaggle::row::{clip_bytes, decimal_comma};
use crate::scale::{Range, Scale};

/// The first of many, and how many.
#[derive(Debug)]
pub(super) struct Counted<T> {
    first: Option<T>,
    count: u64,
}

impl<T> Default for Counted<T> {
    fn default() -> Self {
        Self {
            first: None,
            count: 0,
        }
    }
}

impl<T> Counted<T> {
    pub(super) fn add(&mut self, what: impl FnOnce() -> T) {
        self.count += 1;
        if self.first.is_none() {
            self.first = Some(what());
        }
    }

    fn take(&mut self) -> Option<(T, u64)> {
        self.first.take().map(|first| (first, self.count))
    }
}

/// Where a value stands.
#[derive(Debug)]
pub(super) struct Place {
    line: u64,
    column: &'static str,
    found: String,
}

/// Faults by kind.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// The line, its fields and the header's.
    pub(super) fields: Counted<(u64, usize, usize)>,
    pub(super) rows: Counted<(u64, RowProblem)>,
    pub(super) no_image: Counted<u64>,
    not_numeric: Counted<Place>,
    not_a_number: Counted<Place>,
    outside: Counted<Place>,
    /// The later line, and the image.
    pub(super) repeated: Counted<(u64, ImageId)>,
    /// The image, and the labels that it lacks.
    pub(super) incomplete: Counted<(ImageId, String)>,
    /// Values with a decimal comma, which were understood.
    pub(super) decimal_commas: u64,
    range: Range,
}

impl Faults {
    /// The number that a field holds; NaN, and counted, where it holds none.
    pub(super) fn number(&mut self, field: &[u8], line: u64, label: Label) -> f64 {
        let place = || Place {
            line,
            column: label.name(),
            found: clip_bytes(field),
        };
        let text = std::str::from_utf8(field).unwrap_or("?").trim();
        let value = match text.parse::<f64>() {
            Ok(value) if value.is_finite() => value,
            Ok(_) => {
                self.not_a_number.add(place);
                return f64::NAN;
            }
            Err(_) if is_missing(text) => {
                self.not_a_number.add(place);
                return f64::NAN;
            }
            Err(_) => {
                let Some(value) = decimal_comma(text) else {
                    self.not_numeric.add(place);
                    return f64::NAN;
                };
                self.decimal_commas += 1;
                value
            }
        };
        self.range.add(value);
        if !(0.0..=1.0).contains(&value) {
            self.outside.add(place);
        }
        value
    }

    /// Fails where there is a fault, with the one that explains most.
    pub(super) fn fail(&mut self, path: &Path, scale: Scale) -> Result<(), PredictionsError> {
        self.fail_for_rows(path)?;
        self.fail_for_values(path, scale)?;
        let path = path.to_owned();
        if let Some(((line, image), count)) = self.repeated.take() {
            return Err(PredictionsError::Repeated {
                path,
                line,
                image,
                count,
            });
        }
        match self.incomplete.take() {
            Some(((image, labels), count)) => Err(PredictionsError::Incomplete {
                path,
                image,
                labels,
                count,
            }),
            None => Ok(()),
        }
    }

    fn fail_for_rows(&mut self, path: &Path) -> Result<(), PredictionsError> {
        let path = path.to_owned();
        if let Some(((line, found, expected), count)) = self.fields.take() {
            // Six numbers with a comma each make six fields more.
            return Err(if found == expected + 6 {
                PredictionsError::DecimalComma {
                    path,
                    line,
                    found,
                    expected,
                    count,
                }
            } else {
                PredictionsError::Fields {
                    path,
                    line,
                    found,
                    expected,
                    count,
                }
            });
        }
        if let Some(((line, problem), count)) = self.rows.take() {
            return Err(PredictionsError::Row {
                path,
                line,
                problem,
                count,
            });
        }
        match self.no_image.take() {
            Some((line, count)) => Err(PredictionsError::NoImage { path, line, count }),
            None => Ok(()),
        }
    }

    fn fail_for_values(&mut self, path: &Path, scale: Scale) -> Result<(), PredictionsError> {
        let path = path.to_owned();
        if let Some((place, count)) = self.not_numeric.take() {
            return Err(PredictionsError::NotNumeric {
                path,
                line: place.line,
                column: place.column,
                found: place.found,
                count,
            });
        }
        if let Some((place, count)) = self.not_a_number.take() {
            return Err(PredictionsError::NotANumber {
                path,
                line: place.line,
                column: place.column,
                found: place.found,
                count,
            });
        }
        let beyond = match scale {
            Scale::Probabilities => true,
            Scale::Logits => false,
            Scale::Percentages => self.range.below > 0 || self.range.max > 100.0,
        };
        match self.outside.take().filter(|_| beyond) {
            Some((place, count)) => Err(self.scale_error(path, &place, count)),
            None => Ok(()),
        }
    }

    fn scale_error(&self, path: PathBuf, place: &Place, count: u64) -> PredictionsError {
        let Range {
            count: values,
            below,
            above,
            max,
            ..
        } = self.range;
        match self.range.scale() {
            Scale::Logits => PredictionsError::Logits {
                path,
                below,
                above,
                count: values,
            },
            Scale::Percentages => PredictionsError::Percentages {
                path,
                above,
                count: values,
                highest: max,
            },
            Scale::Probabilities => PredictionsError::Outside {
                path,
                line: place.line,
                column: place.column,
                found: place.found.clone(),
                count,
            },
        }
    }
}

/// Words for no value.
fn is_missing(text: &str) -> bool {
    ["", "na", "n/a", "null", "none", "-"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word))
}
