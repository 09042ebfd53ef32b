//! Pairs by name.

use std::collections::HashMap;

use super::{How, MapRules};
use crate::ParameterSpec;
use crate::weights::NamedTensors;

/// What trainers put in front of every name.
const PREFIXES: [&str; 7] = [
    "module.",
    "_orig_mod.",
    "state_dict.",
    "model.",
    "backbone.",
    "encoder.",
    "net.",
];

/// For each of `wanted` the place of its tensor, and how its name was found.
pub fn pair(
    named: &NamedTensors,
    wanted: &[&ParameterSpec],
    rules: &MapRules,
) -> Vec<Option<(usize, How)>> {
    let mut places: HashMap<String, (usize, How)> = HashMap::new();
    for (index, (name, _)) in named.tensors.iter().enumerate() {
        let renamed = rules
            .rename
            .iter()
            .find_map(|(old, new)| Some(format!("{new}{}", name.strip_prefix(old.as_str())?)));
        let start = renamed.as_deref().unwrap_or(name);
        for (depth, form) in forms(start).enumerate() {
            let how = if depth == 0 && renamed.is_none() {
                How::Same
            } else {
                How::Renamed
            };
            // A name as it stands goes before one that was cut.
            let entry = (index, how);
            if depth == 0 {
                places.insert(form.to_owned(), entry);
            } else {
                places.entry(form.to_owned()).or_insert(entry);
            }
        }
    }
    let place = |spec: &&ParameterSpec| places.get(&spec.name).cloned();
    wanted.iter().map(place).collect()
}

/// Whether a tensor's name means the parameter called `ours`.
pub fn is_same(theirs: &str, ours: &str) -> bool {
    forms(theirs).any(|form| form == ours)
}

/// The name, then without one prefix after the other.
fn forms(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| {
        let name: &str = name;
        PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix))
    })
}
