//! Noise as reconstruction leaves it: correlated over a millimetre or two, without power at low frequencies.
//!
//! # Source
//! Riederer, Pelc, Chesler 1978: the noise power of filtered back-projection rises with frequency and falls again where
//! the kernel ends. Here it is the difference of two Gaussians, which has that form.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use falx_core::random;
use rand::RngExt;
use rand_distr::StandardNormal;

/// The side of a tile. Both textures have a tile with an offset of its own, so there are 2^36 different places.
pub(super) const TILE: usize = 512;
/// Standard deviations of the narrower Gaussian of a soft and of a sharp kernel, in mm; the wider is twice as wide. The
/// power peaks at 0.22 and 0.38 line pairs a millimetre.
const GAUSSIAN_MM: [f32; 2] = [0.7, 0.4];
/// Steps of a pixel's size, in mm: tiles are made once for each.
const STEP_MM: f32 = 0.05;
/// The smallest and largest pixel in steps.
const STEPS: (f32, f32) = (4.0, 80.0);

/// Noise of mean 0 and standard deviation 1 that continues at its edges: of a soft and of a sharp kernel.
#[derive(Debug)]
pub(super) struct Texture {
    tiles: [Vec<f32>; 2],
}

/// What was made so far: the numbers depend on the pixel's size alone, so that all threads share them.
static MADE: Mutex<BTreeMap<u32, Arc<Texture>>> = Mutex::new(BTreeMap::new());

impl Texture {
    /// The texture for pixels of `pixel_mm`, to the next twentieth of a millimetre.
    pub(super) fn of(pixel_mm: f32) -> Arc<Self> {
        let steps = (pixel_mm / STEP_MM).round().clamp(STEPS.0, STEPS.1) as u32;
        // A panic elsewhere cannot leave a tile half made: it is put in whole.
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let texture = made
            .entry(steps)
            .or_insert_with(|| Arc::new(Self::make(steps)));
        Arc::clone(texture)
    }

    fn make(steps: u32) -> Self {
        let pixel_mm = steps as f32 * STEP_MM;
        let tile = |grain: u64| {
            let mut random = random::stream(grain, "texture", &[u64::from(steps)]);
            let white: Vec<f32> = (0..TILE * TILE)
                .map(|_| random.sample(StandardNormal))
                .collect();
            let sigma = GAUSSIAN_MM[grain as usize] / pixel_mm;
            let narrow = blurred(&white, sigma);
            let wide = blurred(&white, 2.0 * sigma);
            let mut band: Vec<f32> = narrow.iter().zip(&wide).map(|(a, b)| a - b).collect();
            normalise(&mut band);
            band
        };
        Self {
            tiles: [tile(0), tile(1)],
        }
    }

    /// Row `row` of the tile of a soft (0) or sharp (1) kernel.
    pub(super) fn row(&self, grain: usize, row: usize) -> &[f32] {
        let start = row % TILE * TILE;
        let tile = self.tiles.get(grain);
        tile.and_then(|tile| tile.get(start..start + TILE))
            .unwrap_or_default()
    }
}

/// A Gaussian blur along both axes, over the edges.
fn blurred(tile: &[f32], sigma: f32) -> Vec<f32> {
    let reach = (4.0 * sigma).ceil() as usize;
    let weights: Vec<f32> = (0..=2 * reach)
        .map(|at| (-0.5 * ((at as f32 - reach as f32) / sigma).powi(2)).exp())
        .collect();
    let sum: f32 = weights.iter().sum();
    let weights: Vec<f32> = weights.iter().map(|weight| weight / sum).collect();
    let before = |at: usize, tap: usize| (at + tap + TILE - reach % TILE) % TILE;
    let mut across = vec![0.0; tile.len()];
    for (line, out) in tile.chunks_exact(TILE).zip(across.chunks_exact_mut(TILE)) {
        for (at, out) in out.iter_mut().enumerate() {
            let taps = weights.iter().enumerate();
            *out = taps
                .map(|(tap, weight)| weight * line[before(at, tap)])
                .sum();
        }
    }
    let mut both = vec![0.0; tile.len()];
    for (at, out) in both.chunks_exact_mut(TILE).enumerate() {
        for (tap, weight) in weights.iter().enumerate() {
            let start = before(at, tap) * TILE;
            for (out, value) in out.iter_mut().zip(&across[start..start + TILE]) {
                *out += weight * value;
            }
        }
    }
    both
}

/// To mean 0 and standard deviation 1.
fn normalise(values: &mut [f32]) {
    let count = values.len() as f64;
    let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / count;
    let square = |&v: &f32| (f64::from(v) - mean).powi(2);
    let spread = (values.iter().map(square).sum::<f64>() / count).sqrt();
    for value in values {
        *value = ((f64::from(*value) - mean) / spread) as f32;
    }
}
