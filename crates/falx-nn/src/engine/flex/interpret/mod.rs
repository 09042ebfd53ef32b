//! A graph's nodes one after the other, as operations on Burn's tape.
//!
//! Images are N, H, W, C on the tape: our kernels run along channels.

mod images;
mod leaves;
mod normalisation;
mod pairs;
mod sequences;
mod shapes;

use std::collections::BTreeMap;
use std::ops::Range;

use burn_autodiff::Autodiff;
use burn_backend::TensorMetadata;
use burn_backend::backend::AutodiffBackend;
use burn_backend::ops::{ActivationOps, FloatTensorOps};
use burn_flex::Flex;

pub use leaves::find;
use leaves::{copy, leaves, missing, weight_of};

use super::fusion::Fused;
use super::kernels;
use super::remembered::{Computed, Remembered};
use super::tape::{Tape, Tracked, release, tensor};
use crate::operators::{ConvKernel, Function, PoolKernel, Statistics};
use crate::{Dropout, EngineError, Graph, Node, Operator, Parameters, Tensor, Training, Value};

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
#[cfg(test)]
pub fn run(
    graph: &Graph,
    parameters: &Parameters,
    (images, batch): (Tracked, usize),
    mode: Mode,
    track: bool,
) -> Result<Run, EngineError> {
    let setting = Setting {
        graph,
        parameters,
        batch,
        lengths: None,
        mode,
        training: &Training::default(),
    };
    setting.run_whole(images, track)
}

/// All that a run needs beside its input.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    pub graph: &'a Graph,
    pub parameters: &'a Parameters,
    pub batch: usize,
    /// The length of each sequence, where they are not full.
    pub lengths: Option<&'a [usize]>,
    pub mode: Mode,
    pub training: &'a Training,
}

impl Setting<'_> {
    /// The logits.
    pub fn output(&self) -> Result<Value, EngineError> {
        let output = self.graph.outputs().first().map(|(_, value)| *value);
        output.ok_or_else(|| EngineError::NoOutput(self.graph.name().to_owned()))
    }

    /// The shape of a value on the tape, batch first and channels last.
    pub fn tape_shape(&self, value: Value) -> Vec<usize> {
        tape_shape(self.graph, self.batch, value)
    }

    /// Runs the graph on an input that is on the tape already; with `track` its gradients can be asked for.
    pub fn run_whole(&self, input: Tracked, track: bool) -> Result<Run, EngineError> {
        let output = self.output()?;
        let nodes = 0..output.node().map_or(0, |node| node + 1);
        self.run(nodes, (Value::INPUT, input), output, track)
    }

    /// Runs some of the graph's nodes from one value to another; with `track` the gradients can be asked for.
    pub fn run(
        &self,
        nodes: Range<usize>,
        input: (Value, Tracked),
        output: Value,
        track: bool,
    ) -> Result<Run, EngineError> {
        let mut values = BTreeMap::from([input]);
        let end = nodes.end;
        let interpreter = self.walk(nodes, &mut values, end, &[output], track)?;
        let output = values
            .remove(&output)
            .ok_or_else(|| EngineError::NoOutput(self.graph.name().to_owned()))?;
        Ok(Run {
            output,
            leaves: interpreter.leaves,
            statistics: interpreter.statistics,
        })
    }

    /// Runs some of the graph's nodes on `values`, to which theirs are added; what neither is `kept` nor read by a later one
    /// of the first `end` nodes is let go.
    pub fn walk(
        &self,
        nodes: Range<usize>,
        values: &mut BTreeMap<Value, Tracked>,
        end: usize,
        kept: &[Value],
        track: bool,
    ) -> Result<Interpreter<'_>, EngineError> {
        let graph = self.graph;
        let mut interpreter = Interpreter {
            graph,
            parameters: self.parameters,
            batch: self.batch,
            lengths: self.lengths,
            mode: self.mode,
            training: self.training,
            track,
            leaves: leaves(self, &nodes, track)?,
            again: BTreeMap::new(),
            statistics: Vec::new(),
        };
        let mut index = nodes.start;
        let all = graph.nodes().get(..end).unwrap_or_default();
        let part = all.get(..nodes.end).unwrap_or(all);
        while let Some(node) = part.get(index) {
            let fused = Fused::at(graph, index);
            let inputs: Vec<&Tracked> = node
                .inputs
                .iter()
                .chain(&fused.other)
                .filter_map(|value| values.get(value))
                .collect();
            let value = interpreter.node(index, node, &inputs, fused)?;
            index += fused.steps;
            values.insert(Value::of_node(index - 1), value);
            // What no later node reads is let go.
            let later = &all[index.min(all.len())..];
            let needed = |value: &Value| {
                kept.contains(value) || later.iter().any(|node| node.inputs.contains(value))
            };
            for (at, value) in values.extract_if(.., |value, _| !needed(value)) {
                interpreter.again.remove(&at);
                release(Tape::inner(value));
            }
        }
        Ok(interpreter)
    }
}

