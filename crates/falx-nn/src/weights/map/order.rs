//! Pairs by order: the first layer of a kind and shape to the first.

use std::collections::{HashMap, VecDeque};

use super::How;
use crate::weights::NamedTensors;
use crate::{Graph, ParameterSpec};

/// Layers with the same are alike: what they are, and the shape of their weights.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Form {
    /// Whether it keeps running statistics, as batch normalisation does.
    normalises: bool,
    shape: Vec<usize>,
}

/// The tensors of one layer.
struct Layer<'a> {
    name: &'a str,
    /// What each tensor is to the layer, its shape, and its place in the list.
    parts: Vec<(&'a str, &'a [usize], usize)>,
}

/// For each of `wanted` the place of its tensor.
///
/// Layers of one form are paired in their order, so that it does not matter how layers of different forms lie among
/// each other; within a pair of layers tensors go by what they are.
pub fn pair(
    named: &NamedTensors,
    wanted: &[&ParameterSpec],
    graph: &Graph,
) -> Vec<Option<(usize, How)>> {
    let tensors = named.tensors.iter();
    let mut theirs = layers(tensors.map(|(name, tensor)| (name.as_str(), tensor.shape.as_slice())));
    // Keras numbers its layers in the order in which they were made; a file has them in another one.
    theirs.sort_by_key(|layer| number(layer.name).unwrap_or(0));
    let mut waiting: HashMap<Form, VecDeque<Layer<'_>>> = HashMap::new();
    for layer in theirs {
        waiting.entry(layer.form()).or_default().push_back(layer);
    }
    let mut next = |form: &Form| waiting.get_mut(form).and_then(VecDeque::pop_front);

    let stem = super::stem(graph);
    let mut pairs = vec![None; wanted.len()];
    let specs = wanted.iter();
    for ours in layers(specs.map(|spec| (spec.name.as_str(), spec.shape.as_slice()))) {
        let mut form = ours.form();
        let found = next(&form).or_else(|| {
            let is_stem = stem.as_deref().is_some_and(|stem| layer(stem) == ours.name);
            *form.shape.get_mut(1).filter(|_| is_stem)? = 3;
            next(&form)
        });
        let Some(found) = found else { continue };
        for (part, _, place) in ours.parts {
            let theirs = found.parts.iter().find(|(theirs, ..)| *theirs == part);
            if let (Some(pair), Some(&(_, _, index))) = (pairs.get_mut(place), theirs) {
                *pair = Some((index, How::Order));
            }
        }
    }
    pairs
}

/// The layers of some tensors, each where its first tensor lies.
fn layers<'a>(tensors: impl Iterator<Item = (&'a str, &'a [usize])>) -> Vec<Layer<'a>> {
    let (mut layers, mut places) = (Vec::<Layer<'a>>::new(), HashMap::new());
    for (place, (tensor, shape)) in tensors.enumerate() {
        let name = layer(tensor);
        let at = *places.entry(name).or_insert(layers.len());
        if at == layers.len() {
            let parts = Vec::new();
            layers.push(Layer { name, parts });
        }
        let part = tensor.rsplit('.').next().unwrap_or(tensor);
        if let Some(layer) = layers.get_mut(at) {
            layer.parts.push((part, shape, place));
        }
    }
    layers
}

impl Layer<'_> {
    fn form(&self) -> Form {
        let shapes = self.parts.iter().map(|(_, shape, _)| *shape);
        let most = shapes.max_by_key(|shape| shape.len());
        Form {
            normalises: self.parts.iter().any(|(part, ..)| *part == "running_mean"),
            shape: most.unwrap_or_default().to_vec(),
        }
    }
}

/// The layer that a tensor belongs to.
fn layer(tensor: &str) -> &str {
    tensor.rsplit_once('.').map_or("", |(layer, _)| layer)
}

/// The number in `conv2d_17`; none in names that somebody chose.
fn number(layer: &str) -> Option<u32> {
    let (kind, number) = layer.rsplit_once('_')?;
    let automatic = ["conv2d", "batch_normalization", "dense"].contains(&kind);
    number.parse().ok().filter(|_| automatic)
}
