//! Values in HU as few bytes: whole units or quarters where they are such, floating-point numbers otherwise.

use falx_core::Hu;
use pco::ChunkConfig;
use pco::standalone::{simple_compress, simple_decompress_into};

/// An image in HU with what its picture depends on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Values {
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) pixel_spacing: Option<[f64; 2]>,
    /// rows × cols, row by row.
    pub(super) hu: Vec<f32>,
}

/// How values are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `i16`, in HU.
    Units = 1,
    /// `i16`, in quarters of a HU: the means of four whole numbers, as half-size pictures have.
    Quarters = 2,
    /// `f32`.
    Floats = 3,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Units, Self::Quarters, Self::Floats];

    const fn per_hu(self) -> f32 {
        match self {
            Self::Quarters => 4.0,
            Self::Units | Self::Floats => 1.0,
        }
    }
}

/// Kind, rows, columns, Pixel Spacing down and across (NaN where it is not known).
const HEADER: usize = 1 + 2 * 4 + 2 * 8;
/// Larger images are not packed: no CT has them.
const MOST_PIXELS: usize = 1 << 24;

/// What is wrong with packed bytes whose checksum is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the packed slice cannot be unpacked")]
pub(super) struct NotPacked;

/// Packs values; the same values give the same bytes.
pub(super) fn pack(values: &Values, level: usize) -> Result<Vec<u8>, NotPacked> {
    let config = ChunkConfig::default().with_compression_level(level);
    let whole = |kind: Kind| -> Option<Vec<i16>> {
        let each = values.hu.iter().map(|&hu| {
            let scaled = hu * kind.per_hu();
            let number = scaled as i16;
            // To the bit, so that what comes back is what was given.
            (f32::from(number) / kind.per_hu())
                .to_bits()
                .eq(&hu.to_bits())
                .then_some(number)
        });
        each.collect()
    };
    let (kind, body) = if let Some(numbers) = whole(Kind::Units) {
        (Kind::Units, simple_compress(&numbers, &config))
    } else if let Some(numbers) = whole(Kind::Quarters) {
        (Kind::Quarters, simple_compress(&numbers, &config))
    } else {
        (Kind::Floats, simple_compress(&values.hu, &config))
    };
    let body = body.map_err(|_| NotPacked)?;
    let mut bytes = Vec::with_capacity(HEADER + body.len());
    bytes.push(kind as u8);
    for side in [values.rows, values.cols] {
        bytes.extend(u32::try_from(side).map_err(|_| NotPacked)?.to_le_bytes());
    }
    for spacing in values.pixel_spacing.unwrap_or([f64::NAN; 2]) {
        bytes.extend(spacing.to_le_bytes());
    }
    bytes.extend(body);
    Ok(bytes)
}

/// Unpacks what [`pack`] gave into `values`, whose buffer is used again; `numbers` is scratch.
pub(super) fn unpack(
    bytes: &[u8],
    values: &mut Values,
    numbers: &mut Vec<i16>,
) -> Result<(), NotPacked> {
    let (header, body) = bytes.split_at_checked(HEADER).ok_or(NotPacked)?;
    let (kind, header) = header.split_first().ok_or(NotPacked)?;
    let kind = Kind::ALL
        .into_iter()
        .find(|k| *k as u8 == *kind)
        .ok_or(NotPacked)?;
    let (sides, spacing) = header.split_at_checked(8).ok_or(NotPacked)?;
    let sides = sides
        .as_chunks::<4>()
        .0
        .iter()
        .map(|b| u32::from_le_bytes(*b) as usize);
    let spacing = spacing
        .as_chunks::<8>()
        .0
        .iter()
        .map(|b| f64::from_le_bytes(*b));
    let ([rows, cols], [down, across]) = (two(sides)?, two(spacing)?);
    let pixels = rows
        .checked_mul(cols)
        .filter(|&n| n <= MOST_PIXELS)
        .ok_or(NotPacked)?;
    values.rows = rows;
    values.cols = cols;
    values.pixel_spacing = (down.is_finite() && across.is_finite()).then_some([down, across]);
    values.hu.resize(pixels, Hu::PADDING.0);
    let filled = if kind == Kind::Floats {
        simple_decompress_into(body, &mut values.hu)
    } else {
        numbers.resize(pixels, 0);
        let filled = simple_decompress_into(body, numbers);
        let to_hu = 1.0 / kind.per_hu();
        for (hu, &number) in values.hu.iter_mut().zip(numbers.iter()) {
            *hu = f32::from(number) * to_hu;
        }
        filled
    };
    let progress = filled.map_err(|_| NotPacked)?;
    if progress.n_processed == pixels && progress.finished {
        Ok(())
    } else {
        Err(NotPacked)
    }
}

fn two<T>(mut items: impl Iterator<Item = T>) -> Result<[T; 2], NotPacked> {
    match (items.next(), items.next()) {
        (Some(a), Some(b)) => Ok([a, b]),
        _ => Err(NotPacked),
    }
}
