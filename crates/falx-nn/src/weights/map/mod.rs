//! Which tensor of a file becomes which parameter of a network, and why others do not.

mod names;
mod order;
mod report;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Format, NamedTensors};
use crate::{Graph, Operator, ParameterSpec, Parameters, Tensor, Value};

/// How tensors find their parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pairing {
    /// By name, but by order where the names are those of Keras.
    #[default]
    Auto,
    /// By name.
    Name,
    /// The first layer of a kind and shape to the first, the second to the second: names do not matter.
    Order,
}

/// What holds when tensors become parameters.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MapRules {
    /// Every parameter must find its tensor, and every tensor its parameter.
    pub strict: bool,
    /// Beginnings of parameters' names that keep their start: a new head.
    pub leave: Vec<String>,
    /// Beginnings of the tensors' names, and what stands there instead.
    pub rename: Vec<(String, String)>,
    /// How tensors find their parameters.
    pub pairing: Pairing,
}

/// A parameter with its tensor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Match {
    /// The parameter.
    pub name: String,
    /// The tensor's name in the file.
    pub source: String,
    /// What was done for it.
    pub how: How,
}

/// What was done to make a tensor a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// Nothing.
    Same,
    /// Its name was changed.
    Renamed,
    /// Its place among its like was that of the parameter.
    Order,
    /// The first convolution's colours became this number of channels.
    Channels {
        /// Channels in the file.
        from: usize,
        /// Channels of the network's input.
        to: usize,
    },
}

/// A parameter or tensor that found no partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Single {
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// A parameter whose tensor has another shape.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Misfit {
    /// The parameter.
    pub name: String,
    /// The tensor's name in the file.
    pub source: String,
    /// The parameter's shape.
    pub expected: Vec<usize>,
    /// The tensor's.
    pub found: Vec<usize>,
}

/// What became of every parameter and every tensor.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mapping {
    /// The network.
    pub network: String,
    /// The file's kind.
    pub format: Format,
    /// Parameters with their tensors.
    pub matched: Vec<Match>,
    /// Parameters that keep their start because the file has nothing for them.
    pub missing: Vec<Single>,
    /// Parameters that keep their start on purpose.
    pub left: Vec<String>,
    /// Parameters that keep their start because their tensor has another shape.
    pub misfit: Vec<Misfit>,
    /// Tensors that no parameter takes.
    pub unexpected: Vec<Single>,
    #[serde(skip)]
    tensors: BTreeMap<String, Tensor>,
}

/// Tensors that cannot be a network's.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MapError {
    /// A number that is none.
    #[error(
        "the tensor `{name}` holds {value} at place {at}; such weights cannot be used: take the file from its source again"
    )]
    NotFinite {
        /// The tensor.
        name: String,
        /// Where in it.
        at: usize,
        /// The number.
        value: f32,
    },
    /// No tensor at all.
    #[error(
        "none of the {tensors} tensors (`{first}`, …) belongs to `{network}` (`{wanted}`, …): the weights are another network's, or their names are; --rename OLD=NEW changes beginnings, --by-order pairs without names"
    )]
    Nothing {
        /// How many tensors there are.
        tensors: usize,
        /// The first of them.
        first: String,
        /// The network.
        network: String,
        /// Its first parameter.
        wanted: String,
    },
    /// Something did not find its partner though everything must.
    #[error("not everything fits, and --strict wants it to:\n{0}")]
    Strict(String),
}

/// Pairs the tensors of a file with the parameters of `graph`.
///
/// # Errors
/// [`MapError`] when nothing fits, a number that would be used is not finite, or strict rules are not met.
pub fn map(named: &NamedTensors, graph: &Graph, rules: &MapRules) -> Result<Mapping, MapError> {
    let mut mapping = Mapping {
        network: graph.name().to_owned(),
        format: named.format,
        matched: Vec::new(),
        missing: Vec::new(),
        left: Vec::new(),
        misfit: Vec::new(),
        unexpected: Vec::new(),
        tensors: BTreeMap::new(),
    };
    let is_left = |spec: &&ParameterSpec| {
        let starts =
            |start: &String| spec.name == *start || spec.name.starts_with(&format!("{start}."));
        rules.leave.iter().any(starts)
    };
    let (left, wanted): (Vec<&ParameterSpec>, Vec<&ParameterSpec>) =
        graph.parameters().iter().partition(is_left);
    let has_layers = matches!(named.format, Format::Keras | Format::Tfjs);
    let partners = match rules.pairing {
        Pairing::Order => order::pair(named, &wanted, graph),
        Pairing::Auto if has_layers => order::pair(named, &wanted, graph),
        Pairing::Auto | Pairing::Name => names::pair(named, &wanted, rules),
    };
    mapping.left = left.iter().map(|spec| spec.name.clone()).collect();
    let stem = stem(graph);
    let mut used = BTreeSet::new();
    for (spec, partner) in wanted.iter().zip(partners) {
        let Some((index, how)) = partner else {
            let reason = missing_reason(spec, named);
            let name = spec.name.clone();
            mapping.missing.push(Single { name, reason });
            continue;
        };
        used.insert(index);
        if let Some((source, tensor)) = named.tensors.get(index) {
            mapping.take(spec, source, tensor, how, stem.as_deref())?;
        }
    }
    mapping.note_unexpected(named, &used, &left);
    if mapping.matched.is_empty() {
        let first = named.tensors.first();
        return Err(MapError::Nothing {
            tensors: named.tensors.len(),
            first: first.map(|(name, _)| name.clone()).unwrap_or_default(),
            network: mapping.network,
            wanted: wanted
                .first()
                .map(|spec| spec.name.clone())
                .unwrap_or_default(),
        });
    }
    if rules.strict && !mapping.is_whole() {
        return Err(MapError::Strict(mapping.to_text()));
    }
    Ok(mapping)
}

