//! What a network sees of a slice: the one definition that training and inference share.

use falx_core::{SEED_WINDOWS, Window};
use falx_dicom::CtSlice;
use serde::{Deserialize, Serialize};

use crate::augment::Placement;

/// The network's input: a square picture with one channel a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InputSpec {
    /// The picture's side in pixels.
    pub size: usize,
    /// One channel each.
    pub windows: Vec<Window>,
}

impl Default for InputSpec {
    fn default() -> Self {
        Self {
            size: 128,
            windows: SEED_WINDOWS.to_vec(),
        }
    }
}

impl InputSpec {
    /// How many channels.
    pub fn channels(&self) -> usize {
        self.windows.len()
    }

    /// How many numbers one slice becomes.
    pub fn len(&self) -> usize {
        self.channels() * self.size * self.size
    }

    /// True for a spec without pixels or channels.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Draws `slice` into `out`.
    pub fn render(&self, slice: &CtSlice, augment: Option<&Placement>, out: &mut [f32]) {
        let _ = (slice, augment, out);
    }
}
