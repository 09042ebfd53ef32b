//! JPEG 2000 and High-Throughput JPEG 2000 of one component.
//!
//! The decoding is done by other crates; what a codestream says of itself is read here first, so that nothing that
//! contradicts the image's header, or that ends early, reaches them.
//!
//! # Source
//! ITU-T T.800 (ISO/IEC 15444-1) Annex A and I, ITU-T T.814 (ISO/IEC 15444-15); DICOM PS3.5 A.4.4.

mod codestream;

use codestream::{Size, check_complete, without_container};

use super::segments::FrameHeader;
use super::{Codec, FrameFormat, corrupt, inconsistent};
use crate::defect::DefectSet;
use crate::{Defect, Refusal, Refused};

/// Deeper samples would lose bits: the decoder computes in single precision.
const MAX_PRECISION: u8 = 16;

/// A frame of up to 16-bit samples, row by row, into little-endian cells.
pub(super) fn decode(
    codec: Codec,
    bytes: &[u8],
    frame: &FrameFormat,
    cells: &mut Vec<u8>,
    defects: &mut DefectSet,
) -> Result<(), Refused> {
    let codestream = without_container(bytes)?;
    if codestream.len() < bytes.len() {
        defects.add(Defect::Jp2Container);
    }
    let size = Size::read(codestream)?;
    check(&size, frame)?;
    check_complete(codestream)?;
    if frame.format.signed && !size.signed {
        defects.add(Defect::CodestreamSignDiffers);
    }
    // Both crates give samples from 0 on, whatever the codestream's sign.
    let samples = if codec == Codec::HighThroughputJpeg2000 {
        high_throughput(codestream)?
    } else {
        part_one(codestream)?
    };
    if samples.len() != frame.rows * frame.cols {
        return Err(corrupt(
            "the codestream gives another number of samples than its size",
        ));
    }
    let half = 1_i32 << (size.precision - 1);
    let stored = |sample: i32| {
        let sample = sample.clamp(0, 2 * half - 1);
        if size.signed {
            sample - half
        } else if frame.format.signed && sample >= half {
            // The bits of an unsigned codestream are two's complement in its precision.
            sample - 2 * half
        } else {
            sample
        }
    };
    cells.reserve(samples.len() * frame.cell_bytes());
    let cell = |sample: i32| sample.to_le_bytes().into_iter().take(frame.cell_bytes());
    cells.extend(samples.into_iter().flat_map(|sample| cell(stored(sample))));
    Ok(())
}

/// The samples of a codestream of JPEG 2000 Part 1.
fn part_one(codestream: &[u8]) -> Result<Vec<i32>, Refused> {
    use hayro_jpeg2000::{ComponentData, DecodeSettings, DecoderContext, Image};
    let settings = DecodeSettings {
        resolve_palette_indices: false,
        strict: true,
        target_resolution: None,
    };
    let undecodable = |error| corrupt(format!("JPEG 2000: {error}"));
    let image = Image::new(codestream, &settings).map_err(undecodable)?;
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(undecodable)?;
    let samples = decoded.components().first().map(ComponentData::samples);
    let samples = samples.unwrap_or_default().iter();
    Ok(samples
        .map(|sample| sample.round_ties_even() as i32)
        .collect())
}

/// The samples of a High-Throughput codestream.
fn high_throughput(codestream: &[u8]) -> Result<Vec<i32>, Refused> {
    use dicom_toolkit_jpeg2000::{DecodeSettings, Image};
    let settings = DecodeSettings {
        resolve_palette_indices: false,
        strict: true,
        target_resolution: None,
    };
    let undecodable = |error| corrupt(format!("High-Throughput JPEG 2000: {error}"));
    let image = Image::new(codestream, &settings).map_err(undecodable)?;
    let bitmap = image.decode_native().map_err(undecodable)?;
    Ok(if bitmap.bytes_per_sample == 1 {
        bitmap.data.iter().copied().map(i32::from).collect()
    } else {
        let (samples, _) = bitmap.data.as_chunks();
        let number = |&two: &[u8; 2]| i32::from(u16::from_le_bytes(two));
        samples.iter().map(number).collect()
    })
}

fn check(size: &Size, frame: &FrameFormat) -> Result<(), Refused> {
    frame.check(&FrameHeader {
        precision: size.precision,
        rows: size.rows,
        cols: size.cols,
        components: u8::try_from(size.components).unwrap_or(u8::MAX),
    })?;
    if size.precision > MAX_PRECISION {
        let detail = format!("JPEG 2000 with samples of {} bits", size.precision);
        return Err(Refused::new(Refusal::UnsupportedTransferSyntax, detail));
    }
    if size.signed && !frame.format.signed {
        return Err(inconsistent(
            "the codestream is signed and Pixel Representation is 0",
        ));
    }
    Ok(())
}
