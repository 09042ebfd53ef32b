//! Folds that cannot leak: no patient, study or picture is on two sides.

mod balance;
mod file;
mod group;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

use falx_core::{ImageId, LABELS, PatientId};
use serde::{Deserialize, Serialize};

use crate::index::{Index, IndexRow};
use crate::table::TableError;
use group::groups;

/// How to split.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SplitOptions {
    /// How many folds (at least 2).
    pub folds: u32,
    /// The share of patients that is locked away as fold −1; 0 for none.
    pub test_fraction: f64,
    /// The seed.
    pub seed: u64,
}

/// One usable slice's fold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitRow {
    /// The slice.
    pub image_id: ImageId,
    /// Its patient; where the source names none, `unknown-<hash of the study>`.
    pub patient: PatientId,
    /// 0 … k−1, or −1 for the locked test.
    pub fold: i32,
}

/// A split of the usable rows of one index.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// One row a usable slice, in the index's order.
    pub rows: Vec<SplitRow>,
    /// How it was made.
    pub options: SplitOptions,
    /// [`Index::data_hash`] of the index it was made from.
    pub data_hash: String,
}

/// Why no split could be made, or a split does not fit.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// Fewer than two folds, or a test share outside 0 ..= 0.9.
    #[error(
        "{folds} folds with a test share of {test_fraction} make no split; use at least 2 folds and a share from 0 to 0.9"
    )]
    Options {
        /// The folds that were asked for.
        folds: u32,
        /// The test share that was asked for.
        test_fraction: f64,
    },
    /// Fewer groups of patients than folds.
    #[error(
        "{groups} separate patients are too few for {wanted} parts; use fewer folds or more data"
    )]
    TooFewPatients {
        /// Groups of patients that can be told apart.
        groups: usize,
        /// Folds, and one for the locked test.
        wanted: usize,
    },
    /// The split was made from other data.
    #[error(
        "the split was made from other data than this index (data lock {split} against {index}); run `falx split` again"
    )]
    OtherData {
        /// The split's data lock.
        split: String,
        /// The index's.
        index: String,
    },
    /// A patient or picture is on two sides.
    #[error("{count} patients or pictures are in more than one fold; run `falx split` again")]
    Leak {
        /// How many.
        count: u64,
    },
    /// The split file cannot be read or written.
    #[error(transparent)]
    File(#[from] TableError),
}

/// Splits the usable rows of an index.
///
/// Slices that share a patient, a study, a series, an id or a picture (blank ones aside), directly or through
/// others, stay together. Folds get equal shares of slices, patients and each label's positives as far as such
/// groups allow. The result depends on the rows' content and the seed, not on the rows' order.
///
/// # Errors
/// [`SplitError::Options`], [`SplitError::TooFewPatients`].
pub fn split(index: &Index, options: &SplitOptions) -> Result<Split, SplitError> {
    let &SplitOptions {
        folds,
        test_fraction,
        seed,
    } = options;
    if folds < 2 || !(0.0..=0.9).contains(&test_fraction) {
        return Err(SplitError::Options {
            folds,
            test_fraction,
        });
    }
    let (rows, groups) = groups(index);
    // Part 0 is the locked test where there is one.
    let locked = usize::from(test_fraction > 0.0);
    let parts = folds as usize + locked;
    if groups.len() < parts {
        return Err(SplitError::TooFewPatients {
            groups: groups.len(),
            wanted: parts,
        });
    }
    let mut shares = vec![(1.0 - test_fraction) / f64::from(folds); parts];
    if locked == 1 {
        shares[0] = test_fraction;
    }
    let part_of = balance::deal(&groups, &shares, seed);
    let mut fold_of = vec![0; rows.len()];
    for (group, part) in groups.iter().zip(part_of) {
        for &at in &group.members {
            fold_of[at as usize] = part as i32 - locked as i32;
        }
    }
    let rows = rows
        .into_iter()
        .zip(fold_of)
        .map(|(row, fold)| SplitRow {
            image_id: row.image_id.clone(),
            patient: patient(row),
            fold,
        })
        .collect();
    Ok(Split {
        rows,
        options: *options,
        data_hash: index.data_hash(),
    })
}

