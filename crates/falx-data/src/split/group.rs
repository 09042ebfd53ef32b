//! Slices that must stay together.

use std::collections::HashMap;

use falx_core::PatientId;

use crate::index::{Index, IndexRow};

/// What a group brings to a fold: slices, patients, slices by positive label, and whether any slice is positive.
pub(super) const TRAITS: usize = 9;

/// Slices that share a patient, a study, a series, an id or a picture, directly or through others.
pub(super) struct Group {
    /// Places in the list of usable rows.
    pub(super) members: Vec<u32>,
    /// How much of each trait.
    pub(super) traits: [f64; TRAITS],
    /// Its smallest image id, so that the order of groups does not depend on the order of rows.
    name: String,
}

/// What ties rows together; a blank picture ties nothing, since all blank pictures are equal.
pub(super) fn ties(row: &IndexRow) -> [Option<(u8, &str)>; 5] {
    let is_blank = row.hu_min == row.hu_max;
    [
        row.patient.as_ref().map(|id| (0, id.as_str())),
        row.study_uid.as_deref().map(|uid| (1, uid)),
        row.series_uid.as_deref().map(|uid| (2, uid)),
        row.pixel_hash
            .as_deref()
            .filter(|_| !is_blank)
            .map(|hash| (3, hash)),
        Some((4, row.image_id.as_str())),
    ]
}

/// The groups of the usable rows, ordered by their names.
pub(super) fn groups(index: &Index) -> (Vec<&IndexRow>, Vec<Group>) {
    let rows: Vec<&IndexRow> = index.rows.iter().filter(|row| row.usable).collect();
    let mut forest = Forest::new(rows.len());
    let mut first: HashMap<(u8, &str), u32> = HashMap::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        for tie in ties(row).into_iter().flatten() {
            let other = *first.entry(tie).or_insert(at as u32);
            forest.join(other, at as u32);
        }
    }
    drop(first);
    let mut members: HashMap<u32, Vec<u32>> = HashMap::new();
    for at in 0..rows.len() as u32 {
        members.entry(forest.root(at)).or_default().push(at);
    }
    let mut groups: Vec<Group> = members
        .into_values()
        .map(|members| group(&rows, members))
        .collect();
    groups.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    (rows, groups)
}

fn group(rows: &[&IndexRow], members: Vec<u32>) -> Group {
    let mut traits = [0.0; TRAITS];
    let mut patients: Vec<Option<&str>> = Vec::new();
    let mut name: Option<&str> = None;
    for row in members.iter().filter_map(|&at| rows.get(at as usize)) {
        traits[0] += 1.0;
        for (sum, label) in traits[2..8].iter_mut().zip(row.labels.0) {
            *sum += f64::from(u8::from(label == Some(true)));
        }
        patients.push(row.patient.as_ref().map(PatientId::as_str));
        let id = row.image_id.as_str();
        name = Some(name.map_or(id, |smallest| smallest.min(id)));
    }
    patients.sort_unstable();
    patients.dedup();
    traits[1] = patients.len() as f64;
    traits[8] = f64::from(u8::from(
        traits[2..8].iter().any(|&positive| positive > 0.0),
    ));
    Group {
        members,
        traits,
        name: name.unwrap_or_default().to_owned(),
    }
}

/// Union-find with path halving; the smaller place is the root.
struct Forest(Vec<u32>);

impl Forest {
    fn new(len: usize) -> Self {
        Self((0..len as u32).collect())
    }

    fn root(&mut self, mut at: u32) -> u32 {
        while self.0[at as usize] != at {
            let up = self.0[self.0[at as usize] as usize];
            self.0[at as usize] = up;
            at = up;
        }
        at
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        let (low, high) = (a.min(b), a.max(b));
        self.0[high as usize] = low;
    }
}
