//! One step: forward, loss and backward, whole or in segments whose values are computed again on the way back.

use burn_backend::TensorMetadata;
use burn_backend::backend::AutodiffBackend;
use burn_backend::ops::FloatTensorOps;

use super::interpret::{self, Setting};
use super::tape::{Tape, numbers, release};
use super::{Statistics, StepOutput, on_tape};
use crate::{EngineError, Graph, Targets, Tensor, Value};

/// Loss, logits and gradients of one batch, with the batch's statistics.
pub fn step(
    setting: &Setting<'_>,
    images: &Tensor,
    targets: &Targets,
) -> Result<(StepOutput, Statistics), EngineError> {
    let output = setting.output()?;
    let nodes = output.node().map_or(0, |node| node + 1);
    let mut cuts = cuts(setting.graph, nodes, setting.training.checkpoints);
    cuts.push(nodes);
    // Forward through all segments but the last, of which only the first values are kept.
    let mut starts = vec![(Value::INPUT, 0, on_tape(images))];
    let mut statistics = Statistics::new();
    for (&end, segment) in cuts.iter().zip(1..) {
        let last = segment == cuts.len();
        let Some((value, start, first)) = starts.last() else {
            break;
        };
        if last {
            break;
        }
        let cut = Value::of_node(end - 1);
        let run = setting.run(*start..end, (*value, first.clone()), cut, false)?;
        statistics.extend(run.statistics);
        for leaf in run.leaves.into_values() {
            release(Tape::inner(leaf));
        }
        starts.push((cut, end, run.output));
    }
    let mut result = None;
    let mut gradients = Vec::new();
    let mut slopes: Option<Vec<f32>> = None;
    for ((value, start, first), &end) in starts.into_iter().zip(&cuts).rev() {
        let is_last = end == nodes;
        // The images need no gradient, and nothing below what is frozen.
        let below = value != Value::INPUT && trains_below(setting, start);
        let first = if below {
            Tape::float_set_require_grad(Tape::from_inner(Tape::inner(first)), true)
        } else {
            first
        };
        let last = if is_last {
            output
        } else {
            Value::of_node(end - 1)
        };
        let run = setting.run(start..end, (value, first.clone()), last, true)?;
        if is_last {
            statistics.extend(run.statistics);
            let logits = interpret::read(&run.output);
            let loss = setting.training.loss.evaluate(&logits, targets)?;
            slopes = Some(loss.gradient.data);
            result = Some((loss.value, logits));
        }
        let Some(here) = slopes.take() else { break };
        if !interpret::is_tracked(&run.output) {
            break;
        }
        let mut found = interpret::backward(run.output, here);
        for (name, leaf) in run.leaves {
            if let Some(gradient) = Tape::grad_remove(&leaf, &mut found) {
                let shape = gradient.shape().to_vec();
                let data = taken(gradient);
                gradients.push((name, Tensor { shape, data }));
            }
            release(Tape::inner(leaf));
        }
        if below {
            slopes = Tape::grad_remove(&first, &mut found).map(taken);
        }
        release(Tape::inner(first));
    }
    let (loss, logits) =
        result.ok_or_else(|| EngineError::NoOutput(setting.graph.name().to_owned()))?;
    let output = StepOutput {
        loss,
        logits,
        gradients: gradients.into_iter().collect(),
    };
    Ok((output, statistics))
}

/// The numbers of a value that nobody else needs.
fn taken(value: burn_flex::FlexTensor) -> Vec<f32> {
    let contiguous = value.to_contiguous();
    // A value that lies well already is shared with itself.
    drop(value);
    if contiguous.is_unique() {
        contiguous.into_data().try_into_vec().unwrap_or_default()
    } else {
        numbers(&contiguous).to_vec()
    }
}

/// Whether a weight of the nodes before `end` is trained.
fn trains_below(setting: &Setting<'_>, end: usize) -> bool {
    let nodes = setting.graph.nodes().get(..end).unwrap_or_default();
    let weights = setting.graph.parameters().iter();
    weights
        .filter(|spec| spec.kind == crate::ParameterKind::Weight)
        .filter(|spec| !setting.training.freezes(&spec.name))
        .any(|spec| {
            nodes
                .iter()
                .any(|node| crate::engine::belongs(&spec.name, &node.name))
        })
}

/// Up to `segments` - 1 nodes before which a single value passes, spread over the network by what it keeps.
fn cuts(graph: &Graph, nodes: usize, segments: usize) -> Vec<usize> {
    if segments < 2 {
        return Vec::new();
    }
    let all = graph.nodes().get(..nodes).unwrap_or_default();
    let starts = super::fusion::starts(graph, nodes);
    let narrow = |cut: &usize| {
        let value = Value::of_node(cut - 1);
        let mut later = all[*cut..].iter().flat_map(|node| &node.inputs);
        // Nodes that run as one are not cut apart.
        starts.contains(cut) && later.all(|&input| input >= value)
    };
    let places: Vec<usize> = (1..nodes).filter(narrow).collect();
    let kept: Vec<usize> = all
        .iter()
        .scan(0, |sum, node| {
            *sum += node.shape.iter().product::<usize>();
            Some(*sum)
        })
        .collect();
    let total = kept.last().copied().unwrap_or(0);
    let mut cuts: Vec<usize> = (1..segments)
        .filter_map(|part| {
            let goal = total / segments * part;
            let distance = |cut: &usize| kept[cut - 1].abs_diff(goal);
            places.iter().copied().min_by_key(distance)
        })
        .collect();
    cuts.dedup();
    cuts
}
