//! One row of Kaggle's form: `ID_<hex>_<label>,<value>`.

use std::str::FromStr;

use falx_core::{Label, Probability};

/// The first line of every file in Kaggle's form.
pub(crate) const HEADER: &str = "ID,Label";

/// Why a line is no row.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RowProblem {
    /// Not two fields.
    #[error("has {0} fields; it must have two, separated by one comma")]
    Fields(usize),
    /// Bytes that are no text.
    #[error("is not UTF-8 text")]
    Encoding,
    /// The id has no image part.
    #[error("has the id `{0}`; it must be the image's id, `_` and a label")]
    Id(String),
    /// The word after the last underscore is no label.
    #[error(
        "ends its id with `{0}`; the labels are epidural, intraparenchymal, intraventricular, subarachnoid, subdural, any"
    )]
    Label(String),
    /// The value is no number.
    #[error("has the value `{0}`; it must be a number")]
    NotNumeric(String),
    /// The value has a decimal comma.
    #[error("has the value `{0}` with a decimal comma; write a decimal point")]
    DecimalComma(String),
    /// The value is NaN.
    #[error("has the value NaN; it must be a number from 0 to 1")]
    NotANumber,
    /// The value is no probability.
    #[error("has the value {0}; it must lie between 0 and 1")]
    OutOfRange(f64),
    /// The value is no label value.
    #[error("has the label {0}; it must be 0 or 1")]
    NotBinary(f64),
}

/// A field without the quotes around it.
pub(crate) fn unquoted(field: &str) -> &str {
    field
        .strip_prefix('"')
        .and_then(|f| f.strip_suffix('"'))
        .unwrap_or(field)
}

/// The image and the label of an id, split at the last underscore.
pub(crate) fn split_id(id: &str) -> Result<(&str, Label), RowProblem> {
    let whole = || RowProblem::Id(clip(id));
    let (image, word) = id.rsplit_once('_').ok_or_else(whole)?;
    if image.is_empty() {
        return Err(whole());
    }
    let label = Label::from_str(word).map_err(|_| RowProblem::Label(clip(word)))?;
    Ok((image, label))
}

/// What a number with a decimal comma means; `None` for anything else.
pub(crate) fn decimal_comma(value: &str) -> Option<f64> {
    let (whole, rest) = value.split_once(',')?;
    let whole_digits = whole.strip_prefix(['-', '+']).unwrap_or(whole);
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole_digits) || !rest.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    format!("{whole}.{rest}").parse().ok()
}

/// A value as a number that is not NaN.
pub(crate) fn number(value: &str) -> Result<f64, RowProblem> {
    let x = f64::from_str(value).map_err(|_| match decimal_comma(value) {
        Some(_) => RowProblem::DecimalComma(clip(value)),
        None => RowProblem::NotNumeric(clip(value)),
    })?;
    if x.is_nan() {
        Err(RowProblem::NotANumber)
    } else {
        Ok(x)
    }
}

/// A value as a probability.
pub(crate) fn probability(value: &str) -> Result<Probability, RowProblem> {
    let x = number(value)?;
    Probability::new(x).map_err(|_| RowProblem::OutOfRange(x))
}

/// A value as a label.
pub(crate) fn binary(value: &str) -> Result<bool, RowProblem> {
    match number(value)? {
        0.0 => Ok(false),
        1.0 => Ok(true),
        x => Err(RowProblem::NotBinary(x)),
    }
}

/// A text short enough for a message.
pub(crate) fn clip(text: &str) -> String {
    const LONGEST: usize = 60;
    let printable = |c: char| if c.is_control() { '\u{FFFD}' } else { c };
    let mut short: String = text.chars().take(LONGEST).map(printable).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}

/// Bytes of unknown kind, short enough for a message.
pub(crate) fn clip_bytes(bytes: &[u8]) -> String {
    clip(&String::from_utf8_lossy(bytes.get(..256).unwrap_or(bytes)))
}
