//! Facts about a slice that are no picture, each cut into a few ranges.

use std::collections::{BTreeMap, HashMap};

use super::super::survey::Survey;
use crate::index::{Acquisition, IndexRow};

/// Ranges of a number.
const RANGES: usize = 6;
/// Words that count for themselves; rarer ones count as one.
const WORDS: usize = 8;

/// A fact, cut into ranges.
pub(super) struct Feature {
    pub(super) name: &'static str,
    /// True where it says where in the head the slice lies.
    pub(super) is_position: bool,
    /// The range of every slice.
    pub(super) range: Vec<u8>,
    /// How many ranges there are.
    pub(super) ranges: usize,
}

/// The facts that differ between the slices `rows`.
pub(super) fn of(survey: &Survey<'_>, rows: &[usize]) -> Vec<Feature> {
    let numbers = NUMBERS.iter().map(|&(name, value)| {
        let values = rows.iter().map(|&at| value(survey.row(at)?));
        (name, false, by_size(values))
    });
    let words = WORDINGS.iter().map(|&(name, value)| {
        let words = rows.iter().map(|&at| value(survey.row(at)?));
        (name, false, by_word(words))
    });
    let in_series = rows
        .iter()
        .map(|&at| survey.neighbours(at).map(|(_, slices)| slices as f64));
    let place = rows.iter().map(|&at| {
        let (place, slices) = survey.neighbours(at)?;
        (slices > 1).then(|| place as f64 / (slices - 1) as f64)
    });
    let height = rows.iter().map(|&at| Some(survey.row(at)?.z_mm?.0));
    let others = [
        ("slices_in_series", false, by_size(in_series)),
        ("relative_position", true, by_size(place)),
        ("z_mm", true, by_size(height)),
    ];
    numbers
        .chain(words)
        .chain(others)
        .filter(|(_, _, (_, ranges))| *ranges > 1)
        .map(|(name, is_position, (range, ranges))| Feature {
            name,
            is_position,
            range,
            ranges,
        })
        .collect()
}

type Number = fn(&IndexRow) -> Option<f64>;
type Word = fn(&IndexRow) -> Option<String>;

fn taken(row: &IndexRow) -> Option<&Acquisition> {
    row.acquisition.as_deref()
}

const NUMBERS: [(&str, Number); 12] = [
    ("rows", |row| Some(f64::from(row.rows))),
    ("cols", |row| Some(f64::from(row.cols))),
    ("spacing_mm", |row| Some(row.spacing_mm?.0)),
    ("tilt_deg", |row| row.tilt_deg),
    ("kvp", |row| taken(row)?.kvp),
    ("thickness_mm", |row| taken(row)?.thickness_mm),
    ("pixel_mm", |row| taken(row)?.pixel_mm),
    ("intercept", |row| taken(row)?.intercept),
    ("bits_stored", |row| taken(row)?.bits_stored.map(f64::from)),
    ("signed", |row| {
        Some(f64::from(u8::from(taken(row)?.signed?)))
    }),
    ("window_center", |row| taken(row)?.window_center),
    ("window_width", |row| taken(row)?.window_width),
];

const WORDINGS: [(&str, Word); 6] = [
    ("dataset", |row| Some(row.dataset.to_string())),
    ("manufacturer", |row| taken(row)?.manufacturer.clone()),
    ("model", |row| taken(row)?.model.clone()),
    ("kernel", |row| taken(row)?.kernel.clone()),
    ("transfer_syntax", |row| {
        row.transfer_syntax.as_deref().map(str::to_owned)
    }),
    // Undeclared padding, a wrapped intercept and the like: how the file was written.
    ("repairs", |row| Some(row.defects.join(" "))),
];

/// Numbers by size; unknown ones are range 0.
fn by_size(values: impl Iterator<Item = Option<f64>>) -> (Vec<u8>, usize) {
    let values: Vec<Option<f64>> = values.map(|v| v.filter(|v| v.is_finite())).collect();
    let mut sorted: Vec<f64> = values.iter().flatten().copied().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut distinct = sorted.clone();
    distinct.dedup();
    // The lower ends of all ranges but the first.
    let mut cuts: Vec<f64> = if distinct.len() <= RANGES {
        distinct.into_iter().skip(1).collect()
    } else {
        (1..RANGES)
            .filter_map(|part| sorted.get(part * sorted.len() / RANGES).copied())
            .filter(|&cut| Some(&cut) != sorted.first())
            .collect()
    };
    cuts.dedup();
    let range = |value: &Option<f64>| {
        value.map_or(0, |value| 1 + cuts.partition_point(|&cut| cut <= value))
    };
    compact(values.iter().map(range))
}

/// Words by frequency; unknown ones are range 0, all rare ones are one range.
fn by_word(words: impl Iterator<Item = Option<String>>) -> (Vec<u8>, usize) {
    let words: Vec<Option<String>> = words.collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for word in words.iter().flatten() {
        *counts.entry(word).or_default() += 1;
    }
    let mut sorted: Vec<(&str, usize)> = counts.into_iter().collect();
    sorted.sort_by_key(|&(word, count)| (std::cmp::Reverse(count), word));
    let known: HashMap<&str, usize> = sorted
        .iter()
        .take(WORDS)
        .enumerate()
        .map(|(i, &(word, _))| (word, 1 + i))
        .collect();
    compact(words.iter().map(|word| {
        word.as_deref()
            .map_or(0, |word| known.get(word).copied().unwrap_or(1 + WORDS))
    }))
}

/// Ranges numbered without gaps, and how many there are.
fn compact(ranges: impl Iterator<Item = usize>) -> (Vec<u8>, usize) {
    let ranges: Vec<usize> = ranges.collect();
    let mut used = ranges.clone();
    used.sort_unstable();
    used.dedup();
    let number = |range: &usize| used.partition_point(|u| u < range) as u8;
    (ranges.iter().map(number).collect(), used.len())
}
