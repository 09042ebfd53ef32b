//! What was wrong with a file that could still be read with certainty: a closed list of named repairs and oddities.

use std::str::FromStr;

use crate::refusal::closed_list;

closed_list! {
    /// A fault of a file whose Hounsfield units are nevertheless determined.
    Defect {
        /// Negative values had wrapped at 4096 (12 bits, unsigned, slope above 0, intercept above -100) and were unwrapped.
        Rsna12bitWrapRepaired = "rsna_12bit_wrap_repaired",
        /// Pixels at or below -2000 HU that no Pixel Padding Value declares were put into the padding mask.
        PaddingClamped = "padding_clamped",
        /// Pixel Padding Value has the VR of the other signedness; its 16 bits were read by Pixel Representation.
        PaddingVrReinterpreted = "padding_vr_reinterpreted",
        /// Whole cells equal a padding value that does not fit Bits Stored; they are padding.
        PaddingOutsideBitsStored = "padding_outside_bits_stored",
        /// Some values are above 31743 HU (the 16-bit extended scale); they were kept.
        HuImplausibleHigh = "hu_implausible_high",
        /// High Bit is above Bits Stored - 1 and the bits below the field are zero; the field was shifted down.
        HighBitShifted = "high_bit_shifted",
        /// High Bit is absent; Bits Stored - 1 was used, as the standard requires it to be.
        HighBitAssumed = "high_bit_assumed",
        /// An overlay without Overlay Data declares a bit above High Bit; that bit was masked out.
        OverlayBitsMasked = "overlay_bits_masked",
        /// Bits Allocated is not 16 or Bits Stored is outside 12 to 16; the values are still defined.
        BitsOutsideCtIod = "bits_outside_ct_iod",
        /// Pixel Data is longer than the geometry needs, by less than a frame; the excess was ignored.
        PixelDataExcess = "pixel_data_excess",
        /// There are bytes after the last element that are no element.
        TrailingBytes = "trailing_bytes",
        /// There is no preamble, but a valid file meta group at the start.
        MissingPreamble = "missing_preamble",
        /// There is no file meta group; the encoding was recognised from the first element.
        MissingMeta = "missing_meta",
        /// File Meta Information Group Length is absent or wrong; the group ends where another group begins.
        MetaGroupLengthWrong = "meta_group_length_wrong",
        /// A needed element has VR UN; it was read by the dictionary's VR.
        VrUnResolved = "vr_un_resolved",
        /// A needed element has another text VR than the dictionary's; it was read by the dictionary's VR.
        VrNotAsDictionary = "vr_not_as_dictionary",
        /// A decimal string is longer than 16 bytes.
        DsOverLength = "ds_over_length",
        /// A text number is padded with NUL instead of space.
        NulPaddedValue = "nul_padded_value",
        /// An element has odd length.
        OddLengthElement = "odd_length_element",
        /// Photometric Interpretation is absent; one sample without a palette was taken as greyscale.
        PhotometricAssumed = "photometric_assumed",
        /// A display window cannot be used (width, count or function); it was dropped.
        WindowInvalid = "window_invalid",
        /// The basic offset table does not match the fragments; frames were determined without it.
        BadOffsetTable = "bad_offset_table",
        /// Encapsulated Pixel Data ends with the file after a complete fragment, without a delimiter.
        MissingSequenceDelimiter = "missing_sequence_delimiter",
        /// Image Type value 1 is DERIVED.
        DerivedImage = "derived_image",
        /// The JPEG 2000 codestream is unsigned under Pixel Representation 1; its bits are two's complement.
        CodestreamSignDiffers = "codestream_sign_differs",
        /// The fragment holds a JP2 file instead of a bare codestream.
        Jp2Container = "jp2_container",
    }
}

/// A word that names no defect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a defect; the names are those of falx_dicom::Defect::ALL")]
pub struct UnknownDefect(pub String);

impl FromStr for Defect {
    type Err = UnknownDefect;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::from_name(word).ok_or_else(|| UnknownDefect(word.to_owned()))
    }
}

/// The defects found so far, each once and in the list's order.
#[derive(Clone, Debug, Default)]
pub(crate) struct DefectSet(std::collections::BTreeSet<Defect>);

impl DefectSet {
    pub(crate) fn add(&mut self, defect: Defect) {
        self.0.insert(defect);
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn into_vec(self) -> Vec<Defect> {
        self.0.into_iter().collect()
    }
}
