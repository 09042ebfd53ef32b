//! How a file in Kaggle's form is written: what separates its fields, and where its two columns stand.

use falx_core::LABELS;

use super::RowProblem;
use super::row::{decimal_comma, split_id, unquoted};

/// What separates fields, and which field is what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    separator: char,
    id: usize,
    value: usize,
    columns: usize,
}

/// What the first line of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    /// `ID,Label` and nothing else.
    Plain,
    /// Both columns, but written otherwise.
    Other {
        /// How to read on.
        dialect: Dialect,
        /// True where the names are not exactly `ID` and `Label`.
        other_case: bool,
    },
    /// One column a label: falx's `predictions.csv`, or something like it.
    Wide,
    /// Already a row.
    Row(Dialect),
    /// Words that mean nothing here.
    Unknown,
}

impl Dialect {
    /// Kaggle's own.
    pub(crate) const PLAIN: Self = Self {
        separator: ',',
        id: 0,
        value: 1,
        columns: 2,
    };

    /// The separator's name, where it is not a comma.
    pub(crate) const fn separator_name(self) -> Option<&'static str> {
        match self.separator {
            ';' => Some("semicolons"),
            '\t' => Some("tabs"),
            _ => None,
        }
    }

    /// True where the value stands before the id.
    pub(crate) const fn is_swapped(self) -> bool {
        self.value < self.id
    }

    /// How many columns there are beside the two.
    pub(crate) const fn further_columns(self) -> usize {
        self.columns.saturating_sub(2)
    }

    /// A line's id and value. A value may have a decimal comma where it stands last.
    pub(crate) fn fields(self, line: &[u8]) -> Result<(&str, &str), RowProblem> {
        let text = std::str::from_utf8(line).map_err(|_| RowProblem::Encoding)?;
        if self == Self::PLAIN {
            let (id, value) = text.split_once(',').ok_or(RowProblem::Fields(1))?;
            let value = unquoted(value).trim();
            if value.contains(',') && decimal_comma(value).is_none() {
                return Err(RowProblem::Fields(text.split(',').count()));
            }
            return Ok((unquoted(id), value));
        }
        let found = text.split(self.separator).count();
        let field = |at| text.split(self.separator).nth(at).map(str::trim);
        match (field(self.id), field(self.value)) {
            (Some(id), Some(value)) if found == self.columns => {
                Ok((unquoted(id), unquoted(value).trim()))
            }
            _ => Err(RowProblem::Fields(found)),
        }
    }
}

/// What a file's first line says of the others.
pub(crate) fn header(line: &[u8]) -> Header {
    let Ok(text) = std::str::from_utf8(line) else {
        return Header::Unknown;
    };
    for separator in [',', ';', '\t'] {
        let words: Vec<&str> = text
            .split(separator)
            .map(|word| unquoted(word.trim()).trim())
            .collect();
        let place = |name: &str| words.iter().position(|w| w.eq_ignore_ascii_case(name));
        if let (Some(id), Some(value)) = (place("ID"), place("Label")) {
            let dialect = Dialect {
                separator,
                id,
                value,
                columns: words.len(),
            };
            let other_case = !(words.contains(&"ID") && words.contains(&"Label"));
            return if dialect == Dialect::PLAIN && !other_case {
                Header::Plain
            } else {
                Header::Other {
                    dialect,
                    other_case,
                }
            };
        }
        if LABELS.iter().all(|label| place(label.name()).is_some()) {
            return Header::Wide;
        }
    }
    [',', ';', '\t']
        .into_iter()
        .flat_map(|separator| {
            [(0, 1), (1, 0)].map(|(id, value)| Dialect {
                separator,
                id,
                value,
                columns: 2,
            })
        })
        .find(|dialect| {
            dialect
                .fields(line)
                .is_ok_and(|(id, value)| split_id(id).is_ok() && split_id(value).is_err())
        })
        .map_or(Header::Unknown, Header::Row)
}
