//! PyTorch's library of operators as an engine: its speed on the processor, cuDNN on NVIDIA's cards.
//!
//! Values are libtorch's tensors in ONNX's order of axes; images lie channels-last in memory.

mod device;
mod flat;
mod held;
mod images;
mod interpret;
mod motion;
mod numbers;
mod operators;
mod sequences;
mod session;
mod staging;
mod values;

use super::{Engine, EngineError, Input, StepOutput, TorchConfig, TrainingSession, TrainingState};
use crate::{Graph, Parameters, Targets, Tensor, Training};
use interpret::{Mode, Setting};
use numbers::Numbers;
use session::TorchSession;

/// The engine on libtorch; `seed` decides its dropout, which is the default engine's to the bit.
///
/// It takes as many threads as rayon has. Unlike the default engine's, its results depend on their number.
/// [`Training::checkpoints`] saves it no memory: it keeps all values, and gives the same gradients.
///
/// # Errors
/// [`EngineError::Device`] when libtorch does not see the device.
pub fn torch_engine(seed: u64, config: TorchConfig) -> Result<Box<dyn Engine>, EngineError> {
    Ok(Box::new(TorchEngine {
        seed,
        device: device::find(config.device)?,
        mixed_precision: config.mixed_precision,
    }))
}

#[derive(Clone, Copy)]
struct TorchEngine {
    seed: u64,
    device: tch::Device,
    mixed_precision: bool,
}

impl From<tch::TchError> for EngineError {
    fn from(error: tch::TchError) -> Self {
        let text = error.to_string();
        // What follows is the stack of C++.
        Self::Library(text.lines().next().unwrap_or_default().to_owned())
    }
}

impl Engine for TorchEngine {
    fn name(&self) -> &'static str {
        "torch"
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
        let (seed, step) = (self.seed, rng_step);
        let numbers = Numbers::put(graph, parameters, self.device)?;
        numbers.want(graph, training)?;
        let mut setting = self.setting(graph, &numbers, input, training)?;
        setting.mode = Mode::Training { seed, step };
        let output = self.step_in(&setting, input.values, targets)?;
        for (name, statistic) in &numbers.statistics {
            if let Some(tensor) = parameters.get_mut(name) {
                tensor.data = values::numbers(statistic)?;
            }
        }
        Ok(output)
    }

    fn sequence_logits(
        &mut self,
        graph: &Graph,
        parameters: &Parameters,
        input: Input<'_>,
    ) -> Result<Tensor, EngineError> {
        let numbers = Numbers::put(graph, parameters, self.device)?;
        self.logits_of(graph, &numbers, input)
    }

    fn session(
        &self,
        graph: &Graph,
        state: TrainingState,
    ) -> Result<Box<dyn TrainingSession>, EngineError> {
        Ok(Box::new(TorchSession::new(*self, graph, state)?))
    }
}

impl TorchEngine {
    /// What is to be run in evaluation mode; the batch must be the graph's.
    fn setting<'a>(
        &self,
        graph: &'a Graph,
        numbers: &'a Numbers,
        input: Input<'a>,
        training: &'a Training,
    ) -> Result<Setting<'a>, EngineError> {
        super::flex::check(graph, input)?;
        let threads = i32::try_from(rayon::current_num_threads()).unwrap_or(1);
        if tch::get_num_threads() != threads {
            tch::set_num_threads(threads);
        }
        Ok(Setting {
            graph,
            numbers,
            lengths: input.lengths,
            mode: Mode::Evaluation,
            training,
            device: self.device,
            mixed_precision: self.mixed_precision,
        })
    }

    /// Loss, logits and gradients of one batch.
    fn step_in(
        &self,
        setting: &Setting<'_>,
        images: &Tensor,
        targets: &Targets,
    ) -> Result<StepOutput, EngineError> {
        let output = interpret::run(setting, values::put(images, self.device)?)?;
        let logits = values::read(&output)?;
        let loss = setting.training.loss.evaluate(&logits, targets)?;
        let slopes = values::flat(&loss.gradient, self.device)?;
        let gradients = setting.numbers.gradients(&output, &slopes)?;
        Ok(StepOutput {
            loss: loss.value,
            logits,
            gradients,
        })
    }

    fn logits_of(
        &self,
        graph: &Graph,
        numbers: &Numbers,
        input: Input<'_>,
    ) -> Result<Tensor, EngineError> {
        let training = Training::default();
        let setting = self.setting(graph, numbers, input, &training)?;
        let images = values::put(input.values, self.device)?;
        values::read(&tch::no_grad(|| interpret::run(&setting, images))?)
    }
}

#[cfg(test)]
mod tests;
