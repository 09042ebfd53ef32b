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
    /// Nothing is wrong; said so that nobody wonders.
    Note,
}

/// What kind of problem. Errors stand before warnings, and those before notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// The file has no rows.
    NoRows,
    /// The file has one column a label.
    WideForm,
    /// The number of rows is far from the sample's.
    OtherSize,
    /// No image of the submission is in the sample.
    OtherImages,
    /// A byte order mark stands before the header.
    ByteOrderMark,
    /// The first line is not the header.
    Header,
    /// The header's names are written otherwise.
    HeaderCase,
    /// Fields are not separated by commas.
    Separator,
    /// The value stands before the id.
    SwappedColumns,
    /// There are columns beside the two.
    FurtherColumns,
    /// Lines end with a carriage return alone, or in several ways.
    LineEndings,
    /// A line is not UTF-8 text.
    Encoding,
    /// A line has not as many fields as it must.
    Fields,
    /// An id has no image part.
    Id,
    /// An id ends with a word that is no label.
    LabelName,
    /// A value has a decimal comma.
    DecimalComma,
    /// A value is no number.
    NotNumeric,
    /// A value is NaN.
    NotANumber,
    /// A value is infinite.
    Infinite,
    /// Values are logits.
    Logits,
    /// Values are percentages.
    Percentages,
    /// A value is outside 0 to 1.
    OutOfRange,
    /// An image of the sample is missing, and its rows with it.
    Missing,
    /// An image has some of its rows only.
    Incomplete,
    /// A row that the sample does not have.
    Extra,
    /// A row appears more often than in the sample.
    Duplicate,
    /// A row stands elsewhere than in the sample.
    Order,
    /// A blank line.
    BlankLine,
    /// Lines end otherwise than the sample's.
    OtherLineEndings,
    /// A row that the sample repeats has two values.
    RepeatsDiffer,
    /// A row that the sample repeats appears once.
    RepeatsLeftOut,
    /// Every value is the same.
    Constant,
    /// Every value of a label is the same.
    ConstantLabel,
    /// All values are 0 or 1.
    HardLabels,
    /// The values of an image add up to 1.
    Softmax,
    /// `any` is less probable than one of its subtypes.
    AnyBelowSubtype,
    /// The sample has rows more than once.
    SampleRepeats,
}

impl Problem {
    pub(super) const fn severity(self) -> Severity {
        match self {
            Self::BlankLine
            | Self::OtherLineEndings
            | Self::RepeatsDiffer
            | Self::RepeatsLeftOut
            | Self::Constant
            | Self::ConstantLabel
            | Self::HardLabels
            | Self::Softmax
            | Self::AnyBelowSubtype => Severity::Warning,
            Self::SampleRepeats => Severity::Note,
            _ => Severity::Error,
        }
    }

