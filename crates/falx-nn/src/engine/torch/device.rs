//! Where libtorch computes, and how exactly.

use std::fmt;
use std::str::FromStr;

use crate::EngineError;

/// Where and how the engine on libtorch computes; the default is the processor, in single precision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TorchConfig {
    /// Where it computes.
    pub device: TorchDevice,
    /// Whether convolutions and products of matrices are computed in `bfloat16`.
    ///
    /// Parameters, gradients, statistics, sums and the loss stay in single precision. `bfloat16` has the range of single
    /// precision, so the loss needs no scaling.
    pub mixed_precision: bool,
}

/// A device of libtorch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TorchDevice {
    /// The processor.
    #[default]
    Cpu,
    /// The NVIDIA card of this number.
    Cuda(usize),
}

impl fmt::Display for TorchDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(card) => write!(f, "cuda:{card}"),
        }
    }
}

impl FromStr for TorchDevice {
    type Err = EngineError;

    /// Reads PyTorch's names: `cpu`, `cuda` (the first card) or `cuda:1`.
    fn from_str(word: &str) -> Result<Self, EngineError> {
        let card = match word.strip_prefix("cuda") {
            _ if word == "cpu" => return Ok(Self::Cpu),
            Some("") => Some(0),
            Some(rest) => rest.strip_prefix(':').and_then(|card| card.parse().ok()),
            None => None,
        };
        card.map(Self::Cuda).ok_or_else(|| Self::missing(word))
    }
}

impl TorchDevice {
    pub(super) fn find(self) -> Result<tch::Device, EngineError> {
        match self {
            Self::Cpu => Ok(tch::Device::Cpu),
            Self::Cuda(card) if (card as i64) < tch::Cuda::device_count() => {
                // Shapes stay the same from step to step: cuDNN may try its algorithms once.
                tch::Cuda::cudnn_set_benchmark(true);
                Ok(tch::Device::Cuda(card))
            }
            Self::Cuda(_) => Err(Self::missing(&self.to_string())),
        }
    }

    fn missing(asked: &str) -> EngineError {
        let cards = (0..tch::Cuda::device_count()).map(|card| format!("cuda:{card}"));
        let devices = std::iter::once("cpu".to_owned()).chain(cards).collect();
        EngineError::Device {
            asked: asked.to_owned(),
            devices,
        }
    }
}
