//! The one definition of a network: operators in order, each with the shapes it gives.

use crate::{Operator, ParameterSpec, ShapeError, Sigmoid};

/// A value of a graph: its input, or what one of its nodes gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value(pub(crate) usize);

impl Value {
    /// The graph's input.
    pub const INPUT: Self = Self(0);

    /// What the node at `index` gives.
    pub const fn of_node(index: usize) -> Self {
        Self(index + 1)
    }

    /// The node that gives it; `None` for the input.
    pub const fn node(self) -> Option<usize> {
        self.0.checked_sub(1)
    }
}

/// One operator in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The module's name, from which its parameters are named.
    pub name: String,
    /// What it computes.
    pub operator: Operator,
    /// What it computes from, always earlier values.
    pub inputs: Vec<Value>,
    /// The shape of what it gives, without the batch.
    pub shape: Vec<usize>,
}

/// A checked network: every node's inputs come before it and have shapes it can take.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    name: String,
    input: Vec<usize>,
    nodes: Vec<Node>,
    outputs: Vec<(String, Value)>,
    parameters: Vec<ParameterSpec>,
}

/// A graph that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// An operator cannot take the shapes it was given.
    #[error("node `{node}`: {source}")]
    Shape {
        /// The node's name.
        node: String,
        /// What is wrong.
        source: ShapeError,
    },
    /// Two nodes have one name, so their parameters could not be told apart.
    #[error("two nodes are called `{0}`; give each its own name")]
    SameName(String),
    /// A value of another graph.
    #[error("node `{0}` uses a value that does not exist; build it from this graph's values")]
    NoSuchValue(String),
}

/// Builds a [`Graph`] node by node.
#[derive(Debug)]
pub struct GraphBuilder(Graph);

impl GraphBuilder {
    /// A graph without nodes.
    ///
    /// # Shape
    /// `input` is one sample's: channels, height, width of images; slices, features of sequences; or features.
    pub fn new(name: &str, input: &[usize]) -> Self {
        Self(Graph {
            name: name.to_owned(),
            input: input.to_vec(),
            nodes: Vec::new(),
            outputs: Vec::new(),
            parameters: Vec::new(),
        })
    }

    /// Adds `operator` as module `name` and returns what it gives.
    ///
    /// # Errors
    /// [`GraphError`] when the name is taken or the operator cannot take the inputs.
    pub fn add(
        &mut self,
        name: &str,
        operator: impl Into<Operator>,
        inputs: &[Value],
    ) -> Result<Value, GraphError> {
        let (graph, operator) = (&mut self.0, operator.into());
        if graph.nodes.iter().any(|node| node.name == name) {
            return Err(GraphError::SameName(name.to_owned()));
        }
        let shapes: Option<Vec<&[usize]>> =
            inputs.iter().map(|&value| graph.shape(value)).collect();
        let shapes = shapes.ok_or_else(|| GraphError::NoSuchValue(name.to_owned()))?;
        let shape = operator
            .shape(&shapes)
            .map_err(|source| GraphError::Shape {
                node: name.to_owned(),
                source,
            })?;
        let parameters = operator.parameters(name, &shapes);
        graph.parameters.extend(parameters);
        graph.nodes.push(Node {
            name: name.to_owned(),
            operator,
            inputs: inputs.to_vec(),
            shape,
        });
        Ok(Value(graph.nodes.len()))
    }

    /// The shape of `value` without the batch; `None` for a value of another graph.
    pub fn shape(&self, value: Value) -> Option<&[usize]> {
        self.0.shape(value)
    }

    /// Names `value` as an output; the first is the logits.
    #[must_use]
    pub fn output(mut self, name: &str, value: Value) -> Self {
        self.0.outputs.push((name.to_owned(), value));
        self
    }

    /// The graph.
    ///
    /// # Errors
    /// [`GraphError::NoSuchValue`] when an output is no value of this graph.
    pub fn finish(self) -> Result<Graph, GraphError> {
        let missing = self
            .0
            .outputs
            .iter()
            .find(|(_, value)| self.0.shape(*value).is_none());
        match missing {
            Some((name, _)) => Err(GraphError::NoSuchValue(name.clone())),
            None => Ok(self.0),
        }
    }
}

impl Graph {
    /// The graph with a further output `probabilities`, the logistic function of its logits.
    ///
    /// # Errors
    /// [`GraphError`] when the graph has no output or already has a node of that name.
    pub fn with_probabilities(self) -> Result<Self, GraphError> {
        let name = "probabilities";
        let logits = self.outputs.first().map(|(_, value)| *value);
        let logits = logits.ok_or_else(|| GraphError::NoSuchValue(name.to_owned()))?;
        let mut graph = GraphBuilder(self);
        let value = graph.add(name, Sigmoid, &[logits])?;
        graph.output(name, value).finish()
    }

    /// The graph with `value` as a further output, called `name`.
    ///
    /// # Errors
    /// [`GraphError::NoSuchValue`] when it is no value of this graph.
    pub fn with_output(self, name: &str, value: Value) -> Result<Self, GraphError> {
        GraphBuilder(self).output(name, value).finish()
    }

    /// The network's name in the zoo.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The shape of one sample: channels, height and width of images.
    pub fn input(&self) -> &[usize] {
        &self.input
    }

    /// The operators, each after all it computes from.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The named outputs; the first is the logits.
    pub fn outputs(&self) -> &[(String, Value)] {
        &self.outputs
    }

    /// What is to be known of each parameter, in the order of the nodes.
    pub fn parameters(&self) -> &[ParameterSpec] {
        &self.parameters
    }

    /// The shape of `value` without the batch; `None` for a value of another graph.
    pub fn shape(&self, value: Value) -> Option<&[usize]> {
        match value.node() {
            None => Some(&self.input),
            Some(node) => self.nodes.get(node).map(|node| node.shape.as_slice()),
        }
    }
}
