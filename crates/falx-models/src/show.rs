//! A network, layer by layer.

use std::fmt::Write as _;

use falx_nn::cost::Cost;
use falx_nn::{Graph, cost};
use serde::Serialize;

use crate::list::{giga, lengths, thousands};

/// One operator of a network.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Layer {
    /// Its module's name.
    pub name: String,
    /// Its ONNX operator.
    pub operator: &'static str,
    /// The shape of what it gives, without the batch.
    pub shape: Vec<usize>,
    /// What it computes from.
    pub inputs: Vec<String>,
    /// What it costs.
    #[serde(flatten)]
    pub cost: Cost,
}

/// A network with its layers and totals.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shown {
    /// Its name.
    pub network: String,
    /// The shape of an input, without the batch.
    pub input: Vec<usize>,
    /// Its operators.
    pub layers: Vec<Layer>,
    /// The names and shapes of what it gives.
    pub outputs: Vec<(String, Vec<usize>)>,
    /// What it costs as a whole.
    pub total: Cost,
}

/// The layers of `graph`.
pub fn show(graph: &Graph) -> Shown {
    let name = |value: &falx_nn::Value| match value.node() {
        None => "input".to_owned(),
        Some(node) => graph
            .nodes()
            .get(node)
            .map(|node| node.name.clone())
            .unwrap_or_default(),
    };
    let layer = |(node, cost): (&falx_nn::Node, Cost)| Layer {
        name: node.name.clone(),
        operator: node.operator.name(),
        shape: node.shape.clone(),
        inputs: node.inputs.iter().map(name).collect(),
        cost,
    };
    let outputs = graph.outputs().iter();
    Shown {
        network: graph.name().to_owned(),
        input: graph.input().to_vec(),
        layers: graph
            .nodes()
            .iter()
            .zip(cost::of_nodes(graph))
            .map(layer)
            .collect(),
        outputs: outputs
            .map(|(name, value)| {
                (
                    name.clone(),
                    graph.shape(*value).unwrap_or_default().to_vec(),
                )
            })
            .collect(),
        total: cost::of_graph(graph),
    }
}

impl Shown {
    /// The table in words.
    pub fn to_text(&self) -> String {
        let names = self.layers.iter().map(|layer| layer.name.chars().count());
        let width = names.max().unwrap_or(0).clamp(10, 48);
        let mut text = format!(
            "{}: input {}\n{:width$} {:20} {:>18} {:>12} {:>14} {:>10}",
            self.network,
            lengths(&self.input),
            "layer",
            "operator",
            "gives",
            "parameters",
            "multiply-adds",
            "KiB"
        );
        for layer in &self.layers {
            let number =
                |n: u64, form: fn(u64) -> String| if n == 0 { String::new() } else { form(n) };
            let _ = write!(
                text,
                "\n{:width$} {:20} {:>18} {:>12} {:>14} {:>10}",
                layer.name,
                layer.operator,
                lengths(&layer.shape),
                number(layer.cost.parameters, thousands),
                number(layer.cost.multiply_adds, giga),
                thousands(layer.cost.activation_bytes.div_ceil(1024)),
            );
        }
        let _ = write!(
            text,
            "\n\n{} layers, {} parameters ({:.1} MiB), {} multiply-adds an image, {:.1} MiB of activations an image",
            self.layers.len(),
            thousands(self.total.parameters),
            self.total.parameters as f64 * 4.0 / 1048576.0,
            giga(self.total.multiply_adds),
            self.total.activation_bytes as f64 / 1048576.0,
        );
        for (name, shape) in &self.outputs {
            let _ = write!(text, "\noutput {name}: {}", lengths(shape));
        }
        text
    }
}
