//! Seeded changes of a slice that leave its labels true: where it lies, and how bright, sharp and noisy it is.
//!
//! [`AugmentConfig`] says how far a slice may be changed, [`AugmentConfig::draw`] what is done to one sample
//! ([`Placement`]), and [`Augmenter`] does it, on Hounsfield units. What needs several samples ([`mix`]) is done to a
//! whole batch. docs/augmentation.md shows every change.

mod augmenter;
mod config;
mod cutout;
mod elastic;
mod geometry;
mod kernel;
pub mod mix;
mod named;
pub mod preview;
mod streaks;
#[cfg(test)]
mod tests;
mod texture;
mod values;

use falx_core::{Window, random};
use rand::{Rng, RngExt};

pub use augmenter::Augmenter;
pub use config::{AugmentConfig, InvalidAugment};
pub use named::{AugmentError, PRESETS, changes};

/// The width of a picture where nothing says how large its pixels are: a head scan's usual field, in mm.
pub const FIELD_MM: f32 = 230.0;

/// One draw: where a slice is placed and how its values are changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// Mirrored left and right.
    pub flip: bool,
    /// Rotation in degrees, clockwise on the screen.
    pub rotate_deg: f32,
    /// Magnification: above 1 the head is larger.
    pub scale: f32,
    /// Magnification across, and its inverse down: above 1 the head is wider and shorter.
    pub stretch: f32,
    /// Shift to the right and downwards, as a share of the picture's side.
    pub shift: [f32; 2],
    /// What is one pixel lower lies so many pixels further to the right, before the rotation.
    pub shear: f32,
    /// The largest displacement of a control point of the elastic change, as a share of the picture's side.
    pub elastic: f32,
    /// How much higher than asked for the planes are read, in mm along the slices' normal.
    pub z_shift_mm: f32,
    /// The thickness that a plane has beside its own, in mm: it is the mean of what lies so far around it.
    pub thickness_mm: f32,
    /// Added to every value that is not padding, in HU.
    pub hu_shift: f32,
    /// Multiplies every value that is not padding: water stays, bone and air move.
    pub hu_gain: f32,
    /// Standard deviation of the white noise added to every value that is not padding, in HU.
    pub noise_hu: f32,
    /// Standard deviation of the noise with CT's texture, in HU.
    pub texture_hu: f32,
    /// That noise's texture, from 0 (a soft kernel's, coarse) to 1 (a sharp kernel's, fine).
    pub texture_grain: f32,
    /// From −1 (blurred: [¼ ½ ¼] along both axes) over 0 (unchanged) to 1 (sharpened).
    pub sharpness: f32,
    /// The largest value of a streak, in HU.
    pub streaks_hu: f32,
    /// The area that is cut out, as a share of the picture's.
    pub cutout: f32,
    /// Added to the windows' centres, as a share of each window's width.
    pub window_center: f32,
    /// Multiplies the windows' widths.
    pub window_width: f32,
    /// Where noise, elastic control points, streaks and cut-outs are drawn from.
    pub noise_seed: u64,
}

impl Default for Placement {
    fn default() -> Self {
        Self::none()
    }
}

impl Placement {
    /// No change at all.
    pub const fn none() -> Self {
        Self {
            flip: false,
            rotate_deg: 0.0,
            scale: 1.0,
            stretch: 1.0,
            shift: [0.0; 2],
            shear: 0.0,
            elastic: 0.0,
            z_shift_mm: 0.0,
            thickness_mm: 0.0,
            hu_shift: 0.0,
            hu_gain: 1.0,
            noise_hu: 0.0,
            texture_hu: 0.0,
            texture_grain: 0.5,
            sharpness: 0.0,
            streaks_hu: 0.0,
            cutout: 0.0,
            window_center: 0.0,
            window_width: 1.0,
            noise_seed: 0,
        }
    }

