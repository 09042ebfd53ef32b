//! What several checks need of the rows, gathered once.

use std::collections::HashMap;

use crate::index::{Index, IndexRow};

/// The rows by series and by group.
pub(super) struct Survey<'a> {
    /// The index itself.
    pub(super) index: &'a Index,
    /// The usable rows of every series that has a UID, in the rows' order.
    series: Vec<Vec<usize>>,
    /// Usable rows whose series is not known.
    single: Vec<usize>,
    series_of: Vec<Option<u32>>,
    group_of: Vec<u32>,
    groups: usize,
}

impl<'a> Survey<'a> {
    pub(super) fn new(index: &'a Index) -> Self {
        let mut survey = Self {
            index,
            series: Vec::new(),
            single: Vec::new(),
            series_of: Vec::with_capacity(index.rows.len()),
            group_of: Vec::with_capacity(index.rows.len()),
            groups: 0,
        };
        let mut known_series: HashMap<&str, u32> = HashMap::new();
        let mut known_groups: HashMap<&str, u32> = HashMap::new();
        for (at, row) in index.rows.iter().enumerate() {
            let next = known_groups.len() as u32;
            survey
                .group_of
                .push(*known_groups.entry(group_key(row)).or_insert(next));
            let series = row.series_uid.as_deref().filter(|_| row.usable);
            let number = series.map(|uid| {
                let next = known_series.len() as u32;
                *known_series.entry(uid).or_insert(next)
            });
            survey.series_of.push(number);
            match number {
                Some(number) if (number as usize) < survey.series.len() => {
                    if let Some(rows) = survey.series.get_mut(number as usize) {
                        rows.push(at);
                    }
                }
                Some(_) => survey.series.push(vec![at]),
                None if row.usable => survey.single.push(at),
                None => {}
            }
        }
        survey.groups = known_groups.len();
        survey
    }

    pub(super) fn row(&self, at: usize) -> Option<&'a IndexRow> {
        self.index.rows.get(at)
    }

    /// The usable rows with their places.
    pub(super) fn usable(&self) -> impl Iterator<Item = (usize, &'a IndexRow)> {
        self.index
            .rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.usable)
    }

    /// The number of a row's series.
    pub(super) fn series_of(&self, at: usize) -> Option<u32> {
        self.series_of.get(at).copied().flatten()
    }

    /// The usable rows of every series.
    pub(super) fn series(&self) -> &[Vec<usize>] {
        &self.series
    }

    /// The usable rows of a row's series, and the row's place among them; of an unknown series nothing.
    pub(super) fn neighbours(&self, at: usize) -> Option<(usize, usize)> {
        let rows = self.series.get(self.series_of(at)? as usize)?;
        Some((rows.binary_search(&at).ok()?, rows.len()))
    }

    /// Series, and every slice of an unknown series for itself.
    pub(super) fn units(&self) -> impl Iterator<Item = &[usize]> {
        self.series
            .iter()
            .map(Vec::as_slice)
            .chain(self.single.chunks(1))
    }

    /// The number of a row's group: slices that may resemble each other.
    pub(super) fn group_of(&self, at: usize) -> u32 {
        self.group_of.get(at).copied().unwrap_or(0)
    }

    /// How many groups there are.
    pub(super) fn groups(&self) -> usize {
        self.groups
    }
}

/// The name of a row's group: its patient; where that is unknown its study, then its series, then itself.
pub(super) fn group_key(row: &IndexRow) -> &str {
    row.patient
        .as_ref()
        .map(falx_core::PatientId::as_str)
        .or(row.study_uid.as_deref())
        .or(row.series_uid.as_deref())
        .unwrap_or_else(|| row.image_id.as_str())
}