/// Runs single nodes.
pub struct Interpreter<'a> {
    graph: &'a Graph,
    parameters: &'a Parameters,
    batch: usize,
    lengths: Option<&'a [usize]>,
    mode: Mode,
    training: &'a Training,
    track: bool,
    leaves: BTreeMap<String, Tracked>,
    /// How values that later nodes read are computed again, where they can be.
    again: BTreeMap<Value, Remembered>,
    statistics: Vec<(String, Statistics, f32)>,
}

impl<'a> Interpreter<'a> {
    /// Runs the node at `index` in evaluation.
    pub fn evaluating(setting: &Setting<'a>, index: usize) -> Result<Self, EngineError> {
        Ok(Self {
            graph: setting.graph,
            parameters: setting.parameters,
            batch: setting.batch,
            lengths: setting.lengths,
            mode: Mode::Evaluation,
            training: setting.training,
            track: false,
            leaves: leaves(setting, &(index..index + 1), false)?,
            again: BTreeMap::new(),
            statistics: Vec::new(),
        })
    }

    /// What the node at `index` gives, with those that run as one with it.
    pub fn node(
        &mut self,
        index: usize,
        node: &Node,
        inputs: &[&Tracked],
        fused: Fused,
    ) -> Result<Tracked, EngineError> {
        let last = Value::of_node(index + fused.steps - 1);
        let Computed { value, again } = self.computed(index, node, inputs, fused)?;
        // What nothing is trained below is not asked for again.
        if let Some(again) = again
            && is_tracked(&value)
        {
            self.again.insert(last, again);
        }
        Ok(value)
    }

    /// What an operator remembers of the value `at`, which is `value` on the tape.
    fn remembered(&self, at: Option<&Value>, value: &Tracked) -> Remembered {
        let again = at.and_then(|at| self.again.get(at)).cloned();
        again.unwrap_or_else(|| Remembered::whole(value))
    }

