//! One slice: sampled through its thickness, blurred, and disturbed as a scanner disturbs it.

use falx_core::{Hu, random};
use rand::RngExt;

use crate::anatomy::{Build, cavity};
use crate::findings::Findings;
use crate::noise::{self, Field};
use crate::shape::{Point, add, bell, cover, mix, scale, smooth_step, sub};

use super::artefact::{blur, noise as grain};
use super::device::Device;
use super::pose::{Pose, Stack};

/// A slice as it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct RenderedSlice {
    /// Rows and columns.
    pub matrix: usize,
    /// Density of each pixel, in whole HU, row by row; [`Hu::PADDING`] outside the reconstruction circle
    /// of scanners that mark it.
    pub hu: Vec<Hu>,
    /// Bit k of a pixel is set where subtype k fills at least half of it and can be seen there.
    pub mask: Vec<u8>,
    /// Visible area of each subtype in mm², in label order.
    pub area_mm2: [f64; 5],
}

/// The share of a pixel that blood must fill to count.
const HALF: f32 = 0.5;

/// The difference that blood must make to a pixel to be seen there, in HU: an eighth of the brain window.
const LEAST_CONTRAST: f32 = 10.0;

/// The upper edge of the subdural window (80/200), in HU: above it a pixel is bone to the eye, whatever else is in it.
const WHITE: f32 = 180.0;

/// A patient in a scanner.
pub struct Scene {
    pub seed: u64,
    pub patient: u64,
    pub build: Build,
    pub findings: Findings,
    /// The same head without its blood, to tell where the blood can be seen.
    pub bloodless: Findings,
    pub device: Device,
    pub pose: Pose,
    pub stack: Stack,
}

/// One pixel before the scanner's disturbances.
#[derive(Clone, Copy, Default)]
struct Pixel {
    hu: f32,
    blood: [f32; 5],
    /// Distance from the skin where nothing of the head is in the pixel, else 0.
    outside: f32,
}

impl Scene {
    /// The reference head's point at the scanner's `p`.
    fn reference(&self, p: Point) -> Point {
        let q = self.pose.to_head(p);
        std::array::from_fn(|i| q[i] / self.build.size[i])
    }

    /// Renders a slice of `matrix` pixels square.
    pub fn render(&self, field: &Field, slice: usize, matrix: usize) -> RenderedSlice {
        let pixel = self.stack.field / matrix as f32;
        let corner = self.stack.corner(slice, matrix, pixel);
        let down = self.stack.down();
        let thickness = self.stack.slices.get(slice).map_or(5.0, |s| s.1);
        let layers = (thickness / 1.6).round().max(2.0) as usize;
        let mut image = vec![0.0_f32; matrix * matrix];
        let mut mask = vec![0_u8; matrix * matrix];
        let mut count = [0_u64; 5];
        for row in 0..matrix {
            let start = add(corner, scale(down, row as f32 * pixel));
            for col in 0..matrix {
                let p = [start[0] + col as f32 * pixel, start[1], start[2]];
                let seen = self.pixel(&self.findings, field, p, pixel, thickness, layers);
                let at = row * matrix + col;
                image[at] = seen.hu;
                if seen.blood.iter().all(|&share| share < HALF) || seen.hu > WHITE {
                    continue;
                }
                let bloodless = self.pixel(&self.bloodless, field, p, pixel, thickness, layers);
                if (seen.hu - bloodless.hu).abs() < LEAST_CONTRAST {
                    continue;
                }
                for (k, share) in seen.blood.iter().enumerate() {
                    if *share >= HALF {
                        mask[at] |= 1 << k;
                        count[k] += 1;
                    }
                }
            }
        }
        self.disturb(&mut image, slice, matrix, pixel, thickness);
        let hu = self.quantise(&image, matrix);
        RenderedSlice {
            matrix,
            hu,
            mask,
            area_mm2: count.map(|n| n as f64 * f64::from(pixel * pixel)),
        }
    }

