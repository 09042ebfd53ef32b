//! From our graph to ONNX's messages.

use prost::Message;

use super::message::{Graph as GraphMessage, Model, OperatorSet, ValueInfo};
use super::precision::{Precision, store};
use super::{OnnxError, Place};
use crate::{Graph, Operator, ParameterSpec, Parameters, Tensor, Value};

/// The oldest versions that hold all we write, so that old run-times read it too.
const IR_VERSION: i64 = 8;
const OPSET: i64 = 17;
const INPUT: &str = "input";

pub fn model(
    graph: &Graph,
    parameters: &Parameters,
    precision: Precision,
) -> Result<Vec<u8>, OnnxError> {
    let names = value_names(graph);
    let name = |value: Value| names.get(value.0).cloned().unwrap_or_default();
    let (mut nodes, mut initializers) = (Vec::new(), Vec::new());
    for spec in graph.parameters() {
        let stored = store(&spec.name, tensor(spec, parameters)?, precision)?;
        initializers.extend(stored.tensors);
        nodes.extend(stored.node);
    }
    for (index, node) in graph.nodes().iter().enumerate() {
        if passes_on(&node.operator) {
            continue;
        }
        let shapes: Vec<Vec<usize>> = node
            .inputs
            .iter()
            .filter_map(|&value| graph.shape(value).map(<[usize]>::to_vec))
            .collect();
        let views: Vec<&[usize]> = shapes.iter().map(Vec::as_slice).collect();
        let owned = node.operator.parameters(&node.name, &views);
        nodes.extend(node.operator.nodes(&Place {
            name: node.name.clone(),
            inputs: node.inputs.iter().map(|&value| name(value)).collect(),
            parameters: owned.into_iter().map(|spec| spec.name).collect(),
            output: name(Value::of_node(index)),
            shapes,
            shape: node.shape.clone(),
        }));
    }
    let info = |name: &str, value: Value| {
        ValueInfo::batch_of(name, graph.shape(value).unwrap_or_default())
    };
    let outputs = graph.outputs().iter();
    let model = Model {
        ir_version: Some(IR_VERSION),
        producer_name: Some("falx".to_owned()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        graph: Some(GraphMessage {
            node: nodes,
            name: Some(graph.name().to_owned()),
            initializer: initializers,
            input: vec![info(INPUT, Value::INPUT)],
            output: outputs.map(|(name, value)| info(name, *value)).collect(),
            ..GraphMessage::default()
        }),
        opset_import: vec![OperatorSet {
            domain: Some(String::new()),
            version: Some(OPSET),
        }],
        ..Model::default()
    };
    Ok(model.encode_to_vec())
}

/// Whether an operator gives its input when a network is used.
fn passes_on(operator: &Operator) -> bool {
    matches!(
        operator,
        Operator::Dropout(_) | Operator::StochasticDepth(_)
    )
}

/// The name of each value: an output's own, its input's behind a dropout, else its node's.
fn value_names(graph: &Graph) -> Vec<String> {
    let mut names = vec![INPUT.to_owned()];
    for (index, node) in graph.nodes().iter().enumerate() {
        let output = graph
            .outputs()
            .iter()
            .find(|(_, value)| *value == Value::of_node(index));
        let passed = match (&node.operator, node.inputs.first()) {
            (operator, Some(input)) if passes_on(operator) => names.get(input.0).cloned(),
            _ => None,
        };
        // An operand that a node owns is called like the node, so what the node gives is not.
        let is_own = graph.parameters().iter().any(|spec| spec.name == node.name);
        let inner = || {
            if is_own {
                format!("{}/value", node.name)
            } else {
                node.name.clone()
            }
        };
        let own = || output.map_or_else(inner, |(name, _)| name.clone());
        names.push(passed.unwrap_or_else(own));
    }
    names
}

fn tensor<'a>(spec: &ParameterSpec, parameters: &'a Parameters) -> Result<&'a Tensor, OnnxError> {
    let tensor = parameters.get(&spec.name);
    let fits = |tensor: &&Tensor| {
        tensor.shape == spec.shape && tensor.data.len() == spec.shape.iter().product::<usize>()
    };
    tensor.filter(fits).ok_or_else(|| OnnxError::Parameter {
        name: spec.name.clone(),
        expected: spec.shape.clone(),
    })
}
