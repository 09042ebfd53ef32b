//! Bright and dark streaks from a point of the head, as metal and dense bone leave them.

#![expect(
    clippy::inline_always,
    reason = "loops must become part of the function that pulp compiles for the processor"
)]

use falx_core::random;

use super::symmetric;

/// Lines of one draw.
const LINES: usize = 8;
/// Half a streak's width at its point, as a share of the picture's side.
const HALF_WIDTH: f32 = 0.006;
/// What a streak widens by, for each pixel of distance from its point.
const WIDENS: f32 = 0.02;
/// The distance at which a streak is half as strong, as a share of the side.
const HALF_LIFE: f32 = 0.3;

/// One line through the point.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    /// Its direction.
    along: [f32; 2],
    /// The value at its point, in HU.
    hu: f32,
}

/// The streaks of one draw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Streaks {
    point: [f32; 2],
    lines: [Line; LINES],
    size: f32,
}

impl Streaks {
    /// Draws streaks of up to `hu` through `point` (column, row).
    pub(super) fn draw(hu: f32, point: [f32; 2], size: usize, seed: u64) -> Self {
        let mut random = random::stream(seed, "streaks", &[]);
        let mut lines = [Line::default(); LINES];
        for (number, line) in lines.iter_mut().enumerate() {
            // Each in a sector of its own, bright and dark by turns.
            let sector = number as f32 + 0.5 + 0.5 * symmetric(&mut random);
            let (sin, cos) = (sector * std::f32::consts::PI / LINES as f32).sin_cos();
            let strength = hu * (0.75 + 0.25 * symmetric(&mut random));
            line.along = [cos, sin];
            line.hu = if number % 2 == 0 { strength } else { -strength };
        }
        Self {
            point,
            lines,
            size: size as f32,
        }
    }

    /// Adds a row's streaks to `delta`, in HU.
    #[inline(always)]
    pub(super) fn add(&self, row: usize, delta: &mut [f32]) {
        let y = row as f32 - self.point[1];
        let start_width = HALF_WIDTH * self.size;
        let fading = 1.0 / (HALF_LIFE * self.size);
        let widest = start_width + WIDENS * 1.5 * self.size;
        for line in &self.lines {
            let [cos, sin] = line.along;
            // The columns that the line can touch: |x sin − y cos| < widest.
            let flat = sin.abs().max(1e-3);
            let (middle, reach) = (self.point[0] + y * cos / sin.max(1e-3), widest / flat);
            let end = delta.len() as f32;
            let from = (middle - reach).clamp(0.0, end) as usize;
            let to = (middle + reach + 1.0).clamp(0.0, end) as usize;
            let Some(part) = delta.get_mut(from..to) else {
                continue;
            };
            for (col, delta) in (from as u32..).zip(part) {
                let x = col as f32 - self.point[0];
                let along = (x * cos + y * sin).abs();
                let share = (x * sin - y * cos) / (start_width + WIDENS * along);
                let profile = (1.0 - share * share).max(0.0);
                *delta += line.hu * profile * profile / (1.0 + along * fading);
            }
        }
    }
}
