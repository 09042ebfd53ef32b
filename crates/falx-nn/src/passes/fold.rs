//! Factors and summands of channels taken into the convolution or linear layer before them.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::rebuild::with_outputs;
use crate::{Graph, GraphBuilder, GraphError, Operator, Parameters, Tensor, Value};

/// The graph whose batch normalisations lie in the convolutions and linear layers before them, for inference.
///
/// A normalisation stays where its input is read elsewhere too, is an output, or is no such layer's.
///
/// # Errors
/// [`GraphError`] never for a graph that was built.
pub fn fold_batch_normalization(
    graph: &Graph,
    parameters: Parameters,
) -> Result<(Graph, Parameters), GraphError> {
    fold(graph, parameters, |operator| {
        matches!(operator, Operator::BatchNormalization(_))
    })
}

/// The graph whose sums and products with constants of one number, or one for each channel, lie in the layers before.
///
/// # Errors
/// [`GraphError`] never for a graph that was built.
pub fn fold_constants(
    graph: &Graph,
    parameters: Parameters,
) -> Result<(Graph, Parameters), GraphError> {
    fold(graph, parameters, |operator| {
        matches!(
            operator,
            Operator::Add(_) | Operator::Sub(_) | Operator::Mul(_) | Operator::Div(_)
        )
    })
}

fn fold(
    graph: &Graph,
    parameters: Parameters,
    wanted: impl Fn(&Operator) -> bool,
) -> Result<(Graph, Parameters), GraphError> {
    let mut parameters: Weights = parameters.into_iter().collect();
    let mut operators: Vec<Operator> = graph
        .nodes()
        .iter()
        .map(|node| node.operator.clone())
        .collect();
    let readers = readers(graph);
    // The layer whose weights a node was folded into.
    let mut layer: Vec<usize> = (0..operators.len()).collect();
    let mut folded = vec![false; operators.len()];
    for (index, node) in graph.nodes().iter().enumerate() {
        let (true, [input]) = (wanted(&node.operator), node.inputs.as_slice()) else {
            continue;
        };
        let Some(before) = input
            .node()
            .filter(|&before| readers.get(before) == Some(&1))
        else {
            continue;
        };
        let into = layer[before];
        let same_shape = graph.nodes()[before].shape == node.shape;
        let Some(affine) = affine(graph, &parameters, index).filter(|_| same_shape) else {
            continue;
        };
        let name = &graph.nodes()[into].name;
        if absorb(&mut operators[into], name, &mut parameters, &affine).is_some() {
            (layer[index], folded[index]) = (into, true);
        }
    }
    let mut builder = GraphBuilder::new(graph.name(), graph.input());
    let mut values = vec![Value::INPUT];
    for ((node, operator), folded) in graph.nodes().iter().zip(operators).zip(folded) {
        let at = |value: &Value| values.get(value.0).copied().unwrap_or(Value::INPUT);
        let inputs: Vec<Value> = node.inputs.iter().map(at).collect();
        values.push(if folded {
            inputs.first().copied().unwrap_or(Value::INPUT)
        } else {
            builder.add(&node.name, operator, &inputs)?
        });
    }
    let graph = with_outputs(builder, &values, graph.outputs())?;
    let wanted = graph.parameters().iter();
    let parameters = wanted
        .filter_map(|spec| parameters.remove_entry(&spec.name))
        .collect();
    Ok((graph, parameters))
}

type Weights = BTreeMap<String, Tensor>;

/// How many nodes and outputs read each node's value.
fn readers(graph: &Graph) -> Vec<usize> {
    let mut readers = vec![0; graph.nodes().len()];
    let inputs = graph.nodes().iter().flat_map(|node| &node.inputs);
    for value in inputs.chain(graph.outputs().iter().map(|(_, value)| value)) {
        if let Some(count) = value.node().and_then(|node| readers.get_mut(node)) {
            *count += 1;
        }
    }
    readers
}

/// x * factor + summand for each channel.
struct Affine {
    factors: Vec<f64>,
    summands: Vec<f64>,
}

