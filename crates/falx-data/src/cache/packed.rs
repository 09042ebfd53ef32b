//! Values in HU as few bytes: in units, quarters or sixteenths where they are such, floating-point numbers otherwise.

use super::tiles::{self, Out, Scratch, Value};

/// An image in HU with what its picture depends on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Values {
    pub(super) head: Head,
    /// rows × cols, row by row.
    pub(super) hu: Vec<f32>,
}

/// What an image is beside its values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Head {
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) pixel_spacing: Option<[f64; 2]>,
}

/// How values are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `i16`, in HU.
    Units = 1,
    /// `i16`, in quarters of a HU: the means of four whole numbers, as half-size pictures have.
    Quarters = 2,
    /// `i16`, in sixteenths of a HU from 1024 HU on: quarter-size pictures, from padding to 3071 HU.
    Sixteenths = 3,
    /// The lower and the upper halves of `f32`.
    Floats = 4,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Units, Self::Quarters, Self::Sixteenths, Self::Floats];

    /// What one is, and what 0 is, in HU. Both are exact in single precision, and so is every value.
    const fn scale(self) -> (f32, f32) {
        match self {
            Self::Units | Self::Floats => (1.0, 0.0),
            Self::Quarters => (0.25, 0.0),
            Self::Sixteenths => (0.0625, 1024.0),
        }
    }

    /// The numbers of `hu` in this kind, where what comes back is what was given, to the bit.
    fn numbers(self, hu: &[f32]) -> Option<Vec<u16>> {
        let (step, base) = self.scale();
        let number = |&hu: &f32| {
            let number = ((hu - base) / step) as i16;
            let back = f32::from(number) * step + base;
            (back.to_bits() == hu.to_bits()).then_some(number.cast_unsigned())
        };
        hu.iter().map(number).collect()
    }
}

/// Kind, rows, columns, Pixel Spacing down and across (NaN where it is not known).
const HEADER: usize = 1 + 2 * 4 + 2 * 8;
/// Larger images are not packed: no CT has them.
const MOST_PIXELS: usize = 1 << 24;
/// Nor are those with a longer side than DICOM's Rows and Columns can say: there is room for a line even where there is none.
const LONGEST_SIDE: usize = u16::MAX as usize;

/// True where an image is of a size that is packed.
fn is_of_ct(rows: usize, cols: usize) -> bool {
    rows.max(cols) <= LONGEST_SIDE && rows * cols <= MOST_PIXELS
}

/// What is wrong with packed bytes whose checksum is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the packed slice cannot be unpacked")]
pub(super) struct NotPacked;

/// Packs values; the same values give the same bytes.
pub(super) fn pack(values: &Values) -> Result<Vec<u8>, NotPacked> {
    let Head {
        rows,
        cols,
        pixel_spacing,
    } = values.head;
    let is_known = pixel_spacing.is_none_or(|sides| sides.into_iter().all(f64::is_finite));
    if !is_of_ct(rows, cols) || rows * cols != values.hu.len() || !is_known {
        return Err(NotPacked);
    }
    let whole = Kind::ALL
        .into_iter()
        .filter(|&kind| kind != Kind::Floats)
        .find_map(|kind| Some((kind, kind.numbers(&values.hu)?)));
    let kind = whole.as_ref().map_or(Kind::Floats, |(kind, _)| *kind);
    let mut bytes = Vec::with_capacity(HEADER + values.hu.len());
    bytes.push(kind as u8);
    for side in [rows, cols] {
        bytes.extend(u32::try_from(side).map_err(|_| NotPacked)?.to_le_bytes());
    }
    for spacing in pixel_spacing.unwrap_or([f64::NAN; 2]) {
        bytes.extend(spacing.to_le_bytes());
    }
    if let Some((_, numbers)) = whole {
        tiles::pack(&numbers, cols, &mut bytes);
    } else {
        for shift in [0, 16] {
            let half = |hu: &f32| (ordered(hu.to_bits()) >> shift) as u16;
            let halves: Vec<u16> = values.hu.iter().map(half).collect();
            tiles::pack(&halves, cols, &mut bytes);
        }
    }
    Ok(bytes)
}

/// Bits in the order of the numbers that they stand for, so that near values have near upper halves.
const fn ordered(bits: u32) -> u32 {
    if bits >> 31 == 1 {
        !bits
    } else {
        bits | 1 << 31
    }
}

/// The reverse of [`ordered`].
const fn unordered(bits: u32) -> u32 {
    if bits >> 31 == 1 {
        bits & !(1 << 31)
    } else {
        !bits
    }
}

