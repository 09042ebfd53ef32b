use proptest::prelude::*;

use super::{Codec, FrameFormat, decode, frame};
use crate::Refusal;

/// A frame of the given segments.
fn assemble(segments: &[Vec<u8>]) -> Vec<u8> {
    let mut offset = 64;
    let mut words = vec![segments.len() as u32];
    for segment in segments {
        words.push(offset);
        offset += segment.len() as u32;
    }
    words.resize(16, 0);
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.extend(segments.concat());
    bytes
}

/// Runs where a byte repeats, literals elsewhere; padded to an even length as G.3.1 wants it.
fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut rest = bytes;
    while let Some(&first) = rest.first() {
        let run = rest.iter().take_while(|&&b| b == first).take(128).count();
        if run > 1 {
            packed.extend([(257 - run) as u8, first]);
            rest = &rest[run..];
        } else {
            let literal = rest.windows(2).take_while(|pair| pair[0] != pair[1]);
            let count = (literal.count() + usize::from(rest.len() == 1)).clamp(1, 128);
            packed.push(count as u8 - 1);
            packed.extend(&rest[..count]);
            rest = &rest[count..];
        }
    }
    if packed.len() % 2 == 1 {
        packed.push(0);
    }
    packed
}

fn encode(cells: &[u8], cell_bytes: usize) -> Vec<u8> {
    let plane = |byte| -> Vec<u8> { cells[byte..].iter().step_by(cell_bytes).copied().collect() };
    let segments = (0..cell_bytes).rev().map(|byte| pack(&plane(byte)));
    assemble(&segments.collect::<Vec<_>>())
}

fn read(codestream: &[u8], frame: &FrameFormat) -> Result<Vec<u8>, Refusal> {
    decode(Codec::Rle, codestream, frame)
}

#[test]
fn the_high_bytes_come_first() {
    // Four cells: 0x0102 three times, then 0x0304.
    let high = vec![0xFE, 0x01, 0x00, 0x03];
    let low = vec![0xFE, 0x02, 0x00, 0x04];
    let cells = read(&assemble(&[high, low]), &frame(2, 2, 16)).unwrap();
    assert_eq!(cells, [2, 1, 2, 1, 2, 1, 4, 3]);
}

#[test]
fn a_no_operation_codes_nothing_and_the_longest_run_is_128() {
    let segment = vec![0x80, 0x81, 9, 0x80, 0x00, 8];
    let cells = read(&assemble(&[segment]), &frame(1, 129, 8)).unwrap();
    assert_eq!(cells[..128], [9; 128]);
    assert_eq!(cells[128], 8);
}

#[test]
fn what_the_header_of_segments_may_not_say() {
    let image = frame(2, 2, 16);
    let good = encode(&[1, 2, 3, 4, 5, 6, 7, 8], 2);
    assert!(read(&good, &image).is_ok());
    let with_word = |index: usize, word: u32| {
        let mut bad = good.clone();
        bad[4 * index..4 * index + 4].copy_from_slice(&word.to_le_bytes());
        read(&bad, &image).unwrap_err()
    };
    assert_eq!(with_word(0, 1), Refusal::InconsistentPixelGeometry);
    assert_eq!(with_word(0, 3), Refusal::InconsistentPixelGeometry);
    for count in [0, 16, u32::MAX] {
        assert_eq!(with_word(0, count), Refusal::CorruptCodestream);
    }
    for offset in [0, 63, 66, u32::MAX] {
        assert_eq!(with_word(1, offset), Refusal::CorruptCodestream);
    }
    for offset in [0, 63, 64, good.len() as u32 + 1, u32::MAX] {
        assert_eq!(with_word(2, offset), Refusal::CorruptCodestream);
    }
    assert_eq!(read(&good[..63], &image), Err(Refusal::CorruptCodestream));
}

#[test]
fn segments_hold_the_image_and_no_more() {
    let image = frame(1, 4, 8);
    for (segment, fine) in [
        (vec![3, 1, 2, 3, 4], true),
        (vec![3, 1, 2, 3, 4, 0], true),
        (vec![3, 1, 2, 3, 4, 0, 0x80, 0], true),
        (vec![3, 1, 2, 3, 4, 0, 1], false),
        (vec![0xFC, 1], false),
        (vec![4, 1, 2, 3, 4, 5], false),
        (vec![3, 1, 2, 3], false),
        (vec![0xFD], false),
        (vec![0x80, 0x80, 0x80, 0x80], false),
        (vec![], false),
    ] {
        let got = read(&assemble(&[segment]), &image);
        let want = if fine {
            Ok(vec![1, 2, 3, 4])
        } else {
            Err(Refusal::CorruptCodestream)
        };
        assert_eq!(got, want);
    }
}

#[test]
fn a_huge_frame_from_few_bytes_is_refused_before_it_is_allocated() {
    let few = assemble(&[vec![0x81; 100], vec![0x81; 100]]);
    let corrupt = Err(Refusal::CorruptCodestream);
    assert_eq!(read(&few, &frame(4096, 4096, 16)), corrupt);
    let too_large = Err(Refusal::TooLarge);
    assert_eq!(read(&few, &frame(4097, 4096, 16)), too_large);
    assert_eq!(read(&few, &frame(usize::MAX, 2, 16)), too_large);
}

proptest! {
    #[test]
    fn what_was_packed_is_unpacked(
        cells in prop::collection::vec(prop_oneof![Just(0_u8), Just(255), any::<u8>()], 4..600),
        wide in any::<bool>(),
    ) {
        let cells = &cells[..cells.len() / 2 * 2];
        let cell_bytes = if wide { 2 } else { 1 };
        let image = frame(1, cells.len() / cell_bytes, 8 * cell_bytes as u16);
        prop_assert_eq!(read(&encode(cells, cell_bytes), &image), Ok(cells.to_vec()));
    }

    #[test]
    fn mutated_frames_are_decoded_whole_or_refused(
        cells in prop::collection::vec(0..4_u8, 64),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = encode(&cells, 2);
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
            if let Ok(cells) = read(bytes, &frame(4, 8, 16)) {
                prop_assert_eq!(cells.len(), 64);
            }
        }
    }
}
