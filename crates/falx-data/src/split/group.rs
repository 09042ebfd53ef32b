//! Slices that must stay together, and what each group of them brings to a fold.

use std::collections::{BTreeMap, HashMap};

use falx_core::{LABELS, Label};

use super::slices::{Slice, Tie, Ties};

/// The first traits: slices by positive label. Then slices, patients, patients with any positive slice, slices with
/// labels; then slices by data set, and studies by size.
pub(super) const SLICES: usize = LABELS.len();
const PATIENTS: usize = SLICES + 1;
const BLEEDING: usize = SLICES + 2;
const LABELLED: usize = SLICES + 3;
const DATASETS: usize = SLICES + 4;
/// The largest data sets have a trait of their own.
const MOST_DATASETS: usize = 32;
/// Studies are told apart by quarters: from the smallest to the largest.
const SIZES: usize = 4;

/// Slices that share a patient, a study, a series, an id or a picture, directly or through others.
pub(super) struct Group<'a> {
    /// Places in the list of slices.
    pub(super) members: Vec<u32>,
    /// Its smallest image id, so that the order of groups does not depend on the order of rows.
    name: &'a str,
}

/// The groups, ordered by name.
pub(super) fn groups<'a>(slices: &[&Slice<'a>], ties: &Ties) -> Vec<Group<'a>> {
    let mut forest = Forest::new(slices.len());
    for tie in Tie::ALL {
        for (at, first) in ties.iter(tie) {
            forest.join(first, at as u32);
        }
    }
    // The root is the first member, so groups come up in the order of their first members.
    let mut place_of = vec![u32::MAX; slices.len()];
    let mut groups: Vec<Group<'a>> = Vec::new();
    for (at, slice) in slices.iter().enumerate() {
        let root = forest.root(at as u32) as usize;
        if root == at {
            place_of[at] = groups.len() as u32;
            groups.push(Group {
                members: Vec::new(),
                name: slice.image_id,
            });
        }
        let group = &mut groups[place_of[root] as usize];
        group.members.push(at as u32);
        group.name = group.name.min(slice.image_id);
    }
    groups.sort_unstable_by_key(|group| group.name);
    groups
}

/// What groups bring: of each group its traits and how much of them.
pub(super) struct Traits {
    /// How many traits there are.
    pub(super) count: usize,
    starts: Vec<u32>,
    amounts: Vec<(u16, f32)>,
}

impl Traits {
    /// The traits of the groups.
    pub(super) fn of(groups: &[Group<'_>], slices: &[&Slice<'_>], ties: &Ties) -> Self {
        let datasets = largest_datasets(slices);
        let sizes = study_sizes(slices.len(), ties);
        let count = DATASETS + datasets.len() + SIZES;
        let (mut starts, mut amounts) = (vec![0], Vec::new());
        let mut sum = vec![0.0_f32; count];
        let mut people = Vec::new();
        for group in groups {
            people.clear();
            for &at in &group.members {
                let (at, slice) = (at as usize, slices[at as usize]);
                for (sum, label) in sum.iter_mut().zip(slice.labels.0) {
                    *sum += f32::from(u8::from(label == Some(true)));
                }
                sum[SLICES] += 1.0;
                sum[LABELLED] += f32::from(u8::from(!slice.labels.is_empty()));
                // A slice that nothing is known of is counted as a slice, not as a patient.
                let person = person(at, ties);
                people.extend(person.map(|person| (person, slice.labels.get(Label::Any))));
                if let Some(&dataset) = datasets.get(slice.dataset) {
                    sum[DATASETS + dataset] += 1.0;
                }
                if let Some(size) = sizes[at] {
                    sum[DATASETS + datasets.len() + size] += 1.0;
                }
            }
            people.sort_unstable();
            let bleed = |people: &[(Person, Option<bool>)]| {
                people.iter().any(|(_, any)| *any == Some(true))
            };
            for person in people.chunk_by(|a, b| a.0 == b.0) {
                sum[PATIENTS] += 1.0;
                sum[BLEEDING] += f32::from(u8::from(bleed(person)));
            }
            for (at, sum) in sum.iter_mut().enumerate() {
                if *sum > 0.0 {
                    amounts.push((at as u16, std::mem::take(sum)));
                }
            }
            starts.push(amounts.len() as u32);
        }
        Self {
            count,
            starts,
            amounts,
        }
    }

    /// The traits of one group.
    pub(super) fn get(&self, group: usize) -> impl Iterator<Item = (usize, f64)> + Clone {
        let range = self.starts[group] as usize..self.starts[group + 1] as usize;
        let amounts = self.amounts[range].iter();
        amounts.map(|&(at, amount)| (usize::from(at), f64::from(amount)))
    }

    /// How many groups there are.
    pub(super) fn groups(&self) -> usize {
        self.starts.len() - 1
    }

    /// The slices of one group.
    pub(super) fn slices(&self, group: usize) -> f64 {
        let mut traits = self.get(group);
        traits
            .find(|&(at, _)| at == SLICES)
            .map_or(0.0, |(_, amount)| amount)
    }

    /// How much a fold's share of a trait matters beside the other traits.
    pub(super) fn weight(at: usize) -> f64 {
        match at {
            0..=SLICES => 1.0,
            PATIENTS | BLEEDING | LABELLED => 0.5,
            _ => 0.25,
        }
    }
}

/// A patient; where none is known, whoever was in that study (series).
type Person = (u8, u32);

fn person(at: usize, ties: &Ties) -> Option<Person> {
    let known = [Tie::Patient, Tie::Study, Tie::Series].into_iter().zip(0..);
    let mut known = known.filter_map(|(tie, kind)| Some((kind, ties.get(tie)[at]?)));
    known.next()
}

/// The places of the data sets among the traits; none where there is only one.
fn largest_datasets<'a>(slices: &[&Slice<'a>]) -> HashMap<&'a str, usize> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for slice in slices {
        *counts.entry(slice.dataset).or_default() += 1;
    }
    if counts.len() < 2 {
        return HashMap::new();
    }
    let mut names: Vec<_> = counts.into_iter().collect();
    names.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    let names = names.into_iter().map(|(name, _)| name);
    names.take(MOST_DATASETS).zip(0..).collect()
}

/// For the first slice of each study the quarter of studies, by slices, that it is in.
fn study_sizes(slices: usize, ties: &Ties) -> Vec<Option<usize>> {
    let mut counts = vec![0_u32; slices];
    for (_, first) in ties.iter(Tie::Study) {
        counts[first as usize] += 1;
    }
    let mut sorted: Vec<u32> = counts.iter().copied().filter(|&count| count > 0).collect();
    sorted.sort_unstable();
    let borders: Vec<u32> = (1..SIZES)
        .filter_map(|quarter| sorted.get(sorted.len() * quarter / SIZES).copied())
        .collect();
    let size = |count: u32| borders.iter().filter(|&&border| count > border).count();
    let sizes = counts.into_iter();
    sizes
        .map(|count| (count > 0).then(|| size(count)))
        .collect()
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
