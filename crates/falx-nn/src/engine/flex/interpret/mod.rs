//! A graph's nodes one after the other, as operations on Burn's tape.
//!
//! Images are N, H, W, C on the tape: our kernels run along channels.

mod images;
mod pairs;
mod shapes;

use std::collections::BTreeMap;

use burn_autodiff::Autodiff;
use burn_backend::Shape;
use burn_backend::backend::AutodiffBackend;
use burn_backend::ops::{ActivationOps, FloatTensorOps};
use burn_flex::Flex;

use super::kernels;
use super::tape::{Tape, Tracked, tensor};
use crate::operators::{ConvKernel, Epilogue, Function, Normalisation, PoolKernel, Statistics};
use crate::{
    BatchNormalization, Dropout, EngineError, Graph, MaxPool, Node, Operator, ParameterKind,
    Parameters, Tensor, Value,
};

/// How a graph is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The batch's own statistics, dropout on.
    Training {
        /// The dropout's seed.
        seed: u64,
        /// The dropout's step.
        step: u64,
    },
    /// Running statistics, dropout off.
    Evaluation,
}

/// A graph that was run once.
pub struct Run {
    /// The value of the first output.
    pub output: Tracked,
    /// The trained parameters on the tape.
    pub leaves: BTreeMap<String, Tracked>,
    /// The batch's statistics by batch-normalisation, with its momentum.
    pub statistics: Vec<(String, Statistics, f32)>,
}

/// Runs `graph` on images that are on the tape already; with `track` its gradients can be asked for.
pub fn run(
    graph: &Graph,
    parameters: &Parameters,
    (images, batch): (Tracked, usize),
    mode: Mode,
    track: bool,
) -> Result<Run, EngineError> {
    let mut interpreter = Interpreter {
        graph,
        parameters,
        batch,
        mode,
        leaves: leaves(graph, parameters, track)?,
        statistics: Vec::new(),
    };
    let output = graph.outputs().first().map(|(_, value)| *value);
    let output = output.ok_or_else(|| EngineError::NoOutput(graph.name().to_owned()))?;
    let mut values: BTreeMap<Value, Tracked> = BTreeMap::from([(Value::INPUT, images)]);
    let last = output.node().map_or(0, |node| node + 1);
    let mut index = 0;
    while let Some(node) = graph.nodes()[..last].get(index) {
        let inputs: Vec<&Tracked> = node
            .inputs
            .iter()
            .filter_map(|value| values.get(value))
            .collect();
        let steps = fused(graph, index);
        let value = interpreter.node(index, node, &inputs, steps)?;
        index += steps;
        values.insert(Value::of_node(index - 1), value);
        // What no later node reads is let go.
        let later = &graph.nodes()[index..];
        values.retain(|value, _| {
            *value == output || later.iter().any(|node| node.inputs.contains(value))
        });
    }
    let output = values
        .remove(&output)
        .ok_or_else(|| EngineError::NoOutput(graph.name().to_owned()))?;
    Ok(Run {
        output,
        leaves: interpreter.leaves,
        statistics: interpreter.statistics,
    })
}

fn leaves(
    graph: &Graph,
    parameters: &Parameters,
    track: bool,
) -> Result<BTreeMap<String, Tracked>, EngineError> {
    let leaf = |spec: &crate::ParameterSpec| {
        // Running statistics stay off the tape, but must be there too.
        let values = find(parameters, &spec.name, &spec.shape)?;
        if spec.kind == ParameterKind::RunningStatistic {
            return Ok(None);
        }
        let leaf = Tape::from_inner(tensor(&spec.shape, values.to_vec()));
        let leaf = if track && spec.kind == ParameterKind::Weight {
            Tape::float_set_require_grad(leaf, true)
        } else {
            leaf
        };
        Ok(Some((spec.name.clone(), leaf)))
    };
    graph
        .parameters()
        .iter()
        .filter_map(|spec| leaf(spec).transpose())
        .collect()
}

fn find<'a>(
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

