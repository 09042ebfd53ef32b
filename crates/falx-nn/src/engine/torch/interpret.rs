//! A graph's nodes one after the other, as operations of libtorch.

use std::collections::BTreeMap;

use tch::{Device, Kind, Tensor as Value};

use super::numbers::Numbers;
use super::values;
use crate::{BatchNormalization, Dropout, EngineError, Graph, Node, Training, Value as Place};

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

/// What is run, how and where.
pub struct Setting<'a> {
    pub graph: &'a Graph,
    pub numbers: &'a Numbers,
    /// The length of each sequence.
    pub lengths: Option<&'a [usize]>,
    pub mode: Mode,
    pub training: &'a Training,
    pub device: Device,
    pub mixed_precision: bool,
}

/// The first output of a graph from images that are on the device already; in training moves the running statistics.
pub fn run(setting: &Setting<'_>, images: Value) -> Result<Value, EngineError> {
    let graph = setting.graph;
    let no_output = || EngineError::NoOutput(graph.name().to_owned());
    let (_, output) = graph.outputs().first().ok_or_else(no_output)?;
    let interpreter = Interpreter { setting };
    let last = output.node().map_or(0, |node| node + 1);
    // The last node that reads each value; the output is read by whoever asked for it.
    let mut readers = BTreeMap::new();
    for (index, node) in graph.nodes().iter().take(last).enumerate() {
        readers.extend(node.inputs.iter().map(|&place| (place, index)));
    }
    readers.insert(*output, last);
    let mut known: BTreeMap<Place, Value> = BTreeMap::from([(Place::INPUT, images)]);
    for (index, node) in graph.nodes().iter().take(last).enumerate() {
        let inputs = node.inputs.iter().filter_map(|place| known.get(place));
        let inputs: Vec<&Value> = inputs.collect();
        let value = interpreter.node(index, node, &inputs)?;
        for place in &node.inputs {
            if readers.get(place) == Some(&index) {
                known.remove(place);
            }
        }
        if readers.contains_key(&Place::of_node(index)) {
            known.insert(Place::of_node(index), value);
        }
    }
    known.remove(output).ok_or_else(no_output)
}

/// A graph in the middle of its run.
pub struct Interpreter<'a> {
    pub setting: &'a Setting<'a>,
}

impl Interpreter<'_> {
    /// The parameter that an operator owns under its node's own name.
    pub fn own(&self, node: &Node) -> Result<&Value, EngineError> {
        self.leaf(&node.name)
    }

    /// The parameter `part` of a node.
    pub fn part(&self, node: &Node, part: &str) -> Result<&Value, EngineError> {
        self.leaf(&format!("{}.{part}", node.name))
    }

    /// The parameter `part` of a node, where it has one.
    pub fn optional(&self, node: &Node, part: &str) -> Option<&Value> {
        let leaves = &self.setting.numbers.leaves;
        leaves.get(&format!("{}.{part}", node.name))
    }

    fn leaf(&self, name: &str) -> Result<&Value, EngineError> {
        let leaf = self.setting.numbers.leaves.get(name);
        leaf.ok_or_else(|| EngineError::Parameter {
            name: name.to_owned(),
            expected: Vec::new(),
        })
    }

    /// Normalises by the batch's statistics, and moves the running ones, or by the running ones.
    pub fn batch_normalization(
        &self,
        norm: BatchNormalization,
        node: &Node,
        values: &Value,
    ) -> Result<Value, EngineError> {
        let kept = self.setting.training.keeps_statistics(&node.name);
        let training = self.setting.mode != Mode::Evaluation && !kept;
        let channels = node.shape.first().copied().unwrap_or(1);
        if training && values.numel() < 2 * channels {
            let node = node.name.clone();
            return Err(EngineError::OneValue { node });
        }
        let statistics = &self.setting.numbers.statistics;
        let statistic = |part: &str| statistics.get(&format!("{}.{part}", node.name));
        Ok(values.f_batch_norm(
            self.optional(node, "weight"),
            self.optional(node, "bias"),
            statistic("running_mean"),
            statistic("running_var"),
            training,
            norm.momentum.into(),
            norm.epsilon.into(),
            true,
        )?)
    }

    /// Drops what the default engine drops.
    pub fn dropout(
        &self,
        dropout: Dropout,
        index: usize,
        node: &Node,
        values: &Value,
    ) -> Result<Value, EngineError> {
        let Mode::Training { seed, step } = self.setting.mode else {
            return Ok(values.shallow_clone());
        };
        let mask = dropout.mask(values.numel(), seed, step, index);
        let mask = Value::f_from_slice(&mask)?.f_to_device(self.setting.device)?;
        let batch = values.size().first().copied().unwrap_or(1);
        // The default engine counts images' values channels-last.
        let mask = match *node.shape {
            [channels, height, width] => mask
                .f_reshape(values::signed(&[batch as usize, height, width, channels]))?
                .f_permute([0, 3, 1, 2])?,
            _ => mask.f_reshape(values.size())?,
        };
        Ok(values.f_mul(&mask)?)
    }

    /// A value as convolutions and products of matrices take it.
    pub fn narrow(&self, value: &Value) -> Result<Value, EngineError> {
        Ok(if self.setting.mixed_precision {
            value.f_to_kind(Kind::BFloat16)?
        } else {
            value.shallow_clone()
        })
    }

    /// The number of images, rows or sequences of a value.
    pub fn batch(value: &Value) -> i64 {
        value.size().first().copied().unwrap_or(1)
    }
}