/// The row's patient, or a stand-in for an unknown one: whoever was in that study (series, picture).
fn patient(row: &IndexRow) -> PatientId {
    row.patient.clone().unwrap_or_else(|| {
        let known = row.study_uid.as_deref().or(row.series_uid.as_deref());
        let hash = blake3::hash(known.unwrap_or(row.image_id.as_str()).as_bytes());
        PatientId(format!("unknown-{}", &hash.to_hex()[..16]))
    })
}

impl Split {
    /// The fold of each slice.
    pub fn folds(&self) -> HashMap<&ImageId, i32> {
        self.rows
            .iter()
            .map(|row| (&row.image_id, row.fold))
            .collect()
    }

    /// Checks that the split belongs to `index` and that no patient, study, series or picture is on two sides.
    ///
    /// # Errors
    /// [`SplitError::OtherData`], [`SplitError::Leak`].
    pub fn check_leaks(&self, index: &Index) -> Result<(), SplitError> {
        let here = index.data_hash();
        if here != self.data_hash {
            return Err(SplitError::OtherData {
                split: self.data_hash.clone(),
                index: here,
            });
        }
        let folds = self.folds();
        let mut seen: HashMap<(u8, &str), i32> = HashMap::new();
        let mut leaks = HashSet::new();
        for row in index.rows.iter().filter(|row| row.usable) {
            let Some(&fold) = folds.get(&row.image_id) else {
                continue;
            };
            for tie in group::ties(row).into_iter().flatten() {
                if *seen.entry(tie).or_insert(fold) != fold {
                    leaks.insert(tie);
                }
            }
        }
        match leaks.len() as u64 {
            0 => Ok(()),
            count => Err(SplitError::Leak { count }),
        }
    }

    /// Slices, patients and positives of each fold.
    pub fn summary(&self, index: &Index) -> Vec<FoldSummary> {
        let labels: HashMap<_, _> = index
            .rows
            .iter()
            .map(|row| (&row.image_id, row.labels))
            .collect();
        let mut folds: BTreeMap<i32, (HashSet<&PatientId>, FoldSummary)> = BTreeMap::new();
        for row in &self.rows {
            let (patients, fold) = folds.entry(row.fold).or_default();
            fold.fold = row.fold;
            fold.slices += 1;
            patients.insert(&row.patient);
            let row = labels.get(&row.image_id).copied().unwrap_or_default();
            for (count, label) in fold.positives.iter_mut().zip(row.0) {
                *count += u64::from(label == Some(true));
            }
        }
        folds
            .into_values()
            .map(|(patients, fold)| FoldSummary {
                patients: patients.len() as u64,
                ..fold
            })
            .collect()
    }

    /// The table of folds as text.
    pub fn to_text(&self, index: &Index) -> String {
        let names: Vec<_> = LABELS
            .iter()
            .map(|label| format!("{:>18}", label.name()))
            .collect();
        let mut text = format!(
            "{:<6}{:>9}{:>10}{}\n",
            "fold",
            "slices",
            "patients",
            names.concat()
        );
        for fold in self.summary(index) {
            let name = if fold.fold < 0 {
                "test".to_owned()
            } else {
                fold.fold.to_string()
            };
            let counts: Vec<_> = fold
                .positives
                .iter()
                .map(|count| format!("{count:>18}"))
                .collect();
            // Writing to a String cannot fail.
            _ = writeln!(
                text,
                "{name:<6}{:>9}{:>10}{}",
                fold.slices,
                fold.patients,
                counts.concat()
            );
        }
        text
    }
}

/// What is in one fold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FoldSummary {
    /// 0 … k−1, or −1 for the locked test.
    pub fold: i32,
    /// Slices.
    pub slices: u64,
    /// Patients.
    pub patients: u64,
    /// Slices by positive label, in the order of the labels.
    pub positives: [u64; 6],
}
