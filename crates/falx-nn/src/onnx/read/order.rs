//! The nodes that the wanted tensors need, each after all it reads.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::error::ReadError;
use super::view::View;
use crate::onnx::message::{TensorData, ValueInfo};

/// The needed nodes in the file's order as far as it may be kept.
///
/// # Errors
/// [`ReadError`] when a tensor is given twice or by nothing, or nodes wait for each other.
pub fn order<'a>(
    views: &[View<'a>],
    stored: &BTreeMap<&'a str, &'a TensorData>,
    inputs: &[&'a ValueInfo],
    wanted: &[&'a str],
) -> Result<Vec<View<'a>>, ReadError> {
    let mut givers: BTreeMap<&str, Option<usize>> = BTreeMap::new();
    let mut give = |name: &'a str, giver: Option<usize>| match givers.insert(name, giver) {
        Some(_) => Err(ReadError::Duplicate(name.to_owned())),
        None => Ok(()),
    };
    for &name in stored.keys() {
        give(name, None)?;
    }
    for input in inputs {
        give(input.name(), None)?;
    }
    for (index, view) in views.iter().enumerate() {
        for name in view.node.output.iter().filter(|name| !name.is_empty()) {
            give(name, Some(index))?;
        }
    }
    // What is needed, from the end on.
    let mut needed = BTreeSet::new();
    let mut open: Vec<usize> = Vec::new();
    for name in wanted {
        let Some(giver) = givers.get(name) else {
            let (name, similar) = ((*name).to_owned(), Vec::new());
            return Err(ReadError::Name { name, similar });
        };
        open.extend(giver);
    }
    let mut waits: BTreeMap<usize, usize> = BTreeMap::new();
    let mut readers: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    while let Some(index) = open.pop() {
        let Some(view) = views.get(index).filter(|_| needed.insert(index)) else {
            continue;
        };
        let mut count = 0;
        for name in view.node.input.iter().filter(|name| !name.is_empty()) {
            match givers.get(name.as_str()) {
                Some(Some(giver)) => {
                    count += 1;
                    readers.entry(*giver).or_default().push(index);
                    open.push(*giver);
                }
                Some(None) => {}
                None => {
                    let (place, tensor) = (view.place(), name.clone());
                    return Err(ReadError::Missing { place, tensor });
                }
            }
        }
        waits.insert(index, count);
    }
    let mut ready: BinaryHeap<Reverse<usize>> = waits
        .iter()
        .filter(|(_, count)| **count == 0)
        .map(|(index, _)| Reverse(*index))
        .collect();
    let mut order = Vec::new();
    while let Some(Reverse(index)) = ready.pop() {
        waits.remove(&index);
        order.extend(views.get(index).copied());
        for reader in readers.remove(&index).unwrap_or_default() {
            if let Some(count) = waits.get_mut(&reader) {
                *count -= 1;
                if *count == 0 {
                    ready.push(Reverse(reader));
                }
            }
        }
    }
    match waits.keys().next().and_then(|&index| views.get(index)) {
        Some(view) => Err(ReadError::Cycle(view.place())),
        None => Ok(order),
    }
}
