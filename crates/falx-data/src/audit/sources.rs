//! The sources of a collection side by side, and what differs between them.

use std::collections::{BTreeMap, HashMap, HashSet};

use falx_core::{LABELS, PatientId};
use serde::Serialize;

use super::Severity::Warning;
use super::findings::{Findings, Kind};
use super::survey::Survey;

/// One source in numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SourceSummary {
    /// The source's name.
    pub dataset: String,
    /// Its rows.
    pub slices: u64,
    /// Its rows that may be used.
    pub usable: u64,
    /// Its different patients; unknown ones are not counted.
    pub patients: u64,
    /// Its series; unknown ones are not counted.
    pub series: u64,
    /// Usable slices by label that is known, in the order of the labels.
    pub known: [u64; 6],
    /// Usable slices by positive label, in the order of the labels.
    pub positives: [u64; 6],
    /// The share of positives among the known; `None` where none is known.
    pub prevalence: [Option<f64>; 6],
}

/// All sources by name.
pub(super) fn summaries(survey: &Survey<'_>) -> Vec<SourceSummary> {
    #[derive(Default)]
    struct Open<'a> {
        slices: u64,
        usable: u64,
        patients: HashSet<&'a PatientId>,
        series: HashSet<u32>,
        known: [u64; 6],
        positives: [u64; 6],
    }
    let mut open: BTreeMap<&str, Open<'_>> = BTreeMap::new();
    for (at, row) in survey.index.rows.iter().enumerate() {
        let source = open.entry(&row.dataset).or_default();
        source.slices += 1;
        if !row.usable {
            continue;
        }
        source.usable += 1;
        source.patients.extend(&row.patient);
        source.series.extend(survey.series_of(at));
        for (label, truth) in row.labels.0.iter().enumerate() {
            if let (Some(truth), Some(known), Some(positives)) = (
                truth,
                source.known.get_mut(label),
                source.positives.get_mut(label),
            ) {
                *known += 1;
                *positives += u64::from(*truth);
            }
        }
    }
    open.into_iter()
        .map(|(dataset, source)| {
            let mut prevalence = [None; 6];
            for ((share, &known), &positives) in prevalence
                .iter_mut()
                .zip(&source.known)
                .zip(&source.positives)
            {
                *share = (known > 0).then(|| positives as f64 / known as f64);
            }
            SourceSummary {
                dataset: dataset.to_owned(),
                slices: source.slices,
                usable: source.usable,
                patients: source.patients.len() as u64,
                series: source.series.len() as u64,
                known: source.known,
                positives: source.positives,
                prevalence,
            }
        })
        .collect()
}

/// Patients of several sources.
pub(super) fn patients(survey: &Survey<'_>, findings: &mut Findings<'_>) {
    let kind = Kind {
        name: "patient.two_sources",
        severity: Warning,
        what: "The patient occurs in several sources; the slice named is one of each such patient.",
        remedy: "do not test on one of these sources what was trained on another; splits keep the patient together",
    };
    let mut home: HashMap<&PatientId, &str> = HashMap::new();
    let mut told: HashSet<&PatientId> = HashSet::new();
    for (at, row) in survey.usable() {
        if let Some(patient) = &row.patient {
            let first = *home.entry(patient).or_insert(&row.dataset);
            if *first != *row.dataset && told.insert(patient) {
                findings.add(&kind, at);
            }
        }
    }
}

/// Patients that a source needs at least before its prevalence is compared.
const FEWEST_GROUPS: f64 = 10.0;
/// A difference of so many standard errors is beyond chance, over all labels of many sources.
const BEYOND_CHANCE: f64 = 3.5;

/// Labels that are more frequent in one source than in the others, beyond chance.
///
/// Two shares are compared by their difference in standard errors, which count patients, not slices: slices of one
/// patient resemble each other (ratio estimator, linearised over patients).
pub(super) fn prevalence(survey: &Survey<'_>, findings: &mut Findings<'_>) {
    let mut counts: BTreeMap<(&str, u32), [(f64, f64); 6]> = BTreeMap::new();
    for (at, row) in survey.usable() {
        let counts = counts
            .entry((&row.dataset, survey.group_of(at)))
            .or_default();
        for (count, truth) in counts.iter_mut().zip(row.labels.0) {
            if let Some(truth) = truth {
                count.0 += 1.0;
                count.1 += f64::from(u8::from(truth));
            }
        }
    }
    let mut sums: BTreeMap<&str, [Sums; 6]> = BTreeMap::new();
    let mut all = [Sums::default(); 6];
    for ((source, _), counts) in &counts {
        let sums = sums.entry(source).or_default();
        for ((sums, all), &(known, positive)) in sums.iter_mut().zip(&mut all).zip(counts) {
            sums.add(known, positive);
            all.add(known, positive);
        }
    }
    let kind = Kind {
        name: "labels.prevalence_differs",
        severity: Warning,
        what: "A label is more or less frequent in one source than in the others, beyond chance (standard errors count patients, not slices).",
        remedy: "a network can learn the source instead of the finding: look at scores within each source, and at the shortcut check",
    };
    for (place, label) in LABELS.iter().enumerate() {
        let worst = sums
            .iter()
            .filter_map(|(source, sums)| {
                let (sums, all) = (sums.get(place)?, all.get(place)?);
                let (here, elsewhere) = (sums.share()?, all.without(sums).share()?);
                Some((here.difference(&elsewhere), source, here, elsewhere))
            })
            .max_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((z, source, here, elsewhere)) = worst
            && z > BEYOND_CHANCE
        {
            let example = format!(
                "{label}: {source} {:.2} %, elsewhere {:.2} % ({z:.1} standard errors)",
                100.0 * here.value,
                100.0 * elsewhere.value
            );
            findings.add_named(&kind, &example);
        }
    }
}

/// Sums over groups, each with `n` known and `x` positive slices.
#[derive(Clone, Copy, Default)]
struct Sums {
    groups: f64,
    n: f64,
    x: f64,
    nn: f64,
    nx: f64,
    xx: f64,
}

/// A share of slices with its variance over groups.
struct Share {
    value: f64,
    variance: f64,
}

impl Sums {
    fn add(&mut self, n: f64, x: f64) {
        if n > 0.0 {
            self.groups += 1.0;
            self.n += n;
            self.x += x;
            self.nn += n * n;
            self.nx += n * x;
            self.xx += x * x;
        }
    }

    fn without(&self, part: &Self) -> Self {
        // Whole numbers, so that nothing is left over.
        Self {
            groups: self.groups - part.groups,
            n: self.n - part.n,
            x: self.x - part.x,
            nn: self.nn - part.nn,
            nx: self.nx - part.nx,
            xx: self.xx - part.xx,
        }
    }

    fn share(&self) -> Option<Share> {
        if self.groups < FEWEST_GROUPS {
            return None;
        }
        let value = self.x / self.n;
        // The sum of (x - value × n)² over groups.
        let squares = self.xx - 2.0 * value * self.nx + value * value * self.nn;
        // A share of 0 is not known without doubt: one group more of each outcome gives the least variance.
        let careful = (value * self.groups + 1.0) / (self.groups + 2.0);
        let least = careful * (1.0 - careful) / self.n;
        let variance = self.groups / (self.groups - 1.0) * squares / (self.n * self.n);
        Some(Share {
            value,
            variance: variance.max(least),
        })
    }
}

impl Share {
    fn difference(&self, other: &Self) -> f64 {
        (self.value - other.value).abs() / (self.variance + other.variance).sqrt()
    }
}
