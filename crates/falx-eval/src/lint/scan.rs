//! One pass over a submission.

use std::collections::HashMap;
use std::io::BufRead;
use std::path::Path;

use falx_core::Label;

use super::checks;
use super::finding::{Finding, Problem, Tally};
use super::sample::{NOWHERE, Sample};
use super::values::Values;
use crate::kaggle::dialect::{Dialect, Header, header};
use crate::kaggle::lines::{Ending, Line, Lines};
use crate::kaggle::row::{clip, clip_bytes, decimal_comma, number, split_id};
use crate::kaggle::{KNOWN_DUPLICATES, KaggleError, RowProblem};

/// What a pass found.
pub(super) struct Scan {
    pub(super) rows: u64,
    pub(super) findings: Vec<Finding>,
    /// The probabilities of the sample's images, in the sample's numbering; NaN where there is no valid one.
    pub(super) values: Vec<[f64; 6]>,
}

/// Compares a submission with a sample, line by line.
pub(super) fn scan(input: impl BufRead, path: &Path, sample: &Sample) -> Result<Scan, KaggleError> {
    let mut lines = Lines::new(input);
    let mut scanner = Scanner::new(sample);
    while let Some(line) = lines.next().map_err(|source| KaggleError::Read {
        path: path.to_owned(),
        source,
    })? {
        scanner.line(&line);
        if scanner.wide {
            break;
        }
    }
    if lines.has_byte_order_mark() {
        scanner
            .tally
            .add(Problem::ByteOrderMark, 1, || "EF BB BF".to_owned());
    }
    if !scanner.wide {
        checks::finish(&mut scanner);
    }
    Ok(Scan {
        rows: scanner.rows,
        findings: scanner.tally.into_findings(),
        values: scanner.values,
    })
}

pub(super) struct Scanner<'a> {
    pub(super) sample: &'a Sample,
    pub(super) tally: Tally,
    pub(super) rows: u64,
    /// The first line with each way to end.
    pub(super) endings: [Option<u64>; 3],
    dialect: Dialect,
    wide: bool,
    /// One bit a label: the row was seen.
    pub(super) seen: Vec<u8>,
    /// Finite numbers as they stand, also where they are no probabilities; NaN elsewhere.
    pub(super) values: Vec<[f64; 6]>,
    pub(super) spread: Values,
    /// The line of each image's `any`, for messages.
    pub(super) any_lines: Vec<u64>,
    /// How often each repeated row of the sample may still appear again.
    pub(super) repeats: HashMap<(u32, Label), u32>,
    highest_place: Option<u32>,
    /// The last image looked up: rows of one image mostly follow each other.
    last: (String, Option<u32>),
}

impl<'a> Scanner<'a> {
    fn new(sample: &'a Sample) -> Self {
        let images = sample.places.len();
        let mut repeats = HashMap::new();
        for repeat in &sample.repeated {
            *repeats.entry((repeat.image, repeat.label)).or_default() += 1;
        }
        Self {
            sample,
            tally: Tally::default(),
            rows: 0,
            endings: [None; 3],
            dialect: Dialect::PLAIN,
            wide: false,
            seen: vec![0; images],
            values: vec![[f64::NAN; 6]; images],
            spread: Values::default(),
            any_lines: vec![0; images],
            repeats,
            highest_place: None,
            last: (String::new(), None),
        }
    }

    fn line(&mut self, line: &Line<'_>) {
        let ending = match line.ending {
            Ending::Lf => Some(0),
            Ending::CrLf => Some(1),
            Ending::Cr => Some(2),
            Ending::File => None,
        };
        if let Some(first) = ending.and_then(|e: usize| self.endings.get_mut(e)) {
            first.get_or_insert(line.number);
        }
        if line.number == 1 {
            self.header(line);
        } else if line.text.is_empty() {
            self.tally.add(Problem::BlankLine, line.number, String::new);
        } else {
            self.row(line);
        }
    }

    /// Says what is wrong with the first line once, and learns from it how to read the others.
    fn header(&mut self, line: &Line<'_>) {
        let shown = || clip_bytes(line.text);
        match header(line.text) {
            Header::Plain => {}
            Header::Wide => {
                self.wide = true;
                self.tally.add(Problem::WideForm, 1, shown);
            }
            Header::Unknown => self.tally.add(Problem::Header, 1, shown),
            Header::Row(dialect) => {
                self.tally.add(Problem::Header, 1, shown);
                self.departures(dialect, shown);
                // A row in the header's place still is one.
                self.row(line);
            }
            Header::Other {
                dialect,
                other_case,
            } => {
                if other_case {
                    self.tally.add(Problem::HeaderCase, 1, shown);
                }
                self.departures(dialect, shown);
            }
        }
    }

