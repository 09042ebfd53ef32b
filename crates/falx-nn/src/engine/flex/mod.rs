//! The default engine: Burn's flex back end and autodiff around our own kernels.

mod interpret;
mod kernels;
mod layout;
mod tape;

use burn_backend::backend::AutodiffBackend;

use super::{Engine, EngineError, StepOutput};
use crate::loss::Loss;
use crate::operators::buffers;
use crate::{Gradients, Graph, Parameters, Targets, Tensor};
use interpret::{Mode, Run};
use tape::{Tape, Tracked};

/// The default engine, on the processor; `seed` decides its dropout.
pub fn flex_engine(seed: u64) -> Box<dyn Engine> {
    Box::new(FlexEngine { seed })
}

struct FlexEngine {
    seed: u64,
}

impl Engine for FlexEngine {
    fn name(&self) -> &'static str {
        "flex"
    }

    fn gradients(
        &mut self,
        graph: &Graph,
        parameters: &mut Parameters,
        images: &Tensor,
        targets: &Targets,
        rng_step: u64,
    ) -> Result<StepOutput, EngineError> {
        buffers::next_step();
        let (seed, step) = (self.seed, rng_step);
        let (output, run) = step_in(
            Mode::Training { seed, step },
            graph,
            parameters,
            images,
            targets,
        )?;
        follow(&run, parameters);
        Ok(output)
    }

    fn logits(
        &mut self,
        graph: &Graph,
        parameters: &Parameters,
        images: &Tensor,
    ) -> Result<Tensor, EngineError> {
        let batch = check(graph, images)?;
        let run = interpret::run(
            graph,
            parameters,
            (on_tape(images), batch),
            Mode::Evaluation,
            false,
        )?;
        Ok(layout::channels_first(interpret::read(&run.output)))
    }
}

type Statistics = Vec<(String, crate::operators::Statistics, f32)>;

/// Moves the running statistics towards the batch's.
fn follow(run: &Statistics, parameters: &mut Parameters) {
    for (node, statistics, momentum) in run {
        let mut take = |part: &str| {
            let tensor = parameters.get_mut(&format!("{node}.{part}"));
            tensor
                .map(|tensor| std::mem::take(&mut tensor.data))
                .unwrap_or_default()
        };
        let (mut mean, mut variance) = (take("running_mean"), take("running_var"));
        statistics.follow(&mut mean, &mut variance, *momentum);
        for (part, data) in [("running_mean", mean), ("running_var", variance)] {
            if let Some(tensor) = parameters.get_mut(&format!("{node}.{part}")) {
                tensor.data = data;
            }
        }
    }
}

/// Loss, logits and gradients of one batch in either mode.
fn step_in(
    mode: Mode,
    graph: &Graph,
    parameters: &Parameters,
    images: &Tensor,
    targets: &Targets,
) -> Result<(StepOutput, Statistics), EngineError> {
    let batch = check(graph, images)?;
    let Run {
        output,
        leaves,
        statistics,
    } = interpret::run(graph, parameters, (on_tape(images), batch), mode, true)?;
    let logits = interpret::read(&output);
    let loss = Loss::default().evaluate(&logits, targets)?;
    let mut gradients = interpret::backward(output, loss.gradient.data);
    let gradient = |(name, leaf): (String, Tracked)| {
        let gradient = Tape::grad_remove(&leaf, &mut gradients)?;
        let data = tape::numbers(&gradient.to_contiguous()).to_vec();
        Some((
            name,
            Tensor {
                shape: interpret::read(&leaf).shape,
                data,
            },
        ))
    };
    let gradients: Gradients = leaves.into_iter().filter_map(gradient).collect();
    let loss = loss.value;
    Ok((
        StepOutput {
            loss,
            logits,
            gradients,
        },
        statistics,
    ))
}

/// The number of images, where they are this graph's.
fn check(graph: &Graph, images: &Tensor) -> Result<usize, EngineError> {
    match images.shape.split_first() {
        Some((&batch, shape))
            if batch > 0
                && shape == graph.input()
                && images.data.len() == images.shape.iter().product::<usize>() =>
        {
            Ok(batch)
        }
        _ => Err(EngineError::Images {
            network: graph.name().to_owned(),
            expected: graph.input().to_vec(),
            found: images.shape.clone(),
            values: images.data.len(),
        }),
    }
}

/// Images of N, C, H, W on the tape, channels last.
fn on_tape(images: &Tensor) -> Tracked {
    let (shape, data) = layout::channels_last(images);
    Tape::from_inner(tape::tensor(&shape, data))
}

#[cfg(test)]
mod tests;
