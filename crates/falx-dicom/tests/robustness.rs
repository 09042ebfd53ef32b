//! Whatever the bytes, the reader answers: no panic, no more memory than the bytes are worth.

mod support;

use std::alloc::System;

use cap::Cap;
use falx_dicom::{CtSlice, Decoded, Refusal, Refused, read_bytes, read_header};
use proptest::prelude::*;
use support::{BIG_ENDIAN, DEFLATED, EXPLICIT, RLE, Value};

/// All tests of this file together stay below this, or they abort.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, 64 << 20);

fn check(bytes: &[u8]) -> Result<Decoded, Refused> {
    let result = read_bytes(bytes);
    if let Ok(decoded) = &result {
        assert!(!decoded.slices.is_empty());
        for slice in &decoded.slices {
            assert_eq!(slice.hu.len(), slice.header.rows * slice.header.cols);
            assert!(slice.hu.iter().all(|hu| hu.0.is_finite()));
            let fits = |mask: &Vec<bool>| mask.len() == slice.hu.len();
            assert!(slice.padding.as_ref().is_none_or(fits));
        }
    }
    result
}

fn check_slice(bytes: &[u8]) -> Result<CtSlice, Refused> {
    check(bytes).map(|decoded| decoded.into_slice().expect("one frame"))
}

/// The small files that mutations start from: every structure that the reader knows.
fn files() -> [Vec<u8>; 5] {
    let (image, enhanced) = (support::image(), support::enhanced());
    let fragments = vec![vec![], support::rle(&support::stored())];
    let compressed = image
        .clone()
        .with((0x7FE0, 0x0010), Value::Fragments(fragments));
    [
        image.file(EXPLICIT),
        image.file(BIG_ENDIAN),
        image.file(DEFLATED),
        enhanced.file(EXPLICIT),
        compressed.file(RLE),
    ]
}

/// One of the files with bytes changed at random places.
fn mutated(file: prop::sample::Index, changes: &[(prop::sample::Index, u8)]) -> Vec<u8> {
    let mut bytes = file.get(&files()).clone();
    for (at, byte) in changes {
        *at.get_mut(&mut bytes) = *byte;
    }
    bytes
}

#[test]
fn the_small_file_is_read() {
    let slice = check_slice(&support::image().file(EXPLICIT)).unwrap();
    assert_eq!((slice.header.rows, slice.header.cols), (4, 6));
    assert_eq!(slice.hu[0].0, -24.0);
    assert_eq!(slice.hu[23].0, 206.0);
    assert_eq!(slice.header.pixel_spacing, Some([0.5, 0.75]));
    assert_eq!(slice.header.position_mm().unwrap().0, 30.0);
    assert_eq!(slice.header.windows.len(), 1);
    assert_eq!((slice.padding, slice.defects), (None, vec![]));
}

#[test]
fn every_truncation_is_refused_for_a_reason_that_fits() {
    let file = support::image().file(EXPLICIT);
    for length in 0..file.len() {
        let refusal = check(&file[..length]).unwrap_err().refusal;
        let fits = match refusal {
            Refusal::NotDicom => length < 132,
            // At an element's border the file ends cleanly, with something missing.
            Refusal::MissingAttribute | Refusal::NoPixelData => length >= 132,
            Refusal::Truncated => true,
            _ => false,
        };
        assert!(fits, "{length} bytes: {refusal}");
    }
}

#[test]
fn a_declared_size_is_never_allocated_before_it_is_there() {
    // Rows and Columns 65535: 17 GB of pixels, if one believed them.
    let mut bytes = support::image().file(EXPLICIT);
    for tag in [[0x28, 0, 0x10, 0], [0x28, 0, 0x11, 0]] {
        let at = bytes.windows(4).position(|window| window == tag).unwrap();
        bytes[at + 8..at + 10].copy_from_slice(&[0xFF, 0xFF]);
    }
    assert_eq!(check(&bytes).unwrap_err().refusal, Refusal::TooLarge);
}

#[test]
fn a_message_names_the_attribute_and_never_the_patient() {
    let mut bytes = support::image().file(EXPLICIT);
    let at = bytes.windows(2).position(|window| window == b"P1").unwrap();
    bytes.truncate(at + 2);
    let refused = check(&bytes).unwrap_err();
    assert!(!refused.to_string().contains("P1"));
    let rows = support::element((0x0028, 0x0010), &support::us(4), false);
    let mut bytes = support::image().file(EXPLICIT);
    let at = bytes
        .windows(rows.len())
        .position(|window| window == rows)
        .unwrap();
    bytes.drain(at..at + rows.len());
    let message = check(&bytes).unwrap_err().to_string();
    assert!(message.contains("Rows"), "{message}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_mutated_file_never_panics(
        file in any::<prop::sample::Index>(),
        changes in proptest::collection::vec(any::<(prop::sample::Index, u8)>(), 1..12),
    ) {
        let _ = check(&mutated(file, &changes));
    }

    #[test]
    fn a_mutated_and_cut_file_never_panics(
        file in any::<prop::sample::Index>(),
        changes in proptest::collection::vec(any::<(prop::sample::Index, u8)>(), 0..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let bytes = mutated(file, &changes);
        let _ = check(&bytes[..cut.index(bytes.len())]);
    }

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000), with_mark in any::<bool>()) {
        let mut bytes = bytes;
        if with_mark && bytes.len() > 132 {
            bytes[128..132].copy_from_slice(b"DICM");
        }
        prop_assert!(check(&bytes).is_err());
    }

    #[test]
    fn a_header_is_read_alike_however_much_of_the_file_comes_first(padding in 0..40_000_usize) {
        // A large private element pushes the geometry beyond what is read at first.
        let mut bytes = support::image().file(EXPLICIT);
        let at = bytes.windows(4).position(|window| window == [0x10, 0, 0x20, 0]).unwrap();
        let private = support::element((0x0009, 0x1001), &Value::Bytes("OB", vec![0; padding & !1]), false);
        bytes.splice(at..at, private);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("slice.dcm");
        std::fs::write(&path, &bytes).unwrap();
        prop_assert_eq!(read_header(&path).unwrap(), check_slice(&bytes).unwrap().header);
    }
}