/// How many nodes from `index` on run as one: a normalisation takes the rectifier and the maximum after it along.
fn fused(graph: &Graph, index: usize) -> usize {
    let only_reader = |index: usize| {
        let value = Value::of_node(index);
        let readers = graph
            .nodes()
            .iter()
            .filter(|node| node.inputs.contains(&value))
            .count();
        let is_output = graph.outputs().iter().any(|(_, output)| *output == value);
        let next = graph.nodes().get(index + 1)?;
        (readers == 1 && !is_output && next.inputs == [value]).then_some(&next.operator)
    };
    let is_norm = matches!(
        graph.nodes().get(index).map(|node| &node.operator),
        Some(Operator::BatchNormalization(_))
    );
    if !is_norm || only_reader(index) != Some(&Operator::Relu(crate::Relu)) {
        return 1;
    }
    let even =
        matches!(graph.shape(Value::of_node(index)), Some([_, h, w]) if h % 2 == 0 && w % 2 == 0);
    let halves = only_reader(index + 1) == Some(&Operator::MaxPool(MaxPool::halving()));
    if even && halves { 3 } else { 2 }
}

struct Interpreter<'a> {
    graph: &'a Graph,
    parameters: &'a Parameters,
    batch: usize,
    mode: Mode,
    leaves: BTreeMap<String, Tracked>,
    statistics: Vec<(String, Statistics, f32)>,
}