/// The weights of the convolution that sees the image.
fn stem(graph: &Graph) -> Option<String> {
    let first = graph.nodes().iter().find(|node| {
        matches!(node.operator, Operator::Conv(_)) && node.inputs.contains(&Value::INPUT)
    });
    first.map(|node| format!("{}.weight", node.name))
}

fn missing_reason(spec: &ParameterSpec, named: &NamedTensors) -> String {
    let layers = matches!(named.format, Format::Keras | Format::Tfjs);
    let is_scale = spec.shape.len() == 1 && spec.name.ends_with(".weight");
    if layers && is_scale {
        "the file's normalisations have no scale: it stays 1".to_owned()
    } else {
        "the file has no such tensor".to_owned()
    }
}

impl Mapping {
    fn take(
        &mut self,
        spec: &ParameterSpec,
        source: &str,
        tensor: &Tensor,
        how: How,
        stem: Option<&str>,
    ) -> Result<(), MapError> {
        let (name, source) = (spec.name.clone(), source.to_owned());
        let fitted = if tensor.shape == spec.shape {
            Some((tensor.clone(), how))
        } else if stem == Some(&name) {
            adapted(tensor, &spec.shape)
        } else {
            None
        };
        let Some((fitted, how)) = fitted else {
            let (expected, found) = (spec.shape.clone(), tensor.shape.clone());
            self.misfit.push(Misfit {
                name,
                source,
                expected,
                found,
            });
            return Ok(());
        };
        if let Some((at, &value)) = tensor.data.iter().enumerate().find(|(_, x)| !x.is_finite()) {
            return Err(MapError::NotFinite {
                name: source,
                at,
                value,
            });
        }
        self.tensors.insert(name.clone(), fitted);
        self.matched.push(Match { name, source, how });
        Ok(())
    }

    fn note_unexpected(
        &mut self,
        named: &NamedTensors,
        used: &BTreeSet<usize>,
        left: &[&ParameterSpec],
    ) {
        for (index, (name, _)) in named.tensors.iter().enumerate() {
            if !used.contains(&index) {
                let ours = left.iter().any(|spec| names::is_same(name, &spec.name));
                let reason = if ours {
                    "the network keeps its own start here, on purpose"
                } else {
                    "the network has no such parameter"
                };
                let (name, reason) = (name.clone(), reason.to_owned());
                self.unexpected.push(Single { name, reason });
            }
        }
    }

    /// Parameters that the file should have and has not. A normalisation without a scale has one: 1.
    pub fn lacks(&self) -> impl Iterator<Item = &Single> {
        let is_scale = |single: &&Single| single.reason.ends_with("it stays 1");
        self.missing.iter().filter(move |single| !is_scale(single))
    }

    /// Whether every parameter found its tensor and every tensor its parameter, but for what was left on purpose.
    pub fn is_whole(&self) -> bool {
        let on_purpose = |single: &Single| single.reason.ends_with("on purpose");
        self.misfit.is_empty()
            && self.lacks().next().is_none()
            && self.unexpected.iter().all(on_purpose)
    }

    /// The matched parameters' values by name.
    pub fn tensors(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.tensors
            .iter()
            .map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// `start` with every matched parameter replaced.
    pub fn apply(&self, mut start: Parameters) -> Parameters {
        for (name, tensor) in &self.tensors {
            if let Some(target) = start.get_mut(name) {
                target.clone_from(tensor);
            }
        }
        start
    }
}

/// A first convolution's weights for another number of channels.
fn adapted(tensor: &Tensor, shape: &[usize]) -> Option<(Tensor, How)> {
    let (&[.., from, _, _], &[.., to, _, _]) = (tensor.shape.as_slice(), shape) else {
        return None;
    };
    let adapted = crate::zoo::adapt_stem(tensor, to).ok()?;
    (adapted.shape == shape).then_some((adapted, How::Channels { from, to }))
}

#[cfg(test)]
mod tests;
