//! ONNX files of any exporter as graphs of our operators, for training, inference and surgery.
//!
//! `file (bytes → messages) → order (the nodes an output needs) → lower (node by node: known values are
//! evaluated, the rest is converted) → Graph`. Nothing is trusted: lengths, names, shapes and numbers are checked.

mod arithmetic;
mod array;
mod convert;
mod error;
mod evaluate;
mod file;
mod input;
mod lower;
mod names;
mod order;
mod partial;
mod quantised;
mod rearrange;
mod tensor;
mod view;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use prost::bytes::Bytes;

pub use error::{Location, Note, ReadError};

use super::message::{Graph as GraphMessage, Model};
use crate::similar::similar;
use crate::{Graph, GraphBuilder, Parameters, Value};
use array::Data;
use lower::{Known, Lowering};
use view::View;

/// The opsets whose operators are known to mean what is made of them here.
const OPSETS: std::ops::RangeInclusive<i64> = 7..=21;

/// What to make of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// The input's shape without the batch, in the file's order, where the file leaves lengths open.
    pub input: Option<Vec<usize>>,
    /// The tensor or node whose value is wanted in place of the file's outputs; what only follows it is not read.
    pub output: Option<String>,
}

/// A network from a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The checked graph.
    pub graph: Graph,
    /// Its parameters, named as the graph wants them.
    pub parameters: Parameters,
    /// What was changed or assumed on the way.
    pub notes: Vec<Note>,
}

/// The network in the ONNX file at `path`; external data are read from its folder.
///
/// # Errors
/// [`ReadError`] says what keeps the file from being a network, where, and what to do.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Imported, ReadError> {
    let here = |folder: &Path| folder.as_os_str().is_empty();
    let folder = path.parent().filter(|folder| !here(folder));
    let folder = Some(folder.unwrap_or_else(|| Path::new(".")));
    network(file::bytes(path)?, folder, options)
}

/// The network in the bytes of an ONNX file that has no external data.
///
/// # Errors
/// [`ReadError`] as [`read`].
pub fn read_bytes<'a>(
    bytes: impl Into<Cow<'a, [u8]>>,
    options: &ReadOptions,
) -> Result<Imported, ReadError> {
    network(Bytes::from(bytes.into().into_owned()), None, options)
}

/// The parameters of `graph` as a file holds them by name, whatever the file's nodes make of them.
///
/// Recurrent layers are written so that any run-time reads them, in many nodes; who knows their graph needs none of these.
///
/// # Errors
/// [`ReadError`] when the bytes are no ONNX file, or lack a parameter of that name and shape.
pub fn stored_parameters(bytes: &[u8], graph: &Graph) -> Result<Parameters, ReadError> {
    let model = file::model(Bytes::copy_from_slice(bytes))?;
    let held = model.graph.as_ref();
    let held = held.ok_or_else(|| ReadError::NotOnnx("it has no graph".to_owned()))?;
    let stored = stored(held)?;
    let mut parameters = Parameters::initialise(graph, 0);
    for (name, tensor) in parameters.iter_mut() {
        let fault = |reason: String| ReadError::Tensor {
            tensor: name.to_owned(),
            reason,
        };
        let data = stored.get(name);
        let data = data.ok_or_else(|| fault("is not in the file".to_owned()))?;
        let array = tensor::array(data, name, None)?;
        if array.shape != tensor.shape {
            return Err(fault(format!(
                "has the shape {:?}, where {:?} is wanted",
                array.shape, tensor.shape
            )));
        }
        let Data::Floats(numbers) = array.data else {
            return Err(fault("holds no floating-point numbers".to_owned()));
        };
        tensor.data = numbers;
    }
    Ok(parameters)
}

fn network(
    bytes: Bytes,
    folder: Option<&Path>,
    options: &ReadOptions,
) -> Result<Imported, ReadError> {
    let model = file::model(bytes)?;
    let opset = opset(&model)?;
    let graph = model.graph.as_ref();
    let graph = graph.ok_or_else(|| ReadError::NotOnnx("it has no graph".to_owned()))?;
    let views: Vec<View> = graph
        .node
        .iter()
        .enumerate()
        .map(|(index, node)| View { node, index, opset })
        .collect();
    let stored = stored(graph)?;
    let wanted = wanted(graph, options)?;
    let inputs = graph
        .input
        .iter()
        .filter(|input| !stored.contains_key(input.name()));
    let inputs: Vec<_> = inputs.collect();
    let order = order::order(&views, &stored, &inputs, &wanted)?;
    let input = input::input(&inputs, &order, &wanted, options)?;
    let mut notes = Vec::new();
    if input.batch_of_one {
        notes.push(Note(
            "the file is for a batch of 1; it is read as one for any batch".to_owned(),
        ));
    }
    let mut lowering = Lowering::new((input.shape, input.batch_of_one), stored, folder);
    lowering.notes = notes;
    lowering
        .known
        .insert(input.name, Known::Value(Value::INPUT));
    for view in &order {
        for name in &view.node.input {
            *lowering.readers.entry(name).or_default() += 1;
        }
    }
    for name in &wanted {
        *lowering.readers.entry(name).or_default() += 1;
    }
    for view in &order {
        lowering.node(view)?;
    }
    finish(graph.name(), lowering, &wanted)
}

