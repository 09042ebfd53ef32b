//! Axes of the population: which group each case is in.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::SubgroupError;
use crate::Attributes;

/// The group of cases whose value is missing.
pub const UNKNOWN: &str = "unknown";
/// The group in which the smallest groups are joined where there are more than twelve.
pub const OTHER: &str = "other";

/// Groups an axis has at most, without [`UNKNOWN`].
const MOST_GROUPS: usize = 12;

/// One way to divide the cases into groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis {
    /// What it is: `sex`, `kernel` …
    pub name: String,
    /// The groups' names.
    pub groups: Vec<String>,
    /// Each case's place in `groups`.
    pub group: Vec<u16>,
}

impl Axis {
    pub(super) fn check(&self, cases: usize) -> Result<(), SubgroupError> {
        if self.group.len() == cases {
            return Ok(());
        }
        Err(SubgroupError::Axis {
            axis: self.name.clone(),
            given: self.group.len(),
            cases,
        })
    }

    /// True where a group's cases have a known value.
    pub(super) fn is_known(&self, group: usize) -> bool {
        self.groups.get(group).is_some_and(|name| name != UNKNOWN)
    }

    /// Patients with cases in more than one group, unknown ones aside.
    pub(super) fn straddling(&self, cluster: &[u32]) -> u64 {
        let mut first: HashMap<u32, Option<u16>> = HashMap::new();
        for (&cluster, &group) in cluster.iter().zip(&self.group) {
            if self.is_known(group as usize) {
                first
                    .entry(cluster)
                    .and_modify(|one| *one = one.filter(|one| *one == group))
                    .or_insert(Some(group));
            }
        }
        first.values().filter(|one| one.is_none()).count() as u64
    }
}

/// The axes that the cases' attributes name, by name. A case without a value of an axis is in [`UNKNOWN`]; of more than
/// twelve values the eleven commonest stay and the rest are joined as [`OTHER`].
///
/// # Shape
/// One item a case; cases may share theirs.
pub fn axes_of<'a>(attributes: impl IntoIterator<Item = Option<&'a Attributes>>) -> Vec<Axis> {
    // Equal pointers are looked up once: slices share what is known of their series.
    let mut known: HashMap<Option<*const Attributes>, usize> = HashMap::new();
    let mut distinct: Vec<(Option<&Attributes>, u64)> = Vec::new();
    let mut kind: Vec<usize> = Vec::new();
    for one in attributes {
        let key = one.map(std::ptr::from_ref);
        let place = *known.entry(key).or_insert_with(|| {
            distinct.push((one, 0));
            distinct.len() - 1
        });
        if let Some((_, count)) = distinct.get_mut(place) {
            *count += 1;
        }
        kind.push(place);
    }
    let mut values: BTreeMap<&Arc<str>, BTreeMap<&str, u64>> = BTreeMap::new();
    for (attributes, count) in &distinct {
        for (axis, value) in attributes.iter().flat_map(|a| &a.0) {
            *values.entry(axis).or_default().entry(value).or_default() += count;
        }
    }
    let axes = values.into_iter().map(|(name, mut counts)| {
        counts.retain(|value, _| !value.is_empty() && *value != UNKNOWN);
        let (groups, place) = groups_of(&counts);
        let unknown = groups.len() as u16;
        let of_kind: Vec<u16> = distinct
            .iter()
            .map(|(attributes, _)| {
                let mut pairs = attributes.iter().flat_map(|a| &a.0);
                let value = pairs.find(|(axis, _)| axis == name).map(|(_, value)| value);
                value
                    .and_then(|v| place.get(v.as_ref()).copied())
                    .unwrap_or(unknown)
            })
            .collect();
        let group: Vec<u16> = kind
            .iter()
            .map(|&k| of_kind.get(k).copied().unwrap_or(unknown))
            .collect();
        let mut groups = groups;
        if group.contains(&unknown) {
            groups.push(UNKNOWN.to_owned());
        }
        Axis {
            name: name.to_string(),
            groups,
            group,
        }
    });
    axes.collect()
}

/// The groups of an axis in order, and each value's place among them.
fn groups_of<'a>(counts: &BTreeMap<&'a str, u64>) -> (Vec<String>, HashMap<&'a str, u16>) {
    let mut values: Vec<(&str, u64)> = counts.iter().map(|(v, n)| (*v, *n)).collect();
    values.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let kept = if values.len() > MOST_GROUPS {
        MOST_GROUPS - 1
    } else {
        values.len()
    };
    let rest = values.split_off(kept);
    values.sort_by(|a, b| {
        let order = leading_number(a.0).total_cmp(&leading_number(b.0));
        order.then(a.0.cmp(b.0))
    });
    let mut place: HashMap<&str, u16> = HashMap::new();
    let mut groups = Vec::new();
    for (number, (value, _)) in (0..).zip(values) {
        place.insert(value, number);
        groups.push(value.to_owned());
    }
    if !rest.is_empty() {
        let other = groups.iter().position(|g| g == OTHER);
        let other = other.unwrap_or_else(|| {
            groups.push(OTHER.to_owned());
            groups.len() - 1
        });
        place.extend(rest.into_iter().map(|(value, _)| (value, other as u16)));
    }
    (groups, place)
}

/// The number that a range or size begins with, so that "5 mm" comes before "10 mm"; words come after numbers.
fn leading_number(value: &str) -> f64 {
    let digits = value.trim_start_matches(['<', '≤', ' ', '>', '≥']);
    let end = digits
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(digits.len());
    let number: Option<f64> = digits.get(..end).and_then(|d| d.parse().ok());
    match number {
        // "< 18" comes before "18 to 40", "> 80" after it.
        Some(n) if value.starts_with(['<', '≤']) => n - 1e-6,
        Some(n) if value.starts_with(['>', '≥']) => n + 1e-6,
        Some(n) => n,
        None => f64::INFINITY,
    }
}
