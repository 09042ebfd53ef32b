//! The pixel cells of each frame, native or decompressed: always little endian.

use std::ops::Range;

use dicom_core::VR;

use crate::check::Checked;
use crate::codec::{Codec, FrameFormat, decode_frame};
use crate::cursor::Encoding;
use crate::dataset::{DataSet, PixelContent, ends_early};
use crate::defect::DefectSet;
use crate::encapsulated::Fragments;
use crate::transfer_syntax::TransferSyntax;
use crate::{Refused, SliceHeader};

/// Where the frames of an image lie in the bytes of its data set.
pub(crate) struct Frames<'a> {
    bytes: &'a [u8],
    place: Place,
}

enum Place {
    /// One frame after the other from `start` on.
    Native {
        start: usize,
        /// In how large words the bytes are to be reversed.
        swapped: usize,
    },
    Encapsulated {
        codec: Codec,
        fragments: Fragments,
        of_frames: Vec<Range<usize>>,
    },
}

impl<'a> Frames<'a> {
    /// The frames of a checked image whose data set is `bytes`.
    pub(crate) fn new(
        bytes: &'a [u8],
        checked: &Checked,
        syntax: TransferSyntax,
        set: &mut DataSet<'_>,
    ) -> Result<Self, Refused> {
        let pixel_data = &checked.pixel_data;
        let place = match (&pixel_data.content, syntax.codec) {
            (PixelContent::Encapsulated(Some(fragments)), Some(codec)) => Place::Encapsulated {
                codec,
                of_frames: fragments.of_frames(bytes, set, codec, checked.headers.len())?,
                fragments: fragments.clone(),
            },
            _ => Place::Native {
                start: pixel_data.start,
                swapped: match (syntax.encoding, pixel_data.vr) {
                    (Encoding::ExplicitVrBigEndian, Some(VR::OW)) => 2,
                    (Encoding::ExplicitVrBigEndian, _) => checked.bytes_a_cell(),
                    (Encoding::ImplicitVr | Encoding::ExplicitVr, _) => 1,
                },
            },
        };
        Ok(Self { bytes, place })
    }

    /// The cells of frame `number` (from 0); `scratch` holds them where the file does not.
    pub(crate) fn cells<'s>(
        &'s self,
        number: usize,
        header: &SliceHeader,
        scratch: &'s mut Vec<u8>,
        defects: &mut DefectSet,
    ) -> Result<&'s [u8], Refused> {
        let pixels = header.rows * header.cols;
        match &self.place {
            Place::Native { start, swapped } => {
                let length = pixels * usize::from(header.format.bits_allocated / 8);
                let start = start + number * length;
                let native = |range: Range<usize>| self.bytes.get(range).ok_or_else(ends_early);
                if *swapped == 1 {
                    return native(start..start + length);
                }
                // An odd number of 8-bit cells shares its last word with the next frame.
                let aligned = start - number * length % swapped;
                let end = (start + length)
                    .next_multiple_of(*swapped)
                    .min(self.bytes.len());
                scratch.clear();
                for word in native(aligned..end)?.chunks(*swapped) {
                    scratch.extend(word.iter().rev());
                }
                let first = start - aligned;
                scratch.get(first..first + length).ok_or_else(ends_early)
            }
            Place::Encapsulated {
                codec,
                fragments,
                of_frames,
            } => {
                let range = of_frames.get(number).cloned().ok_or_else(ends_early)?;
                let frame = FrameFormat {
                    rows: header.rows,
                    cols: header.cols,
                    format: header.format,
                };
                let parts = || fragments.bytes(self.bytes, range.clone());
                let joined: Vec<u8>;
                let codestream = if range.len() == 1 {
                    parts().next().unwrap_or_default()
                } else {
                    joined = parts().flatten().copied().collect();
                    &joined
                };
                scratch.clear();
                decode_frame(*codec, codestream, &frame, scratch, defects)?;
                Ok(scratch)
            }
        }
    }
}
