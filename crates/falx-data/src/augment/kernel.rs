//! Another reconstruction kernel: blur or sharpening over three pixels along both axes.

#![expect(
    clippy::inline_always,
    reason = "loops must become part of the function that pulp compiles for the processor"
)]

use falx_core::Hu;

/// A neighbour's weight at the strongest blur: [¼ ½ ¼], 1.5 pixels at half height.
const BLUR: f32 = 0.25;
/// A neighbour's weight at the strongest sharpening: the finest detail along one axis becomes 1.6 times as strong.
const SHARPEN: f32 = -0.15;
/// The lowest value that is no padding: sharpening may not turn the air at a skull's edge into padding.
const FLOOR: f32 = Hu::PADDING.0 + 1.0;

/// Buffers that are kept from sample to sample.
#[derive(Debug, Default)]
pub(super) struct Kernel {
    /// The last three rows, filtered across.
    lines: [Vec<f32>; 3],
}

impl Kernel {
    /// Blurs (`sharpness` below 0) or sharpens a plane. Padding stays padding, and lends nothing to its neighbours.
    #[inline(always)]
    pub(super) fn apply(&mut self, sharpness: f32, size: usize, plane: &mut [f32]) {
        let weight = if sharpness < 0.0 {
            -sharpness * BLUR
        } else {
            sharpness * SHARPEN
        };
        let [above, here, below] = &mut self.lines;
        for line in [&mut *above, &mut *here, &mut *below] {
            line.clear();
            line.resize(size, Hu::PADDING.0);
        }
        if let Some(first) = plane.get(..size) {
            across(first, weight, below);
        }
        for row in 0..size {
            std::mem::swap(above, here);
            std::mem::swap(here, below);
            match plane.get((row + 1) * size..(row + 2) * size) {
                Some(next) => across(next, weight, below),
                None => below.fill(Hu::PADDING.0),
            }
            let Some(out) = plane.get_mut(row * size..(row + 1) * size) else {
                return;
            };
            let neighbours = above.iter().zip(&*below);
            for ((out, &here), (&above, &below)) in out.iter_mut().zip(&*here).zip(neighbours) {
                *out = mean(above, here, below, weight);
            }
        }
    }
}

#[inline(always)]
fn across(row: &[f32], weight: f32, out: &mut [f32]) {
    let (Some(inner), [first, second, ..], [.., last_but_one, last]) =
        (out.get_mut(1..row.len().saturating_sub(1)), row, row)
    else {
        out.copy_from_slice(row);
        return;
    };
    for (out, three) in inner.iter_mut().zip(row.windows(3)) {
        if let &[left, here, right] = three {
            *out = mean(left, here, right, weight);
        }
    }
    if let [out, ..] = out {
        *out = mean(*first, *first, *second, weight);
    }
    if let [.., out] = out {
        *out = mean(*last_but_one, *last, *last, weight);
    }
}

#[inline(always)]
fn mean(before: f32, here: f32, behind: f32, weight: f32) -> f32 {
    let step = |neighbour: f32| {
        if neighbour > Hu::PADDING.0 {
            neighbour - here
        } else {
            0.0
        }
    };
    let value = here + weight * (step(before) + step(behind));
    if here > Hu::PADDING.0 {
        value.max(FLOOR)
    } else {
        here
    }
}
