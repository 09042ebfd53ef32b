//! A small CT file written byte by byte, so that tests need no other reader's or writer's word.

/// Tag, VR and value.
type Element = ((u16, u16), [u8; 2], Vec<u8>);

/// The top-level elements of a 4 x 6 image, in order.
fn elements() -> Vec<Element> {
    let us = |value: u16| value.to_le_bytes().to_vec();
    let text = |value: &str| value.as_bytes().to_vec();
    let cells = (0..24_u16)
        .flat_map(|i| (1000 + 10 * i).to_le_bytes())
        .collect();
    vec![
        (
            (0x0008, 0x0016),
            *b"UI",
            text("1.2.840.10008.5.1.4.1.1.2\0"),
        ),
        ((0x0008, 0x0018), *b"UI", text("2.25.1\0\0")[..6].to_vec()),
        ((0x0008, 0x0060), *b"CS", text("CT")),
        ((0x0008, 0x1140), *b"SQ", sequence()),
        ((0x0010, 0x0020), *b"LO", text("P1")),
        ((0x0020, 0x0032), *b"DS", text("-1.5\\2\\30 ")),
        ((0x0020, 0x0037), *b"DS", text("1\\0\\0\\0\\1\\0 ")),
        ((0x0028, 0x0002), *b"US", us(1)),
        ((0x0028, 0x0004), *b"CS", text("MONOCHROME2 ")),
        ((0x0028, 0x0010), *b"US", us(4)),
        ((0x0028, 0x0011), *b"US", us(6)),
        ((0x0028, 0x0030), *b"DS", text("0.5\\0.75")),
        ((0x0028, 0x0100), *b"US", us(16)),
        ((0x0028, 0x0101), *b"US", us(12)),
        ((0x0028, 0x0102), *b"US", us(11)),
        ((0x0028, 0x0103), *b"US", us(0)),
        ((0x0028, 0x1050), *b"DS", text("40")),
        ((0x0028, 0x1051), *b"DS", text("80")),
        ((0x0028, 0x1052), *b"DS", text("-1024 ")),
        ((0x0028, 0x1053), *b"DS", text("1 ")),
        ((0x7FE0, 0x0010), *b"OW", cells),
    ]
}

/// An item of undefined length with one empty element.
fn sequence() -> Vec<u8> {
    let mut bytes = vec![0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF];
    bytes.extend(element((0x0008, 0x1150), *b"UI", b""));
    bytes.extend([0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0]);
    bytes
}

/// One element in explicit VR little endian.
pub fn element(tag: (u16, u16), vr: [u8; 2], value: &[u8]) -> Vec<u8> {
    let mut bytes = [tag.0.to_le_bytes(), tag.1.to_le_bytes()].concat();
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

/// The whole file.
pub fn file() -> Vec<u8> {
    let syntax = element((0x0002, 0x0010), *b"UI", b"1.2.840.10008.1.2.1\0");
    let length = (syntax.len() as u32).to_le_bytes();
    let mut bytes = vec![0; 128];
    bytes.extend(b"DICM");
    bytes.extend(element((0x0002, 0x0000), *b"UL", &length));
    bytes.extend(syntax);
    for (tag, vr, value) in elements() {
        bytes.extend(element(tag, vr, &value));
    }
    bytes
}
