//! One patient, from a seed to slices.

use std::sync::OnceLock;

use falx_core::random;
use rand::RngExt;

use crate::VISIBLE_AREA_MM2;
use crate::anatomy::{Build, field};
use crate::findings::Findings;
use crate::noise::Field;
use crate::scan::{DEVICES, RenderedSlice, Scene, Stack};

/// Share of a bleeding patient's slices that carry `any`, measured over 400 patients by the example `survey`.
const POSITIVE_SHARE: f64 = 0.411;

/// One patient's analytic head in a scanner.
pub struct Head {
    pub(crate) scene: Scene,
    field: OnceLock<Field>,
    bleeds: bool,
}

/// The head of patient number `patient` under `seed`.
///
/// Whether it bleeds, and how, follows from both numbers, so that over many patients a share of
/// `slice_prevalence` of all slices is positive, and few patients already come close to it.
pub fn head(seed: u64, patient: u64, slice_prevalence: f64) -> Head {
    // A low-discrepancy sequence instead of coin tosses keeps small collections near the wanted shares.
    let start: f64 = random::stream(seed, "patients", &[]).random();
    let place = (start + patient as f64 * 0.618_033_988_749_894_9).fract();
    let bleeding = (slice_prevalence / POSITIVE_SHARE).clamp(0.0, 1.0);
    let bleeds = place < bleeding;
    let mut rng = random::stream(seed, "head", &[patient]);
    let build = Build::draw(&mut rng);
    let device = DEVICES[rng.random_range(0..DEVICES.len())];
    let (pose, stack) = Stack::draw(&mut rng, &device, 80.0 * build.size[2]);
    let findings = if bleeds {
        let mut rng = random::stream(seed, "findings", &[patient]);
        Findings::draw(&mut rng, (place / bleeding) as f32)
    } else {
        Findings::default()
    };
    Head {
        scene: Scene {
            seed,
            patient,
            build,
            bloodless: findings.bloodless(),
            findings,
            device,
            pose,
            stack,
        },
        field: OnceLock::new(),
        bleeds,
    }
}

impl Head {
    /// Draws the costly fields now, on all threads, rather than at the first slice.
    pub(crate) fn prepare(&mut self) {
        let seed = self.scene.build.seed;
        self.field.get_or_init(|| field(seed));
    }

    /// Frees them.
    pub(crate) fn release(&mut self) {
        self.field = OnceLock::new();
    }

    /// Slices of the series, from the feet up.
    pub fn slices(&self) -> usize {
        self.scene.stack.slices.len()
    }

    /// The patient has a haemorrhage (which may be too small to be visible in any slice).
    pub fn bleeds(&self) -> bool {
        self.bleeds
    }

    /// The scanner's letter, A to E.
    pub fn scanner(&self) -> char {
        self.scene.device.letter
    }

    /// Width of a pixel of a `matrix` × `matrix` slice, in mm.
    pub fn pixel_mm(&self, matrix: u16) -> f32 {
        self.scene.stack.field / f32::from(matrix)
    }

    /// Renders slice `slice` with `matrix` rows and columns.
    ///
    /// # Shape
    /// `matrix` × `matrix`, row by row, the patient's right at the left.
    ///
    /// # Units
    /// Whole HU.
    pub fn render(&self, slice: usize, matrix: u16) -> RenderedSlice {
        let field = self.field.get_or_init(|| field(self.scene.build.seed));
        self.scene.render(field, slice, usize::from(matrix))
    }
}

impl RenderedSlice {
    /// The slice's six labels, in label order, by the rule of [`VISIBLE_AREA_MM2`].
    pub fn labels(&self) -> [bool; 6] {
        let mut labels = [false; 6];
        for (label, area) in labels.iter_mut().zip(self.area_mm2) {
            *label = area >= VISIBLE_AREA_MM2;
        }
        labels[5] = labels[..5].contains(&true);
        labels
    }
}
