//! Small DICOM files and indexes for tests.

use std::path::{Path, PathBuf};

use falx_core::{Hu, ImageId, LabelRow, PatientId};

use crate::index::{Index, IndexRow, IndexSummary};

/// A CT file, 8 × 8 unless changed.
#[derive(Clone)]
pub(crate) struct Ct {
    pub(crate) sop: String,
    pub(crate) patient: String,
    /// Sex and age, where the file has them.
    pub(crate) person: Option<(&'static str, &'static str)>,
    pub(crate) study: String,
    pub(crate) series: String,
    pub(crate) z: f64,
    pub(crate) rows: u16,
    pub(crate) cols: u16,
    pub(crate) hu: Vec<i16>,
}

impl Ct {
    /// Slice `number` of a series; its picture is its own.
    pub(crate) fn new(patient: &str, series: u32, number: u32) -> Self {
        let hu = (0..64)
            .map(|i| (i * 7 + number as i16 * 3 + series as i16 * 11) % 900 - 100)
            .collect();
        Self {
            sop: format!("1.2.{series}.{number}"),
            patient: patient.to_owned(),
            person: None,
            study: format!("1.2.{series}"),
            series: format!("1.2.{series}.1000"),
            z: f64::from(number) * 5.0,
            rows: 8,
            cols: 8,
            hu,
        }
    }

    /// The file's bytes: explicit VR little endian.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
        let mut meta = Vec::new();
        element(&mut meta, (2, 1), *b"OB", &[0, 1]);
        text(&mut meta, (2, 2), *b"UI", CT);
        text(&mut meta, (2, 3), *b"UI", &self.sop);
        text(&mut meta, (2, 0x10), *b"UI", "1.2.840.10008.1.2.1");
        text(&mut meta, (2, 0x12), *b"UI", "1.2.3.4");
        let mut bytes = vec![0; 128];
        bytes.extend(b"DICM");
        element(
            &mut bytes,
            (2, 0),
            *b"UL",
            &(meta.len() as u32).to_le_bytes(),
        );
        bytes.extend(meta);
        let short = |bytes: &mut Vec<u8>, tag, value: u16| {
            element(bytes, tag, *b"US", &value.to_le_bytes());
        };
        text(&mut bytes, (8, 8), *b"CS", "ORIGINAL\\PRIMARY\\AXIAL");
        text(&mut bytes, (8, 0x16), *b"UI", CT);
        text(&mut bytes, (8, 0x18), *b"UI", &self.sop);
        text(&mut bytes, (8, 0x60), *b"CS", "CT");
        text(&mut bytes, (0x10, 0x20), *b"LO", &self.patient);
        if let Some((sex, age)) = self.person {
            text(&mut bytes, (0x10, 0x40), *b"CS", sex);
            text(&mut bytes, (0x10, 0x1010), *b"AS", age);
        }
        text(&mut bytes, (0x20, 0xD), *b"UI", &self.study);
        text(&mut bytes, (0x20, 0xE), *b"UI", &self.series);
        text(
            &mut bytes,
            (0x20, 0x32),
            *b"DS",
            &format!("-100\\-100\\{}", self.z),
        );
        text(&mut bytes, (0x20, 0x37), *b"DS", "1\\0\\0\\0\\1\\0");
        short(&mut bytes, (0x28, 2), 1);
        text(&mut bytes, (0x28, 4), *b"CS", "MONOCHROME2");
        short(&mut bytes, (0x28, 0x10), self.rows);
        short(&mut bytes, (0x28, 0x11), self.cols);
        text(&mut bytes, (0x28, 0x30), *b"DS", "0.5\\0.5");
        short(&mut bytes, (0x28, 0x100), 16);
        short(&mut bytes, (0x28, 0x101), 16);
        short(&mut bytes, (0x28, 0x102), 15);
        short(&mut bytes, (0x28, 0x103), 1);
        text(&mut bytes, (0x28, 0x1052), *b"DS", "0");
        text(&mut bytes, (0x28, 0x1053), *b"DS", "1");
        let pixels: Vec<u8> = self.hu.iter().flat_map(|hu| hu.to_le_bytes()).collect();
        element(&mut bytes, (0x7FE0, 0x10), *b"OW", &pixels);
        bytes
    }

    /// Writes the file.
    pub(crate) fn write(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, self.bytes()).unwrap();
        path.to_path_buf()
    }
}

fn element(bytes: &mut Vec<u8>, (group, number): (u16, u16), vr: [u8; 2], value: &[u8]) {
    bytes.extend(group.to_le_bytes());
    bytes.extend(number.to_le_bytes());
    bytes.extend(vr);
    if matches!(&vr, b"OB" | b"OW") {
        bytes.extend([0, 0]);
        bytes.extend((value.len() as u32).to_le_bytes());
    } else {
        bytes.extend((value.len() as u16).to_le_bytes());
    }
    bytes.extend(value);
}

fn text(bytes: &mut Vec<u8>, tag: (u16, u16), vr: [u8; 2], value: &str) {
    let mut padded = value.as_bytes().to_vec();
    if padded.len() % 2 == 1 {
        padded.push(if vr == *b"UI" { 0 } else { b' ' });
    }
    element(bytes, tag, vr, &padded);
}

/// A usable row without a file.
pub(crate) fn row(id: &str, patient: Option<&str>, hash: &str, bits: [u8; 6]) -> IndexRow {
    let path = PathBuf::from(format!("{id}.dcm"));
    IndexRow {
        patient: patient.map(PatientId::from),
        rows: 8,
        cols: 8,
        pixel_hash: Some(hash.to_owned()),
        hu_min: Some(Hu(-10.0)),
        hu_max: Some(Hu(90.0)),
        usable: true,
        labels: LabelRow(bits.map(|bit| Some(bit == 1))),
        ..IndexRow::unread(path, ImageId::from(id), "test".into())
    }
}

/// An index of such rows.
pub(crate) fn index(rows: Vec<IndexRow>) -> Index {
    let mut summary = IndexSummary::of(&rows);
    summary.has_labels = true;
    Index {
        rows,
        summary,
        study_labels: Vec::new(),
    }
}
