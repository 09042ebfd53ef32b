//! Everything that maps values, round one fixed image: rescale, windows, VOI and modality LUTs, padding, overlays.
//!
//! The input is a run of records: a byte that chooses the attribute, a byte for its VR, a length, the value. The
//! records are laid down in the order of their tags, so that most inputs reach the mapping.
#![no_main]

use std::collections::BTreeMap;

use falx_fuzz::{COLS, Cells, ROWS, check, element, image};

const ATTRIBUTES: [(u16, u16, [u8; 2]); 20] = [
    (0x0028, 0x0106, *b"US"),
    (0x0028, 0x0107, *b"US"),
    (0x0028, 0x0120, *b"US"),
    (0x0028, 0x0121, *b"US"),
    (0x0028, 0x1050, *b"DS"),
    (0x0028, 0x1051, *b"DS"),
    (0x0028, 0x1052, *b"DS"),
    (0x0028, 0x1053, *b"DS"),
    (0x0028, 0x1054, *b"LO"),
    (0x0028, 0x1055, *b"LO"),
    (0x0028, 0x1056, *b"CS"),
    (0x0028, 0x3000, *b"SQ"),
    (0x0028, 0x3010, *b"SQ"),
    (0x6000, 0x0010, *b"US"),
    (0x6000, 0x0100, *b"US"),
    (0x6000, 0x0102, *b"US"),
    (0x6000, 0x3000, *b"OW"),
    (0x6002, 0x0100, *b"US"),
    (0x6002, 0x0102, *b"US"),
    (0x601E, 0x0102, *b"US"),
];

/// VRs that stand in for an attribute's own.
const VRS: [[u8; 2]; 6] = [*b"US", *b"SS", *b"UN", *b"OW", *b"DS", *b"LO"];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&flags, mut records)) = bytes.split_first() else {
        return;
    };
    let mut elements = BTreeMap::from([
        ((0x0028, 0x1052), element(0x0028, 0x1052, *b"DS", b"-1024 ")),
        ((0x0028, 0x1053), element(0x0028, 0x1053, *b"DS", b"1 ")),
    ]);
    while let &[attribute, vr, length, ref rest @ ..] = records {
        let (value, rest) = rest.split_at(usize::from(length).min(rest.len()));
        let (group, number, own) = ATTRIBUTES[usize::from(attribute) % ATTRIBUTES.len()];
        // Most records keep the attribute's own VR.
        let vr = VRS.get(usize::from(vr).wrapping_sub(250)).copied().unwrap_or(own);
        let element = if own == *b"SQ" && vr == *b"SQ" && attribute >= 128 {
            element(group, number, vr, &lut_item(value))
        } else {
            element(group, number, vr, value)
        };
        elements.insert((group, number), element);
        records = rest;
    }
    let cells = Cells {
        allocated: 16,
        stored: [12, 16, 13, 9][usize::from(flags) % 4],
        representation: u16::from(flags >> 2 & 1),
    };
    // Values over the whole field, and with bit 3 over the bits above it too.
    let most = if flags & 8 == 0 { (1_u32 << cells.stored) - 1 } else { 0xFFFF };
    let stored: Vec<u8> = (0..u32::from(ROWS) * u32::from(COLS))
        .flat_map(|at| ((at * 349) as u16 & most as u16).to_le_bytes())
        .collect();
    let rest: Vec<u8> = elements.into_values().flatten().collect();
    let rest = [rest, element(0x7FE0, 0x0010, *b"OW", &stored)].concat();
    check(&image("1.2.840.10008.1.2.1", cells, &rest));
});

/// An item with a LUT: its descriptor from the first six bytes, its data from the others.
fn lut_item(value: &[u8]) -> Vec<u8> {
    let (descriptor, data) = value.split_at(value.len().min(6));
    let content = [
        element(0x0028, 0x3002, *b"US", descriptor),
        element(0x0028, 0x3006, *b"OW", data),
    ]
    .concat();
    let mut item = vec![0xFE, 0xFF, 0x00, 0xE0];
    item.extend((content.len() as u32).to_le_bytes());
    item.extend(content);
    item
}
