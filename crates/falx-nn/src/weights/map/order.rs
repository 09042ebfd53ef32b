//! Pairs by order: the first of a kind and shape to the first.

use std::collections::{HashMap, VecDeque};

use super::How;
use crate::weights::NamedTensors;
use crate::{Graph, ParameterSpec};

/// For each of `wanted` the place of its tensor.
///
/// Weights of one kind and shape are paired in their order, so that it does not matter how parts of different shape
/// lie among each other.
pub fn pair(
    named: &NamedTensors,
    wanted: &[&ParameterSpec],
    graph: &Graph,
) -> Vec<Option<(usize, How)>> {
    let mut sorted: Vec<(usize, &str, &[usize])> = named
        .tensors
        .iter()
        .enumerate()
        .map(|(index, (name, tensor))| (index, name.as_str(), tensor.shape.as_slice()))
        .collect();
    // Keras numbers its layers in the order in which they were made; a file has them in another one.
    sorted.sort_by_key(|&(index, name, _)| (number(name).unwrap_or(0), index));
    let stem = super::stem(graph);
    let mut waiting: HashMap<(&'static str, Vec<usize>), VecDeque<usize>> = HashMap::new();
    for (index, name, shape) in sorted {
        let key = (leaf(name), shape.to_vec());
        waiting.entry(key).or_default().push_back(index);
    }
    let mut next = |leaf: &'static str, shape: Vec<usize>| {
        waiting
            .get_mut(&(leaf, shape))
            .and_then(VecDeque::pop_front)
    };
    let mut take = |spec: &ParameterSpec| {
        let (leaf, mut shape) = (leaf(&spec.name), spec.shape.clone());
        let same = next(leaf, shape.clone());
        let index = same.or_else(|| {
            let channels = shape
                .get_mut(1)
                .filter(|_| stem.as_deref() == Some(&spec.name));
            *channels? = 3;
            next(leaf, shape)
        });
        Some((index?, How::Order))
    };
    wanted.iter().map(|spec| take(spec)).collect()
}

/// What a parameter is to its module; anything besides the usual ones counts as one kind.
fn leaf(name: &str) -> &'static str {
    let last = name.rsplit('.').next().unwrap_or(name);
    let known = ["weight", "bias", "running_mean", "running_var"];
    known.into_iter().find(|leaf| *leaf == last).unwrap_or("")
}

/// The number in `conv2d_17.weight`; none in names that somebody chose.
fn number(name: &str) -> Option<u32> {
    let (layer, _) = name.rsplit_once('.')?;
    let (kind, number) = layer.rsplit_once('_')?;
    let automatic = ["conv2d", "batch_normalization", "dense"].contains(&kind);
    number.parse().ok().filter(|_| automatic)
}
