//! Finding graphics cards, and starting the engine on one of them.

use std::sync::{Mutex, PoisonError};

use burn_backend::read_sync;
use burn_wgpu::graphics::{Metal, Vulkan};
use burn_wgpu::wgpu::{Backends, DeviceType, Instance, InstanceDescriptor};
use burn_wgpu::{RuntimeOptions, Wgpu, WgpuBackend, WgpuDevice, WgpuInitError, try_init_setup};
use cubecl::device::WgpuDeviceKind;

use super::BurnEngine;
use crate::engine::kind::CardInterface;
use crate::{Engine, EngineError};

/// The devices that were started: each is set up once, and then serves all engines.
static STARTED: Mutex<Vec<WgpuDevice>> = Mutex::new(Vec::new());

/// The engine on the graphics card `number` that `interface` reaches; `seed` decides its dropout, which is the default
/// engine's to the bit.
///
/// Its first step tries several kernels for each operator and shape and keeps the fastest, which takes a while.
/// [`Training::checkpoints`](crate::Training::checkpoints) saves it no memory: it keeps all values, and gives the same
/// gradients.
///
/// # Errors
/// [`EngineError::Device`] when there is no such card, [`EngineError::Library`] when its driver refuses to start it.
pub fn card_engine(
    seed: u64,
    interface: CardInterface,
    number: usize,
) -> Result<Box<dyn Engine>, EngineError> {
    Ok(Box::new(open(seed, interface, number)?))
}

pub(super) fn open(
    seed: u64,
    interface: CardInterface,
    number: usize,
) -> Result<BurnEngine<Wgpu>, EngineError> {
    let cards = cards(interface);
    let Some((device, _)) = cards.get(number) else {
        let named = cards.iter().enumerate();
        let named = named.map(|(number, (_, name))| format!("{interface}:{number} ({name})"));
        return Err(EngineError::Device {
            asked: format!("{interface}:{number}"),
            devices: named.collect(),
        });
    };
    start(interface, device).map_err(|error| EngineError::Library(error.to_string()))?;
    Ok(BurnEngine {
        name: match interface {
            CardInterface::Vulkan => "vulkan",
            CardInterface::Metal => "metal",
        },
        seed,
        device: device.clone().into(),
    })
}

fn start(interface: CardInterface, device: &WgpuDevice) -> Result<(), WgpuInitError> {
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if started.contains(device) {
        return Ok(());
    }
    let options = RuntimeOptions::try_default()?;
    match interface {
        CardInterface::Vulkan => try_init_setup::<Vulkan>(device, options)?,
        CardInterface::Metal => try_init_setup::<Metal>(device, options)?,
    };
    started.push(device.clone());
    Ok(())
}

/// The cards that `interface` reaches, with their names: those in a slot of their own first, the processor last.
fn cards(interface: CardInterface) -> Vec<(WgpuDevice, String)> {
    let (backends, backend) = match interface {
        CardInterface::Vulkan => (Backends::VULKAN, WgpuBackend::Vulkan),
        CardInterface::Metal => (Backends::METAL, WgpuBackend::Metal),
    };
    let instance = Instance::new(InstanceDescriptor {
        backends,
        ..InstanceDescriptor::new_without_display_handle()
    });
    let found = read_sync(instance.enumerate_adapters(backends));
    let found: Vec<_> = found.iter().map(|adapter| adapter.get_info()).collect();
    // Burn counts the cards of each kind by themselves.
    let of = |kind: DeviceType| found.iter().filter(move |card| card.device_type == kind);
    let kinds: [(DeviceType, fn(usize) -> WgpuDeviceKind); 5] = [
        (DeviceType::DiscreteGpu, WgpuDeviceKind::DiscreteGpu),
        (DeviceType::IntegratedGpu, WgpuDeviceKind::IntegratedGpu),
        (DeviceType::VirtualGpu, WgpuDeviceKind::VirtualGpu),
        (DeviceType::Other, WgpuDeviceKind::Other),
        (DeviceType::Cpu, |_| WgpuDeviceKind::Cpu),
    ];
    let numbered = kinds.into_iter().flat_map(|(kind, device)| {
        let reached = if kind == DeviceType::Cpu {
            1
        } else {
            usize::MAX
        };
        let cards = of(kind).take(reached).enumerate();
        cards.map(move |(number, card)| {
            let device = WgpuDevice::new(device(number)).on(backend);
            (device, card.name.clone())
        })
    });
    numbered.collect()
}
