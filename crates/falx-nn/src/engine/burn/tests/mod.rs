mod agreement;
#[cfg(any(feature = "vulkan", feature = "metal"))]
mod cards;
mod network;
mod operators;

use burn_backend::Backend;
use burn_flex::{Flex, FlexDevice};

use super::BurnEngine;
use crate::Engine;

/// The engine's own code on Burn's back end for the processor.
fn on_processor(seed: u64) -> BurnEngine<Flex> {
    BurnEngine {
        name: "burn",
        seed,
        device: FlexDevice,
    }
}

/// As [`on_processor`], as any engine.
fn boxed<B: Backend>(engine: BurnEngine<B>) -> Box<dyn Engine> {
    Box::new(engine)
}
