//! The audit of a split: what is in each fold, and whether anything is on two sides.

mod text;

use std::collections::{BTreeMap, HashMap};

use falx_core::{ImageId, LABELS};
use serde::Serialize;

use super::slices::{Slice, Slices, Tie, Ties, data_hash};
use super::{Split, usable};

/// How many examples are named.
const EXAMPLES: usize = 5;

/// What is in the folds of a split, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SplitAudit {
    /// True where the split's data lock is this index's.
    pub same_data: bool,
    /// Patients, studies, series, pictures and ids that are in more than one fold; one entry a kind.
    pub leaks: Vec<Leak>,
    /// Usable slices of the index that are in no fold.
    pub not_in_split: Found,
    /// Slices of the split that the index does not have.
    pub not_in_index: Found,
    /// Slices of the split that the index has but that cannot be used.
    pub not_usable: Found,
    /// Slices of a fold whose patient is not known: nobody can tell whether that person is on two sides.
    pub patient_unknown: u64,
    /// All folds together.
    pub whole: FoldAudit,
    /// The folds; the locked test (−1) first.
    pub folds: Vec<FoldAudit>,
    /// By label, the largest `deviation` of a fold.
    pub worst_deviation: [Option<f64>; 6],
}

/// One kind of leak.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Leak {
    /// What is on two sides.
    pub kind: Tie,
    /// How many patients (studies, …) are.
    pub count: u64,
    /// Of some of them, two slices that have it in common but not the fold.
    pub examples: Vec<[ImageId; 2]>,
}

/// Slices that something is wrong with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// How many.
    pub count: u64,
    /// Up to five of them.
    pub examples: Vec<ImageId>,
}

impl Found {
    fn add(&mut self, id: &str) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(id.into());
        }
    }
}

/// What is in one fold.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FoldAudit {
    /// 0 … k−1, −1 for the locked test; nothing for all folds together.
    pub fold: Option<i32>,
    /// Slices.
    pub slices: u64,
    /// Different studies that are known.
    pub studies: u64,
    /// Different patients that are known.
    pub patients: u64,
    /// By label, slices of which it is known.
    pub labelled: [u64; 6],
    /// By label, positive slices.
    pub positives: [u64; 6],
    /// By label, positive among labelled slices; nothing where none is labelled.
    pub prevalence: [Option<f64>; 6],
    /// By label, how far `prevalence` is from the whole's, relative to that; nothing where the whole has no positive.
    pub deviation: [Option<f64>; 6],
    /// By data set, its share of the slices.
    pub datasets: BTreeMap<String, f64>,
}

impl Split {
    /// Looks at the split as if it came from elsewhere: counts what is in each fold, and what is on two sides.
    pub fn audit(&self, index: &impl Slices) -> SplitAudit {
        let slices = index.slices();
        let same_data = data_hash(&slices) == self.data_hash;
        self.audit_slices(&slices, same_data)
    }

