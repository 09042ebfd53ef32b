//! A graph's parameters on the tape.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use burn_backend::backend::AutodiffBackend;
use burn_backend::ops::FloatTensorOps;
use burn_flex::FlexTensor;

use super::super::tape::{Tape, Tracked, tensor};
use super::Setting;
use crate::operators::buffers;
use crate::{EngineError, Node, Operator, ParameterKind, Parameters};

/// The parameters of some nodes on the tape. A convolution's weights are there without numbers: it holds a copy until its gradient is
/// known, and lets go of it then.
pub fn leaves(
    setting: &Setting<'_>,
    nodes: &Range<usize>,
    track: bool,
) -> Result<BTreeMap<String, Tracked>, EngineError> {
    let nodes = setting.graph.nodes().get(nodes.clone());
    let nodes = nodes.unwrap_or_default();
    let names: BTreeSet<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    let is_convolution = |node: &&Node| matches!(node.operator, Operator::Conv(_));
    let convolved: BTreeSet<String> = nodes.iter().filter(is_convolution).map(weight_of).collect();
    let is_owned = |name: &str| {
        let ends = name.match_indices('.').map(|(end, _)| end);
        ends.chain([name.len()])
            .any(|end| names.contains(&name[..end]))
    };
    let leaf = |spec: &crate::ParameterSpec| {
        // Running statistics stay off the tape, but must be there too.
        let values = find(setting.parameters, &spec.name, &spec.shape)?;
        if spec.kind == ParameterKind::RunningStatistic {
            return Ok(None);
        }
        let leaf = Tape::from_inner(if convolved.contains(&spec.name) {
            tensor(&[0], Vec::new())
        } else {
            copy(&spec.shape, values)
        });
        let leaf =
            if track && spec.kind == ParameterKind::Weight && !setting.training.freezes(&spec.name)
            {
                Tape::float_set_require_grad(leaf, true)
            } else {
                leaf
            };
        Ok(Some((spec.name.clone(), leaf)))
    };
    let specs = setting.graph.parameters().iter();
    specs
        .filter(|spec| is_owned(&spec.name))
        .filter_map(|spec| leaf(spec).transpose())
        .collect()
}

pub fn missing(name: String) -> EngineError {
    EngineError::Parameter {
        name,
        expected: Vec::new(),
    }
}

/// The name of a node's weights.
pub fn weight_of(node: &Node) -> String {
    format!("{}.weight", node.name)
}

pub fn copy(shape: &[usize], values: &[f32]) -> FlexTensor {
    let mut copy = buffers::lasting(values.len());
    copy.copy_from_slice(values);
    tensor(shape, copy)
}

/// The numbers of a parameter, where it has the shape that the graph wants.
pub fn find<'a>(
    parameters: &'a Parameters,
    name: &str,
    shape: &[usize],
) -> Result<&'a [f32], EngineError> {
    match parameters.get(name) {
        Some(tensor)
            if tensor.shape == shape && tensor.data.len() == shape.iter().product::<usize>() =>
        {
            Ok(&tensor.data)
        }
        _ => Err(EngineError::Parameter {
            name: name.to_owned(),
            expected: shape.to_vec(),
        }),
    }
}
