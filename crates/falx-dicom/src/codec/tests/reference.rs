//! Stored values of every compressed file of the conformance set, those included that are no CT.

use std::io::Read;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::codec::{Codec, FrameFormat, decode_frame};
use crate::cursor::Cursor;
use crate::dataset::{DataSet, Extent, PixelContent, scan};
use crate::defect::DefectSet;
use crate::header::PixelFormat;
use crate::meta;
use crate::text::integer;

#[test]
fn stored_values_are_those_of_the_reference_decoders() {
    let Some(root) = falx_fixtures::shared("conformance") else {
        return;
    };
    let text = std::fs::read(root.join("expected.json")).unwrap();
    let expected: Value = serde_json::from_slice(&text).unwrap();
    let mut compared = 0;
    for (name, want) in expected["files"].as_object().unwrap() {
        let codec = want["transfer_syntax"].as_str().and_then(Codec::of);
        let (Some(codec), Some(_)) = (codec, want.get("stored")) else {
            continue;
        };
        let file = std::fs::read(root.join(name)).unwrap();
        let Some(values) = stored_values(&file, codec) else {
            panic!("{name} is not decoded");
        };
        let lossy = &want["lossy"];
        let sha256 = want["stored"]["sha256_i32le"].as_str().unwrap();
        match lossy["reference"].as_str() {
            None => assert_eq!(digest(&values), sha256, "{name}"),
            Some(reference) => {
                let mut bytes = Vec::new();
                let packed = std::fs::File::open(root.join(reference)).unwrap();
                let mut unpacked = flate2::read::GzDecoder::new(packed);
                unpacked.read_to_end(&mut bytes).unwrap();
                let reference: Vec<i32> = bytes
                    .as_chunks()
                    .0
                    .iter()
                    .map(|&four| i32::from_le_bytes(four))
                    .collect();
                let of_stored = lossy["max_abs_stored_against_reference"].as_i64();
                // The set's CT files are given a tolerance in HU; all have a slope of at least 1.
                let tolerance = of_stored.or(lossy["max_abs_hu_against_reference"].as_i64());
                assert_eq!(values.len(), reference.len(), "{name}");
                let differences = values.iter().zip(&reference).map(|(a, b)| (a - b).abs());
                let largest = differences.max().unwrap();
                assert!(
                    i64::from(largest) <= tolerance.unwrap(),
                    "{name}: off by {largest}"
                );
            }
        }
        compared += 1;
    }
    println!("{compared} files");
    assert!(compared > 80);
}

fn digest(values: &[i32]) -> String {
    use std::fmt::Write;
    let bytes: Vec<u8> = values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        })
}

/// All frames' stored values, without any of the checks of a CT.
fn stored_values(file: &[u8], codec: Codec) -> Option<Vec<i32>> {
    let mut cursor = Cursor::new(file, file.len());
    let start = meta::start(&mut cursor).ok()?;
    let mut scanned = scan(cursor, start, Extent::Whole).ok()?;
    let set = &mut scanned.set;
    let frames = set
        .get(tags::NUMBER_OF_FRAMES)
        .and_then(|element| integer(element.value));
    let frames = usize::try_from(frames.unwrap_or(1)).ok()?;
    let number = |set: &mut DataSet<'_>, tag: Tag| set.needed_bits(tag, &[VR::US]).ok().flatten();
    let format = PixelFormat {
        bits_allocated: number(set, tags::BITS_ALLOCATED)?,
        bits_stored: number(set, tags::BITS_STORED)?,
        high_bit: number(set, tags::HIGH_BIT)?,
        signed: number(set, tags::PIXEL_REPRESENTATION)? == 1,
        ..PixelFormat::default()
    };
    let frame = FrameFormat {
        rows: usize::from(number(set, tags::ROWS)?),
        cols: usize::from(number(set, tags::COLUMNS)?),
        format,
    };
    let PixelContent::Encapsulated(Some(fragments)) = scanned.pixel_data?.content else {
        return None;
    };
    let mut cells = Vec::new();
    for range in fragments.of_frames(file, set, codec, frames).ok()? {
        let codestream: Vec<u8> = fragments.bytes(file, range).flatten().copied().collect();
        let mut defects = DefectSet::default();
        decode_frame(codec, &codestream, &frame, &mut cells, &mut defects).ok()?;
    }
    let bytes = usize::from(format.bits_allocated / 8);
    let below = format.high_bit + 1 - format.bits_stored;
    let unused = 32 - u32::from(format.bits_stored);
    let value = |cell: &[u8]| {
        let cell = cell
            .iter()
            .rev()
            .fold(0_u32, |sum, &byte| (sum << 8) | u32::from(byte));
        let field = (cell >> below) << unused;
        if format.signed {
            field.cast_signed() >> unused
        } else {
            (field >> unused).cast_signed()
        }
    };
    Some(cells.chunks(bytes).map(value).collect())
}
