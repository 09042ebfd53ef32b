//! PyTorch's library of operators as an engine: its speed on the processor, cuDNN on NVIDIA's cards.
//!
//! Values are libtorch's tensors in ONNX's order of axes; images lie channels-last in memory.

mod device;
mod images;
mod interpret;
mod operators;
mod values;

use tch::{Kind, Tensor as Value};

use super::{Engine, EngineError, StepOutput};
use crate::loss::Loss;
use crate::{Gradients, Graph, Parameters, Targets, Tensor};
pub use device::{TorchConfig, TorchDevice};
use interpret::{Mode, Run};

/// The engine on libtorch; `seed` decides its dropout, which is the default engine's to the bit.
///
/// It takes as many threads as rayon has. Unlike the default engine's, its results depend on their number.
///
/// # Errors
/// [`EngineError::Device`] when libtorch does not see the device.
pub fn torch_engine(seed: u64, config: TorchConfig) -> Result<Box<dyn Engine>, EngineError> {
    Ok(Box::new(TorchEngine {
        seed,
        device: config.device.find()?,
        mixed_precision: config.mixed_precision,
    }))
}

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

    fn gradients(
        &mut self,
        graph: &Graph,
        parameters: &mut Parameters,
        images: &Tensor,
        targets: &Targets,
        rng_step: u64,
    ) -> Result<StepOutput, EngineError> {
        let mode = Mode::Training {
            seed: self.seed,
            step: rng_step,
        };
        let (output, run) = self.step_in(mode, graph, parameters, images, targets)?;
        for (name, statistic) in &run.statistics {
            if let Some(tensor) = parameters.get_mut(name) {
                tensor.data = values::numbers(statistic)?;
            }
        }
        Ok(output)
    }

    fn logits(
        &mut self,
        graph: &Graph,
        parameters: &Parameters,
        images: &Tensor,
    ) -> Result<Tensor, EngineError> {
        super::flex::check(graph, images)?;
        let images = self.put(images)?;
        let run = || self.run(Mode::Evaluation, graph, parameters, images);
        values::read(&tch::no_grad(run)?.output)
    }
}

impl TorchEngine {
    /// Loss, logits and gradients of one batch in either mode.
    fn step_in(
        &self,
        mode: Mode,
        graph: &Graph,
        parameters: &Parameters,
        images: &Tensor,
        targets: &Targets,
    ) -> Result<(StepOutput, Run), EngineError> {
        super::flex::check(graph, images)?;
        let run = self.run(mode, graph, parameters, self.put(images)?)?;
        let logits = values::read(&run.output)?;
        let loss = Loss::default().evaluate(&logits, targets)?;
        let gradients = run.gradients(&values::flat(&loss.gradient, self.device)?)?;
        let output = StepOutput {
            loss: loss.value,
            logits,
            gradients,
        };
        Ok((output, run))
    }

    fn run(
        &self,
        mode: Mode,
        graph: &Graph,
        parameters: &Parameters,
        images: Value,
    ) -> Result<Run, EngineError> {
        let threads = i32::try_from(rayon::current_num_threads()).unwrap_or(1);
        if tch::get_num_threads() != threads {
            tch::set_num_threads(threads);
        }
        let setting = interpret::Setting {
            graph,
            parameters,
            mode,
            device: self.device,
            mixed_precision: self.mixed_precision,
        };
        interpret::run(&setting, images)
    }

    fn put(&self, images: &Tensor) -> Result<Value, EngineError> {
        values::put(images, self.device)
    }
}

impl Run {
    /// Goes back from the output, whose gradient is `slopes`.
    fn gradients(&self, slopes: &Value) -> Result<Gradients, EngineError> {
        if self.output.requires_grad() {
            let product = self.output.f_mul(slopes)?;
            product.f_sum(Kind::Float)?.f_backward()?;
        }
        let mut gradients = Vec::new();
        for (name, leaf) in &self.leaves {
            let gradient = leaf.f_grad()?;
            if gradient.defined() {
                gradients.push((name.clone(), values::read(&gradient)?));
            }
        }
        Ok(gradients.into_iter().collect())
    }
}

