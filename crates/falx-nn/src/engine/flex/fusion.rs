//! Which nodes run as one: a normalisation takes what often follows it along.

use crate::operators::Epilogue;
use crate::{Graph, MaxPool, Operator, Swish, Value};

/// Some nodes in a row that run as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fused {
    /// How many nodes.
    pub steps: usize,
    /// What follows a normalisation.
    pub epilogue: Epilogue,
    /// What is added to the normalisation.
    pub other: Option<Value>,
}

impl Fused {
    const ALONE: Self = Self {
        steps: 1,
        epilogue: Epilogue::Plain,
        other: None,
    };

    /// What begins at the node at `index`.
    pub fn at(graph: &Graph, index: usize) -> Self {
        let operator = graph.nodes().get(index).map(|node| &node.operator);
        if !matches!(operator, Some(Operator::BatchNormalization(_))) {
            return Self::ALONE;
        }
        let relu = |index| only_reader(graph, index) == Some(&Operator::Relu(crate::Relu));
        match only_reader(graph, index) {
            Some(Operator::Relu(_)) => {
                let shape = graph.shape(Value::of_node(index));
                let even = matches!(shape, Some([_, h, w]) if h % 2 == 0 && w % 2 == 0);
                let next = only_reader(graph, index + 1);
                let halves = next == Some(&Operator::MaxPool(MaxPool::halving()));
                let (steps, epilogue) = if even && halves {
                    (3, Epilogue::ReluMaxPool)
                } else {
                    (2, Epilogue::Relu)
                };
                Self {
                    steps,
                    epilogue,
                    other: None,
                }
            }
            Some(Operator::Swish(Swish { alpha: 1.0 })) => Self {
                steps: 2,
                epilogue: Epilogue::Swish,
                other: None,
            },
            Some(Operator::Add(_)) => {
                let Some(other) = other(graph, index) else {
                    return Self::ALONE;
                };
                let (steps, epilogue) = if relu(index + 1) {
                    (3, Epilogue::AddRelu)
                } else {
                    (2, Epilogue::Add)
                };
                Self {
                    steps,
                    epilogue,
                    other: Some(other),
                }
            }
            _ => Self::ALONE,
        }
    }
}

/// What follows a convolution whose weights are prepared, and is computed with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Followed {
    /// How many nodes with the convolution.
    pub steps: usize,
    /// What is added to it.
    pub add: Option<Value>,
    /// Whether a rectifier comes last.
    pub relu: bool,
}

impl Followed {
    /// The convolution by itself.
    pub const ALONE: Self = Self {
        steps: 1,
        add: None,
        relu: false,
    };

    /// What follows the convolution at `index`.
    pub fn by(graph: &Graph, index: usize) -> Self {
        let add = match only_reader(graph, index) {
            Some(Operator::Add(_)) => other(graph, index),
            _ => None,
        };
        let steps = 1 + usize::from(add.is_some());
        let relu = only_reader(graph, index + steps - 1) == Some(&Operator::Relu(crate::Relu));
        Self {
            steps: steps + usize::from(relu),
            add,
            relu,
        }
    }
}

/// The nodes among the first `nodes` at which something begins.
pub fn starts(graph: &Graph, nodes: usize) -> Vec<usize> {
    let next = |&index: &usize| Some(index + Fused::at(graph, index).steps);
    let starts = std::iter::successors(Some(0), next);
    starts.take_while(|&index| index < nodes).collect()
}

/// The next node, where it alone reads what the one at `index` gives.
fn only_reader(graph: &Graph, index: usize) -> Option<&Operator> {
    let value = Value::of_node(index);
    let readers = graph.nodes().iter().flat_map(|node| &node.inputs);
    let readers = readers.filter(|&&input| input == value).count();
    let is_output = graph.outputs().iter().any(|(_, output)| *output == value);
    let next = graph.nodes().get(index + 1)?;
    (readers == 1 && !is_output && next.inputs.contains(&value)).then_some(&next.operator)
}

/// The value of the same shape that the next node adds to what the one at `index` gives.
fn other(graph: &Graph, index: usize) -> Option<Value> {
    let value = Value::of_node(index);
    let others = match *graph.nodes().get(index + 1)?.inputs.as_slice() {
        [a, b] if a == value => b,
        [a, b] if b == value => a,
        _ => return None,
    };
    (graph.shape(others) == graph.shape(value)).then_some(others)
}
