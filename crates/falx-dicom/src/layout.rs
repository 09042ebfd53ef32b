//! How stored values lie in the pixel cells, and which of them are padding.

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use crate::attributes::missing;
use crate::dataset::DataSet;
use crate::header::PixelFormat;
use crate::{Defect, Refusal, Refused};

/// How to read the pixel cells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) pixels: usize,
    pub(crate) format: PixelFormat,
    /// Bits of a cell above the stored value that belong to an overlay.
    pub(crate) overlay_bits: u32,
}

/// The stored values that a header declares to be padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Padding {
    /// The lowest and the highest of them; the lowest is above the highest where none is declared.
    pub(crate) low: i64,
    pub(crate) high: i64,
    /// A padding value that does not fit Bits Stored: it is compared with whole cells.
    pub(crate) whole_cell: Option<i64>,
}

impl Padding {
    pub(crate) const NONE: Self = Self {
        low: 1,
        high: 0,
        whole_cell: None,
    };
}

/// Reads the bit attributes; the rescale is filled in later.
pub(crate) fn check_format(set: &mut DataSet<'_>) -> Result<PixelFormat, Refused> {
    let inconsistent = |detail| Refused::new(Refusal::InconsistentPixelGeometry, detail);
    let bits_allocated = set.needed_u16(tags::BITS_ALLOCATED)?;
    let bits_stored = set.needed_u16(tags::BITS_STORED)?;
    let high_bit = set.needed_bits(tags::HIGH_BIT, &[VR::US])?;
    let representation = set.needed_bits(tags::PIXEL_REPRESENTATION, &[VR::US])?;
    if !matches!(bits_allocated, 8 | 16 | 32) {
        return Err(inconsistent(format!(
            "Bits Allocated is {bits_allocated}, not 8, 16 or 32"
        )));
    }
    if bits_stored == 0 || bits_stored > bits_allocated {
        return Err(inconsistent(format!(
            "Bits Stored is {bits_stored} of {bits_allocated} Bits Allocated"
        )));
    }
    if high_bit.is_none() {
        set.defects.add(Defect::HighBitAssumed);
    }
    let high_bit = high_bit.unwrap_or(bits_stored - 1);
    if high_bit >= bits_allocated || high_bit + 1 < bits_stored {
        return Err(inconsistent(format!(
            "High Bit is {high_bit} for {bits_stored} of {bits_allocated} bits"
        )));
    }
    if high_bit + 1 > bits_stored {
        set.defects.add(Defect::HighBitShifted);
    }
    let signed = match representation {
        Some(0) => false,
        Some(1) => true,
        None => return Err(missing(tags::PIXEL_REPRESENTATION)),
        Some(other) => {
            let detail = format!("Pixel Representation is {other}");
            return Err(Refused::new(Refusal::MalformedValue, detail));
        }
    };
    if bits_allocated != 16 || !(12..=16).contains(&bits_stored) {
        set.defects.add(Defect::BitsOutsideCtIod);
    }
    Ok(PixelFormat {
        bits_allocated,
        bits_stored,
        high_bit,
        signed,
        ..PixelFormat::default()
    })
}

/// The cells' bits in which overlays without data of their own lie (retired, but archives hold it).
pub(crate) fn overlay_bits(set: &mut DataSet<'_>, format: &PixelFormat) -> Result<u32, Refused> {
    let mut bits = 0;
    // Overlays lie in the sixteen even groups from 6000 to 601E.
    for number in 0..16 {
        let of_group = |tag: Tag| Tag(tag.group() + 2 * number, tag.element());
        let position = of_group(tags::OVERLAY_BIT_POSITION.inner());
        if set.get(of_group(tags::OVERLAY_DATA.inner())).is_some() || set.get(position).is_none() {
            continue;
        }
        let bit = set.needed_bits(position, &[VR::US])?.unwrap_or(0);
        if bit > format.high_bit && bit < format.bits_allocated {
            bits |= 1 << bit;
            set.defects.add(Defect::OverlayBitsMasked);
        }
    }
    Ok(bits)
}

/// Reads Pixel Padding Value and its Range Limit, which have the signedness of the pixels whatever their VR says.
pub(crate) fn padding(set: &mut DataSet<'_>, format: &PixelFormat) -> Result<Padding, Refused> {
    let Some(value) = padding_value(set, tags::PIXEL_PADDING_VALUE, format.signed)? else {
        return Ok(Padding::NONE);
    };
    let limit = padding_value(set, tags::PIXEL_PADDING_RANGE_LIMIT, format.signed)?;
    let limit = limit.unwrap_or(value);
    let span = 1_i64 << format.bits_stored;
    let domain = if format.signed {
        -span / 2..span / 2
    } else {
        0..span
    };
    Ok(Padding {
        low: value.min(limit),
        high: value.max(limit),
        whole_cell: (!domain.contains(&value)).then_some(value),
    })
}

fn padding_value(set: &mut DataSet<'_>, tag: Tag, signed: bool) -> Result<Option<i64>, Refused> {
    let Some(bits) = set.needed_bits(tag, &[VR::US, VR::SS])? else {
        return Ok(None);
    };
    let signed_bits = bits.cast_signed();
    let vr = set.get(tag).and_then(|element| element.vr);
    let of_other_sign = if signed { VR::US } else { VR::SS };
    // Below 32768 both readings are one.
    if vr == Some(of_other_sign) && signed_bits < 0 {
        set.defects.add(Defect::PaddingVrReinterpreted);
    }
    Ok(Some(if signed {
        i64::from(signed_bits)
    } else {
        i64::from(bits)
    }))
}
