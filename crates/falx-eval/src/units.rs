//! Cases gathered into what is scored: slices, series, studies.

use std::collections::{BTreeMap, HashMap};

use falx_core::{LabelRow, PatientId, Probability};
use rayon::prelude::*;

use crate::level::Unit;
use crate::{Aggregation, Attributes, Case, StudyReads};

/// Things to score, and how many patients they belong to.
#[derive(Default)]
pub(crate) struct Units {
    pub(crate) patients: usize,
    pub(crate) units: Vec<Unit>,
}

/// Slices that are of one series or study.
pub(crate) struct Gathered<'a> {
    patient: &'a PatientId,
    truth: LabelRow,
    /// Sorted by place where all places are known.
    slices: Vec<&'a Case>,
    is_ordered: bool,
}

/// What slices are gathered to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whole {
    Series,
    Study,
}

/// Patients numbered from 0 in the order of their pseudonyms.
fn number_patients<'a>(
    patients: impl Iterator<Item = &'a PatientId>,
) -> HashMap<&'a PatientId, u32> {
    let mut sorted: Vec<&PatientId> = patients.collect();
    sorted.par_sort_unstable();
    sorted.dedup();
    sorted.into_iter().zip(0..).collect()
}

/// Every slice for itself.
pub(crate) fn slices(cases: &[&Case]) -> Units {
    let numbers = number_patients(cases.iter().map(|c| &c.patient));
    let units = cases
        .iter()
        .map(|case| Unit {
            patient: numbers.get(&case.patient).copied().unwrap_or(0),
            truth: case.truth,
            prediction: case.prediction.map(Probability::get),
        })
        .collect();
    Units {
        patients: numbers.len(),
        units,
    }
}

/// Slices by series or study, in the order of patients and names; a label of the whole is positive where a slice's is,
/// and negative where all are. Where no slice knows a label, `reads` of the study do.
pub(crate) fn gather<'a>(
    cases: &[&'a Case],
    whole: Whole,
    reads: &[StudyReads],
) -> Vec<Gathered<'a>> {
    let mut groups: BTreeMap<(&PatientId, &str, &str), Vec<&'a Case>> = BTreeMap::new();
    for &case in cases {
        let study = case.study.as_deref();
        let key = match whole {
            Whole::Study => study.map(|study| (study, "")),
            // A series' name is its own only within its study, where people have named them.
            Whole::Series => case.series.as_deref().map(|s| (study.unwrap_or(""), s)),
        };
        if let Some((study, series)) = key {
            let key = (&case.patient, study, series);
            groups.entry(key).or_default().push(case);
        }
    }
    let read: HashMap<(&PatientId, &str), LabelRow> = reads
        .iter()
        .map(|r| ((&r.patient, &*r.study), r.truth))
        .collect();
    groups
        .into_iter()
        .map(|((patient, study, _), slices)| {
            let mut truth = joined(slices.iter().map(|c| c.truth));
            if whole == Whole::Study
                && let Some(said) = read.get(&(patient, study))
            {
                for (known, said) in truth.0.iter_mut().zip(said.0) {
                    *known = known.or(said);
                }
            }
            Gathered::new(patient, truth, slices)
        })
        .filter(|gathered| !gathered.truth.is_empty())
        .collect()
}

/// What is predicted of each study, whether or not its truth is known.
pub(crate) fn study_predictions<'a>(
    cases: &[&'a Case],
    by: Aggregation,
) -> BTreeMap<(&'a PatientId, &'a str), [f64; 6]> {
    let mut studies: BTreeMap<(&PatientId, &str), Vec<&Case>> = BTreeMap::new();
    for &case in cases {
        if let Some(study) = case.study.as_deref() {
            studies
                .entry((&case.patient, study))
                .or_default()
                .push(case);
        }
    }
    studies
        .into_iter()
        .map(|(key, slices)| {
            let study = Gathered::new(key.0, LabelRow::default(), slices);
            (key, study.predict(by))
        })
        .collect()
}

/// Positive where one is, negative where all are, otherwise unknown.
fn joined(rows: impl Iterator<Item = LabelRow>) -> LabelRow {
    rows.reduce(|mut whole, slice| {
        for (whole, slice) in whole.0.iter_mut().zip(slice.0) {
            *whole = match (*whole, slice) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            };
        }
        whole
    })
    .unwrap_or_default()
}

/// True where the order of all slices of all groups is known, as smoothing needs.
pub(crate) fn are_ordered(groups: &[Gathered<'_>]) -> bool {
    !groups.is_empty() && groups.iter().all(|g| g.is_ordered)
}

/// The groups as things to score.
pub(crate) fn aggregate(groups: &[Gathered<'_>], by: Aggregation) -> Units {
    let numbers = number_patients(groups.iter().map(|g| g.patient));
    let units = groups
        .iter()
        .map(|group| Unit {
            patient: numbers.get(group.patient).copied().unwrap_or(0),
            truth: group.truth,
            prediction: group.predict(by),
        })
        .collect();
    Units {
        patients: numbers.len(),
        units,
    }
}

impl<'a> Gathered<'a> {
    fn new(patient: &'a PatientId, truth: LabelRow, mut slices: Vec<&'a Case>) -> Self {
        let is_ordered = slices
            .iter()
            .all(|c| c.order.is_some() && c.series.is_some());
        if is_ordered {
            slices.sort_by(|a, b| (&a.series, a.order).cmp(&(&b.series, b.order)));
        }
        Self {
            patient,
            truth,
            slices,
            is_ordered,
        }
    }

    /// Whose it is.
    pub(crate) const fn patient(&self) -> &'a PatientId {
        self.patient
    }

    /// Whether it has one slice, or is one prediction.
    pub(crate) fn is_single(&self) -> bool {
        self.slices.len() == 1
    }

    /// Its study, where its slices name one.
    pub(crate) fn study(&self) -> Option<&'a str> {
        self.slices.first()?.study.as_deref()
    }

    /// What is known of all its slices alike.
    pub(crate) fn attributes(&self) -> Attributes {
        let of = |case: &'a Case| case.attributes.iter().flat_map(|a| &a.0);
        let first = self.slices.first().into_iter().flat_map(|case| of(case));
        let shared = first.filter(|pair| {
            let mut rest = self.slices.iter().skip(1);
            rest.all(|case| of(case).any(|other| other == *pair))
        });
        Attributes(shared.cloned().collect())
    }

    /// Smoothing goes along each series by itself; the study then has the highest of its series.
    fn predict(&self, by: Aggregation) -> [f64; 6] {
        let by = if by == Aggregation::SmoothedMax && !self.is_ordered {
            Aggregation::Max
        } else {
            by
        };
        let of = |slices: &[&Case], label: usize| {
            let values: Vec<f64> = slices
                .iter()
                .filter_map(|c| c.prediction.get(label).map(|p| p.get()))
                .collect();
            by.of(&values)
        };
        std::array::from_fn(|label| {
            let whole = if by == Aggregation::SmoothedMax {
                self.slices
                    .chunk_by(|a, b| a.series == b.series)
                    .filter_map(|series| of(series, label))
                    .reduce(f64::max)
            } else {
                of(&self.slices, label)
            };
            whole.unwrap_or(0.5)
        })
    }
}
