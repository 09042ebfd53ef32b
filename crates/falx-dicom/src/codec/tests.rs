//! What the codecs promise to the reader.

mod reference;
mod rle;
mod samples;

use super::*;

/// A frame of 16-bit cells.
fn frame(rows: usize, cols: usize, bits_stored: u16) -> FrameFormat {
    let bits_allocated = if bits_stored <= 8 { 8 } else { 16 };
    FrameFormat {
        rows,
        cols,
        format: PixelFormat {
            bits_allocated,
            bits_stored,
            high_bit: bits_stored - 1,
            ..PixelFormat::default()
        },
    }
}

fn decode(codec: Codec, codestream: &[u8], frame: &FrameFormat) -> Result<Vec<u8>, Refusal> {
    let mut cells = Vec::new();
    let mut defects = DefectSet::default();
    decode_frame(codec, codestream, frame, &mut cells, &mut defects)
        .map(|()| cells)
        .map_err(|refused| refused.refusal)
}