    /// True where every pixel stays at its place.
    pub fn keeps_geometry(&self) -> bool {
        !self.flip
            && self.rotate_deg == 0.0
            && self.scale == 1.0
            && self.stretch == 1.0
            && self.shift == [0.0; 2]
            && self.shear == 0.0
            && self.elastic == 0.0
    }

    /// The windows of this sample: moved and scaled as drawn.
    ///
    /// # Units
    /// Widths are whole sixteenths of a HU, and at least 1 HU.
    pub fn windows(&self, windows: &[Window]) -> Vec<Window> {
        if self.window_center == 0.0 && self.window_width == 1.0 {
            return windows.to_vec();
        }
        let moved = |window: &Window| {
            let width = (window.width() * self.window_width * 16.0).round() / 16.0;
            let center = window.center() + self.window_center * window.width();
            Window::new(center, width.max(1.0)).unwrap_or(*window)
        };
        windows.iter().map(moved).collect()
    }
}

impl AugmentConfig {
    /// The change of the sample at `position` of an epoch's order.
    ///
    /// The position, not the slice, is the key: a slice that oversampling repeats looks different each time.
    pub fn draw(&self, seed: u64, epoch: u64, position: u64) -> Placement {
        let mut random = random::stream(seed, "augment", &[epoch, position]);
        // Every number is drawn whether it is used or not, so that switching one change off leaves the others; new
        // changes are drawn last, so that they leave the numbers of old ones.
        let flip = random.random::<bool>();
        let rotate = symmetric(&mut random);
        let scale = symmetric(&mut random);
        let shift = [symmetric(&mut random), symmetric(&mut random)];
        let hu_shift = symmetric(&mut random);
        let noise = symmetric(&mut random);
        let noise_seed = random.random();
        let stretch = symmetric(&mut random);
        let shear = symmetric(&mut random);
        let elastic = random.random::<f32>();
        let z_shift = symmetric(&mut random);
        let thickness = random.random::<f32>();
        let hu_gain = symmetric(&mut random);
        let texture = random.random::<f32>();
        let kernel = symmetric(&mut random);
        let streaks = random.random::<f32>();
        let has_streaks = random.random::<f32>() < self.streaks_chance;
        let cutout = random.random::<f32>();
        let has_cutout = random.random::<f32>() < self.cutout_chance;
        let center = symmetric(&mut random);
        let width = symmetric(&mut random);
        let if_it_has = |has: bool, value: f32| if has { value } else { 0.0 };
        // A sharp kernel makes fine noise, and more of it.
        let grain = kernel.mul_add(0.5, 0.5);
        Placement {
            flip: self.flip && flip,
            rotate_deg: rotate * self.rotate_deg,
            scale: factor(scale, self.scale),
            stretch: factor(stretch, self.stretch),
            shift: shift.map(|s| s * self.shift),
            shear: shear * self.shear,
            elastic: elastic * self.elastic,
            z_shift_mm: z_shift * self.z_shift_mm,
            thickness_mm: thickness * self.thickness_mm,
            hu_shift: hu_shift * self.hu_shift,
            hu_gain: factor(hu_gain, self.hu_gain),
            noise_hu: noise.abs() * self.noise_hu,
            texture_hu: texture * self.texture_hu * grain.mul_add(0.5, 0.5),
            texture_grain: if self.texture_hu > 0.0 { grain } else { 0.5 },
            sharpness: kernel * self.kernel,
            streaks_hu: if_it_has(has_streaks, streaks * self.streaks_hu),
            cutout: if_it_has(has_cutout, cutout * self.cutout),
            window_center: center * self.window_center,
            window_width: factor(width, self.window_width),
            noise_seed,
        }
    }
}

/// From −1 to 1.
fn symmetric(random: &mut impl Rng) -> f32 {
    random.random::<f32>().mul_add(2.0, -1.0)
}

/// A factor between 1 / (1 + `largest`) and 1 + `largest`, for `place` from −1 to 1.
fn factor(place: f32, largest: f32) -> f32 {
    (1.0 + largest.abs()).powf(place)
}
