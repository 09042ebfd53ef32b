//! Where a picture is written, row by row: as it is, or through windows.

#![expect(
    clippy::inline_always,
    reason = "what is not inlined is not compiled for the processor at hand"
)]

use falx_core::{Hu, Window};
use pulp::{Arch, Simd, WithSimd};

use super::PADDING;

/// The place of a picture's rows.
#[derive(Debug)]
pub(super) struct Target<'a> {
    /// The pixels of a row.
    pub(super) size: usize,
    kind: Kind<'a>,
}

#[derive(Debug)]
enum Kind<'a> {
    Hu(&'a mut [f32]),
    Windows(Vec<Channel<'a>>),
}

/// A window and its place.
#[derive(Debug)]
struct Channel<'a> {
    scale: Scale,
    out: &'a mut [f32],
}

impl<'a> Target<'a> {
    /// HU in `out`, if they fit.
    pub(super) fn hu(size: usize, out: &'a mut [f32]) -> Option<Self> {
        let area = size.checked_mul(size).filter(|&area| area > 0)?;
        let kind = Kind::Hu(out.get_mut(..area)?);
        Some(Self { size, kind })
    }

    /// A channel a window in `out`, as many as fit, if any.
    pub(super) fn windows(size: usize, windows: &[Window], out: &'a mut [f32]) -> Option<Self> {
        let area = size.checked_mul(size).filter(|&area| area > 0)?;
        Self::channels(size, area, windows, out)
    }

    /// The same for a picture that is a single row.
    pub(super) fn windows_of(area: usize, windows: &[Window], out: &'a mut [f32]) -> Option<Self> {
        (area > 0).then_some(())?;
        Self::channels(area, area, windows, out)
    }

    fn channels(size: usize, area: usize, windows: &[Window], out: &'a mut [f32]) -> Option<Self> {
        let channels = out.chunks_exact_mut(area).zip(windows);
        let channels: Vec<_> = channels
            .map(|(out, &window)| Channel {
                scale: Scale::of(window),
                out,
            })
            .collect();
        (!channels.is_empty()).then_some(Self {
            size,
            kind: Kind::Windows(channels),
        })
    }

    /// Writes `hu` as row `row`; `fused` says that the processor multiplies and adds in one step.
    #[inline(always)]
    pub(super) fn put(&mut self, row: usize, hu: &[f32], fused: bool) {
        let start = row * self.size;
        let place = start..start + self.size;
        match &mut self.kind {
            Kind::Hu(out) => {
                if let Some(out) = out.get_mut(place) {
                    out.copy_from_slice(hu);
                }
            }
            Kind::Windows(channels) => {
                for channel in channels {
                    let scale = channel.scale;
                    if let Some(out) = channel.out.get_mut(place.clone()) {
                        scale.apply(hu, out, fused);
                    }
                }
            }
        }
    }

    /// Writes a picture that is a single row.
    pub(super) fn put_all(self, hu: &[f32]) {
        struct Put<'t, 'h>(Target<'t>, &'h [f32]);
        impl WithSimd for Put<'_, '_> {
            type Output = ();

            #[inline(always)]
            fn with_simd<S: Simd>(mut self, _: S) {
                self.0.put(0, self.1, !S::IS_SCALAR);
            }
        }
        Arch::new().dispatch(Put(self, hu));
    }

    /// Writes a picture of nothing.
    pub(super) fn fill_padding(self) {
        match self.kind {
            Kind::Hu(out) => out.fill(PADDING),
            Kind::Windows(channels) => {
                for channel in channels {
                    let value = channel.scale.window.unit_interval(Hu(PADDING));
                    channel.out.fill(value);
                }
            }
        }
    }
}

/// A window, and its division as a multiplication that rounds to the same number.
#[derive(Clone, Copy, Debug)]
struct Scale {
    window: Window,
    /// `1 / width`, where the width has so few digits that [`Scale::quotient`] is exact.
    reciprocal: Option<f32>,
}

/// HU beyond this leave single precision's range in the middle of [`Scale::quotient`].
const LARGEST: f32 = 1e30;

impl Scale {
    fn of(window: Window) -> Self {
        let width = window.width();
        // The last three of the 24 digits are zero in every whole number below 2^21.
        let has_few_digits = width.to_bits().trailing_zeros() >= 3;
        let is_small = width < LARGEST && window.center().abs() < LARGEST;
        Self {
            window,
            reciprocal: (has_few_digits && is_small).then_some(1.0 / width),
        }
    }

    /// [`Window::unit_interval`] of a row, bit for bit.
    #[inline(always)]
    fn apply(self, hu: &[f32], out: &mut [f32], fused: bool) {
        match self.reciprocal {
            Some(reciprocal) if fused => {
                let (center, width) = (self.window.center(), self.window.width());
                for (out, &hu) in out.iter_mut().zip(hu) {
                    let quotient = quotient(hu - center, width, reciprocal);
                    *out = (quotient + 0.5).clamp(0.0, 1.0);
                }
            }
            _ => {
                for (out, &hu) in out.iter_mut().zip(hu) {
                    *out = self.window.unit_interval(Hu(hu));
                }
            }
        }
    }
}

/// `x / width` rounded to nearest, by one multiplication and one correction.
///
/// With u for the unit in the last place of the quotient: the product is off by at most 1.5 u, and its remainder is
/// exact because width, without its last three digits, has 21. So the corrected quotient, before its one rounding, is
/// off by 1.5 × 2^-24 u. A true quotient lies at least 2^-22 u from the middle between two numbers (it is never in
/// it), since twice the numerator and an odd multiple of the width are different multiples of the width's last digit.
/// Both therefore round to the same number. Quotients so small that the remainder underflows vanish beside 0.5.
#[inline(always)]
fn quotient(x: f32, width: f32, reciprocal: f32) -> f32 {
    let product = x * reciprocal;
    let remainder = (-product).mul_add(width, x);
    remainder.mul_add(reciprocal, product)
}