/// A packed image whose head was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed<'a> {
    pub(super) head: Head,
    kind: Kind,
    body: &'a [u8],
}

impl<'a> Packed<'a> {
    /// Reads the head of what [`pack`] gave.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, NotPacked> {
        let (header, body) = bytes.split_at_checked(HEADER).ok_or(NotPacked)?;
        let (kind, header) = header.split_first().ok_or(NotPacked)?;
        let kind = Kind::ALL
            .into_iter()
            .find(|k| *k as u8 == *kind)
            .ok_or(NotPacked)?;
        let (sides, spacing) = header.split_at_checked(8).ok_or(NotPacked)?;
        let sides = sides.as_chunks::<4>().0.iter();
        let spacing = spacing.as_chunks::<8>().0.iter();
        let [rows, cols] = two(sides.map(|bytes| u32::from_le_bytes(*bytes) as usize))?;
        let [down, across] = two(spacing.map(|bytes| f64::from_le_bytes(*bytes)))?;
        if !is_of_ct(rows, cols) {
            return Err(NotPacked);
        }
        let is_known = down.is_finite() && across.is_finite();
        Ok(Self {
            head: Head {
                rows,
                cols,
                pixel_spacing: is_known.then_some([down, across]),
            },
            kind,
            body,
        })
    }

    /// How many values there are.
    pub(super) const fn len(&self) -> usize {
        self.head.rows * self.head.cols
    }

    /// Unpacks the values, in HU, into `hu`, which has their number.
    pub(super) fn unpack<T: Value>(
        &self,
        unpacker: &mut Unpacker,
        hu: &mut [T],
    ) -> Result<(), NotPacked> {
        if hu.len() != self.len() {
            return Err(NotPacked);
        }
        let cols = self.head.cols;
        let Unpacker {
            scratch, halves, ..
        } = unpacker;
        let behind = if self.kind == Kind::Floats {
            let [lower, upper] = halves;
            let mut rest = self.body;
            for half in [&mut *lower, &mut *upper] {
                half.resize(hu.len(), 0);
                rest = tiles::unpack(rest, cols, scratch, Out::<f32>::Numbers(half))?;
            }
            for (hu, (&lower, &upper)) in hu.iter_mut().zip(lower.iter().zip(&*upper)) {
                let bits = u32::from(upper) << 16 | u32::from(lower);
                *hu = T::of(f32::from_bits(unordered(bits)));
            }
            rest
        } else {
            let (step, base) = self.kind.scale();
            let values = hu;
            let out = Out::Values { values, step, base };
            tiles::unpack(self.body, cols, scratch, out)?
        };
        behind.is_empty().then_some(()).ok_or(NotPacked)
    }

    /// True where all values are whole HU.
    pub(super) fn is_whole(&self) -> bool {
        self.kind == Kind::Units
    }

    /// Unpacks whole HU as the two bytes of signed numbers, the lower first.
    pub(super) fn unpack_whole<'u>(
        &self,
        unpacker: &'u mut Unpacker,
    ) -> Result<&'u [[u8; 2]], NotPacked> {
        if !self.is_whole() {
            return Err(NotPacked);
        }
        let Unpacker { scratch, whole, .. } = unpacker;
        whole.resize(self.len(), [0; 2]);
        let out = Out::<f32>::Bytes(whole);
        let behind = tiles::unpack(self.body, self.head.cols, scratch, out)?;
        behind.is_empty().then_some(&**whole).ok_or(NotPacked)
    }
}

/// Buffers that are kept from image to image.
#[derive(Debug, Default)]
pub(super) struct Unpacker {
    scratch: Scratch,
    /// The lower and upper halves of floating-point numbers.
    halves: [Vec<u16>; 2],
    whole: Vec<[u8; 2]>,
}

fn two<T>(mut items: impl Iterator<Item = T>) -> Result<[T; 2], NotPacked> {
    match (items.next(), items.next()) {
        (Some(a), Some(b)) => Ok([a, b]),
        _ => Err(NotPacked),
    }
}

/// Unpacks what [`pack`] gave.
#[cfg(test)]
pub(super) fn unpack(bytes: &[u8]) -> Result<Values, NotPacked> {
    let packed = Packed::new(bytes)?;
    let mut hu = vec![0.0; packed.len()];
    packed.unpack(&mut Unpacker::default(), &mut hu)?;
    Ok(Values {
        head: packed.head,
        hu,
    })
}