impl Interpreter<'_> {
    fn node(
        &mut self,
        index: usize,
        node: &Node,
        inputs: &[&Tracked],
        steps: usize,
    ) -> Result<Tracked, EngineError> {
        let &[first, ..] = inputs else {
            return Err(EngineError::NoOutput(self.graph.name().to_owned()));
        };
        let shape = self.tape_shape(Value::of_node(index + steps - 1));
        let one = || first.clone();
        Ok(match &node.operator {
            Operator::Add(_)
            | Operator::Sub(_)
            | Operator::Mul(_)
            | Operator::Div(_)
            | Operator::MatMul(_)
            | Operator::Max(_) => self.pair(node, inputs)?,
            Operator::AveragePool(_)
            | Operator::ConvTranspose(_)
            | Operator::GlobalMaxPool(_)
            | Operator::LayerNormalization(_)
            | Operator::Pad(_)
            | Operator::Resize(_) => self.of_images(index, node, first, &shape)?,
            Operator::Concat(_)
            | Operator::Flatten(_)
            | Operator::LogSoftmax(_)
            | Operator::ReduceMax(_)
            | Operator::ReduceMean(_)
            | Operator::ReduceSum(_)
            | Operator::Reshape(_)
            | Operator::Slice(_)
            | Operator::Softmax(_)
            | Operator::Transpose(_) => self.reshaped(index, node, inputs)?,
            Operator::BatchNormalization(norm) => {
                let rank = shape.len();
                if rank == 2 || rank == 4 {
                    return self.batch_normalization(*norm, node, first, steps, &shape);
                }
                // Only images lie with their channels last, where the kernel wants them.
                let there: Vec<usize> = [0].into_iter().chain(2..rank).chain([1]).collect();
                let back: Vec<usize> = [0, rank - 1].into_iter().chain(1..rank - 1).collect();
                let turned: Vec<usize> = there.iter().map(|&axis| shape[axis]).collect();
                let values = Tape::float_permute(one(), &there);
                let results = self.batch_normalization(*norm, node, &values, steps, &turned)?;
                Tape::float_permute(results, &back)
            }
            Operator::Conv(conv) => {
                let kernel = ConvKernel::new(
                    conv,
                    self.image(node.inputs.first()),
                    self.image(Some(&Value::of_node(index))),
                );
                let bias = self.leaves.get(&format!("{}.bias", node.name));
                kernels::conv(kernel, first, self.leaf(node, "weight")?, bias, &shape)
            }
            Operator::Dropout(dropout) => self.dropout(*dropout, index, first, &shape),
            Operator::Gemm(_) => {
                let weight = Tape::float_transpose(self.leaf(node, "weight")?.clone());
                let product = Tape::float_matmul(one(), weight);
                match self.leaves.get(&format!("{}.bias", node.name)) {
                    Some(bias) => {
                        let bias = Tape::float_reshape(
                            bias.clone(),
                            Shape::from(vec![1, shape.iter().skip(1).product()]),
                        );
                        Tape::float_add(product, bias)
                    }
                    None => product,
                }
            }
            Operator::GlobalAveragePool(_) => {
                let [channels, height, width] = self.image(node.inputs.first());
                let pixels = Tape::float_reshape(
                    one(),
                    Shape::from(vec![self.batch, height * width, channels]),
                );
                Tape::float_reshape(Tape::float_mean_dim(pixels, 1), Shape::from(shape))
            }
            Operator::MaxPool(pool) => {
                let kernel = PoolKernel::new(
                    pool,
                    self.image(node.inputs.first()),
                    self.image(Some(&Value::of_node(index))),
                );
                kernels::max_pool(kernel, first, &shape)
            }
            Operator::Relu(_) => Tape::relu(one()),
            Operator::Sigmoid(_) => Tape::sigmoid(one()),
            function => {
                let function = Function::of(function).ok_or_else(|| EngineError::Unsupported {
                    node: node.name.clone(),
                    operator: function.name(),
                })?;
                kernels::function(function, first)
            }
        })
    }

    fn batch_normalization(
        &mut self,
        norm: BatchNormalization,
        node: &Node,
        values: &Tracked,
        steps: usize,
        shape: &[usize],
    ) -> Result<Tracked, EngineError> {
        let channels = [*node.shape.first().unwrap_or(&1)];
        let own = self.mode != Mode::Evaluation;
        let statistics = if own {
            let values = values.primitive().to_contiguous();
            let statistics = Statistics::of(super::tape::numbers(&values), channels[0]);
            if statistics.count < 2 {
                return Err(EngineError::OneValue {
                    node: node.name.clone(),
                });
            }
            self.statistics
                .push((node.name.clone(), statistics.clone(), norm.momentum));
            statistics
        } else {
            let running =
                |part: &str| find(self.parameters, &format!("{}.{part}", node.name), &channels);
            Statistics {
                mean: running("running_mean")?.to_vec(),
                variance: running("running_var")?.to_vec(),
                count: 0,
            }
        };
        let epilogue = [Epilogue::Plain, Epilogue::Relu, Epilogue::ReluMaxPool][steps - 1];
        let [weight, bias] = [self.leaf(node, "weight")?, self.leaf(node, "bias")?];
        let numbers = [weight, bias].map(|leaf| super::tape::numbers(leaf.primitive()));
        let columns = node.shape.get(2).copied().unwrap_or(1);
        let normalisation =
            Normalisation::new(&statistics, numbers, norm.epsilon, own, columns, epilogue);
        Ok(kernels::normalise(
            normalisation,
            [values, weight, bias],
            shape,
        ))
    }

    fn dropout(
        &self,
        dropout: Dropout,
        index: usize,
        values: &Tracked,
        shape: &[usize],
    ) -> Tracked {
        let Mode::Training { seed, step } = self.mode else {
            return values.clone();
        };
        let mask = dropout.mask(shape.iter().product(), seed, step, index);
        Tape::float_mul(values.clone(), Tape::from_inner(tensor(shape, mask)))
    }

    fn leaf(&self, node: &Node, part: &str) -> Result<&Tracked, EngineError> {
        let name = format!("{}.{part}", node.name);
        self.leaves.get(&name).ok_or(EngineError::Parameter {
            name,
            expected: Vec::new(),
        })
    }

    /// Channels, height and width of a value.
    fn image(&self, value: Option<&Value>) -> [usize; 3] {
        match value.and_then(|&value| self.graph.shape(value)) {
            Some(&[channels, height, width]) => [channels, height, width],
            _ => [1, 1, 1],
        }
    }

    /// The shape of a value on the tape, batch first and channels last.
    fn tape_shape(&self, value: Value) -> Vec<usize> {
        match self.graph.shape(value) {
            Some(&[channels, height, width]) => vec![self.batch, height, width, channels],
            shape => std::iter::once(&self.batch)
                .chain(shape.unwrap_or_default())
                .copied()
                .collect(),
        }
    }
}

/// The numbers of a value on the tape with their shape.
pub fn read(value: &Tracked) -> Tensor {
    use burn_backend::TensorMetadata;
    let value = value.primitive().to_contiguous();
    Tensor {
        shape: value.shape().to_vec(),
        data: super::tape::numbers(&value).to_vec(),
    }
}

/// Goes back along the tape from `output`, whose gradient is `slopes`.
pub fn backward(
    output: Tracked,
    slopes: Vec<f32>,
) -> <Autodiff<Flex> as AutodiffBackend>::Gradients {
    use burn_backend::TensorMetadata;
    let slopes = Tape::from_inner(tensor(&output.shape(), slopes));
    Tape::backward(Tape::float_sum(Tape::float_mul(output, slopes)))
}
