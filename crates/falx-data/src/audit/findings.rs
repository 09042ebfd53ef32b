//! Findings while they are counted.

use std::collections::{BTreeMap, HashSet};

use super::survey::Survey;
use super::{Finding, Severity};

/// Image ids that a finding names.
const EXAMPLES: usize = 5;
/// Slices of a finding that a page shows.
const CASES: usize = 4;

/// What a finding says, whatever it is found in.
#[derive(Clone, Copy)]
pub(super) struct Kind<'a> {
    pub(super) name: &'a str,
    pub(super) severity: Severity,
    pub(super) what: &'a str,
    pub(super) remedy: &'a str,
}

/// The findings so far.
pub(super) struct Findings<'a> {
    survey: &'a Survey<'a>,
    open: BTreeMap<String, Open>,
}

struct Open {
    finding: Finding,
    series: HashSet<u32>,
    /// Further slices of series that are shown already.
    spare: Vec<usize>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(survey: &'a Survey<'a>) -> Self {
        Self {
            survey,
            open: BTreeMap::new(),
        }
    }

    fn open(&mut self, kind: &Kind<'_>) -> &mut Open {
        // Not `entry`: it would copy the name of every single case.
        if !self.open.contains_key(kind.name) {
            self.open.insert(kind.name.to_owned(), Open::new(kind));
        }
        self.open
            .entry(kind.name.to_owned())
            .or_insert_with(|| Open::new(kind))
    }

    /// Counts one more case: the row `at`.
    pub(super) fn add(&mut self, kind: &Kind<'_>, at: usize) {
        self.add_group(kind, &[at]);
    }

    /// Counts one more case that several rows make up; the first one names it.
    pub(super) fn add_group(&mut self, kind: &Kind<'_>, rows: &[usize]) {
        let survey = self.survey;
        let open = self.open(kind);
        open.finding.count += 1;
        let mut is_new = false;
        for &at in rows {
            match survey.series_of(at) {
                Some(series) => is_new |= open.series.insert(series),
                None => is_new = true,
            }
        }
        let cases = if is_new {
            &mut open.finding.cases
        } else {
            &mut open.spare
        };
        if cases.len() < CASES {
            cases.extend(rows.iter().take(CASES - cases.len()));
        }
        if open.finding.examples.len() < EXAMPLES
            && let Some(row) = rows.first().and_then(|&at| survey.row(at))
            && !row.image_id.as_str().is_empty()
        {
            open.finding.examples.push(row.image_id.0.clone());
        }
    }

    /// Counts one more case that is no slice but has a name.
    pub(super) fn add_named(&mut self, kind: &Kind<'_>, example: &str) {
        let finding = &mut self.open(kind).finding;
        finding.count += 1;
        if finding.examples.len() < EXAMPLES {
            finding.examples.push(example.to_owned());
        }
    }

    /// Notes what was counted elsewhere; nothing where there is nothing.
    pub(super) fn counted(&mut self, kind: &Kind<'_>, count: u64, examples: Vec<String>) {
        if count > 0 {
            let finding = &mut self.open(kind).finding;
            finding.count = count;
            finding.examples = examples;
        }
    }

    /// The worst first, then by name.
    pub(super) fn sorted(self) -> Vec<Finding> {
        let mut findings: Vec<_> = self.open.into_values().map(Open::close).collect();
        // Stable: within a severity the names stay in order.
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        findings
    }
}

impl Open {
    fn new(kind: &Kind<'_>) -> Self {
        Self {
            finding: Finding {
                name: kind.name.to_owned(),
                severity: kind.severity,
                count: 0,
                series: 0,
                what: kind.what.to_owned(),
                examples: Vec::new(),
                remedy: kind.remedy.to_owned(),
                cases: Vec::new(),
            },
            series: HashSet::new(),
            spare: Vec::new(),
        }
    }

    fn close(mut self) -> Finding {
        self.finding.series = self.series.len() as u64;
        let room = CASES.saturating_sub(self.finding.cases.len());
        self.finding.cases.extend(self.spare.into_iter().take(room));
        self.finding
    }
}