    fn pixel(
        &self,
        findings: &Findings,
        field: &Field,
        p: Point,
        w: f32,
        thickness: f32,
        layers: usize,
    ) -> Pixel {
        let normal = self.stack.normal();
        let mut sum = Pixel::default();
        for layer in 0..layers {
            let along = ((layer as f32 + 0.5) / layers as f32 - 0.5) * thickness;
            let q = self.reference(add(p, scale(normal, along)));
            // Far outside, one layer tells for all.
            if layer == 0 && (q[0].abs() > 98.0 || q[1].abs() > 128.0 || q[2] > 105.0) {
                return Pixel {
                    hu: self.surroundings(p, w),
                    ..Pixel::default()
                };
            }
            let seen = self.point(findings, field, q, p, w);
            if layer == 0 && seen.outside > thickness + 1.0 {
                return seen;
            }
            sum.hu += seen.hu;
            for (s, b) in sum.blood.iter_mut().zip(seen.blood) {
                *s += b;
            }
        }
        let n = 1.0 / layers as f32;
        Pixel {
            hu: sum.hu * n,
            blood: sum.blood.map(|b| b * n),
            outside: 0.0,
        }
    }

    fn point(&self, findings: &Findings, field: &Field, q: Point, p: Point, w: f32) -> Pixel {
        let inner = cavity(q);
        let build = &self.build;
        if inner <= -w {
            let mut sample = build.inside(q, inner, findings, field, w);
            build.operate(q, inner, w, &mut sample.hu);
            return Pixel {
                hu: sample.hu,
                blood: sample.blood,
                outside: 0.0,
            };
        }
        let shell = build.shell(q, inner);
        let head = cover(shell.skin, w);
        if head == 0.0 {
            return Pixel {
                hu: self.surroundings(p, w),
                blood: [0.0; 5],
                outside: shell.skin,
            };
        }
        let mut hu = build.outside(q, &shell, w);
        if inner < shell.thickness {
            for fracture in &findings.fractures {
                hu = fracture.crack(q, hu, w);
            }
        }
        if q[2] < 2.0 && (shell.inner > 0.5) {
            hu = build.base(q, inner, hu, w);
        }
        let mut blood = [0.0; 5];
        let inside = cover(inner, w);
        if inside > 0.0 {
            let sample = build.inside(q, inner.min(-0.3), findings, field, w);
            hu = mix(hu, sample.hu, inside);
            blood = sample.blood.map(|b| b * inside);
        }
        build.operate(q, inner, w, &mut hu);
        if head < 1.0 {
            hu = mix(self.surroundings(p, w), hu, head);
        }
        Pixel {
            hu,
            blood,
            outside: 0.0,
        }
    }

    /// Air, and the head holder in it.
    fn surroundings(&self, p: Point, w: f32) -> f32 {
        let [radius, half] = self.device.holder;
        let y = p[1] - self.pose.center[1];
        let x = p[0];
        if y < -45.0 {
            return Hu::AIR.0;
        }
        let center = 104.0 * self.build.size[1] - radius + 6.0;
        let (dx, dy) = (x, y - center);
        let r = dx.hypot(dy);
        let angle = dx.abs().atan2(dy);
        if angle > half {
            return Hu::AIR.0;
        }
        let shell = cover((r - radius).abs() - 1.9, w);
        let foam = cover((r - radius + 6.0).abs() - 4.5, w);
        mix(mix(Hu::AIR.0, -965.0, foam), 130.0, shell)
    }