/// What a node does to each channel of its input, where that is all it does.
fn affine(graph: &Graph, parameters: &Weights, index: usize) -> Option<Affine> {
    let node = graph.nodes().get(index)?;
    let channels = *node.shape.first()?;
    let wide = |tensor: &Tensor| -> Vec<f64> { tensor.data.iter().map(|&x| x.into()).collect() };
    if let Operator::BatchNormalization(norm) = &node.operator {
        let part = |part: &str| {
            let tensor = parameters.get(&format!("{}.{part}", node.name))?;
            (tensor.data.len() == channels).then(|| wide(tensor))
        };
        let (weight, bias) = (part("weight")?, part("bias")?);
        let (mean, variance) = (part("running_mean")?, part("running_var")?);
        let factors: Vec<f64> = weight
            .iter()
            .zip(&variance)
            .map(|(weight, variance)| weight / (variance + f64::from(norm.epsilon)).sqrt())
            .collect();
        let summands = bias.iter().zip(&mean).zip(&factors);
        let summands = summands
            .map(|((bias, mean), factor)| bias - mean * factor)
            .collect();
        return Some(Affine { factors, summands });
    }
    let constant = parameters.get(&node.name)?;
    let rest = node.shape.len() - 1;
    let numbers = match (constant.data.as_slice(), constant.shape.as_slice()) {
        (&[number], _) => vec![f64::from(number); channels],
        (_, shape) if per_channel(shape, channels, rest) => wide(constant),
        _ => return None,
    };
    let (ones, zeros) = (vec![1.0; channels], vec![0.0; channels]);
    let negative = || numbers.iter().map(|x| -x).collect();
    Some(match &node.operator {
        Operator::Add(_) => Affine {
            factors: ones,
            summands: numbers,
        },
        Operator::Sub(_) => Affine {
            factors: ones,
            summands: negative(),
        },
        Operator::Mul(_) => Affine {
            factors: numbers,
            summands: zeros,
        },
        Operator::Div(_) if !numbers.contains(&0.0) => {
            let factors = numbers.iter().map(|x| x.recip()).collect();
            Affine {
                factors,
                summands: zeros,
            }
        }
        _ => return None,
    })
}

/// Whether a constant has one number for each channel: `channels` first, then as many ones as there are other axes.
fn per_channel(shape: &[usize], channels: usize, rest: usize) -> bool {
    match shape.len().checked_sub(rest + 1) {
        Some(ahead) => {
            let (front, own) = shape.split_at(ahead);
            front.iter().all(|&length| length == 1)
                && own.split_first().is_some_and(|(&first, others)| {
                    first == channels && others.iter().all(|&length| length == 1)
                })
        }
        None => false,
    }
}

/// Takes `affine` into the layer's parameters; `None`, and nothing changed, where it has none that fit.
fn absorb(
    operator: &mut Operator,
    name: &str,
    parameters: &mut Weights,
    affine: &Affine,
) -> Option<()> {
    let (bias, outputs_at) = match operator {
        Operator::Conv(conv) => (&mut conv.bias, 0),
        Operator::Gemm(gemm) => (&mut gemm.bias, 0),
        Operator::ConvTranspose(conv) => (&mut conv.bias, 1),
        _ => return None,
    };
    let (weight_name, bias_name) = (format!("{name}.weight"), format!("{name}.bias"));
    let channels = affine.factors.len();
    let old = if *bias {
        parameters.get(&bias_name)?.data.clone()
    } else {
        vec![0.0; channels]
    };
    let weight = parameters.get_mut(&weight_name)?;
    if old.len() != channels || weight.shape.get(outputs_at) != Some(&channels) {
        return None;
    }
    let inner: usize = weight.shape.iter().skip(outputs_at + 1).product();
    let of_channels = weight.data.par_chunks_mut(inner.max(1)).enumerate();
    of_channels.for_each(|(at, numbers)| {
        let factor = affine.factors[at % channels];
        for x in numbers {
            *x = (f64::from(*x) * factor) as f32;
        }
    });
    let numbers = old.iter().zip(&affine.factors).zip(&affine.summands);
    let data = numbers.map(|((old, factor), summand)| (f64::from(*old) * factor + summand) as f32);
    let tensor = Tensor {
        shape: vec![channels],
        data: data.collect(),
    };
    *bias = true;
    parameters.insert(bias_name, tensor);
    Some(())
}
