//! From the compressed bytes of a frame to its pixel cells.
//!
//! A codec knows nothing of HU or of the bit field in a cell: it gives cells as an uncompressed file would hold them,
//! and [`crate::pixels`] reads them from there. Every codec checks what its codestream says of itself against the
//! image's header before it allocates or decodes, and decodes all of the frame or refuses.

mod bits;
mod jpeg;
mod jpeg2000;
mod jpeg_ls;
mod rle;
mod segments;
#[cfg(test)]
mod tests;

use segments::FrameHeader;

use crate::defect::DefectSet;
use crate::header::PixelFormat;
use crate::{Refusal, Refused};

/// How a frame's bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Codec {
    /// RLE Lossless.
    Rle,
    /// JPEG Baseline and Extended: sequential DCT of 8 or 12 bits.
    Jpeg,
    /// JPEG Lossless, any predictor.
    JpegLossless,
    /// JPEG-LS, lossless and near-lossless.
    JpegLs,
    /// JPEG 2000, reversible and irreversible.
    Jpeg2000,
    /// High-Throughput JPEG 2000.
    HighThroughputJpeg2000,
}

impl Codec {
    /// The codec of encapsulated Pixel Data under a Transfer Syntax UID; none where it is native or not decoded.
    ///
    /// # Source
    /// PS3.6 Table A-1.
    pub(crate) fn of(transfer_syntax: &str) -> Option<Self> {
        match transfer_syntax.strip_prefix("1.2.840.10008.1.2.")? {
            "5" => Some(Self::Rle),
            "4.50" | "4.51" => Some(Self::Jpeg),
            "4.57" | "4.70" => Some(Self::JpegLossless),
            "4.80" | "4.81" => Some(Self::JpegLs),
            "4.90" | "4.91" => Some(Self::Jpeg2000),
            "4.201" | "4.202" | "4.203" => Some(Self::HighThroughputJpeg2000),
            _ => None,
        }
    }
}

/// The most pixels of a compressed frame, 4096 x 4096: a few bytes may claim to be as many, and decoders believe them.
const MAX_PIXELS: usize = 1 << 24;

/// What the header says a frame is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameFormat {
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) format: PixelFormat,
}

impl FrameFormat {
    /// The pixels of a frame that is not too large to be decompressed.
    fn pixels(&self) -> Result<usize, Refused> {
        let pixels = self.rows.checked_mul(self.cols);
        pixels
            .filter(|&pixels| pixels <= MAX_PIXELS)
            .ok_or_else(|| {
                let detail = format!("a compressed frame of {} x {} pixels", self.rows, self.cols);
                Refused::new(Refusal::TooLarge, detail)
            })
    }

    /// Whether a codestream of this size can be the frame.
    fn check(&self, header: &FrameHeader) -> Result<(), Refused> {
        let FrameHeader {
            precision,
            rows,
            cols,
            components,
        } = *header;
        if components != 1 || (rows, cols) != (self.rows, self.cols) {
            return Err(inconsistent(format!(
                "the codestream has {components} components of {rows} x {cols} samples, the header {} x {} pixels",
                self.rows, self.cols
            )));
        }
        if u16::from(precision) > self.format.bits_allocated {
            return Err(inconsistent(format!(
                "the codestream has samples of {precision} bits, the header cells of {}",
                self.format.bits_allocated
            )));
        }
        Ok(())
    }

    /// Appends a row of samples as cells.
    fn push(&self, row: &[u16], cells: &mut Vec<u8>) {
        if self.cell_bytes() == 2 {
            cells.extend(row.iter().flat_map(|sample| sample.to_le_bytes()));
            return;
        }
        for &sample in row {
            let cell = u32::from(sample).to_le_bytes();
            cells.extend(cell.iter().take(self.cell_bytes()));
        }
    }

    fn cell_bytes(&self) -> usize {
        usize::from(self.format.bits_allocated / 8)
    }
}

/// Decodes one frame's whole codestream and appends exactly `rows * cols` cells, little endian, to `cells`.
///
/// An unsigned sample is its cell; a sample of a signed JPEG 2000 codestream is extended by its sign.
///
/// # Errors
/// [`Refusal::InconsistentPixelGeometry`] where the codestream's size, components or depth contradict the header,
/// [`Refusal::CorruptCodestream`] where it cannot be decoded, [`Refusal::TooLarge`] where the frame is over the limit.
pub(crate) fn decode_frame(
    codec: Codec,
    codestream: &[u8],
    frame: &FrameFormat,
    cells: &mut Vec<u8>,
    defects: &mut DefectSet,
) -> Result<(), Refused> {
    let pixels = frame.pixels()?;
    match codec {
        Codec::Rle => rle::decode(codestream, pixels, frame.cell_bytes(), cells),
        Codec::JpegLs => jpeg_ls::decode(codestream, frame, cells),
        Codec::Jpeg2000 | Codec::HighThroughputJpeg2000 => {
            jpeg2000::decode(codec, codestream, frame, cells, defects)
        }
        Codec::Jpeg | Codec::JpegLossless => jpeg::decode(codec, codestream, frame, cells),
    }
}

fn corrupt(detail: impl Into<String>) -> Refused {
    Refused::new(Refusal::CorruptCodestream, detail)
}

fn inconsistent(detail: impl Into<String>) -> Refused {
    Refused::new(Refusal::InconsistentPixelGeometry, detail)
}
