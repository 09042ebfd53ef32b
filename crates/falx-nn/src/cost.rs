//! What a network costs: parameters, multiply-adds, memory of what its nodes give.

use crate::{Graph, Node, Operator, ParameterKind, ParameterSpec, Value};

/// What one node, or a whole network, costs for one image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Cost {
    /// Numbers that training changes; running statistics are not counted, as papers do not count them.
    pub parameters: u64,
    /// Products of a weight (or of two values) that are summed up: what papers call multiply-adds, and often FLOPs.
    pub multiply_adds: u64,
    /// Bytes of what it gives, as 32-bit floats; summed over a network, what a training step keeps of an image.
    pub activation_bytes: u64,
}

impl std::iter::Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::default(), |sum, cost| Self {
            parameters: sum.parameters.saturating_add(cost.parameters),
            multiply_adds: sum.multiply_adds.saturating_add(cost.multiply_adds),
            activation_bytes: sum.activation_bytes.saturating_add(cost.activation_bytes),
        })
    }
}

/// The costs of the graph's nodes, in their order.
///
/// # Source
/// Convolutions, linear layers, matrix products and recurrent layers are counted and the rest is not, as torchvision's
/// documentation and the papers of the networks do.
pub fn of_nodes(graph: &Graph) -> Vec<Cost> {
    graph
        .nodes()
        .iter()
        .map(|node| of_node(graph, node))
        .collect()
}

/// The costs of the whole network.
pub fn of_graph(graph: &Graph) -> Cost {
    of_nodes(graph).into_iter().sum()
}

fn of_node(graph: &Graph, node: &Node) -> Cost {
    let shape = |value: &Value| graph.shape(*value);
    let inputs: Vec<&[usize]> = node.inputs.iter().filter_map(shape).collect();
    let specs = node.operator.parameters(&node.name, &inputs);
    let trained = specs
        .iter()
        .filter(|spec| spec.kind == ParameterKind::Weight);
    Cost {
        parameters: trained.map(|spec| product(&spec.shape)).sum(),
        multiply_adds: multiply_adds(node, &inputs, &specs),
        activation_bytes: product(&node.shape).saturating_mul(4),
    }
}

fn multiply_adds(node: &Node, inputs: &[&[usize]], specs: &[ParameterSpec]) -> u64 {
    let kernels = |spec: &&ParameterSpec| spec.shape.len() >= 2;
    let given = product(&node.shape);
    let taken = inputs.first().map_or(0, |shape| product(shape));
    match &node.operator {
        // Each output sums over one kernel, each input spreads over one.
        Operator::Conv(_) | Operator::Gemm(_) => {
            let weight = specs.iter().find(kernels);
            weight.map_or(0, |weight| {
                given * product(weight.shape.get(1..).unwrap_or_default())
            })
        }
        Operator::ConvTranspose(_) => {
            let weight = specs.iter().find(kernels);
            weight.map_or(0, |weight| {
                taken * product(weight.shape.get(1..).unwrap_or_default())
            })
        }
        Operator::MatMul(_) => {
            let inner = inputs.first().and_then(|shape| shape.last());
            given * inner.map_or(0, |&inner| inner as u64)
        }
        // A recurrent layer uses each of its matrices once a step.
        other if ["GRU", "LSTM"].contains(&other.name()) => {
            let steps = inputs.first().and_then(|shape| shape.first());
            let weights: u64 = specs
                .iter()
                .filter(kernels)
                .map(|spec| product(&spec.shape))
                .sum();
            weights * steps.map_or(0, |&steps| steps as u64)
        }
        _ => 0,
    }
}

fn product(shape: &[usize]) -> u64 {
    shape
        .iter()
        .fold(1, |product, &length| product.saturating_mul(length as u64))
}

#[cfg(test)]
mod tests;
