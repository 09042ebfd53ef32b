//! Finding libtorch's devices.

use crate::{EngineError, TorchDevice};

/// libtorch's device, where it sees it.
pub fn find(device: TorchDevice) -> Result<tch::Device, EngineError> {
    let cards = tch::Cuda::device_count();
    match device {
        TorchDevice::Cpu => Ok(tch::Device::Cpu),
        TorchDevice::Cuda(card) if i64::try_from(card).is_ok_and(|card| card < cards) => {
            // Shapes stay the same from step to step: cuDNN may try its algorithms once.
            tch::Cuda::cudnn_set_benchmark(true);
            Ok(tch::Device::Cuda(card))
        }
        TorchDevice::Cuda(_) => {
            let cards = (0..cards).map(|card| format!("cuda:{card}"));
            Err(EngineError::Device {
                asked: device.to_string(),
                devices: std::iter::once("cpu".to_owned()).chain(cards).collect(),
            })
        }
    }
}
