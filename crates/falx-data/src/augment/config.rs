//! How far a slice may be changed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cutout;
use super::elastic;
use super::named;

/// How far a slice may be changed; every range is symmetric around "unchanged".
///
/// [`AugmentConfig::default`] is what a recipe's empty `[augment]` asks for; what a recipe leaves out is as there, and
/// all changes that came later are off in it. [`AugmentConfig::full`] has everything on.
///
/// It is read from a name, a list of names or a table ([`AugmentConfig::named`], [`AugmentConfig::of_table`]), and
/// written as a table.
// serde's `remote` derives functions and not the traits, which the module `named` implements.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(default, transform = named::names_or_keys)]
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
    /// The largest standard deviation of added white noise, in HU at the network's resolution.
    pub noise_hu: f32,
    /// The largest relative change of proportions: 0.05 makes a head up to 1.05 times as wide and 1/1.05 as long, or the
    /// other way round.
    pub stretch: f32,
    /// The largest shear either way: columns moved for each row.
    pub shear: f32,
    /// The largest displacement of the elastic change's control points (6 cells a side, cubic B-splines), as a share
    /// of the picture's side; at most 0.065, below which nothing folds.
    pub elastic: f32,
    /// The largest offset along z at which the planes are read, in mm. Keep it below half the distance of slices: the
    /// labels are the slice's own.
    pub z_shift_mm: f32,
    /// The largest thickness that a plane gets beside its own, in mm: the mean over its neighbours.
    pub thickness_mm: f32,
    /// The largest relative change of all values about water: 0.02 multiplies HU by 1/1.02 to 1.02.
    pub hu_gain: f32,
    /// The largest standard deviation of added noise with CT's texture (correlated over 1–2 mm, no power at low
    /// frequencies; sharper kernels more and finer), in HU at the network's resolution.
    pub texture_hu: f32,
    /// The largest change of the reconstruction kernel either way, from 0 to 1: blur as by [¼ ½ ¼] pixels along both
    /// axes at 1, and sharpening.
    pub kernel: f32,
    /// The largest value of streaks through a point of the head, bright or dark, in HU.
    pub streaks_hu: f32,
    /// The share of draws with streaks.
    pub streaks_chance: f32,
    /// The largest area that is cut out and filled with brain (30 HU), as a share of the picture's; at most 0.02, above
    /// which too many bleeds vanish whole.
    pub cutout: f32,
    /// The share of draws with a cut-out.
    pub cutout_chance: f32,
    /// The largest shift of the windows' centres, as a share of each window's width.
    pub window_center: f32,
    /// The largest relative change of the windows' widths.
    pub window_width: f32,
    /// The share of samples that are mixed with another one of their batch (pixels and labels alike).
    pub mixup: f32,
    /// Both parameters of the beta distribution of a mixture's share: at 1 all shares are as likely, below 1 most are
    /// near 0 or 1.
    pub mixup_alpha: f32,
    /// The share of samples that exchange a rectangle with another one of their batch.
    pub cutmix: f32,
}

/// A number that no change can have.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("augment.{key} = {value} is out of range; give a number from 0 to {largest}")]
pub struct InvalidAugment {
    /// The key.
    pub key: &'static str,
    /// What was given.
    pub value: f32,
    /// The largest value allowed.
    pub largest: f32,
}

impl Default for AugmentConfig {
    fn default() -> Self {
        Self::usual()
    }
}

impl AugmentConfig {
    /// A mirror, rotation, scale, shift, offset and white noise (`default`).
    pub const fn usual() -> Self {
        Self {
            flip: true,
            rotate_deg: 15.0,
            scale: 0.1,
            shift: 0.05,
            hu_shift: 3.0,
            noise_hu: 2.0,
            ..Self::none()
        }
    }

    /// No change at all.
    pub const fn none() -> Self {
        Self {
            flip: false,
            rotate_deg: 0.0,
            scale: 0.0,
            shift: 0.0,
            hu_shift: 0.0,
            noise_hu: 0.0,
            stretch: 0.0,
            shear: 0.0,
            elastic: 0.0,
            z_shift_mm: 0.0,
            thickness_mm: 0.0,
            hu_gain: 0.0,
            texture_hu: 0.0,
            kernel: 0.0,
            streaks_hu: 0.0,
            streaks_chance: 0.25,
            cutout: 0.0,
            cutout_chance: 0.25,
            window_center: 0.0,
            window_width: 0.0,
            mixup: 0.0,
            mixup_alpha: 0.4,
            cutmix: 0.0,
        }
    }

    /// Everything on, each at a strength that scanners and patients have (`full`).
    ///
    /// White noise is off: noise with CT's texture stands in its place.
    pub const fn full() -> Self {
        Self {
            flip: true,
            rotate_deg: 15.0,
            scale: 0.1,
            shift: 0.05,
            hu_shift: 3.0,
            noise_hu: 0.0,
            stretch: 0.05,
            shear: 0.05,
            elastic: 0.02,
            z_shift_mm: 1.0,
            thickness_mm: 3.0,
            hu_gain: 0.02,
            texture_hu: 5.0,
            kernel: 0.8,
            streaks_hu: 15.0,
            streaks_chance: 0.25,
            cutout: 0.01,
            cutout_chance: 0.25,
            window_center: 0.05,
            window_width: 0.1,
            mixup: 0.1,
            mixup_alpha: 0.4,
            cutmix: 0.1,
        }
    }

    /// True where samples of a batch are mixed with each other.
    pub fn mixes(&self) -> bool {
        self.mixup > 0.0 || self.cutmix > 0.0
    }

    /// Refuses what cannot be done.
    ///
    /// # Errors
    /// [`InvalidAugment`] for the first number that is negative, not finite or above its limit.
    pub fn check(&self) -> Result<(), InvalidAugment> {
        let ranges = [
            ("rotate_deg", self.rotate_deg, 180.0),
            ("scale", self.scale, 2.0),
            ("shift", self.shift, 1.0),
            ("hu_shift", self.hu_shift, 1000.0),
            ("noise_hu", self.noise_hu, 1000.0),
            ("stretch", self.stretch, 1.0),
            ("shear", self.shear, 1.0),
            ("elastic", self.elastic, elastic::LARGEST),
            ("z_shift_mm", self.z_shift_mm, 20.0),
            ("thickness_mm", self.thickness_mm, 20.0),
            ("hu_gain", self.hu_gain, 1.0),
            ("texture_hu", self.texture_hu, 1000.0),
            ("kernel", self.kernel, 1.0),
            ("streaks_hu", self.streaks_hu, 1000.0),
            ("streaks_chance", self.streaks_chance, 1.0),
            ("cutout", self.cutout, cutout::LARGEST),
            ("cutout_chance", self.cutout_chance, 1.0),
            ("window_center", self.window_center, 1.0),
            ("window_width", self.window_width, 4.0),
            ("mixup", self.mixup, 1.0),
            ("mixup_alpha", self.mixup_alpha, 100.0),
            ("cutmix", self.cutmix, 1.0),
        ];
        for (key, value, largest) in ranges {
            if !(0.0..=largest).contains(&value) {
                return Err(InvalidAugment {
                    key,
                    value,
                    largest,
                });
            }
        }
        Ok(())
    }
}
