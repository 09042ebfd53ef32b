//! A graph's nodes one after the other, as operations of Burn's on any of its back ends.

use std::collections::BTreeMap;

use burn_autodiff::Autodiff;
use burn_backend::Backend;
use burn_backend::backend::AutodiffBackend;
use burn_backend::ops::{FloatTensorOps, ModuleOps};
use burn_backend::tensor::{Device, FloatTensor};

use super::values::{self, Tracked};
use crate::engine::flex::{Mode, Setting, find};
use crate::operators::Statistics;
use crate::{
    BatchNormalization, Dropout, EngineError, Node, ParameterKind, ParameterSpec, Value as Place,
};

/// A graph that was run once.
pub struct Run<B: Backend> {
    /// The value of the first output.
    pub output: Tracked<B>,
    /// The weights and constants.
    pub leaves: BTreeMap<String, Tracked<B>>,
    /// The batch's mean and variance of each batch normalisation.
    pub moments: Vec<Moments<B>>,
}

/// What a batch normalisation found in the batch, still where it was computed.
pub struct Moments<B: Backend> {
    /// The node.
    pub node: String,
    /// How far the running statistics move.
    pub momentum: f32,
    /// How many values each channel has.
    pub count: usize,
    /// The mean and the variance.
    pub values: [FloatTensor<B>; 2],
}

impl<B: Backend> Moments<B> {
    /// All of them as plain numbers.
    pub fn read(all: &[Self]) -> Result<Vec<(String, Statistics, f32)>, EngineError> {
        let values = all.iter().flat_map(|moments| moments.values.clone());
        let mut tensors = values::read::<B>(values.collect())?.into_iter();
        let mut next = || tensors.next().unwrap_or_default().data;
        let statistics = |moments: &Self| {
            let (mean, variance) = (next(), next());
            let statistics = Statistics {
                mean,
                variance,
                count: moments.count,
            };
            (moments.node.clone(), statistics, moments.momentum)
        };
        Ok(all.iter().map(statistics).collect())
    }
}

/// Runs a graph on images that are on the device already.
pub fn run<B: Backend>(
    setting: &Setting<'_>,
    images: Tracked<B>,
    device: &Device<B>,
) -> Result<Run<B>, EngineError> {
    let graph = setting.graph;
    let output = setting.output()?;
    let mut interpreter = Interpreter::<B>::new(setting, device)?;
    let mut known: BTreeMap<Place, Tracked<B>> = BTreeMap::from([(Place::INPUT, images)]);
    let last = output.node().map_or(0, |node| node + 1);
    for (index, node) in graph.nodes().iter().take(last).enumerate() {
        let inputs = node.inputs.iter().filter_map(|place| known.get(place));
        let inputs: Vec<&Tracked<B>> = inputs.collect();
        let value = interpreter.node(index, node, &inputs)?;
        known.insert(Place::of_node(index), value);
        // What no later node reads is let go.
        let later = graph.nodes().get(index + 1..).unwrap_or_default();
        let is_read = |place: &Place| later.iter().any(|node| node.inputs.contains(place));
        known.retain(|place, _| *place == output || is_read(place));
    }
    let output = known.remove(&output);
    Ok(Run {
        output: output.ok_or_else(|| EngineError::NoOutput(graph.name().to_owned()))?,
        leaves: interpreter.leaves,
        moments: interpreter.moments,
    })
}

/// A graph in the middle of its run.
pub struct Interpreter<'a, B: Backend> {
    pub setting: &'a Setting<'a>,
    pub device: &'a Device<B>,
    leaves: BTreeMap<String, Tracked<B>>,
    moments: Vec<Moments<B>>,
}

impl<'a, B: Backend> Interpreter<'a, B> {
    fn new(setting: &'a Setting<'a>, device: &'a Device<B>) -> Result<Self, EngineError> {
        let leaf = |spec: &ParameterSpec| {
            let data = find(setting.parameters, &spec.name, &spec.shape)?;
            let leaf = values::put::<B>(&spec.shape, data.to_vec(), device);
            let trained = setting.mode != Mode::Evaluation
                && spec.kind == ParameterKind::Weight
                && !setting.training.freezes(&spec.name);
            let leaf = Autodiff::<B>::float_set_require_grad(leaf, trained);
            Ok((spec.name.clone(), leaf))
        };
        let leaves = setting.graph.parameters().iter().map(leaf);
        Ok(Self {
            setting,
            device,
            leaves: leaves.collect::<Result<_, EngineError>>()?,
            moments: Vec::new(),
        })
    }

    /// The parameter that an operator owns under its node's own name, with as many axes as `rank`.
    pub fn own(&self, node: &Node, rank: usize) -> Result<Tracked<B>, EngineError> {
        Ok(values::of_rank::<B>(self.leaf(&node.name)?, rank))
    }

    /// The parameter `part` of a node.
    pub fn part(&self, node: &Node, part: &str) -> Result<Tracked<B>, EngineError> {
        self.leaf(&format!("{}.{part}", node.name))
    }

    /// The parameter `part` of a node, where it has one.
    pub fn optional(&self, node: &Node, part: &str) -> Option<Tracked<B>> {
        self.leaves.get(&format!("{}.{part}", node.name)).cloned()
    }

    fn leaf(&self, name: &str) -> Result<Tracked<B>, EngineError> {
        let leaf = self.leaves.get(name).cloned();
        leaf.ok_or_else(|| EngineError::Parameter {
            name: name.to_owned(),
            expected: Vec::new(),
        })
    }

    /// Normalises by the batch's statistics, and keeps these, or by the running ones.
    pub fn batch_normalization(
        &mut self,
        norm: BatchNormalization,
        node: &Node,
        x: Tracked<B>,
    ) -> Result<Tracked<B>, EngineError> {
        let kept = self.setting.training.keeps_statistics(&node.name);
        let [weight, bias] = [self.part(node, "weight")?, self.part(node, "bias")?];
        let epsilon = norm.epsilon.into();
        if self.setting.mode == Mode::Evaluation || kept {
            let mean = self.part(node, "running_mean")?;
            let variance = self.part(node, "running_var")?;
            return Ok(Autodiff::<B>::batch_norm(
                x, weight, bias, mean, variance, epsilon,
            ));
        }
        let channels = node.shape.first().copied().unwrap_or(1);
        let count = values::shape::<B>(&x).iter().product::<usize>() / channels.max(1);
        if count < 2 {
            let node = node.name.clone();
            return Err(EngineError::OneValue { node });
        }
        let normal = Autodiff::<B>::batch_norm_train(x, weight, bias, epsilon);
        self.moments.push(Moments {
            node: node.name.clone(),
            momentum: norm.momentum,
            count,
            values: [normal.mean, normal.variance].map(Autodiff::<B>::inner),
        });
        Ok(normal.output)
    }

    /// Drops what the default engine drops.
    pub fn dropout(
        &self,
        dropout: Dropout,
        index: usize,
        node: &Node,
        x: Tracked<B>,
    ) -> Tracked<B> {
        let Mode::Training { seed, step } = self.setting.mode else {
            return x;
        };
        let shape = values::shape::<B>(&x);
        let mask = dropout.mask(shape.iter().product(), seed, step, index);
        // The default engine counts images' values channels-last.
        let mask = match *node.shape {
            [channels, height, width] => {
                let batch = self.setting.batch;
                let mask = values::put::<B>(&[batch, height, width, channels], mask, self.device);
                values::channels_first::<B>(mask)
            }
            _ => values::put::<B>(&shape, mask, self.device),
        };
        Autodiff::<B>::float_mul(x, mask)
    }
}
