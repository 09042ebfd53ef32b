//! Burn's own tensor operations as an engine, on any of its back ends: graphics cards by Vulkan or Metal.
//!
//! Values are N, C, H, W in ONNX's order of axes; Burn orders images in memory as it likes. Tests run the same code on
//! Burn's back end for the processor.

#[cfg(any(feature = "vulkan", feature = "metal"))]
mod device;
mod images;
mod interpret;
mod operators;
mod sequences;
mod values;

use burn_autodiff::Autodiff;
use burn_backend::Backend;
use burn_backend::backend::AutodiffBackend;
use burn_backend::ops::FloatTensorOps;
use burn_backend::tensor::Device;

use super::flex::{Mode, Setting, Statistics, check, follow};
use super::host::host_session;
use super::{Engine, EngineError, Input, StepOutput, TrainingSession, TrainingState};
use crate::{Gradients, Graph, Parameters, Targets, Tensor, Training};
#[cfg(any(feature = "vulkan", feature = "metal"))]
pub use device::card_engine;
use interpret::{Moments, Run};

struct BurnEngine<B: Backend> {
    name: &'static str,
    seed: u64,
    device: Device<B>,
}

impl<B: Backend> Engine for BurnEngine<B> {
    fn name(&self) -> &str {
        self.name
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
        let mode = Mode::Training {
            seed: self.seed,
            step: rng_step,
        };
        let setting = setting(graph, parameters, input, (mode, training))?;
        let (output, statistics) = self.step_in(&setting, input.values, targets)?;
        follow(&statistics, parameters);
        Ok(output)
    }

    fn sequence_logits(
        &mut self,
        graph: &Graph,
        parameters: &Parameters,
        input: Input<'_>,
    ) -> Result<Tensor, EngineError> {
        let training = Training::default();
        let setting = setting(graph, parameters, input, (Mode::Evaluation, &training))?;
        let run = interpret::run::<B>(&setting, self.put(input.values), &self.device)?;
        values::read_one::<B>(&run.output)
    }

    /// Parameters cross to the card and gradients back in each step.
    fn session(
        &self,
        graph: &Graph,
        state: TrainingState,
    ) -> Result<Box<dyn TrainingSession>, EngineError> {
        let engine = Box::new(Self {
            name: self.name,
            seed: self.seed,
            device: self.device.clone(),
        });
        Ok(host_session(engine, graph, state))
    }
}

/// What is to be run; the batch must be the graph's.
fn setting<'a>(
    graph: &'a Graph,
    parameters: &'a Parameters,
    input: Input<'a>,
    (mode, training): (Mode, &'a Training),
) -> Result<Setting<'a>, EngineError> {
    Ok(Setting {
        graph,
        parameters,
        batch: check(graph, input)?,
        lengths: input.lengths,
        mode,
        training,
    })
}

impl<B: Backend> BurnEngine<B> {
    /// Loss, logits and gradients of one batch, and its statistics.
    fn step_in(
        &self,
        setting: &Setting<'_>,
        images: &Tensor,
        targets: &Targets,
    ) -> Result<(StepOutput, Statistics), EngineError> {
        let run = interpret::run::<B>(setting, self.put(images), &self.device)?;
        let logits = values::read_one::<B>(&run.output)?;
        let loss = setting.training.loss.evaluate(&logits, targets)?;
        let statistics = Moments::read(&run.moments)?;
        let gradients = run.gradients(&loss.gradient, &self.device)?;
        let output = StepOutput {
            loss: loss.value,
            logits,
            gradients,
        };
        Ok((output, statistics))
    }

    fn put(&self, images: &Tensor) -> values::Tracked<B> {
        values::put::<B>(&images.shape, images.data.clone(), &self.device)
    }
}

impl<B: Backend> Run<B> {
    /// Goes back from the output, whose gradient is `slopes`.
    fn gradients(self, slopes: &Tensor, device: &Device<B>) -> Result<Gradients, EngineError> {
        if !values::is_tracked::<B>(&self.output) {
            return Ok(Gradients::default());
        }
        let mut gradients = backward::<B>(self.output, slopes, device);
        let leaves = self.leaves.into_iter();
        let found = leaves.filter_map(|(name, leaf)| {
            Some((name, Autodiff::<B>::grad_remove(&leaf, &mut gradients)?))
        });
        let (names, found): (Vec<_>, Vec<_>) = found.unzip();
        let tensors = values::read::<B>(found)?;
        Ok(names.into_iter().zip(tensors).collect())
    }
}

/// Goes back along the tape from `output`, whose gradient is `slopes`.
fn backward<B: Backend>(
    output: values::Tracked<B>,
    slopes: &Tensor,
    device: &Device<B>,
) -> <Autodiff<B> as AutodiffBackend>::Gradients {
    let shape = values::shape::<B>(&output);
    let slopes = values::put::<B>(&shape, slopes.data.clone(), device);
    let product = Autodiff::<B>::float_mul(output, slopes);
    Autodiff::<B>::backward(Autodiff::<B>::float_sum(product))
}

#[cfg(test)]
mod tests;