    fn departures(&mut self, dialect: Dialect, shown: impl Fn() -> String) {
        self.dialect = dialect;
        if let Some(name) = dialect.separator_name() {
            self.tally
                .add(Problem::Separator, 1, || format!("{} ({name})", shown()));
        }
        if dialect.is_swapped() {
            self.tally.add(Problem::SwappedColumns, 1, &shown);
        }
        if dialect.further_columns() > 0 {
            self.tally.add(Problem::FurtherColumns, 1, shown);
        }
    }

    fn row(&mut self, line: &Line<'_>) {
        self.rows += 1;
        let fields = self.dialect.fields(line.text);
        let parsed = fields.and_then(|(id, value)| Ok((id, split_id(id)?, value)));
        let (id, (image, label), value) = match parsed {
            Ok(row) => row,
            Err(problem) => return self.fault(&problem, line),
        };
        let value = match number(value) {
            Ok(x) => x,
            Err(problem) => {
                self.fault(&problem, line);
                decimal_comma(value).unwrap_or(f64::NAN)
            }
        };
        if value.is_infinite() {
            self.tally
                .add(Problem::Infinite, line.number, || clip_bytes(line.text));
        } else if !(0.0..=1.0).contains(&value) && !value.is_nan() {
            self.tally
                .add(Problem::OutOfRange, line.number, || clip_bytes(line.text));
        }
        let value = if value.is_finite() { value } else { f64::NAN };
        self.spread.add(line.number, label, value);
        self.place(line.number, id, image, label, value);
    }

    fn fault(&mut self, problem: &RowProblem, line: &Line<'_>) {
        self.tally
            .add(kind(problem), line.number, || clip_bytes(line.text));
    }

    fn place(&mut self, line: u64, id: &str, image: &str, label: Label, value: f64) {
        if self.rows == 1 || self.last.0 != image {
            image.clone_into(&mut self.last.0);
            self.last.1 = self.sample.number(image);
        }
        let place = self.last.1.map_or(NOWHERE, |n| self.sample.place(n, label));
        let Some(image_number) = self.last.1.filter(|_| place != NOWHERE) else {
            self.tally.add(Problem::Extra, line, || clip(id));
            return;
        };
        let number = image_number as usize;
        let bit = 1 << label.index();
        let (Some(seen), Some(values)) = (self.seen.get_mut(number), self.values.get_mut(number))
        else {
            return;
        };
        if *seen & bit != 0 {
            let earlier = values[label.index()];
            match self.repeats.get_mut(&(image_number, label)) {
                Some(left @ 1..) => {
                    *left -= 1;
                    if value.total_cmp(&earlier).is_ne() {
                        self.tally.add(Problem::RepeatsDiffer, line, || {
                            format!("{}: {value}, earlier {earlier}", clip(id))
                        });
                    }
                }
                _ => self.tally.add(Problem::Duplicate, line, || {
                    let known = if KNOWN_DUPLICATES.contains(&image) {
                        " (one of the four images that RSNA's label files have twice; this sample has it once)"
                    } else {
                        ""
                    };
                    clip(id) + known
                }),
            }
            return;
        }
        *seen |= bit;
        values[label.index()] = value;
        if label == Label::Any
            && let Some(any_line) = self.any_lines.get_mut(number)
        {
            *any_line = line;
        }
        if self.highest_place.is_some_and(|highest| place < highest) {
            self.tally.add(Problem::Order, line, || clip(id));
        } else {
            self.highest_place = Some(place);
        }
    }
}

const fn kind(problem: &RowProblem) -> Problem {
    match problem {
        RowProblem::Fields(_) => Problem::Fields,
        RowProblem::Encoding => Problem::Encoding,
        RowProblem::Id(_) => Problem::Id,
        RowProblem::Label(_) => Problem::LabelName,
        RowProblem::DecimalComma(_) => Problem::DecimalComma,
        RowProblem::NotNumeric(_) => Problem::NotNumeric,
        RowProblem::NotANumber => Problem::NotANumber,
        RowProblem::OutOfRange(_) | RowProblem::NotBinary(_) => Problem::OutOfRange,
    }
}
