//! Seeded changes of a slice that leave its labels true: where it lies, and how bright and noisy it is.

use falx_core::random;
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// How far a slice may be changed; every range is symmetric around "unchanged".
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AugmentConfig {
    /// Mirror left and right in half of the draws. (Never up and down: that hurts, and no head lies so.)
    pub flip: bool,
    /// The largest rotation either way, in degrees.
    pub rotate_deg: f32,
    /// The largest relative change of size: 0.1 draws factors from 1/1.1 to 1.1.
    pub scale: f32,
    /// The largest shift along each axis, as a share of the picture's side.
    pub shift: f32,
    /// The largest offset of all values, in HU (scanners differ by a few).
    pub hu_shift: f32,
    /// The largest standard deviation of added noise, in HU at the network's resolution.
    pub noise_hu: f32,
}

impl Default for AugmentConfig {
    fn default() -> Self {
        Self {
            flip: true,
            rotate_deg: 15.0,
            scale: 0.1,
            shift: 0.05,
            hu_shift: 3.0,
            noise_hu: 2.0,
        }
    }
}

/// One draw: where a slice is placed and how its values are changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// Mirrored left and right.
    pub flip: bool,
    /// Rotation in degrees, clockwise on the screen.
    pub rotate_deg: f32,
    /// Magnification: above 1 the head is larger.
    pub scale: f32,
    /// Shift to the right and downwards, as a share of the picture's side.
    pub shift: [f32; 2],
    /// Added to every value that is not padding, in HU.
    pub hu_shift: f32,
    /// Standard deviation of the noise added to every value that is not padding, in HU.
    pub noise_hu: f32,
    /// Which noise.
    pub noise_seed: u64,
}

impl Default for Placement {
    fn default() -> Self {
        Self {
            flip: false,
            rotate_deg: 0.0,
            scale: 1.0,
            shift: [0.0; 2],
            hu_shift: 0.0,
            noise_hu: 0.0,
            noise_seed: 0,
        }
    }
}

impl Placement {
    /// True where every pixel stays at its place.
    pub fn keeps_geometry(&self) -> bool {
        !self.flip && self.rotate_deg == 0.0 && self.scale == 1.0 && self.shift == [0.0; 2]
    }
}

impl AugmentConfig {
    /// No change at all.
    pub const fn none() -> Self {
        Self {
            flip: false,
            rotate_deg: 0.0,
            scale: 0.0,
            shift: 0.0,
            hu_shift: 0.0,
            noise_hu: 0.0,
        }
    }

    /// The change of the sample at `position` of an epoch's order.
    ///
    /// The position, not the slice, is the key: a slice that oversampling repeats looks different each time.
    pub fn draw(&self, seed: u64, epoch: u64, position: u64) -> Placement {
        let mut random = random::stream(seed, "augment", &[epoch, position]);
        // Every number is drawn whether it is used or not, so that switching one change off leaves the others.
        let flip = random.random::<bool>();
        let mut symmetric = || random.random::<f32>().mul_add(2.0, -1.0);
        let rotate = symmetric();
        let scale = symmetric();
        let shift = [symmetric(), symmetric()];
        let hu_shift = symmetric();
        let noise = symmetric();
        Placement {
            flip: self.flip && flip,
            rotate_deg: rotate * self.rotate_deg,
            scale: (1.0 + self.scale.abs()).powf(scale),
            shift: shift.map(|s| s * self.shift),
            hu_shift: hu_shift * self.hu_shift,
            noise_hu: noise.abs() * self.noise_hu,
            noise_seed: random.random(),
        }
    }
}
