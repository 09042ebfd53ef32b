//! What the fuzz targets share: small DICOM files built round the fuzzed part, and what must hold of every answer.

use falx_dicom::{Decoded, read_bytes};

/// Rows of every image built here: those of the sample codestreams.
pub const ROWS: u16 = 23;
/// Columns of every image built here.
pub const COLS: u16 = 17;

/// Transfer syntaxes that need no codec: implicit, explicit and big endian, deflated.
pub const NATIVE: [&str; 4] = [
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.1.99",
];

/// JPEG baseline, extended, lossless (two), JPEG-LS (two), JPEG 2000 (two), HTJ2K (three).
pub const JPEG: [&str; 11] = [
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.4.202",
    "1.2.840.10008.1.2.4.203",
];

/// Reads `bytes` and holds what the reader gives against its own word.
///
/// # Panics
/// Where the reader breaks its word: that is the finding.
pub fn check(bytes: &[u8]) {
    match read_bytes(bytes) {
        Ok(decoded) => check_decoded(&decoded),
        Err(refused) => assert!(!refused.detail.is_empty(), "a refusal says what was found"),
    }
}

fn check_decoded(decoded: &Decoded) {
    assert!(!decoded.slices.is_empty(), "no slice");
    for slice in &decoded.slices {
        let pixels = slice.header.rows * slice.header.cols;
        assert_eq!(slice.hu.len(), pixels, "HU");
        assert!(slice.hu.iter().all(|hu| hu.0.is_finite()), "HU not finite");
        if let Some(mask) = &slice.padding {
            assert_eq!(mask.len(), pixels, "mask");
            assert!(mask.contains(&true), "a mask without padding");
            let mut filled = mask.iter().zip(&slice.hu).filter(|(is_padding, _)| **is_padding);
            assert!(filled.all(|(_, hu)| hu.0 == -1024.0), "padding not filled");
        }
        assert!(slice.defects.is_sorted(), "defects out of order");
        for hu in [-1024.0, 0.0, 40.5, 3071.0] {
            for window in &slice.header.voi {
                assert!((0.0..=255.0).contains(&window.output(hu)), "window out of range");
            }
            for lut in &slice.header.voi_luts {
                assert!((0.0..=255.0).contains(&lut.output(hu)), "LUT out of range");
            }
        }
    }
}

/// One element in explicit VR little endian; its tag as group and element.
pub fn element(group: u16, number: u16, vr: [u8; 2], value: &[u8]) -> Vec<u8> {
    let mut bytes = [group.to_le_bytes(), number.to_le_bytes()].concat();
    bytes.extend(vr);
    if matches!(&vr, b"OB" | b"OW" | b"SQ" | b"UN") {
        bytes.extend([0, 0]);
        bytes.extend((value.len() as u32).to_le_bytes());
    } else {
        bytes.extend((value.len() as u16).to_le_bytes());
    }
    bytes.extend(value);
    bytes
}

/// Preamble and file meta group of a transfer syntax.
pub fn meta(transfer_syntax: &str) -> Vec<u8> {
    let mut uid = transfer_syntax.as_bytes().to_vec();
    uid.resize(uid.len().next_multiple_of(2), 0);
    let syntax = element(0x0002, 0x0010, *b"UI", &uid);
    let mut bytes = vec![0; 128];
    bytes.extend(b"DICM");
    bytes.extend(element(0x0002, 0x0000, *b"UL", &(syntax.len() as u32).to_le_bytes()));
    bytes.extend(syntax);
    bytes
}

/// The cells of an image.
#[derive(Clone, Copy, Debug)]
pub struct Cells {
    /// Bits Allocated.
    pub allocated: u16,
    /// Bits Stored; High Bit is one below.
    pub stored: u16,
    /// Pixel Representation.
    pub representation: u16,
}

/// A CT image whose groups 0028 from 0106 on, and whatever follows, are `rest`.
pub fn image(transfer_syntax: &str, cells: Cells, rest: &[u8]) -> Vec<u8> {
    let us = |number, value: u16| element(0x0028, number, *b"US", &value.to_le_bytes());
    let mut bytes = meta(transfer_syntax);
    bytes.extend(element(0x0008, 0x0016, *b"UI", b"1.2.840.10008.5.1.4.1.1.2\0"));
    bytes.extend(element(0x0008, 0x0060, *b"CS", b"CT"));
    bytes.extend(us(0x0002, 1));
    bytes.extend(element(0x0028, 0x0004, *b"CS", b"MONOCHROME2 "));
    bytes.extend(us(0x0010, ROWS));
    bytes.extend(us(0x0011, COLS));
    bytes.extend(us(0x0100, cells.allocated));
    bytes.extend(us(0x0101, cells.stored));
    bytes.extend(us(0x0102, cells.stored.wrapping_sub(1)));
    bytes.extend(us(0x0103, cells.representation));
    bytes.extend(rest);
    bytes
}

/// Rescale Intercept -1024 and Rescale Slope 1.
pub fn rescale() -> Vec<u8> {
    let mut bytes = element(0x0028, 0x1052, *b"DS", b"-1024 ");
    bytes.extend(element(0x0028, 0x1053, *b"DS", b"1 "));
    bytes
}

/// Encapsulated Pixel Data of one frame: an empty offset table, then `codestream` in one fragment, or in two that
/// part after `first` bytes.
pub fn encapsulated(codestream: &[u8], first: usize) -> Vec<u8> {
    let item = |value: &[u8]| {
        let padded = value.len().next_multiple_of(2);
        let mut bytes = vec![0xFE, 0xFF, 0x00, 0xE0];
        bytes.extend((padded as u32).to_le_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len() + padded - value.len(), 0);
        bytes
    };
    let mut bytes = vec![0xE0, 0x7F, 0x10, 0x00, b'O', b'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF];
    bytes.extend(item(&[]));
    match codestream.split_at_checked(first & !1) {
        Some((one, two)) if !one.is_empty() && !two.is_empty() => {
            bytes.extend(item(one));
            bytes.extend(item(two));
        }
        _ => bytes.extend(item(codestream)),
    }
    bytes.extend([0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]);
    bytes
}
