//! Display windows: which HU become black, which white.

use serde::{Deserialize, Serialize};

use crate::Hu;

/// A linear window by centre (level) and width, in HU.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "[f32; 2]", into = "[f32; 2]")]
pub struct Window {
    center: f32,
    width: f32,
}

/// A centre and width that make no window.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "a window of centre {center} and width {width} HU is unusable; the width must be at least 1 and both finite"
)]
pub struct InvalidWindow {
    /// The centre that was asked for.
    pub center: f32,
    /// The width that was asked for.
    pub width: f32,
}

/// The seed's three windows: brain 40/80, subdural 80/200, soft tissue 40/380 (centre/width in HU).
pub const SEED_WINDOWS: [Window; 3] = [
    Window {
        center: 40.0,
        width: 80.0,
    },
    Window {
        center: 80.0,
        width: 200.0,
    },
    Window {
        center: 40.0,
        width: 380.0,
    },
];

impl Window {
    /// A window of `center` and `width` HU.
    ///
    /// # Errors
    /// [`InvalidWindow`] when the width is below 1 or a number is not finite.
    pub fn new(center: f32, width: f32) -> Result<Self, InvalidWindow> {
        if center.is_finite() && width.is_finite() && width >= 1.0 {
            Ok(Self { center, width })
        } else {
            Err(InvalidWindow { center, width })
        }
    }

    /// The centre in HU.
    pub const fn center(self) -> f32 {
        self.center
    }

    /// The width in HU.
    pub const fn width(self) -> f32 {
        self.width
    }

    /// Where `hu` lies in the window: 0 at its lower edge and below, 1 at its upper edge and above.
    ///
    /// This is `LINEAR_EXACT` scaled to 0 ..= 1: for a network's input, where DICOM's LINEAR
    /// (which takes half a unit off for 8-bit displays) has no meaning.
    ///
    /// # Source
    /// DICOM PS3.3 C.11.2.1.3.2.
    #[inline]
    pub fn unit_interval(self, hu: Hu) -> f32 {
        ((hu.0 - self.center) / self.width + 0.5).clamp(0.0, 1.0)
    }
}

impl TryFrom<[f32; 2]> for Window {
    type Error = InvalidWindow;

    fn try_from([center, width]: [f32; 2]) -> Result<Self, Self::Error> {
        Self::new(center, width)
    }
}

impl From<Window> for [f32; 2] {
    fn from(w: Window) -> Self {
        [w.center, w.width]
    }
}
