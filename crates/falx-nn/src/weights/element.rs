//! Numbers of any width, made 32-bit floats.

use half::{bf16, f16};

/// How a file stores one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    F16,
    Bf16,
    F32,
    F64,
    /// A type of whole numbers or truth values, by its name and width in bytes.
    Whole(&'static str, usize),
}

impl Element {
    /// Bytes of one number.
    pub const fn size(self) -> usize {
        match self {
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Whole(_, size) => size,
        }
    }

    /// The name of a type that is no floating-point number.
    pub const fn whole(self) -> Option<&'static str> {
        match self {
            Self::Whole(name, _) => Some(name),
            _ => None,
        }
    }

    /// The number at `index` of little-endian `bytes`; `None` behind their end.
    pub fn get(self, bytes: &[u8], index: usize) -> Option<f32> {
        let at = index.checked_mul(self.size())?;
        let rest = bytes.get(at..)?;
        Some(match self {
            Self::F16 => f16::from_le_bytes(*rest.first_chunk()?).to_f32(),
            Self::Bf16 => bf16::from_le_bytes(*rest.first_chunk()?).to_f32(),
            Self::F32 => f32::from_le_bytes(*rest.first_chunk()?),
            Self::F64 => f64::from_le_bytes(*rest.first_chunk()?) as f32,
            Self::Whole(..) => return None,
        })
    }

    /// All numbers of little-endian `bytes`.
    pub fn all(self, bytes: &[u8]) -> Vec<f32> {
        let count = bytes.len() / self.size();
        (0..count)
            .map_while(|index| self.get(bytes, index))
            .collect()
    }
}
