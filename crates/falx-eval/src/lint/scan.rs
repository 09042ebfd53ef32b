//! One pass over a submission.

use std::io::BufRead;
use std::path::Path;

use falx_core::{LABELS, Label, SUBTYPES};

use super::finding::{EXAMPLES, Finding, Problem, Tally};
use super::sample::{NOWHERE, Sample};
use crate::kaggle::lines::{Ending, Line, Lines};
use crate::kaggle::row::{clip, clip_bytes, fields, is_header, probability, split_id};
use crate::kaggle::{KaggleError, RowProblem};

/// What a pass found.
pub(super) struct Scan {
    pub(super) rows: u64,
    pub(super) findings: Vec<Finding>,
    /// The values of the sample's images, in the sample's numbering; NaN where there is no valid one.
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
    }
    if lines.has_byte_order_mark() {
        scanner
            .tally
            .add(Problem::ByteOrderMark, 1, || "EF BB BF".to_owned());
    }
    Ok(scanner.finish())
}

struct Scanner<'a> {
    sample: &'a Sample,
    tally: Tally,
    rows: u64,
    endings: [Option<u64>; 3],
    /// One bit a label: the row was seen.
    seen: Vec<u8>,
    values: Vec<[f64; 6]>,
    /// The line of each image's `any`, for messages.
    any_lines: Vec<u64>,
    highest_place: Option<u32>,
    /// The last image looked up: rows of one image mostly follow each other.
    last: (String, Option<u32>),
}

impl<'a> Scanner<'a> {
    fn new(sample: &'a Sample) -> Self {
        let images = sample.places.len();
        Self {
            sample,
            tally: Tally::default(),
            rows: 0,
            endings: [None; 3],
            seen: vec![0; images],
            values: vec![[f64::NAN; 6]; images],
            any_lines: vec![0; images],
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
            if is_header(line.text) {
                return;
            }
            self.tally.add(Problem::Header, 1, || clip_bytes(line.text));
            // A header of other words is no row; a row in the header's place still is one.
            if fields(line.text).is_ok_and(|(id, _)| split_id(id).is_ok()) {
                self.row(line);
            }
            return;
        }
        if line.text.is_empty() {
            self.tally.add(Problem::BlankLine, line.number, String::new);
            return;
        }
        self.row(line);
    }

    fn row(&mut self, line: &Line<'_>) {
        self.rows += 1;
        let parsed = fields(line.text).and_then(|(id, value)| Ok((id, split_id(id)?, value)));
        let (id, (image, label), value) = match parsed {
            Ok(row) => row,
            Err(problem) => {
                self.tally
                    .add(kind(&problem), line.number, || clip_bytes(line.text));
                return;
            }
        };
        let value = match probability(value) {
            Ok(p) => p.get(),
            Err(problem) => {
                self.tally
                    .add(kind(&problem), line.number, || clip_bytes(line.text));
                f64::NAN
            }
        };
        self.place(line.number, id, image, label, value);
    }

    fn place(&mut self, line: u64, id: &str, image: &str, label: Label, value: f64) {
        if self.rows == 1 || self.last.0 != image {
            image.clone_into(&mut self.last.0);
            self.last.1 = self.sample.number(image);
        }
        let place = self.last.1.map_or(NOWHERE, |n| self.sample.place(n, label));
        let Some(number) = self.last.1.filter(|_| place != NOWHERE) else {
            self.tally.add(Problem::Extra, line, || clip(id));
            return;
        };
        let number = number as usize;
        let bit = 1 << label.index();
        let (Some(seen), Some(values)) = (self.seen.get_mut(number), self.values.get_mut(number))
        else {
            return;
        };
        if *seen & bit != 0 {
            self.tally.add(Problem::Duplicate, line, || clip(id));
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

    fn finish(mut self) -> Scan {
        if self.rows == 0 {
            self.tally.add(Problem::NoRows, 1, String::new);
        }
        self.check_endings();
        self.check_missing();
        self.check_any();
        Scan {
            rows: self.rows,
            findings: self.tally.into_findings(),
            values: self.values,
        }
    }

    fn check_endings(&mut self) {
        const NAMES: [&str; 3] = [
            "line feed",
            "carriage return and line feed",
            "carriage return",
        ];
        let used: Vec<(usize, u64)> = self
            .endings
            .iter()
            .enumerate()
            .filter_map(|(i, first)| Some((i, (*first)?)))
            .collect();
        let wrong = used.len() > 1 || self.endings[2].is_some();
        for &(i, line) in used.iter().filter(|_| wrong) {
            let name = NAMES.get(i).copied().unwrap_or_default();
            self.tally
                .add(Problem::LineEndings, line, || format!("first {name}"));
        }
        let same = match self.sample.ending {
            Ending::Lf => self.endings[1].is_none(),
            Ending::CrLf => self.endings[0].is_none(),
            Ending::Cr | Ending::File => true,
        };
        if !wrong && !same {
            let name = used.first().and_then(|&(i, _)| NAMES.get(i)).copied();
            self.tally.add(Problem::OtherLineEndings, 1, || {
                name.unwrap_or_default().to_owned()
            });
        }
    }

    fn check_missing(&mut self) {
        let mut missing: Vec<(u32, u32, Label)> = Vec::new();
        for (number, (places, &seen)) in (0..).zip(self.sample.places.iter().zip(&self.seen)) {
            for (&place, label) in places.iter().zip(LABELS) {
                if place != NOWHERE && seen & (1 << label.index()) == 0 {
                    missing.push((place, number, label));
                }
            }
        }
        missing.sort_unstable_by_key(|&(place, ..)| place);
        let shown: Vec<u32> = missing.iter().take(EXAMPLES).map(|m| m.1).collect();
        let names = self.sample.names(&shown);
        for (place, number, label) in missing {
            let name = names.get(&number).copied().unwrap_or_default();
            self.tally.add(Problem::Missing, u64::from(place) + 2, || {
                clip(&format!("{name}_{label}"))
            });
        }
    }

    fn check_any(&mut self) {
        let mut low: Vec<(u64, f64, Label, f64)> = Vec::new();
        for (values, &line) in self.values.iter().zip(&self.any_lines) {
            let any = values[Label::Any.index()];
            // A comparison with NaN (no valid value) is false, so only complete pairs are judged.
            let highest = SUBTYPES
                .into_iter()
                .map(|s| (s, values[s.index()]))
                .filter(|(_, p)| any < *p)
                .max_by(|a, b| a.1.total_cmp(&b.1));
            if let Some((subtype, p)) = highest {
                low.push((line, any, subtype, p));
            }
        }
        low.sort_unstable_by_key(|&(line, ..)| line);
        for (line, any, subtype, p) in low {
            self.tally.add(Problem::AnyBelowSubtype, line, || {
                format!("any {any} < {subtype} {p}")
            });
        }
    }
}

const fn kind(problem: &RowProblem) -> Problem {
    match problem {
        RowProblem::Fields(_) => Problem::Fields,
        RowProblem::Encoding => Problem::Encoding,
        RowProblem::Id(_) => Problem::Id,
        RowProblem::Label(_) => Problem::LabelName,
        RowProblem::NotNumeric(_) => Problem::NotNumeric,
        RowProblem::NotANumber => Problem::NotANumber,
        RowProblem::OutOfRange(_) | RowProblem::NotBinary(_) => Problem::OutOfRange,
    }
}
