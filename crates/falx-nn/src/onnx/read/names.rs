//! Names of modules from what exporters leave of them.

use std::collections::{BTreeMap, BTreeSet};

/// The names that are taken, of nodes and parameters alike.
#[derive(Default)]
pub struct Names {
    taken: BTreeSet<String>,
    /// Where counting goes on for a name that was wanted before.
    numbers: BTreeMap<String, usize>,
}

impl Names {
    /// `wanted`, or `wanted_1` and so on, such that neither it nor what `parameters` makes of it is taken.
    pub fn unique(&mut self, wanted: &str, parameters: impl Fn(&str) -> Vec<String>) -> String {
        let mut name = wanted.to_owned();
        loop {
            let owned = parameters(&name);
            let taken = |name: &String| self.taken.contains(name);
            if !taken(&name) && !owned.iter().any(taken) {
                self.taken.extend(owned);
                self.taken.insert(name.clone());
                return name;
            }
            let number = self.numbers.entry(wanted.to_owned()).or_insert(0);
            *number += 1;
            name = format!("{wanted}_{number}");
        }
    }
}

/// The module of a parameter's name, as `features.0` of `features.0.weight`.
pub fn module<'a>(origin: &'a str, parts: &[&str]) -> Option<&'a str> {
    let (module, part) = origin.rsplit_once('.')?;
    (parts.contains(&part) && plain(module)).then_some(module)
}

/// Whether a name is a path of modules as PyTorch's: letters, digits, `_`, `-` and dots.
pub fn plain(name: &str) -> bool {
    let part = |part: &str| {
        let mut letters = part.chars();
        !part.is_empty() && letters.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    };
    name.len() < 200 && name.split('.').all(part)
}

/// A node's name as a path of modules.
///
/// PyTorch's older exporter writes `/blocks/blocks.0/conv/Conv` for the module `blocks.0.conv`, whose containers
/// repeat their own name; TensorFlow's writes `model/conv1/Conv2D`. With `owner` the operator's own name goes.
pub fn path(name: &str, operator: &str, owner: bool) -> String {
    let mut parts: Vec<&str> = name
        .split(['/', ':'])
        .filter(|part| !part.is_empty())
        .collect();
    let own = |part: &&str| {
        let rest = part.strip_prefix(operator);
        rest.is_some_and(|rest| {
            let number = rest.strip_prefix("2D").unwrap_or(rest);
            number
                .trim_start_matches('_')
                .bytes()
                .all(|b| b.is_ascii_digit())
        })
    };
    if owner && parts.len() > 1 {
        parts.pop_if(|part| own(part));
    }
    let mut path: Vec<&str> = Vec::new();
    for part in parts {
        let container = path.last().copied();
        if container.is_some_and(|last| {
            part.strip_prefix(last)
                .is_some_and(|rest| rest.starts_with('.'))
        }) {
            path.pop();
        }
        path.push(part);
    }
    let letter = |c: char| match c {
        c if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') => c,
        _ => '_',
    };
    let joined: String = path.join(".").chars().take(150).map(letter).collect();
    let joined = joined.trim_matches('.');
    if joined.is_empty() {
        operator.to_owned()
    } else {
        joined.to_owned()
    }
}
