//! What an index keeps of a picture's values: their hash, range, and shares of bone and brain.

#![expect(
    clippy::inline_always,
    reason = "loops must become part of the function that pulp compiles for the processor"
)]

#[cfg(test)]
mod tests;

use falx_core::Hu;
use falx_dicom::CtSlice;
use pulp::{Simd, WithSimd};

/// Values from here on are bone.
const BONE_HU: f32 = 300.0;
/// Values of brain, blood and cerebrospinal fluid.
const BRAIN_HU: std::ops::RangeInclusive<f32> = 0.0..=80.0;

/// What is kept.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Digest {
    /// BLAKE3 (its first 128 bits, in hex) over rows, columns and HU: equal for equal pictures.
    pub(super) hash: String,
    /// The smallest and largest value that is not padding.
    pub(super) range: Option<(Hu, Hu)>,
    /// The share of pixels of at least 300 HU.
    pub(super) bone_fraction: f32,
    /// The share of pixels from 0 to 80 HU.
    pub(super) brain_fraction: f32,
}

/// Values of one step: their bytes stay in the processor's cache from the measuring to the hashing, and are whole
/// chunks of BLAKE3.
const CHUNK: usize = 1 << 14;
const LANES: usize = 16;

/// Takes a picture's digest.
pub(super) fn digest(slice: &CtSlice) -> Digest {
    let arch = pulp::Arch::new();
    let mut counts = Counts::default();
    let mut whole = Some(blake3::Hasher::new());
    let mut bytes = vec![0_u8; 2 * CHUNK];
    for (at, values) in slice.hu.chunks(CHUNK).enumerate() {
        let padding = slice.padding.as_deref();
        let padding = padding.and_then(|all| all.get(at * CHUNK..at * CHUNK + values.len()));
        let is_whole = arch.dispatch(Step {
            values,
            padding,
            counts: &mut counts,
            bytes: &mut bytes,
        });
        match &mut whole {
            Some(hasher) if is_whole => {
                hasher.update(&bytes[..2 * values.len()]);
            }
            _ => whole = None,
        }
    }
    let hash = match whole {
        Some(hasher) => finish(hasher, slice, b'i'),
        None => float_hash(slice),
    };
    let pixels = slice.hu.len().max(1) as f32;
    Digest {
        hash,
        range: counts.ends(),
        bone_fraction: counts.bone as f32 / pixels,
        brain_fraction: counts.brain as f32 / pixels,
    }
}

/// One step over values that stay in the cache: true where all are 16-bit integers, which `bytes` then holds.
struct Step<'a> {
    values: &'a [Hu],
    padding: Option<&'a [bool]>,
    counts: &'a mut Counts,
    bytes: &'a mut [u8],
}

impl WithSimd for Step<'_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> bool {
        self.counts.add(self.values, self.padding);
        to_whole(self.values, self.bytes)
    }
}

/// The shape comes last, so that values are hashed in whole chunks.
fn finish(mut hasher: blake3::Hasher, slice: &CtSlice, form: u8) -> String {
    for side in [slice.header.rows, slice.header.cols] {
        hasher.update(&(side as u32).to_le_bytes());
    }
    hasher.update(&[form]);
    hasher.finalize().to_hex()[..32].to_owned()
}

/// Values as 16-bit integers, as every scanner's are: a hash over half the bytes takes half the time. False where
/// one is none.
#[inline(always)]
fn to_whole(values: &[Hu], bytes: &mut [u8]) -> bool {
    // Adding 1.5 · 2^23 leaves the nearest integer in the lowest bits, up to 2^22.
    const MAGIC: f32 = 12_582_912.0;
    let mut others = 0_u32;
    for (two, &Hu(value)) in bytes.chunks_exact_mut(2).zip(values) {
        let moved = value + MAGIC;
        let is_whole = moved - MAGIC == value && (-32768.0..=32767.0).contains(&value);
        others |= u32::from(!is_whole);
        two.copy_from_slice(&(moved.to_bits() as u16).to_le_bytes());
    }
    others == 0
}

fn float_hash(slice: &CtSlice) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut bytes = vec![0_u8; 4 * CHUNK];
    for values in slice.hu.chunks(CHUNK) {
        for (four, value) in bytes.chunks_exact_mut(4).zip(values) {
            four.copy_from_slice(&value.0.to_le_bytes());
        }
        hasher.update(&bytes[..4 * values.len()]);
    }
    finish(hasher, slice, b'f')
}

/// Range and shares, lane by lane, so that the processor need not wait for one comparison to begin the next.
struct Counts {
    low: [f32; LANES],
    high: [f32; LANES],
    bone: u32,
    brain: u32,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            low: [f32::INFINITY; LANES],
            high: [f32::NEG_INFINITY; LANES],
            bone: 0,
            brain: 0,
        }
    }
}

impl Counts {
    #[inline(always)]
    fn add(&mut self, values: &[Hu], padding: Option<&[bool]>) {
        // Local, so that they stay in registers.
        let mut lanes = Lanes {
            low: self.low,
            high: self.high,
            bone: [0; LANES],
            brain: [0; LANES],
        };
        let (steps, rest) = values.as_chunks::<LANES>();
        let mut last = [Hu(f32::NAN); LANES];
        for (slot, value) in last.iter_mut().zip(rest) {
            // What is no number widens nothing and is counted as nothing.
            *slot = *value;
        }
        match padding {
            None => {
                for step in steps {
                    lanes.add(step, &[false; LANES]);
                }
                lanes.add(&last, &[false; LANES]);
            }
            Some(padding) => {
                let (masks, rest) = padding.as_chunks::<LANES>();
                for (step, mask) in steps.iter().zip(masks) {
                    lanes.add(step, mask);
                }
                let mut mask = [false; LANES];
                for (slot, value) in mask.iter_mut().zip(rest) {
                    *slot = *value;
                }
                lanes.add(&last, &mask);
            }
        }
        (self.low, self.high) = (lanes.low, lanes.high);
        self.bone += lanes.bone.iter().sum::<u32>();
        self.brain += lanes.brain.iter().sum::<u32>();
    }

    fn ends(&self) -> Option<(Hu, Hu)> {
        let low = self.low.iter().copied().fold(f32::INFINITY, f32::min);
        let high = self.high.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        (low <= high).then_some((Hu(low), Hu(high)))
    }
}

/// The counts of some steps.
struct Lanes {
    low: [f32; LANES],
    high: [f32; LANES],
    bone: [u32; LANES],
    brain: [u32; LANES],
}

impl Lanes {
    #[inline(always)]
    fn add(&mut self, values: &[Hu; LANES], padding: &[bool; LANES]) {
        for lane in 0..LANES {
            let hu = values[lane].0;
            self.bone[lane] += u32::from(hu >= BONE_HU);
            self.brain[lane] += u32::from(BRAIN_HU.contains(&hu));
            // Neither end is widened by what was not measured.
            let hu = if padding[lane] { f32::NAN } else { hu };
            self.low[lane] = if hu < self.low[lane] {
                hu
            } else {
                self.low[lane]
            };
            self.high[lane] = if hu > self.high[lane] {
                hu
            } else {
                self.high[lane]
            };
        }
    }
}