/// The version of ONNX's own operators; functions and other domains are met where nodes use them.
fn opset(model: &Model) -> Result<i64, ReadError> {
    let own = model
        .opset_import
        .iter()
        .find(|set| matches!(set.domain(), "" | "ai.onnx"));
    let found = own.map_or(0, super::message::OperatorSet::version);
    if OPSETS.contains(&found) {
        Ok(found)
    } else {
        let (oldest, newest) = (*OPSETS.start(), *OPSETS.end());
        Err(ReadError::Opset {
            found,
            oldest,
            newest,
        })
    }
}

/// The initialisers by name.
fn stored(graph: &GraphMessage) -> Result<BTreeMap<&str, &super::message::TensorData>, ReadError> {
    if let Some(sparse) = graph.sparse_initializer.first() {
        let name = sparse
            .values
            .as_ref()
            .map(|values| values.name().to_owned());
        return Err(ReadError::Sparse(name.unwrap_or_default()));
    }
    let mut stored = BTreeMap::new();
    for tensor in &graph.initializer {
        if stored.insert(tensor.name(), tensor).is_some() {
            return Err(ReadError::Duplicate(tensor.name().to_owned()));
        }
    }
    Ok(stored)
}

/// The tensors that are wanted of the file.
fn wanted<'a>(graph: &'a GraphMessage, options: &ReadOptions) -> Result<Vec<&'a str>, ReadError> {
    let Some(name) = &options.output else {
        if graph.output.is_empty() {
            return Err(ReadError::NotOnnx("its graph has no output".to_owned()));
        }
        return Ok(graph
            .output
            .iter()
            .map(super::message::ValueInfo::name)
            .collect());
    };
    let tensors = || {
        graph
            .node
            .iter()
            .flat_map(|node| &node.output)
            .map(String::as_str)
    };
    if let Some(tensor) = tensors().find(|tensor| tensor == name) {
        return Ok(vec![tensor]);
    }
    let node = graph.node.iter().find(|node| node.name() == name);
    if let Some(tensor) = node.and_then(|node| node.output.first()) {
        return Ok(vec![tensor]);
    }
    let nodes = graph.node.iter().map(super::message::Node::name);
    let similar = similar(name, nodes.chain(tensors()));
    let name = name.clone();
    Err(ReadError::Name { name, similar })
}

/// The graph of the nodes that the outputs need.
fn finish(name: &str, lowering: Lowering, wanted: &[&str]) -> Result<Imported, ReadError> {
    let mut outputs = Vec::new();
    for &output in wanted {
        match lowering.known.get(output) {
            Some(Known::Value(value)) => outputs.push((output, *value)),
            _ => return Err(ReadError::ConstantOutput(output.to_owned())),
        }
    }
    let mut needed = vec![false; lowering.nodes.len()];
    for (_, value) in &outputs {
        value
            .node()
            .map(|node| needed.get_mut(node).map(|needed| *needed = true));
    }
    for (index, node) in lowering.nodes.iter().enumerate().rev() {
        if needed.get(index) == Some(&true) {
            for node in node.inputs.iter().filter_map(|value| value.node()) {
                needed[node] = true;
            }
        }
    }
    let mut graph = GraphBuilder::new(name, &lowering.input);
    let mut places = vec![Value::INPUT];
    let mut parameters = Vec::new();
    for (node, needed) in lowering.nodes.into_iter().zip(needed) {
        if !needed {
            // No needed node reads it.
            places.push(Value::INPUT);
            continue;
        }
        let place = |value: &Value| places.get(value.0).copied().unwrap_or(Value::INPUT);
        let inputs: Vec<Value> = node.inputs.iter().map(place).collect();
        places.push(graph.add(&node.name, node.operator, &inputs)?);
        parameters.extend(node.parameters);
    }
    for (name, value) in outputs {
        let value = places.get(value.0).copied().unwrap_or(Value::INPUT);
        graph = graph.output(name, value);
    }
    Ok(Imported {
        graph: graph.finish()?,
        parameters: parameters.into_iter().collect(),
        notes: lowering.notes,
    })
}

#[cfg(test)]
mod tests;
