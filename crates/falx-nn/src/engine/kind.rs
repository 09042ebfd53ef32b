//! Engines by name, as they are chosen when falx runs.

use std::fmt;
use std::str::FromStr;

use super::{Engine, EngineError, flex_engine};

/// Which engine computes, and where.
///
/// Its name is the engine's, then what is chosen of it, with colons: `flex`, `torch`, `torch:bf16`, `torch:cuda`,
/// `torch:cuda:1:bf16`, `vulkan`, `vulkan:1`, `metal`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineKind {
    /// Our own kernels on the processor: the same bytes for any number of threads.
    #[default]
    Flex,
    /// libtorch, in a build with the feature `torch`.
    Torch(TorchConfig),
    /// The graphics card of this number, in a build with the feature of its interface.
    Card(CardInterface, usize),
}

/// How graphics cards are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardInterface {
    /// Vulkan, on Linux and Windows.
    Vulkan,
    /// Metal, on macOS.
    Metal,
}

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

impl EngineKind {
    /// Where libtorch computes the same: a peer's device. Cards by Vulkan or Metal have no such peer but the processor.
    pub fn device(self) -> TorchDevice {
        match self {
            Self::Flex | Self::Card(..) => TorchDevice::Cpu,
            Self::Torch(config) => config.device,
        }
    }

    /// Whether it computes with `bfloat16` where that is enough.
    pub fn mixed_precision(self) -> bool {
        matches!(self, Self::Torch(config) if config.mixed_precision)
    }

    /// Starts the engine; `seed` decides its dropout, which is the same on every engine.
    ///
    /// # Errors
    /// [`EngineError::NotBuilt`] where this build has none of that name, [`EngineError::Device`] where its library does
    /// not see the device.
    pub fn start(self, seed: u64) -> Result<Box<dyn Engine>, EngineError> {
        match self {
            Self::Flex => Ok(flex_engine(seed)),
            #[cfg(feature = "torch")]
            Self::Torch(config) => super::torch_engine(seed, config),
            #[cfg(not(feature = "torch"))]
            Self::Torch(_) => Err(EngineError::NotBuilt {
                engine: "torch",
                remedy: "build it with --features torch (docs/torch.md says what that needs)",
            }),
            #[cfg(feature = "vulkan")]
            Self::Card(CardInterface::Vulkan, number) => {
                super::card_engine(seed, CardInterface::Vulkan, number)
            }
            #[cfg(not(feature = "vulkan"))]
            Self::Card(CardInterface::Vulkan, _) => Err(EngineError::NotBuilt {
                engine: "vulkan",
                remedy: "build it with --features vulkan (docs/engines.md)",
            }),
            #[cfg(feature = "metal")]
            Self::Card(CardInterface::Metal, number) => {
                super::card_engine(seed, CardInterface::Metal, number)
            }
            #[cfg(not(feature = "metal"))]
            Self::Card(CardInterface::Metal, _) => Err(EngineError::NotBuilt {
                engine: "metal",
                remedy: "build it with --features metal, on macOS (docs/engines.md)",
            }),
        }
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = match self {
            Self::Flex => return f.write_str("flex"),
            Self::Card(interface, 0) => return write!(f, "{interface}"),
            Self::Card(interface, number) => return write!(f, "{interface}:{number}"),
            Self::Torch(config) => config,
        };
        f.write_str("torch")?;
        if config.device != TorchDevice::Cpu {
            write!(f, ":{}", config.device)?;
        }
        if config.mixed_precision {
            f.write_str(":bf16")?;
        }
        Ok(())
    }
}

impl fmt::Display for CardInterface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vulkan => "vulkan",
            Self::Metal => "metal",
        })
    }
}

impl fmt::Display for TorchDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(card) => write!(f, "cuda:{card}"),
        }
    }
}

impl FromStr for EngineKind {
    type Err = EngineError;

    fn from_str(name: &str) -> Result<Self, EngineError> {
        let unknown = || EngineError::Name(name.to_owned());
        if name == "flex" {
            return Ok(Self::Flex);
        }
        for interface in [CardInterface::Vulkan, CardInterface::Metal] {
            if let Some(number) = name.strip_prefix(&interface.to_string()) {
                let number = match number.strip_prefix(':') {
                    None if number.is_empty() => Some(0),
                    None => None,
                    Some(number) => number.parse().ok(),
                };
                return Ok(Self::Card(interface, number.ok_or_else(unknown)?));
            }
        }
        let chosen = name.strip_prefix("torch").ok_or_else(unknown)?;
        let mixed_precision = chosen.ends_with(":bf16");
        let device = match chosen.strip_suffix(":bf16").unwrap_or(chosen) {
            "" => TorchDevice::Cpu,
            ":cuda" => TorchDevice::Cuda(0),
            card => {
                let card = card.strip_prefix(":cuda:").ok_or_else(unknown)?;
                TorchDevice::Cuda(card.parse().map_err(|_| unknown())?)
            }
        };
        Ok(Self::Torch(TorchConfig {
            device,
            mixed_precision,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_have_names_and_what_is_none_is_refused() {
        let torch = |device, mixed_precision| {
            EngineKind::Torch(TorchConfig {
                device,
                mixed_precision,
            })
        };
        for (name, kind) in [
            ("flex", EngineKind::Flex),
            ("torch", torch(TorchDevice::Cpu, false)),
            ("torch:bf16", torch(TorchDevice::Cpu, true)),
            ("torch:cuda:0", torch(TorchDevice::Cuda(0), false)),
            ("torch:cuda:12:bf16", torch(TorchDevice::Cuda(12), true)),
            ("vulkan", EngineKind::Card(CardInterface::Vulkan, 0)),
            ("vulkan:3", EngineKind::Card(CardInterface::Vulkan, 3)),
            ("metal", EngineKind::Card(CardInterface::Metal, 0)),
        ] {
            assert_eq!(name.parse::<EngineKind>().unwrap(), kind);
            assert_eq!(kind.to_string(), name);
        }
        assert_eq!(
            "torch:cuda".parse::<EngineKind>().unwrap(),
            torch(TorchDevice::Cuda(0), false)
        );
        for name in [
            "",
            "flex:cuda",
            "torch:",
            "torch:cuda:",
            "torch:cuda:-1",
            "torch:cpu:fp8",
            "Torch",
            "vulkan:",
            "vulkan1",
            "metal:first",
        ] {
            let refused = name.parse::<EngineKind>();
            assert_eq!(refused, Err(EngineError::Name(name.to_owned())));
        }
    }

    #[test]
    fn what_a_build_has_not_or_a_machine_has_not_is_an_error_with_its_remedy() {
        assert_eq!(EngineKind::Flex.start(0).unwrap().name(), "flex");
        let kind: EngineKind = "torch:cuda:4096".parse().unwrap();
        let error = kind.start(0).err().unwrap();
        if cfg!(feature = "torch") {
            assert!(matches!(error, EngineError::Device { .. }), "{error}");
        } else {
            assert!(error.to_string().contains("--features torch"), "{error}");
        }
        for (name, is_built) in [
            ("vulkan:4096", cfg!(feature = "vulkan")),
            ("metal:4096", cfg!(feature = "metal")),
        ] {
            let error = name.parse::<EngineKind>().unwrap().start(0).err().unwrap();
            let feature = format!("--features {}", &name[..5]);
            if is_built {
                assert!(matches!(error, EngineError::Device { .. }), "{error}");
            } else {
                assert!(error.to_string().contains(&feature), "{error}");
            }
        }
    }
}
