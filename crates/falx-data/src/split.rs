//! Folds that cannot leak: no patient, study or picture is on two sides.

mod audit;
mod balance;
mod file;
mod given;
mod group;
mod slices;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use falx_core::{ImageId, PatientId};
use serde::{Deserialize, Serialize};

use crate::table::TableError;
use group::{Traits, groups};
use slices::{Ties, data_hash};

pub use audit::{FoldAudit, Found, Leak, SplitAudit};
pub use file::is_split_file;
pub use given::{FoldName, GivenSplit};
pub use slices::{IndexColumns, Slice, Slices, Tie};

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
    #[error(
        "{count} patients or pictures are in more than one fold; `falx split INDEX --check SPLIT` names some, \
         `falx split` without --check makes a split that does not leak"
    )]
    Leak {
        /// How many.
        count: u64,
    },
    /// A split that was given has only one fold to learn from and to choose on.
    #[error(
        "the split has {folds} folds besides the locked test, and training needs at least two: one to learn from, one \
         that chooses the best epoch"
    )]
    OneFold {
        /// How many folds there are.
        folds: usize,
    },
    /// No slice of a split that was given is in the index.
    #[error("none of the {rows} ids of {}, such as {example}, is in the index; check that both name the same slices", .path.display())]
    Strangers {
        /// The file.
        path: PathBuf,
        /// How many ids it has.
        rows: u64,
        /// The first of them.
        example: ImageId,
    },
    /// A split that was given is no CSV of ids and folds.
    #[error("the split {} {what}", .path.display())]
    Given {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        what: String,
    },
    /// The split file cannot be read or written.
    #[error(transparent)]
    File(#[from] TableError),
}

/// Splits the usable rows of an index.
///
/// Slices that share a patient, a study, a series, an id or a picture (blank ones aside), directly or through
/// others, stay together. Folds get equal shares of slices, patients, each label's positives, each data set's slices,
/// and studies of each size, as far as such groups allow. The result depends on the rows' content and the seed, not on
/// the rows' order.
///
/// # Errors
/// [`SplitError::Options`], [`SplitError::TooFewPatients`].
pub fn split(index: &impl Slices, options: &SplitOptions) -> Result<Split, SplitError> {
    let slices = index.slices();
    let usable = usable(&slices);
    split_usable(&slices, &usable, &Ties::of(&usable), options)
}

/// [`split`], and the audit of what came out.
///
/// # Errors
/// [`SplitError::Options`], [`SplitError::TooFewPatients`].
pub fn split_and_audit(
    index: &impl Slices,
    options: &SplitOptions,
) -> Result<(Split, SplitAudit), SplitError> {
    let slices = index.slices();
    let usable = usable(&slices);
    let ties = Ties::of(&usable);
    let split = split_usable(&slices, &usable, &ties, options)?;
    let audit = split.audit_usable(&slices, &usable, &ties, true);
    Ok((split, audit))
}

fn usable<'s, 'a>(slices: &'s [Slice<'a>]) -> Vec<&'s Slice<'a>> {
    slices.iter().filter(|slice| slice.usable).collect()
}

fn split_usable(
    slices: &[Slice<'_>],
    usable: &[&Slice<'_>],
    ties: &Ties,
    options: &SplitOptions,
) -> Result<Split, SplitError> {
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
    let groups = groups(usable, ties);
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
    let part_of = balance::deal(&Traits::of(&groups, usable, ties), &shares, seed);
    let mut fold_of = vec![0; usable.len()];
    for (group, part) in groups.iter().zip(part_of) {
        for &at in &group.members {
            fold_of[at as usize] = part as i32 - locked as i32;
        }
    }
    let rows = usable
        .iter()
        .zip(fold_of)
        .map(|(slice, fold)| SplitRow {
            image_id: ImageId::from(slice.image_id),
            patient: patient(slice),
            fold,
        })
        .collect();
    Ok(Split {
        rows,
        options: *options,
        data_hash: data_hash(slices),
    })
}

/// The slice's patient, or a stand-in for an unknown one: whoever was in that study (series, picture).
fn patient(slice: &Slice<'_>) -> PatientId {
    slice.patient.map_or_else(
        || {
            let known = slice.study.or(slice.series).unwrap_or(slice.image_id);
            let hash = blake3::hash(known.as_bytes());
            PatientId(format!("unknown-{}", &hash.to_hex()[..16]))
        },
        PatientId::from,
    )
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
    pub fn check_leaks(&self, index: &impl Slices) -> Result<(), SplitError> {
        let slices = index.slices();
        let here = data_hash(&slices);
        if here != self.data_hash {
            return Err(SplitError::OtherData {
                split: self.data_hash.clone(),
                index: here,
            });
        }
        match self.audit_slices(&slices, true).leak_count() {
            0 => Ok(()),
            count => Err(SplitError::Leak { count }),
        }
    }

    /// The split as it is written for `index`: rows for its usable slices only, and its data lock.
    ///
    /// # Errors
    /// [`SplitError::Leak`], [`SplitError::OneFold`].
    pub fn locked_to(&self, index: &impl Slices) -> Result<Self, SplitError> {
        let slices = index.slices();
        match self.audit_slices(&slices, true).leak_count() {
            0 => {}
            count => return Err(SplitError::Leak { count }),
        }
        let folds = self.folds();
        let rows: Vec<SplitRow> = slices
            .iter()
            .filter(|slice| slice.usable)
            .filter_map(|slice| {
                let image_id = ImageId::from(slice.image_id);
                let fold = *folds.get(&image_id)?;
                Some(SplitRow {
                    patient: patient(slice),
                    image_id,
                    fold,
                })
            })
            .collect();
        let used: HashSet<i32> = rows
            .iter()
            .map(|row| row.fold)
            .filter(|fold| *fold >= 0)
            .collect();
        if used.len() < 2 {
            return Err(SplitError::OneFold { folds: used.len() });
        }
        Ok(Self {
            rows,
            options: self.options,
            data_hash: data_hash(&slices),
        })
    }
}
