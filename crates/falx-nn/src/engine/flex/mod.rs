//! The default engine: Burn's flex back end and autodiff around our own kernels.

mod activations;
mod checkpoints;
mod fusion;
mod interpret;
mod kernels;
mod layout;
mod prepared;
mod remembered;
mod tape;

use burn_backend::backend::AutodiffBackend;

use super::host::host_session;
use super::{Engine, EngineError, Input, StepOutput, TrainingSession, TrainingState};
use crate::operators::buffers;
use crate::{Graph, Parameters, Targets, Tensor, Training};
pub use activations::{ActivationGradients, activation_gradients};
#[cfg(any(test, feature = "vulkan", feature = "metal"))]
pub(super) use interpret::find;
pub(super) use interpret::{Mode, Setting};
pub use prepared::{PrepareError, Prepared};
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

    fn step(
        &mut self,
        graph: &Graph,
        parameters: &mut Parameters,
        input: Input<'_>,
        targets: &Targets,
        rng_step: u64,
        training: &Training,
    ) -> Result<StepOutput, EngineError> {
        buffers::next_step();
        let setting = Setting {
            graph,
            parameters,
            batch: check(graph, input)?,
            lengths: input.lengths,
            mode: Mode::Training {
                seed: self.seed,
                step: rng_step,
            },
            training,
        };
        let (output, run) = checkpoints::step(&setting, input.values, targets)?;
        follow(&run, parameters);
        Ok(output)
    }

    fn sequence_logits(
        &mut self,
        graph: &Graph,
        parameters: &Parameters,
        input: Input<'_>,
    ) -> Result<Tensor, EngineError> {
        let setting = Setting {
            graph,
            parameters,
            batch: check(graph, input)?,
            lengths: input.lengths,
            mode: Mode::Evaluation,
            training: &Training::default(),
        };
        buffers::next_step();
        let run = setting.run_whole(on_tape(input.values), false)?;
        Ok(layout::channels_first(interpret::read(&run.output)))
    }

    fn session(
        &self,
        graph: &Graph,
        state: TrainingState,
    ) -> Result<Box<dyn TrainingSession>, EngineError> {
        let engine = Box::new(Self { seed: self.seed });
        Ok(host_session(engine, graph, state))
    }
}

pub(super) type Statistics = Vec<(String, crate::operators::Statistics, f32)>;

/// Moves the running statistics towards the batch's.
pub(super) fn follow(run: &Statistics, parameters: &mut Parameters) {
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
#[cfg(test)]
fn step_in(
    mode: Mode,
    graph: &Graph,
    parameters: &Parameters,
    input: Input<'_>,
    targets: &Targets,
) -> Result<(StepOutput, Statistics), EngineError> {
    let setting = Setting {
        graph,
        parameters,
        batch: check(graph, input)?,
        lengths: input.lengths,
        mode,
        training: &Training::default(),
    };
    checkpoints::step(&setting, input.values, targets)
}

/// The number of images, where they are this graph's.
pub(super) fn check(graph: &Graph, input: Input<'_>) -> Result<usize, EngineError> {
    let images = input.values;
    let steps = graph.input().first().copied().unwrap_or(0);
    if let (Some(lengths), Some(&batch)) = (input.lengths, images.shape.first())
        && (lengths.len() != batch || !lengths.iter().all(|length| (1..=steps).contains(length)))
    {
        return Err(EngineError::Lengths {
            network: graph.name().to_owned(),
            steps,
            batch,
            lengths: lengths.to_vec(),
        });
    }
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
