//! Small CT files written byte by byte, so that tests need no other reader's or writer's word.
#![allow(dead_code, reason = "every test program uses its own part of this")]

/// A tag as group and element.
pub type Tag = (u16, u16);

pub const EXPLICIT: &str = "1.2.840.10008.1.2.1";
pub const BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";
pub const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
pub const RLE: &str = "1.2.840.10008.1.2.5";

const PIXEL_DATA: Tag = (0x7FE0, 0x0010);

/// An element's value with its VR.
#[derive(Clone, Debug)]
pub enum Value {
    Text(&'static str, String),
    /// VR US.
    Us(Vec<u16>),
    /// VR SS or another of 16-bit numbers.
    Words(&'static str, Vec<u16>),
    Bytes(&'static str, Vec<u8>),
    /// Items of undefined length in a sequence of defined length.
    Items(Vec<Elements>),
    /// Encapsulated Pixel Data: the basic offset table, then the fragments.
    Fragments(Vec<Vec<u8>>),
}

pub fn text(vr: &'static str, value: &str) -> Value {
    Value::Text(vr, value.to_owned())
}

pub fn us(value: u16) -> Value {
    Value::Us(vec![value])
}

/// Elements in the order of their tags.
#[derive(Clone, Debug, Default)]
pub struct Elements(std::collections::BTreeMap<Tag, Value>);

impl Elements {
    pub fn with(mut self, tag: Tag, value: Value) -> Self {
        self.0.insert(tag, value);
        self
    }

    pub fn without(mut self, tag: Tag) -> Self {
        self.0.remove(&tag);
        self
    }

    /// The elements in explicit VR.
    pub fn bytes(&self, big_endian: bool) -> Vec<u8> {
        let elements = self.0.iter();
        elements
            .flat_map(|(&tag, value)| element(tag, value, big_endian))
            .collect()
    }

    /// The whole file.
    pub fn file(&self, transfer_syntax: &str) -> Vec<u8> {
        let data_set = self.bytes(transfer_syntax == BIG_ENDIAN);
        if transfer_syntax == DEFLATED {
            return with_meta(transfer_syntax, &deflate(&data_set));
        }
        with_meta(transfer_syntax, &data_set)
    }
}

pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Preamble, file meta group and what follows it.
pub fn with_meta(transfer_syntax: &str, rest: &[u8]) -> Vec<u8> {
    let syntax = element((0x0002, 0x0010), &text("UI", transfer_syntax), false);
    let length = (syntax.len() as u32).to_le_bytes();
    let mut bytes = vec![0; 128];
    bytes.extend(b"DICM");
    bytes.extend(element(
        (0x0002, 0x0000),
        &Value::Bytes("UL", length.to_vec()),
        false,
    ));
    bytes.extend(syntax);
    bytes.extend(rest);
    bytes
}

/// One element in explicit VR.
pub fn element(tag: Tag, value: &Value, big_endian: bool) -> Vec<u8> {
    let u16_bytes = |number: u16| {
        if big_endian {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        }
    };
    let u32_bytes = |number: u32| {
        if big_endian {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        }
    };
    let structural = |element: u16, length: u32| {
        let tag = [u16_bytes(0xFFFE), u16_bytes(element)].concat();
        [tag, u32_bytes(length).to_vec()].concat()
    };
    let words = |list: &[u16]| {
        list.iter()
            .flat_map(|&word| u16_bytes(word))
            .collect::<Vec<_>>()
    };
    let (vr, value) = match value {
        Value::Text(vr, text) => {
            let pad = if *vr == "UI" { 0 } else { b' ' };
            let mut bytes = text.as_bytes().to_vec();
            bytes.resize(bytes.len().next_multiple_of(2), pad);
            (*vr, bytes)
        }
        Value::Us(list) => ("US", words(list)),
        Value::Words(vr, list) => (*vr, words(list)),
        Value::Bytes(vr, bytes) => (*vr, bytes.clone()),
        Value::Items(items) => {
            let item = |item: &Elements| {
                [
                    structural(0xE000, u32::MAX),
                    item.bytes(big_endian),
                    structural(0xE00D, 0),
                ]
                .concat()
            };
            ("SQ", items.iter().flat_map(item).collect())
        }
        Value::Fragments(items) => {
            let item =
                |item: &Vec<u8>| [structural(0xE000, item.len() as u32), item.clone()].concat();
            let mut bytes: Vec<u8> = items.iter().flat_map(item).collect();
            bytes.extend(structural(0xE0DD, 0));
            ("OB", bytes)
        }
    };
    let is_undefined =
        tag == PIXEL_DATA && matches!(vr, "OB") && value.starts_with(&[0xFE, 0xFF, 0, 0xE0]);
    let mut bytes = [u16_bytes(tag.0), u16_bytes(tag.1)].concat();
    bytes.extend(vr.as_bytes());
    if matches!(vr, "OB" | "OW" | "OV" | "SQ" | "UN") {
        bytes.extend([0, 0]);
        bytes.extend(u32_bytes(if is_undefined {
            u32::MAX
        } else {
            value.len() as u32
        }));
    } else {
        bytes.extend(u16_bytes(value.len() as u16));
    }
    bytes.extend(value);
    bytes
}

/// The stored values of [`image`]: 4 rows of 6.
pub fn stored() -> Vec<u16> {
    (0..24).map(|i| 1000 + 10 * i).collect()
}

/// The elements of a 4 x 6 image of 12 bits whose HU are the stored values less 1024.
pub fn image() -> Elements {
    let referenced = Elements::default().with((0x0008, 0x1150), text("UI", ""));
    Elements::default()
        .with((0x0008, 0x0016), text("UI", "1.2.840.10008.5.1.4.1.1.2"))
        .with((0x0008, 0x0018), text("UI", "2.25.1"))
        .with((0x0008, 0x0060), text("CS", "CT"))
        .with((0x0008, 0x1140), Value::Items(vec![referenced]))
        .with((0x0010, 0x0020), text("LO", "P1"))
        .with((0x0020, 0x0032), text("DS", "-1.5\\2\\30"))
        .with((0x0020, 0x0037), text("DS", "1\\0\\0\\0\\1\\0"))
        .with((0x0028, 0x0002), us(1))
        .with((0x0028, 0x0004), text("CS", "MONOCHROME2"))
        .with((0x0028, 0x0010), us(4))
        .with((0x0028, 0x0011), us(6))
        .with((0x0028, 0x0030), text("DS", "0.5\\0.75"))
        .with((0x0028, 0x0100), us(16))
        .with((0x0028, 0x0101), us(12))
        .with((0x0028, 0x0102), us(11))
        .with((0x0028, 0x0103), us(0))
        .with((0x0028, 0x1050), text("DS", "40"))
        .with((0x0028, 0x1051), text("DS", "80"))
        .with((0x0028, 0x1052), text("DS", "-1024"))
        .with((0x0028, 0x1053), text("DS", "1"))
        .with(PIXEL_DATA, Value::Words("OW", stored()))
}

/// [`image`] as an enhanced CT of two frames: positions 30 and 35 mm, slopes 1 and 2, intercepts -1024 and -2048.
pub fn enhanced() -> Elements {
    let one = |tag, value| Value::Items(vec![Elements::default().with(tag, value)]);
    let frame = |z: &str, slope: &str, intercept: &str| {
        let rescale = Elements::default()
            .with((0x0028, 0x1052), text("DS", intercept))
            .with((0x0028, 0x1053), text("DS", slope))
            .with((0x0028, 0x1054), text("LO", "HU"));
        Elements::default()
            .with(
                (0x0020, 0x9113),
                one((0x0020, 0x0032), text("DS", &format!("-1.5\\2\\{z}"))),
            )
            .with((0x0028, 0x9145), Value::Items(vec![rescale]))
    };
    let measures = Elements::default()
        .with((0x0018, 0x0050), text("DS", "5"))
        .with((0x0028, 0x0030), text("DS", "0.5\\0.75"));
    let window = Elements::default()
        .with((0x0028, 0x1050), text("DS", "35"))
        .with((0x0028, 0x1051), text("DS", "70"));
    let shared = Elements::default()
        .with(
            (0x0018, 0x9329),
            one(
                (0x0008, 0x9007),
                text("CS", "ORIGINAL\\PRIMARY\\VOLUME\\NONE"),
            ),
        )
        .with(
            (0x0020, 0x9116),
            one((0x0020, 0x0037), text("DS", "1\\0\\0\\0\\1\\0")),
        )
        .with((0x0028, 0x9110), Value::Items(vec![measures]))
        .with((0x0028, 0x9132), Value::Items(vec![window]));
    let twice = [stored(), stored()].concat();
    image()
        .with((0x0008, 0x0016), text("UI", "1.2.840.10008.5.1.4.1.1.2.1"))
        .without((0x0020, 0x0032))
        .without((0x0020, 0x0037))
        .without((0x0028, 0x0030))
        .without((0x0028, 0x1050))
        .without((0x0028, 0x1051))
        .without((0x0028, 0x1052))
        .without((0x0028, 0x1053))
        .with((0x0028, 0x0008), text("IS", "2"))
        .with((0x5200, 0x9229), Value::Items(vec![shared]))
        .with(
            (0x5200, 0x9230),
            Value::Items(vec![frame("30", "1", "-1024"), frame("35", "2", "-2048")]),
        )
        .with(PIXEL_DATA, Value::Words("OW", twice))
}

/// A frame of 16-bit values as RLE (PS3.5 Annex G): two segments, high bytes first, of literal runs.
pub fn rle(values: &[u16]) -> Vec<u8> {
    let segment = |of: fn(u16) -> u8| {
        let plane: Vec<u8> = values.iter().map(|&value| of(value)).collect();
        let runs = plane.chunks(128);
        let mut bytes: Vec<u8> = runs
            .flat_map(|run| [&[run.len() as u8 - 1], run].concat())
            .collect();
        bytes.resize(bytes.len().next_multiple_of(2), 0x80);
        bytes
    };
    let (high, low) = (
        segment(|value| (value >> 8) as u8),
        segment(|value| value as u8),
    );
    let mut header = [0_u32; 16];
    header[..3].copy_from_slice(&[2, 64, 64 + high.len() as u32]);
    let mut bytes: Vec<u8> = header
        .iter()
        .flat_map(|number| number.to_le_bytes())
        .collect();
    bytes.extend(high);
    bytes.extend(low);
    bytes
}
