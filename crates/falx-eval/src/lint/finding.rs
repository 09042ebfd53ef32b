//! Kinds of problems, what they mean and what to do about them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How many places of each problem are shown.
pub(super) const EXAMPLES: usize = 5;

/// Whether a finding makes a submission invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The submission would be refused or scored wrongly.
    Error,
    /// Valid, but hardly meant.
    Warning,
}

/// What kind of problem. Errors stand before warnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// The file has no rows.
    NoRows,
    /// A byte order mark stands before the header.
    ByteOrderMark,
    /// The first line is not the header.
    Header,
    /// Lines end with a carriage return alone, or in several ways.
    LineEndings,
    /// A line is not UTF-8 text.
    Encoding,
    /// A line has not two fields.
    Fields,
    /// An id has no image part.
    Id,
    /// An id ends with a word that is no label.
    LabelName,
    /// A value is no number.
    NotNumeric,
    /// A value is NaN.
    NotANumber,
    /// A value is outside 0 to 1.
    OutOfRange,
    /// A row that the sample has is missing.
    Missing,
    /// A row that the sample does not have.
    Extra,
    /// A row appears again.
    Duplicate,
    /// A row stands elsewhere than in the sample.
    Order,
    /// A blank line.
    BlankLine,
    /// Lines end otherwise than the sample's.
    OtherLineEndings,
    /// `any` is less probable than one of its subtypes.
    AnyBelowSubtype,
}

impl Problem {
    pub(super) const fn severity(self) -> Severity {
        match self {
            Self::BlankLine | Self::OtherLineEndings | Self::AnyBelowSubtype => Severity::Warning,
            _ => Severity::Error,
        }
    }

    const fn message(self) -> &'static str {
        match self {
            Self::NoRows => "the file has no rows",
            Self::ByteOrderMark => "a byte order mark stands before the header",
            Self::Header => "the first line is not `ID,Label`",
            Self::LineEndings => "lines end in several ways, or with a carriage return alone",
            Self::Encoding => "a line is not UTF-8 text",
            Self::Fields => "a line does not have two fields",
            Self::Id => "an id has no image before its label",
            Self::LabelName => "an id ends with a word that is no label",
            Self::NotNumeric => "a value is not a number",
            Self::NotANumber => "a value is NaN",
            Self::OutOfRange => "a value lies outside 0 to 1",
            Self::Missing => "a row of the sample is missing",
            Self::Extra => "a row is not in the sample",
            Self::Duplicate => "a row appears more than once",
            Self::Order => "a row stands before one that the sample has earlier",
            Self::BlankLine => "a blank line",
            Self::OtherLineEndings => "lines end otherwise than the sample's",
            Self::AnyBelowSubtype => "`any` is less probable than one of its subtypes",
        }
    }

    const fn remedy(self) -> &'static str {
        match self {
            Self::NoRows => "write the header `ID,Label` and the sample's rows",
            Self::ByteOrderMark => "save the file as UTF-8 without a byte order mark",
            Self::Header => "make `ID,Label` the first line",
            Self::LineEndings => "end every line with a line feed",
            Self::Encoding => "save the file as UTF-8 (plain ASCII is enough)",
            Self::Fields => {
                "write each row as `<image>_<label>,<probability>` with a decimal point"
            }
            Self::Id => "write each id as `<image>_<label>`, as the sample has it",
            Self::LabelName => {
                "use epidural, intraparenchymal, intraventricular, subarachnoid, subdural, any, in lower case"
            }
            Self::NotNumeric => "write probabilities as plain numbers, say 0.0123",
            Self::NotANumber => "find out why the model gave no number there; do not paper over it",
            Self::OutOfRange => "write probabilities, not logits or percentages",
            Self::Missing => "predict these images too; every row of the sample must appear",
            Self::Extra => "remove these rows, or use the sample that belongs to this data",
            Self::Duplicate => "keep one row for each id",
            Self::Order => "write the rows in the sample's order",
            Self::BlankLine => "remove it",
            Self::OtherLineEndings => "nothing must be done: both forms are accepted",
            Self::AnyBelowSubtype => "consider raising `any` to the highest of its subtypes",
        }
    }
}

/// One place where a problem shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The line, counted from 1: of the submission, but of the sample for a missing row.
    pub line: u64,
    /// What stands there.
    pub text: String,
}

/// One kind of problem: how often, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The kind.
    pub problem: Problem,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in words.
    pub message: String,
    /// How often.
    pub count: u64,
    /// The first five places.
    pub examples: Vec<Example>,
    /// What to do.
    pub remedy: String,
}

/// Problems being counted.
#[derive(Debug, Default)]
pub(super) struct Tally(BTreeMap<Problem, (u64, Vec<Example>)>);

impl Tally {
    /// Counts a problem; `text` is asked only while examples are still wanted.
    pub(super) fn add(&mut self, problem: Problem, line: u64, text: impl FnOnce() -> String) {
        let (count, examples) = self.0.entry(problem).or_default();
        *count += 1;
        if examples.len() < EXAMPLES {
            examples.push(Example { line, text: text() });
        }
    }

    /// All findings, errors first.
    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.0
            .into_iter()
            .map(|(problem, (count, examples))| Finding {
                problem,
                severity: problem.severity(),
                message: problem.message().to_owned(),
                count,
                examples,
                remedy: problem.remedy().to_owned(),
            })
            .collect()
    }
}
