//! One bilinear sampling for mirror, size, proportions, shear, rotation, elastic change and shift together.

#![expect(
    clippy::inline_always,
    reason = "loops must become part of the function that pulp compiles for the processor"
)]

use falx_core::Hu;

use super::Placement;
use super::elastic::Elastic;

/// Where a placed picture's pixels come from, and buffers that are kept from sample to sample.
#[derive(Debug, Default)]
pub(super) struct Geometry {
    elastic: Elastic,
    /// The planes with a border of padding: one line before, two behind.
    source: Vec<f32>,
    /// Of one row: displacement across and down, and the place between four pixels.
    across: Vec<f32>,
    down: Vec<f32>,
    x: Vec<f32>,
    y: Vec<f32>,
    /// Of one row: the first of the four pixels.
    corner: Vec<u32>,
}

/// Lines of padding around the source.
const BORDER: usize = 3;

/// From places in the placed picture to places in the source.
#[derive(Clone, Copy, Debug)]
struct Backwards {
    /// Source across and down, by placed across and down.
    matrix: [[f32; 2]; 2],
    /// In pixels.
    shift: [f32; 2],
    middle: f32,
}

impl Backwards {
    fn of(placement: &Placement, size: usize) -> Self {
        let (sin, cos) = f64::from(placement.rotate_deg).to_radians().sin_cos();
        let shear = f64::from(placement.shear);
        // Undone in this order: shift, (elastic change,) rotation, shear, proportions and size, mirror.
        let wide = placement.scale * placement.stretch;
        let long = placement.scale / placement.stretch;
        let mirror = if placement.flip { -1.0 } else { 1.0 };
        let to = |value: f64, scale: f32| value as f32 / scale;
        Self {
            matrix: [
                [
                    mirror * to(cos + shear * sin, wide),
                    mirror * to(sin - shear * cos, wide),
                ],
                [to(-sin, long), to(cos, long)],
            ],
            shift: placement.shift.map(|share| share * size as f32),
            middle: size as f32 / 2.0,
        }
    }
}

impl Geometry {
    /// Lays every plane (`size` × `size`) of `planes` as `placement` says; what comes from outside is padding.
    #[inline(always)]
    pub(super) fn place(&mut self, placement: &Placement, size: usize, planes: &mut [f32]) {
        let backwards = Backwards::of(placement, size);
        let is_elastic = placement.elastic > 0.0;
        if is_elastic {
            let seed = placement.noise_seed;
            self.elastic.draw(size, placement.elastic, seed);
        }
        self.prepare(size, planes);
        let (stride, area) = (size + BORDER, size * size);
        for row in 0..size {
            if is_elastic {
                self.elastic.row(row, &mut self.across, &mut self.down);
            }
            self.places_of(backwards, row, size);
            let sources = self.source.chunks_exact(stride * stride);
            for (plane, source) in planes.chunks_exact_mut(area).zip(sources) {
                if let Some(out) = plane.get_mut(row * size..(row + 1) * size) {
                    self.sample(source, stride, out);
                }
            }
        }
    }

    #[inline(always)]
    fn prepare(&mut self, size: usize, planes: &[f32]) {
        let (stride, area) = (size + BORDER, size * size);
        let count = planes.len() / area;
        self.source.clear();
        self.source.resize(count * stride * stride, Hu::PADDING.0);
        let sources = self.source.chunks_exact_mut(stride * stride);
        for (plane, source) in planes.chunks_exact(area).zip(sources) {
            let lines = source.chunks_exact_mut(stride).skip(1);
            for (line, row) in lines.zip(plane.chunks_exact(size)) {
                if let Some(line) = line.get_mut(1..=size) {
                    line.copy_from_slice(row);
                }
            }
        }
        for buffer in [&mut self.across, &mut self.down, &mut self.x, &mut self.y] {
            buffer.clear();
            buffer.resize(size, 0.0);
        }
        self.corner.clear();
        self.corner.resize(size, 0);
    }

    /// Where the pixels of a row come from.
    #[inline(always)]
    fn places_of(&mut self, backwards: Backwards, row: usize, size: usize) {
        let Backwards {
            matrix: [[xx, xy], [yx, yy]],
            shift: [right, down],
            middle,
        } = backwards;
        let y = row as f32 + 0.5 - middle - down;
        let (end, stride) = (size as f32, (size + BORDER) as u32);
        let displaced = self.across.iter().zip(&self.down);
        let places = self.x.iter_mut().zip(&mut self.y).zip(&mut self.corner);
        for (col, ((across, down), ((part_x, part_y), corner))) in
            (0_u32..).zip(displaced.zip(places))
        {
            let x = col as f32 + 0.5 - middle - right + across;
            let y = y + down;
            // Half a pixel from centres to edges; from the border on all is padding.
            let source_x = ((xx * x + xy * y) + middle - 0.5).clamp(-1.0, end);
            let source_y = ((yy * y + yx * x) + middle - 0.5).clamp(-1.0, end);
            let (left, top) = (source_x.floor(), source_y.floor());
            *part_x = source_x - left;
            *part_y = source_y - top;
            *corner = whole(top + 1.0) * stride + whole(left + 1.0);
        }
    }

    #[inline(always)]
    fn sample(&self, source: &[f32], stride: usize, out: &mut [f32]) {
        let below = source.get(stride..).unwrap_or_default();
        let parts = self.x.iter().zip(&self.y).zip(&self.corner);
        for (out, ((x, y), &corner)) in out.iter_mut().zip(parts) {
            let at = corner as usize;
            let (Some(&[a, b]), Some(&[c, d])) = (source.get(at..at + 2), below.get(at..at + 2))
            else {
                continue;
            };
            let upper = a + x * (b - a);
            let lower = c + x * (d - c);
            *out = upper + y * (lower - upper);
        }
    }
}

/// A whole number from 0 to below 2^23, without the checks of a cast: it stands in the last digits of 2^23 more.
#[inline(always)]
fn whole(value: f32) -> u32 {
    (value + 8_388_608.0).to_bits() & 0x7F_FFFF
}
