//! Where an operator stands in an ONNX file.

use super::message::{Attribute, Node, TensorData};

/// An operator's place: what its node is called, reads and gives.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The node's name.
    pub name: String,
    /// The names of the values it reads.
    pub inputs: Vec<String>,
    /// The names of its parameters.
    pub parameters: Vec<String>,
    /// The name of what it gives.
    pub output: String,
    /// The shapes of what it reads, without the batch.
    pub shapes: Vec<Vec<usize>>,
    /// The shape of what it gives, without the batch.
    pub shape: Vec<usize>,
}

impl Place {
    /// One node of ONNX's operator `operator` that reads values and parameters.
    pub fn node(&self, operator: &str, attributes: Vec<Attribute>) -> Node {
        let inputs = self.inputs.iter().chain(&self.parameters).cloned();
        Node {
            input: inputs.collect(),
            output: vec![self.output.clone()],
            name: Some(self.name.clone()),
            op_type: Some(operator.to_owned()),
            attribute: attributes,
            ..Node::default()
        }
    }

    /// A node of `operator` on the way: it reads `inputs` and gives a value that is called `name/part`.
    pub fn part(
        &self,
        part: &str,
        operator: &str,
        inputs: &[&str],
        attributes: Vec<Attribute>,
    ) -> Node {
        let name = self.of(part);
        Node {
            input: inputs.iter().map(|&name| name.to_owned()).collect(),
            output: vec![name.clone()],
            name: Some(name),
            op_type: Some(operator.to_owned()),
            attribute: attributes,
            ..Node::default()
        }
    }

    /// The last of several nodes: it gives what the operator gives.
    pub fn last(&self, operator: &str, inputs: &[&str], attributes: Vec<Attribute>) -> Node {
        Node {
            output: vec![self.output.clone()],
            name: Some(self.name.clone()),
            ..self.part("", operator, inputs, attributes)
        }
    }

    /// A constant that is called `name/part`.
    pub fn constant(&self, part: &str, value: TensorData) -> Node {
        self.part(
            part,
            "Constant",
            &[],
            vec![Attribute::tensor("value", value)],
        )
    }

    /// The name of the first value it reads.
    pub fn input(&self) -> &str {
        self.inputs.first().map_or("", String::as_str)
    }

    /// The name of a value on the way.
    pub fn of(&self, part: &str) -> String {
        format!("{}/{part}", self.name)
    }
}