    fn computed(
        &mut self,
        index: usize,
        node: &Node,
        inputs: &[&Tracked],
        fused: Fused,
    ) -> Result<Computed, EngineError> {
        let &[first, ..] = inputs else {
            return Err(EngineError::NoOutput(self.graph.name().to_owned()));
        };
        let shape = self.tape_shape(Value::of_node(index + fused.steps - 1));
        let one = || first.clone();
        let remembered = || self.remembered(node.inputs.first(), first);
        let value = match &node.operator {
            Operator::Add(_)
            | Operator::Sub(_)
            | Operator::Mul(_)
            | Operator::Div(_)
            | Operator::MatMul(_)
            | Operator::Max(_) => return self.pair(node, inputs),
            Operator::AveragePool(_)
            | Operator::ConvTranspose(_)
            | Operator::GlobalMaxPool(_)
            | Operator::LayerNormalization(_)
            | Operator::Pad(_)
            | Operator::Resize(_) => return self.of_images(index, node, first, &shape),
            Operator::Concat(_)
            | Operator::Flatten(_)
            | Operator::LogSoftmax(_)
            | Operator::ReduceMax(_)
            | Operator::ReduceMean(_)
            | Operator::ReduceSum(_)
            | Operator::Reshape(_)
            | Operator::Slice(_)
            | Operator::Softmax(_)
            | Operator::Transpose(_) => return self.reshaped(index, node, inputs),
            Operator::BatchNormalization(norm) => {
                return self.normalised(*norm, node, inputs, fused, &shape);
            }
            Operator::Conv(conv) => {
                let kernel = ConvKernel::new(
                    conv,
                    self.image(node.inputs.first()),
                    self.image(Some(&Value::of_node(index))),
                );
                let weight = self.leaf(node, "weight")?;
                let weights = self.parameters.get(&weight_of(node));
                let weights = weights.map(|weights| copy(&weights.shape, &weights.data));
                let weights = weights.ok_or_else(|| missing(weight_of(node)))?;
                let bias = self.leaves.get(&format!("{}.bias", node.name));
                let weights = (weight, weights.into());
                kernels::conv(kernel, (first, remembered()), weights, bias, &shape)
            }
            Operator::Dropout(dropout) => self.dropout(*dropout, index, first, &shape),
            Operator::StochasticDepth(depth) => self.stochastic_depth(*depth, index, first, &shape),
            Operator::LengthMask(mask) => self.length_mask(*mask, first, &shape),
            Operator::Gru(gru) => {
                self.recurrent(node, first, &shape, crate::Gru::CELL, gru.passes())?
            }
            Operator::Lstm(lstm) => {
                self.recurrent(node, first, &shape, crate::Lstm::CELL, lstm.passes())?
            }
            Operator::Gemm(_) => self.linear(node, first, &shape)?,
            Operator::GlobalAveragePool(_) => {
                let [channels, height, width] = self.image(node.inputs.first());
                kernels::mean(first, [self.batch, height, width, channels], &shape)
            }
            Operator::MaxPool(pool) => {
                let kernel = PoolKernel::new(
                    pool,
                    self.image(node.inputs.first()),
                    self.image(Some(&Value::of_node(index))),
                );
                kernels::max_pool(&kernel, first, &shape, self.track)
            }
            Operator::Relu(_) => Tape::relu(one()),
            Operator::Sigmoid(_) => Tape::sigmoid(one()),
            function => {
                let function = Function::of(function).ok_or_else(|| EngineError::Unsupported {
                    node: node.name.clone(),
                    operator: function.name(),
                })?;
                return Ok(kernels::function(function, (first, remembered())));
            }
        };
        Ok(Computed::whole(value))
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
        self.leaves.get(&name).ok_or_else(|| missing(name))
    }

    /// Channels, height and width of a value.
    fn image(&self, value: Option<&Value>) -> [usize; 3] {
        match value.and_then(|&value| self.graph.shape(value)) {
            Some(&[channels, height, width]) => [channels, height, width],
            _ => [1, 1, 1],
        }
    }

    /// The shape of a value on the tape.
    fn tape_shape(&self, value: Value) -> Vec<usize> {
        tape_shape(self.graph, self.batch, value)
    }
}

/// The shape of a value on the tape, batch first and channels last.
fn tape_shape(graph: &Graph, batch: usize, value: Value) -> Vec<usize> {
    match graph.shape(value) {
        Some(&[channels, height, width]) => vec![batch, height, width, channels],
        shape => std::iter::once(&batch)
            .chain(shape.unwrap_or_default())
            .copied()
            .collect(),
    }
}

/// The numbers of a value on the tape with their shape.
pub fn read(value: &Tracked) -> Tensor {
    let value = value.primitive().to_contiguous();
    Tensor {
        shape: value.shape().to_vec(),
        data: super::tape::numbers(&value).to_vec(),
    }
}

/// The shape of a value on the tape.
pub fn read_shape(value: &Tracked) -> Vec<usize> {
    use burn_backend::TensorMetadata;
    value.primitive().shape().to_vec()
}

/// Whether something that led to `value` wants a gradient.
pub fn is_tracked(value: &Tracked) -> bool {
    Tape::float_is_require_grad(value) || value.is_tracked()
}

/// Goes back along the tape from `output`, whose gradient is `slopes`.
pub fn backward(
    output: Tracked,
    slopes: Vec<f32>,
) -> <Autodiff<Flex> as AutodiffBackend>::Gradients {
    let slopes = Tape::from_inner(tensor(&output.shape(), slopes));
    Tape::backward(Tape::float_sum(Tape::float_mul(output, slopes)))
}
