//! VOI LUTs: a display curve given point by point.

use dicom_core::VR;
use dicom_dictionary_std::tags;

use crate::dataset::DataSet;
use crate::header::PixelFormat;
use crate::{Defect, Refused};

/// A VOI LUT: grey values for a range of whole HU.
///
/// # Source
/// DICOM PS3.3 C.11.2.1.1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoiLut {
    first: i32,
    bits: u16,
    entries: Vec<u16>,
    explanation: Option<String>,
}

impl VoiLut {
    /// The lowest HU that has an entry of its own; below it the first entry holds.
    pub const fn first_hu(&self) -> i32 {
        self.first
    }

    /// How many HU have an entry of their own; above them the last entry holds.
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Never true: a table without entries is unusable.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What the table is for, in the file's words.
    pub fn explanation(&self) -> Option<&str> {
        self.explanation.as_deref()
    }

    /// The grey value of `hu`, 0 to 255; the table is entered at the nearest whole HU.
    pub fn output(&self, hu: f64) -> f64 {
        let above = hu.round() - f64::from(self.first);
        let last = self.entries.len().saturating_sub(1);
        let at = (above.max(0.0) as usize).min(last);
        let most = f64::from((1_u32 << self.bits) - 1);
        let grey = self.entries.get(at).copied().unwrap_or_default();
        f64::from(grey).min(most) * 255.0 / most
    }
}

/// The usable VOI LUTs; an unusable one is dropped and named.
pub(crate) fn luts(set: &mut DataSet<'_>, format: &PixelFormat) -> Result<Vec<VoiLut>, Refused> {
    let mut luts = Vec::new();
    for item in set.items(tags::VOILUT_SEQUENCE)? {
        match lut(&item, format) {
            Some(lut) => luts.push(lut),
            None => set.defects.add(Defect::WindowInvalid),
        }
    }
    Ok(luts)
}

fn lut(item: &DataSet<'_>, format: &PixelFormat) -> Option<VoiLut> {
    let descriptor = item.get(tags::LUT_DESCRIPTOR)?;
    let &[a, b, c, d, e, f] = descriptor.value else {
        return None;
    };
    let [count, first, bits] = [[a, b], [c, d], [e, f]].map(|two| item.encoding.u16(two));
    // 65536 entries do not fit the field (PS3.3 C.11.2.1.1).
    let count = if count == 0 {
        1 << 16
    } else {
        usize::from(count)
    };
    let goes_below_zero = match descriptor.vr {
        Some(VR::US) => false,
        Some(VR::SS) => true,
        _ => format.signed || format.rescale_intercept < 0.0,
    };
    let first = if goes_below_zero {
        i32::from(first.cast_signed())
    } else {
        i32::from(first)
    };
    let data = item.get(tags::LUT_DATA)?.value;
    let entries: Vec<u16> = if data.len() == 2 * count {
        let (entries, _) = data.as_chunks();
        let entries = entries.iter().take(count);
        entries.map(|&two| item.encoding.u16(two)).collect()
    } else if bits <= 8 && data.len() == count.next_multiple_of(2) {
        data.iter()
            .take(count)
            .map(|&grey| u16::from(grey))
            .collect()
    } else {
        return None;
    };
    (8..=16).contains(&bits).then(|| VoiLut {
        first,
        bits,
        entries,
        explanation: item.text(tags::LUT_EXPLANATION),
    })
}
