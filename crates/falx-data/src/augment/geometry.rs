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
    /// The planes within a border of padding: each pixel with the one below it, so that the four around a place lie side by side.
    source: Vec<[f32; 2]>,
    /// A row of padding.
    padding: Vec<f32>,
    row: Row,
}

/// Where the pixels of one row come from.
#[derive(Debug, Default)]
struct Row {
    /// Displacement across and down.
    across: Vec<f32>,
    down: Vec<f32>,
    /// The place between four pixels.
    x: Vec<f32>,
    y: Vec<f32>,
    /// The first of the four.
    corner: Vec<u32>,
    /// The four: left upper, left lower, right upper, right lower.
    four: Vec<[[f32; 2]; 2]>,
}

/// Padding around the source: a column before it and two behind, of which the second is only ever a neighbour.
const COLUMNS: usize = 3;
/// A line above and one below; the neighbour below that one is in its pairs.
const LINES: usize = 2;

const PADDING: f32 = Hu::PADDING.0;

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
        let (padded, area) = ((size + COLUMNS) * (size + LINES), size * size);
        for row in 0..size {
            if is_elastic {
                let Row { across, down, .. } = &mut self.row;
                self.elastic.row(row, across, down);
            }
            self.row.places_of(backwards, row, size);
            let sources = self.source.chunks_exact(padded);
            for (plane, source) in planes.chunks_exact_mut(area).zip(sources) {
                if let Some(out) = plane.get_mut(row * size..(row + 1) * size) {
                    self.row.sample(source, out);
                }
            }
        }
    }

    #[inline(always)]
    fn prepare(&mut self, size: usize, planes: &[f32]) {
        let (stride, area) = (size + COLUMNS, size * size);
        let padded = stride * (size + LINES);
        self.source
            .resize(planes.len() / area * padded, [PADDING; 2]);
        self.padding.resize(size, PADDING);
        let sources = self.source.chunks_exact_mut(padded);
        for (plane, source) in planes.chunks_exact(area).zip(sources) {
            let padding = || std::iter::once(self.padding.as_slice());
            let rows = || plane.chunks_exact(size);
            let upper = padding().chain(rows()).chain(padding());
            let lower = rows().chain(padding()).chain(padding());
            let lines = source.chunks_exact_mut(stride);
            for (line, (upper, lower)) in lines.zip(upper.zip(lower)) {
                let [first, inner @ .., before, last] = line else {
                    continue;
                };
                [*first, *before, *last] = [[PADDING; 2]; 3];
                for (pair, (upper, lower)) in inner.iter_mut().zip(upper.iter().zip(lower)) {
                    *pair = [*upper, *lower];
                }
            }
        }
        self.row.clear(size);
    }
}

impl Row {
    #[inline(always)]
    fn clear(&mut self, size: usize) {
        for buffer in [&mut self.across, &mut self.down, &mut self.x, &mut self.y] {
            buffer.clear();
            buffer.resize(size, 0.0);
        }
        self.corner.clear();
        self.corner.resize(size, 0);
        self.four.clear();
        self.four.resize(size, [[PADDING; 2]; 2]);
    }

    #[inline(always)]
    fn places_of(&mut self, backwards: Backwards, row: usize, size: usize) {
        let Backwards {
            matrix: [[xx, xy], [yx, yy]],
            shift: [right, down],
            middle,
        } = backwards;
        let y = row as f32 + 0.5 - middle - down;
        let (end, stride) = (size as f32, (size + COLUMNS) as u32);
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

    /// The four pixels of each place are fetched first; the means between them are then a loop over lanes.
    #[inline(always)]
    fn sample(&mut self, source: &[[f32; 2]], out: &mut [f32]) {
        for (four, &corner) in self.four.iter_mut().zip(&self.corner) {
            let from = source.get(corner as usize..).unwrap_or_default();
            *four = from.first_chunk().copied().unwrap_or([[PADDING; 2]; 2]);
        }
        let between = self.x.iter().zip(&self.y).zip(&self.four);
        for (out, ((x, y), [[a, c], [b, d]])) in out.iter_mut().zip(between) {
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