    fn disturb(&self, image: &mut [f32], slice: usize, matrix: usize, pixel: f32, thickness: f32) {
        let device = &self.device;
        let sigma = device.blur / 2.355 / pixel;
        blur(image, matrix, sigma);
        if device.sharpen > 0.0 {
            let mut wide = image.to_vec();
            blur(&mut wide, matrix, 1.6 * sigma);
            for (v, b) in image.iter_mut().zip(&wide) {
                *v += device.sharpen * (*v - b);
            }
        }
        let mut rng = random::stream(self.seed, "noise", &[self.patient, slice as u64]);
        let phase: f32 = rng.random::<f32>() * 6.0;
        let grains = grain(&mut rng, matrix, device.grain / pixel);
        let level = device.noise * (5.0 / thickness).powf(0.35);
        let corner = self.stack.corner(slice, matrix, pixel);
        let down = self.stack.down();
        let streak = self.stack_seed(slice);
        for (row, line) in image.chunks_exact_mut(matrix).enumerate() {
            let start = add(corner, scale(down, row as f32 * pixel));
            for (col, v) in line.iter_mut().enumerate() {
                let p = [start[0] + col as f32 * pixel, start[1], start[2]];
                let q = self.reference(p);
                let radius = (q[0] / 72.0).hypot(q[1] / 92.0);
                let low = smooth_step(-20.0, -50.0, q[2]);
                if radius < 1.0 && *v > -300.0 {
                    // Harder rays in the middle read darker.
                    *v += device.cupping * (radius.powi(4) - 0.35);
                    if low > 0.0 {
                        *v += self.petrous(q, low, phase, streak);
                    }
                }
                let inside = 1.0 - smooth_step(0.85, 1.35, radius);
                let local = level * (0.45 + 0.55 * inside) * (1.0 + 0.35 * low);
                *v += local * grains[row * matrix + col];
            }
        }
        self.metal(image, slice, matrix, pixel);
    }

    fn stack_seed(&self, slice: usize) -> u32 {
        self.build.seed.wrapping_add(slice as u32 * 7919)
    }

    /// Dark bands and streaks between the petrous bones.
    fn petrous(&self, q: Point, low: f32, phase: f32, seed: u32) -> f32 {
        let between = 1.0 - smooth_step(30.0, 62.0, q[0].abs());
        let height = bell(q[2] + 44.0, 16.0);
        let band = bell(q[1] - 14.0, 10.0) + 0.6 * bell(q[1] - 30.0, 7.0);
        let lines = noise::value([0.15 * q[0] + phase, q[1], 0.0], 3.2, seed);
        let strength = self.device.band * between * height;
        low * (-strength * band + 0.45 * strength * lines * bell(q[1] - 22.0, 38.0))
    }

    /// Streaks from metal.
    fn metal(&self, image: &mut [f32], slice: usize, matrix: usize, pixel: f32) {
        let metal = self
            .build
            .mimics
            .surgery
            .as_ref()
            .and_then(crate::anatomy::Surgery::metal);
        let Some(metal) = metal else { return };
        let corner = self.stack.corner(slice, matrix, pixel);
        let down = self.stack.down();
        let middle = self.reference(add(
            add(corner, scale(down, 0.5 * matrix as f32 * pixel)),
            [0.5 * matrix as f32 * pixel, 0.0, 0.0],
        ));
        let strength = bell(middle[2] - metal[2], 6.0);
        if strength < 0.02 {
            return;
        }
        let seed = self.stack_seed(slice);
        for (row, line) in image.chunks_exact_mut(matrix).enumerate() {
            let start = add(corner, scale(down, row as f32 * pixel));
            for (col, v) in line.iter_mut().enumerate() {
                let q = self.reference([start[0] + col as f32 * pixel, start[1], start[2]]);
                let d = sub(q, metal);
                let r = d[0].hypot(d[1]).max(2.0);
                let angle = d[1].atan2(d[0]);
                let around = [7.0 * angle.cos(), 7.0 * angle.sin(), slice as f32 * 3.0];
                let rays =
                    1.6 * noise::value(around, 2.4, seed) + 0.8 * noise::value(around, 0.9, seed);
                *v += strength * 600.0 * rays / r * bell(r, 60.0);
            }
        }
    }

    fn quantise(&self, image: &[f32], matrix: usize) -> Vec<Hu> {
        let storage = &self.device.storage;
        let high = if storage.signed { 11_071.0 } else { 3071.0 };
        // Where padding is marked, no measured pixel may hold its value.
        let low = if storage.padding.is_some() {
            -1023.0
        } else {
            -1024.0
        };
        let half = 0.5 * matrix as f32;
        let mut hu = Vec::with_capacity(image.len());
        for (at, v) in image.iter().enumerate() {
            let (x, y) = (
                (at % matrix) as f32 + 0.5 - half,
                (at / matrix) as f32 + 0.5 - half,
            );
            let out = storage.padding.is_some() && x * x + y * y > half * half;
            hu.push(if out {
                Hu::PADDING
            } else {
                Hu(v.round().clamp(low, high))
            });
        }
        hu
    }
}
