//! The default engine: Burn's flex back end and autodiff around our own kernels.

use super::{Engine, EngineError, StepOutput};
use crate::{Graph, Parameters, Targets, Tensor};

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
        todo!(
            "{:?}",
            (self.seed, graph, parameters, images, targets, rng_step)
        )
    }

    fn logits(
        &mut self,
        graph: &Graph,
        parameters: &Parameters,
        images: &Tensor,
    ) -> Result<Tensor, EngineError> {
        todo!("{:?}", (graph, parameters, images))
    }
}
