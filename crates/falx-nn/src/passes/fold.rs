//! Batch normalisation with fixed statistics is a scale and a shift: the convolution before it can hold both.

use std::collections::BTreeMap;

use crate::{
    BatchNormalization, Conv, Gemm, Graph, GraphBuilder, GraphError, Node, Operator, Parameters,
    Tensor, Value,
};

/// A graph that cannot be changed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PassError {
    /// A parameter of the graph is missing or has another shape.
    #[error(
        "the parameters have no `{name}` of the shape {expected:?}; initialise or load them for this network"
    )]
    Parameter {
        /// The parameter.
        name: String,
        /// The shape the graph wants.
        expected: Vec<usize>,
    },
    /// The changed graph is none, which is a bug.
    #[error("the folded graph is not valid: {0}; please report it")]
    Graph(#[from] GraphError),
}

/// The graph for evaluation: batch normalisation folded into the convolution or the linear layer before it, dropout
/// left out.
///
/// A normalisation stays where something else reads the convolution, too. Names of nodes and of outputs stay; a folded
/// convolution has a bias.
///
/// # Errors
/// [`PassError::Parameter`] when parameters do not fit the graph.
///
/// # Source
/// w' = w · γ / √(σ² + ε), b' = (b − μ) · γ / √(σ² + ε) + β, in f64.
pub fn fold_batch_normalization(
    graph: &Graph,
    parameters: &Parameters,
) -> Result<(Graph, Parameters), PassError> {
    let mut builder = GraphBuilder::new(graph.name(), graph.input());
    let mut values = BTreeMap::from([(Value::INPUT, Value::INPUT)]);
    let mut tensors: BTreeMap<String, Tensor> = BTreeMap::new();
    for (index, node) in graph.nodes().iter().enumerate() {
        let inputs: Option<Vec<Value>> = node
            .inputs
            .iter()
            .map(|value| values.get(value).copied())
            .collect();
        let inputs = inputs.ok_or_else(|| GraphError::NoSuchValue(node.name.clone()))?;
        let value = match (&node.operator, inputs.as_slice()) {
            (Operator::Dropout(_), &[input]) => input,
            // Its scale and shift went into the node before it.
            (Operator::BatchNormalization(_), &[input]) if folded_into(graph, node).is_some() => {
                input
            }
            _ => {
                let source = Source {
                    graph,
                    parameters,
                    node,
                };
                let operator = match normalised_by(graph, index) {
                    Some((norm, by)) => source.fold(norm, by, &mut tensors)?,
                    None => source.keep(&mut tensors)?,
                };
                builder.add(&node.name, operator, &inputs)?
            }
        };
        values.insert(Value::of_node(index), value);
    }
    for (name, value) in graph.outputs() {
        let value = values.get(value).copied();
        builder = builder.output(
            name,
            value.ok_or_else(|| GraphError::NoSuchValue(name.clone()))?,
        );
    }
    Ok((builder.finish()?, tensors.into_iter().collect()))
}

/// The convolution or linear layer that takes the normalisation `norm` in: the one before it, where nobody else reads
/// that.
fn folded_into(graph: &Graph, norm: &Node) -> Option<usize> {
    let &[value] = norm.inputs.as_slice() else {
        return None;
    };
    let index = value.node()?;
    let node = graph.nodes().get(index)?;
    let readers = graph.nodes().iter().flat_map(|node| &node.inputs);
    let is_output = graph.outputs().iter().any(|(_, output)| *output == value);
    let alone = readers.filter(|&&input| input == value).count() == 1 && !is_output;
    (alone && matches!(node.operator, Operator::Conv(_) | Operator::Gemm(_))).then_some(index)
}

/// The normalisation that the node at `index` takes in.
fn normalised_by(graph: &Graph, index: usize) -> Option<(&BatchNormalization, &Node)> {
    let value = Value::of_node(index);
    graph.nodes().iter().find_map(|node| match &node.operator {
        Operator::BatchNormalization(norm)
            if node.inputs == [value] && folded_into(graph, node) == Some(index) =>
        {
            Some((norm, node))
        }
        _ => None,
    })
}

/// A node with its parameters.
struct Source<'a> {
    graph: &'a Graph,
    parameters: &'a Parameters,
    node: &'a Node,
}

impl Source<'_> {
    /// The node as it is.
    fn keep(&self, tensors: &mut BTreeMap<String, Tensor>) -> Result<Operator, PassError> {
        let shapes: Vec<&[usize]> = self
            .node
            .inputs
            .iter()
            .filter_map(|&value| self.graph.shape(value))
            .collect();
        for spec in self.node.operator.parameters(&self.node.name, &shapes) {
            let tensor = self.tensor(&spec.name, &spec.shape)?.clone();
            tensors.insert(spec.name, tensor);
        }
        Ok(self.node.operator.clone())
    }

    /// The node with the normalisation that follows it.
    fn fold(
        &self,
        norm: &BatchNormalization,
        by: &Node,
        tensors: &mut BTreeMap<String, Tensor>,
    ) -> Result<Operator, PassError> {
        let (with_bias, has_bias) = match &self.node.operator {
            Operator::Conv(conv) => (
                Conv {
                    bias: true,
                    ..*conv
                }
                .into(),
                conv.bias,
            ),
            Operator::Gemm(gemm) => (
                Gemm {
                    bias: true,
                    ..*gemm
                }
                .into(),
                gemm.bias,
            ),
            _ => return self.keep(tensors),
        };
        self.keep(tensors)?;
        let channels = [by.shape.first().copied().unwrap_or_default()];
        let part = |part: &str| self.tensor(&format!("{}.{part}", by.name), &channels);
        let [gamma, beta] = [part("weight")?, part("bias")?];
        let [mean, variance] = [part("running_mean")?, part("running_var")?];
        let [weight, bias] = ["weight", "bias"].map(|part| format!("{}.{part}", self.node.name));
        let old: Vec<f64> = match tensors.get(&bias).filter(|_| has_bias) {
            Some(bias) => bias.data.iter().map(|&x| f64::from(x)).collect(),
            None => vec![0.0; channels[0]],
        };
        let scales: Vec<f64> = gamma
            .data
            .iter()
            .zip(&variance.data)
            .map(|(&gamma, &variance)| {
                f64::from(gamma) / (f64::from(variance) + f64::from(norm.epsilon)).sqrt()
            })
            .collect();
        if let Some(weight) = tensors.get_mut(&weight) {
            let row = (weight.data.len() / channels[0].max(1)).max(1);
            for (row, scale) in weight.data.chunks_exact_mut(row).zip(&scales) {
                row.iter_mut()
                    .for_each(|x| *x = (f64::from(*x) * scale) as f32);
            }
        }
        let shifted = old.iter().zip(&mean.data).zip(&scales).zip(&beta.data);
        let shifted = shifted.map(|(((bias, &mean), scale), &beta)| {
            ((bias - f64::from(mean)) * scale + f64::from(beta)) as f32
        });
        let data = shifted.collect();
        let shape = channels.to_vec();
        tensors.insert(bias, Tensor { shape, data });
        Ok(with_bias)
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<&Tensor, PassError> {
        let tensor = self.parameters.get(name).filter(|tensor| {
            tensor.shape == shape && tensor.data.len() == shape.iter().product::<usize>()
        });
        tensor.ok_or_else(|| PassError::Parameter {
            name: name.to_owned(),
            expected: shape.to_vec(),
        })
    }
}