    const fn message(self) -> &'static str {
        match self {
            Self::NoRows => "the file has no rows",
            Self::WideForm => "the file has one column a label, not Kaggle's six rows an image",
            Self::OtherSize => "the number of rows is far from the sample's",
            Self::OtherImages => "none of the submission's images is in the sample",
            Self::ByteOrderMark => "a byte order mark stands before the header",
            Self::Header => "the first line is not `ID,Label`",
            Self::HeaderCase => "the header's names are not written `ID` and `Label`",
            Self::Separator => "fields are not separated by commas",
            Self::SwappedColumns => "the columns are swapped: the value stands before the id",
            Self::FurtherColumns => "there are further columns",
            Self::LineEndings => "lines end in several ways, or with a carriage return alone",
            Self::Encoding => "a line is not UTF-8 text",
            Self::Fields => "a line does not have two fields",
            Self::Id => "an id has no image before its label",
            Self::LabelName => "an id ends with a word that is no label",
            Self::DecimalComma => "a value has a decimal comma",
            Self::NotNumeric => "a value is not a number",
            Self::NotANumber => "a value is NaN",
            Self::Infinite => "a value is infinite",
            Self::Logits => "the values look like logits, not probabilities",
            Self::Percentages => "the values look like percentages, not probabilities",
            Self::OutOfRange => "a value lies outside 0 to 1",
            Self::Missing => "a row of the sample is missing, with its whole image",
            Self::Incomplete => "an image lacks some of its six rows",
            Self::Extra => "a row is not in the sample",
            Self::Duplicate => "a row appears more than once",
            Self::Order => "a row stands before one that the sample has earlier",
            Self::BlankLine => "a blank line",
            Self::OtherLineEndings => "lines end otherwise than the sample's",
            Self::RepeatsDiffer => {
                "a row that the sample repeats has two different values; the first is scored"
            }
            Self::RepeatsLeftOut => "a row that the sample repeats appears once",
            Self::Constant => "every value is the same",
            Self::ConstantLabel => "every value of a label is the same",
            Self::HardLabels => "all values are 0 or 1, and one mistake costs a log loss of 34.5",
            Self::Softmax => "the values of an image add up to 1, as a softmax makes them",
            Self::AnyBelowSubtype => "`any` is less probable than one of its subtypes",
            Self::SampleRepeats => "the sample has a row more than once",
        }
    }

    const fn remedy(self) -> &'static str {
        match self {
            Self::NoRows => "write the header `ID,Label` and the sample's rows",
            Self::WideForm => {
                "write the submission with `falx predict --format kaggle`; a predictions.csv is judged by `falx evaluate`"
            }
            Self::OtherSize | Self::OtherImages => {
                "use the sample that belongs to this data, or predict this data"
            }
            Self::ByteOrderMark => "save the file as UTF-8 without a byte order mark",
            Self::Header | Self::HeaderCase => "make `ID,Label` the first line",
            Self::Separator => "separate fields by commas, and write decimal points",
            Self::SwappedColumns => "put `ID` first and `Label` second",
            Self::FurtherColumns => {
                "keep `ID` and `Label` only; in pandas `to_csv(..., index=False)`"
            }
            Self::LineEndings => "end every line with a line feed",
            Self::Encoding => "save the file as UTF-8 (plain ASCII is enough)",
            Self::Fields => {
                "write each row as `<image>_<label>,<probability>` with a decimal point"
            }
            Self::Id => "write each id as `<image>_<label>`, as the sample has it",
            Self::LabelName => {
                "use epidural, intraparenchymal, intraventricular, subarachnoid, subdural, any, in lower case"
            }
            Self::DecimalComma => "write decimal points",
            Self::NotNumeric => "write probabilities as plain numbers, say 0.0123",
            Self::NotANumber => "find out why the model gave no number there; do not paper over it",
            Self::Infinite => {
                "find out why the model gave no finite number there; do not paper over it"
            }
            Self::Logits => {
                "apply the sigmoid, 1 / (1 + exp(-x)), to every value; the score below does so"
            }
            Self::Percentages => "divide every value by 100; the score below does so",
            Self::OutOfRange => "write probabilities, not logits or percentages",
            Self::Missing => "predict these images too; every row of the sample must appear",
            Self::Incomplete => "write six rows for every image, one a label",
            Self::Extra => "remove these rows, or use the sample that belongs to this data",
            Self::Duplicate => "keep one row for each id",
            Self::Order => "write the rows in the sample's order",
            Self::BlankLine => "remove it",
            Self::OtherLineEndings => "nothing must be done: both forms are accepted",
            Self::RepeatsDiffer => "give both the same value",
            Self::RepeatsLeftOut => {
                "repeat it as the sample does: Kaggle counts the rows (`falx predict --format kaggle` writes them so)"
            }
            Self::Constant => "predict the images; the sample's own values say nothing of them",
            Self::ConstantLabel => "find out whether the model predicts this label at all",
            Self::HardLabels => "write the probabilities, not the decisions",
            Self::Softmax => {
                "use a sigmoid for each label: an image may have several haemorrhages, or none"
            }
            Self::AnyBelowSubtype => "consider raising `any` to the highest of its subtypes",
            Self::SampleRepeats => {
                "nothing must be done: such rows are expected as often as the sample has them, and scored once and as often"
            }
        }
    }
}

/// One place where a problem shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// The line, counted from 1: of the submission, but of the sample for what is missing there or repeated in it.
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
pub(super) struct Tally(BTreeMap<Problem, Counted>);

#[derive(Debug, Default)]
struct Counted {
    count: u64,
    examples: Vec<Example>,
    /// What the examples alone do not show.
    detail: Option<String>,
}

impl Tally {
    /// Counts a problem; `text` is asked only while examples are still wanted.
    pub(super) fn add(&mut self, problem: Problem, line: u64, text: impl FnOnce() -> String) {
        let Counted {
            count, examples, ..
        } = self.0.entry(problem).or_default();
        *count += 1;
        if examples.len() < EXAMPLES {
            examples.push(Example { line, text: text() });
        }
    }

    /// How often a problem was counted.
    pub(super) fn count(&self, problem: Problem) -> u64 {
        self.0.get(&problem).map_or(0, |counted| counted.count)
    }

    /// Calls what was counted as one problem another one, and says why.
    pub(super) fn rename(&mut self, from: Problem, to: Problem, why: String) {
        if let Some(counted) = self.0.remove(&from) {
            let detail = Some(why);
            self.0.insert(to, Counted { detail, ..counted });
        }
    }

    /// All findings, errors first.
    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.0
            .into_iter()
            .map(|(problem, counted)| Finding {
                problem,
                severity: problem.severity(),
                message: match counted.detail {
                    Some(detail) => format!("{}: {detail}", problem.message()),
                    None => problem.message().to_owned(),
                },
                count: counted.count,
                examples: counted.examples,
                remedy: problem.remedy().to_owned(),
            })
            .collect()
    }
}
