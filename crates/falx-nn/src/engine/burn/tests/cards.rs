//! The same on a graphics card; machines without one say so and pass.
//!
//! A driver that computes on the processor is left alone: that of Mesa 22.3 falls over the engine's programs and takes the
//! tests with it.

use burn_wgpu::{Wgpu, WgpuBackend, WgpuDevice};
use cubecl::Device;
use cubecl::device::WgpuDeviceKind;

use super::super::device::{self, open};
use super::{agreement, boxed, network, operators};
use crate::reference::operators::agree;
use crate::*;

const VULKAN: bool = cfg!(feature = "vulkan");
const INTERFACE: CardInterface = if VULKAN {
    CardInterface::Vulkan
} else {
    CardInterface::Metal
};
const BACKEND: WgpuBackend = if VULKAN {
    WgpuBackend::Vulkan
} else {
    WgpuBackend::Metal
};

/// The engine on the first card.
fn first(seed: u64) -> Option<super::BurnEngine<Wgpu>> {
    let on_processor = Device::from(WgpuDevice::new(WgpuDeviceKind::Cpu).on(BACKEND));
    match open(seed, INTERFACE, 0) {
        Ok(engine) if engine.device == on_processor => {
            eprintln!("not tested: the only card is the processor");
            None
        }
        Ok(engine) => Some(engine),
        Err(error @ EngineError::Device { .. }) => {
            eprintln!("not tested: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

fn start(seed: u64) -> Box<dyn Engine> {
    boxed(first(seed).unwrap())
}

#[test]
fn operators_are_the_references_on_a_card() {
    if let Some(engine) = first(0) {
        agree(&|case| operators::differentiate(&engine, case));
    }
}

#[test]
fn windows_and_kinks_are_the_graphs_on_a_card() {
    if let Some(mut engine) = first(0) {
        operators::uneven_windows(&mut engine);
        operators::kinks(&engine);
    }
}

#[test]
fn networks_are_trained_alike_on_a_card() {
    if first(0).is_some() {
        network::simple_cnn(&start);
        network::dropout(&start);
        agreement::networks(&start, &["resnet18", "efficientnet_b0"]);
        agreement::sequences(&start);
    }
}

#[test]
fn a_card_that_is_not_there_is_an_error() {
    let refused = device::card_engine(0, INTERFACE, 4096).err().unwrap();
    assert!(matches!(refused, EngineError::Device { .. }), "{refused}");
}
