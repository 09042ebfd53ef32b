//! Who said what of which case.

use std::collections::{BTreeMap, BTreeSet};

use falx_core::{LABELS, Label, LabelRow, PatientId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::StudyReads;

/// One case as all readers saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadCase {
    /// The case's cluster (patient); intervals resample clusters.
    pub cluster: u32,
    /// What each reader said, in the table's order of readers; what a reader did not say is unknown.
    pub reads: Vec<LabelRow>,
}

/// What several readers said of the same cases.
#[derive(Clone, Debug, PartialEq)]
pub struct ReaderTable {
    readers: Vec<String>,
    cases: Vec<ReadCase>,
}

/// Why reads are no table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReaderTableError {
    /// No reader.
    #[error("no reader is named; give the names of those who read the cases")]
    NoReaders,
    /// Two readers share a name.
    #[error("two readers are called `{0}`; give each a name of its own")]
    SameName(String),
    /// A case has another number of reads than there are readers.
    #[error(
        "case {case} has {reads} reads of {readers} readers; give one for each, unknown where there is none"
    )]
    Reads {
        /// Which case, from 0.
        case: usize,
        /// Its reads.
        reads: usize,
        /// Readers there are.
        readers: usize,
    },
}

/// How the readers' votes fall on one label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Votes {
    /// Cases that nobody read.
    pub unread: u64,
    /// Cases that one reader read.
    pub single: u64,
    /// Cases that two or more readers all called negative.
    pub all_negative: u64,
    /// Cases that two or more readers all called positive.
    pub all_positive: u64,
    /// Cases on which readers were of two minds.
    pub split: u64,
    /// Those of them with as many votes on either side: they have no majority.
    pub tied: u64,
}

impl ReaderTable {
    /// A checked table.
    ///
    /// # Errors
    /// [`ReaderTableError`] for no readers, equal names, or a case with another number of reads.
    pub fn new(readers: Vec<String>, cases: Vec<ReadCase>) -> Result<Self, ReaderTableError> {
        if readers.is_empty() {
            return Err(ReaderTableError::NoReaders);
        }
        let mut names: Vec<&String> = readers.iter().collect();
        names.sort_unstable();
        if let Some([same, _]) = names.array_windows().find(|[a, b]| a == b) {
            return Err(ReaderTableError::SameName((*same).clone()));
        }
        if let Some((case, row)) = (0..)
            .zip(&cases)
            .find(|(_, c)| c.reads.len() != readers.len())
        {
            return Err(ReaderTableError::Reads {
                case,
                reads: row.reads.len(),
                readers: readers.len(),
            });
        }
        Ok(Self { readers, cases })
    }

    /// The table of what readers said of studies, in the order of the studies; readers by name. Patients are numbered from
    /// 0 in the order of their pseudonyms.
    ///
    /// # Errors
    /// [`ReaderTableError`] where no study names a reader.
    pub fn of_studies(studies: &[StudyReads]) -> Result<Self, ReaderTableError> {
        let names: BTreeSet<&String> = studies
            .iter()
            .flat_map(|s| s.readers.iter().map(|(name, _)| name))
            .collect();
        let mut patients: BTreeMap<&PatientId, u32> =
            studies.iter().map(|s| (&s.patient, 0)).collect();
        for (number, place) in (0..).zip(patients.values_mut()) {
            *place = number;
        }
        let cases = studies.iter().map(|study| {
            let said: BTreeMap<&String, LabelRow> = study
                .readers
                .iter()
                .map(|(name, row)| (name, *row))
                .collect();
            let of = |name: &&String| said.get(*name).copied().unwrap_or_default();
            ReadCase {
                cluster: patients.get(&study.patient).copied().unwrap_or(0),
                reads: names.iter().map(of).collect(),
            }
        });
        let cases = cases.collect();
        Self::new(names.into_iter().cloned().collect(), cases)
    }

    /// The readers' names.
    pub fn readers(&self) -> &[String] {
        &self.readers
    }

    /// The cases.
    pub fn cases(&self) -> &[ReadCase] {
        &self.cases
    }

    /// One more than the highest cluster's number.
    pub fn clusters(&self) -> usize {
        let clusters = self.cases.iter().map(|c| c.cluster as usize + 1);
        clusters.max().unwrap_or(0)
    }

    /// What one reader said of each case, on one label.
    pub(crate) fn of_reader(&self, reader: usize, label: Label) -> Vec<Option<bool>> {
        let cases = self.cases.iter();
        cases
            .map(|case| case.reads.get(reader).and_then(|row| row.get(label)))
            .collect()
    }

    /// For each case how many readers said yes, and how many said anything, on one label.
    pub(crate) fn counts(&self, label: Label) -> Vec<(u32, u32)> {
        let of_case = |case: &ReadCase| {
            let said = case.reads.iter().filter_map(|row| row.get(label));
            said.fold((0, 0), |(yes, all), vote| (yes + u32::from(vote), all + 1))
        };
        self.cases.iter().map(of_case).collect()
    }

    /// What more than half of those who read a case said of it; unknown where nobody did or the votes are tied.
    ///
    /// # Shape
    /// One row a case.
    pub fn majority(&self) -> Vec<LabelRow> {
        let mut rows = vec![LabelRow::default(); self.cases.len()];
        for label in LABELS {
            for (row, (yes, all)) in rows.iter_mut().zip(self.counts(label)) {
                if 2 * yes != all {
                    row.set(label, 2 * yes > all);
                }
            }
        }
        rows
    }

    /// How the votes fall on one label.
    pub fn votes(&self, label: Label) -> Votes {
        let mut votes = Votes::default();
        for (yes, all) in self.counts(label) {
            match (yes, all) {
                (_, 0) => votes.unread += 1,
                (_, 1) => votes.single += 1,
                (0, _) => votes.all_negative += 1,
                (yes, all) if yes == all => votes.all_positive += 1,
                (yes, all) => {
                    votes.split += 1;
                    votes.tied += u64::from(2 * yes == all);
                }
            }
        }
        votes
    }
}