    pub(super) fn audit_slices(&self, slices: &[Slice<'_>], same_data: bool) -> SplitAudit {
        let usable = usable(slices);
        self.audit_usable(slices, &usable, &Ties::of(&usable), same_data)
    }

    pub(super) fn audit_usable(
        &self,
        slices: &[Slice<'_>],
        usable: &[&Slice<'_>],
        ties: &Ties,
        same_data: bool,
    ) -> SplitAudit {
        let mut audit = SplitAudit::of(same_data);
        let ids = self.rows.iter().map(|row| row.image_id.as_str());
        // A split that falx made from this index has its very slices; anything else has to be looked up.
        let folds = if ids.eq(usable.iter().map(|slice| slice.image_id)) {
            self.rows.iter().map(|row| Some(row.fold)).collect()
        } else {
            self.look_up(slices, &mut audit)
        };
        for tie in Tie::ALL {
            let found = leaks(tie, ties, usable, &folds);
            let leak = &mut audit.leaks[tie as usize];
            leak.count += found.count;
            leak.examples.extend(found.examples);
            leak.examples.truncate(EXAMPLES);
        }
        let mut found: BTreeMap<i32, FoldAudit> = BTreeMap::new();
        let mut datasets: BTreeMap<(Option<i32>, &str), u64> = BTreeMap::new();
        for (slice, fold) in usable.iter().zip(&folds) {
            let Some(fold) = *fold else {
                continue;
            };
            found.entry(fold).or_default().add(slice);
            audit.whole.add(slice);
            audit.patient_unknown += u64::from(slice.patient.is_none());
            for side in [None, Some(fold)] {
                *datasets.entry((side, slice.dataset)).or_default() += 1;
            }
        }
        for (tie, count) in [
            (
                Tie::Study,
                (|fold| &mut fold.studies) as fn(&mut FoldAudit) -> &mut u64,
            ),
            (Tie::Patient, |fold| &mut fold.patients),
        ] {
            let (whole, by_fold) = distinct(tie, ties, &folds);
            *count(&mut audit.whole) = whole;
            for (fold, number) in by_fold {
                found.entry(fold).and_modify(|fold| *count(fold) = number);
            }
        }
        audit.folds = found
            .into_iter()
            .map(|(fold, found)| FoldAudit {
                fold: Some(fold),
                ..found
            })
            .collect();
        audit.finish(&datasets);
        audit
    }

    /// The fold of each usable slice; what does not fit goes to the audit.
    fn look_up(&self, slices: &[Slice<'_>], audit: &mut SplitAudit) -> Vec<Option<i32>> {
        struct Place {
            fold: i32,
            seen: bool,
            twice: bool,
        }
        let mut places: HashMap<&str, Place> = HashMap::with_capacity(self.rows.len());
        for row in &self.rows {
            let id = row.image_id.as_str();
            let place = places.entry(id).or_insert(Place {
                fold: row.fold,
                seen: false,
                twice: false,
            });
            if place.fold != row.fold && !std::mem::replace(&mut place.twice, true) {
                audit.leaks[Tie::Image as usize].add(id, id);
            }
        }
        let mut folds = Vec::with_capacity(slices.len());
        for slice in slices {
            let place = places.get_mut(slice.image_id);
            let fold = place.map(|place| {
                place.seen = true;
                place.fold
            });
            if slice.usable {
                folds.push(fold);
                if fold.is_none() {
                    audit.not_in_split.add(slice.image_id);
                }
            } else if fold.is_some() {
                audit.not_usable.add(slice.image_id);
            }
        }
        for row in &self.rows {
            if let Some(place) = places.get_mut(row.image_id.as_str())
                && !std::mem::replace(&mut place.seen, true)
            {
                audit.not_in_index.add(row.image_id.as_str());
            }
        }
        folds
    }
}

/// What of one kind is in more than one fold.
fn leaks(tie: Tie, ties: &Ties, slices: &[&Slice<'_>], folds: &[Option<i32>]) -> Leak {
    let mut leak = Leak {
        kind: tie,
        count: 0,
        examples: Vec::new(),
    };
    // Of each first slice, the first one of the same that has a fold, and whether a leak was found already.
    let mut leaders: Vec<Option<(u32, bool)>> = vec![None; slices.len()];
    for (at, first) in ties.iter(tie) {
        let Some(fold) = folds[at] else {
            continue;
        };
        let (leader, leaks) = leaders[first as usize].get_or_insert((at as u32, false));
        let leader = *leader as usize;
        if folds[leader] != Some(fold) && !std::mem::replace(leaks, true) {
            leak.add(slices[leader].image_id, slices[at].image_id);
        }
    }
    leak
}

/// How many different patients (studies, …) there are in all folds together, and in each.
fn distinct(tie: Tie, ties: &Ties, folds: &[Option<i32>]) -> (u64, BTreeMap<i32, u64>) {
    let placed = ties
        .iter(tie)
        .filter_map(|(at, first)| Some((first, folds[at]?)));
    let mut pairs: Vec<(u32, i32)> = placed.collect();
    pairs.sort_unstable();
    pairs.dedup();
    let mut by_fold = BTreeMap::new();
    for (_, fold) in &pairs {
        *by_fold.entry(*fold).or_default() += 1;
    }
    (pairs.chunk_by(|a, b| a.0 == b.0).count() as u64, by_fold)
}

impl Leak {
    fn add(&mut self, a: &str, b: &str) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push([a.into(), b.into()]);
        }
    }
}

impl FoldAudit {
    fn add(&mut self, slice: &Slice<'_>) {
        self.slices += 1;
        for (at, label) in slice.labels.0.iter().enumerate() {
            self.labelled[at] += u64::from(label.is_some());
            self.positives[at] += u64::from(*label == Some(true));
        }
    }

    fn finish(&mut self, datasets: &BTreeMap<(Option<i32>, &str), u64>) {
        self.prevalence = std::array::from_fn(|at| {
            (self.labelled[at] > 0).then(|| self.positives[at] as f64 / self.labelled[at] as f64)
        });
        self.datasets = datasets
            .iter()
            .filter(|((fold, _), _)| *fold == self.fold)
            .map(|((_, name), count)| ((*name).to_owned(), *count as f64 / self.slices as f64))
            .collect();
    }
}

impl SplitAudit {
    fn of(same_data: bool) -> Self {
        let none = |kind| Leak {
            kind,
            count: 0,
            examples: Vec::new(),
        };
        Self {
            same_data,
            leaks: Tie::ALL.map(none).to_vec(),
            not_in_split: Found::default(),
            not_in_index: Found::default(),
            not_usable: Found::default(),
            patient_unknown: 0,
            whole: FoldAudit::default(),
            folds: Vec::new(),
            worst_deviation: [None; 6],
        }
    }

    fn finish(&mut self, datasets: &BTreeMap<(Option<i32>, &str), u64>) {
        self.whole.finish(datasets);
        for fold in &mut self.folds {
            fold.finish(datasets);
            for at in 0..LABELS.len() {
                let whole = self.whole.prevalence[at].filter(|whole| *whole > 0.0);
                let deviation = whole
                    .zip(fold.prevalence[at])
                    .map(|(whole, here)| here / whole - 1.0);
                fold.deviation[at] = deviation;
                let worst = &mut self.worst_deviation[at];
                if deviation.map(f64::abs) > worst.map(f64::abs) {
                    *worst = deviation;
                }
            }
        }
    }

    /// True where a patient, study, series, picture or id is in more than one fold.
    pub fn leaks(&self) -> bool {
        self.leak_count() > 0
    }

    /// How many patients, studies, series, pictures and ids are in more than one fold.
    pub fn leak_count(&self) -> u64 {
        self.leaks.iter().map(|leak| leak.count).sum()
    }

    /// True where the split is of this index, and has each of its usable slices and no others.
    pub fn fits(&self) -> bool {
        self.same_data && self.not_in_split.count == 0 && self.not_in_index.count == 0
    }
}
