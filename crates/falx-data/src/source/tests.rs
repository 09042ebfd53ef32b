use std::io::Write;
use std::path::{Path, PathBuf};

use falx_core::{Hu, Window};
use falx_dicom::DicomError;

use super::archive::each_entry;
use super::volume::Volume;
use super::{Fault, Place, SliceReader, SourceFault, picture};
use crate::location::{ArchiveKind, Location};
use crate::synthetic::Ct;

fn window(center: f32, width: f32) -> Window {
    Window::new(center, width).unwrap()
}

fn png(bits: u8, values: &[u16], cols: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let rows = values.len() as u32 / cols;
    let image = if bits == 16 {
        image::DynamicImage::ImageLuma16(
            image::ImageBuffer::from_raw(cols, rows, values.to_vec()).unwrap(),
        )
    } else {
        let values = values.iter().map(|&v| v as u8).collect();
        image::DynamicImage::ImageLuma8(image::ImageBuffer::from_raw(cols, rows, values).unwrap())
    };
    image.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn grey_levels_become_hounsfield_units_of_their_window() {
    let slice = picture::decode(
        &png(8, &[0, 51, 255, 102, 0, 0], 3),
        Some(window(40.0, 120.0)),
    )
    .unwrap();
    assert_eq!((slice.header.rows, slice.header.cols), (2, 3));
    let expected = [-20.0, 4.0, 100.0, 28.0, -20.0, -20.0].map(Hu);
    for (have, want) in slice.hu.iter().zip(expected) {
        assert!((have.0 - want.0).abs() < 1e-4, "{have:?} {want:?}");
    }
    let deep = picture::decode(&png(16, &[0, 65535], 2), Some(window(40.0, 80.0))).unwrap();
    assert_eq!(deep.hu, [Hu(0.0), Hu(80.0)]);
}

#[test]
fn pictures_that_say_nothing_are_refused() {
    let fault = |bytes: &[u8], window| picture::decode(bytes, window).unwrap_err().fault;
    assert_eq!(
        fault(&png(8, &[0], 1), None),
        SourceFault::PictureWithoutWindow
    );
    let whole = png(8, &[7; 64], 8);
    for cut in 0..whole.len() - 12 {
        assert_eq!(
            fault(&whole[..cut], Some(window(40.0, 80.0))),
            SourceFault::DamagedPicture
        );
    }
    assert_eq!(
        fault(b"words", Some(window(40.0, 80.0))),
        SourceFault::DamagedPicture
    );
}

#[test]
fn sixteen_bits_of_another_scale_are_refused() {
    let usual = Some(window(40.0, 80.0));
    // A scanner's twelve bits; Hounsfield units with 32,768 added; one value.
    for raw in [&[0, 1064, 4095], &[31744, 32808, 35839], &[16384; 3]] {
        let refused = picture::decode(&png(16, raw, 3), usual).unwrap_err();
        assert_eq!(refused.fault, SourceFault::RawPicture, "{raw:?}");
    }
    assert!(picture::decode(&png(16, &[0, 16384], 2), usual).is_ok());
}

/// `NIfTI`'s usual axes: to the right, to the front, to the head; both in-plane axes must turn.
const USUAL_GRID: [[f32; 4]; 3] = [
    [0.5, 0.0, 0.0, -10.0],
    [0.0, 0.5, 0.0, -20.0],
    [0.0, 0.0, 5.0, 30.0],
];

/// A `NIfTI` file of 3 × 2 × 2 voxels with the value 100 z + 10 y + x, written field by field.
pub(crate) fn nifti(folder: &Path, sform: [[f32; 4]; 3], slope: f32) -> PathBuf {
    let mut header = vec![0_u8; 352];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &348_i32.to_le_bytes());
    for (at, dim) in [3_i16, 3, 2, 2, 1, 1, 1, 1].into_iter().enumerate() {
        put(40 + 2 * at, &dim.to_le_bytes());
    }
    put(70, &4_i16.to_le_bytes()); // 16-bit integers
    put(72, &16_i16.to_le_bytes());
    for (at, size) in [1.0_f32, 0.5, 0.5, 5.0].into_iter().enumerate() {
        put(76 + 4 * at, &size.to_le_bytes());
    }
    put(108, &352.0_f32.to_le_bytes());
    put(112, &slope.to_le_bytes());
    put(116, &(-5.0_f32).to_le_bytes());
    put(254, &1_i16.to_le_bytes());
    for (row, values) in sform.into_iter().enumerate() {
        for (at, value) in values.into_iter().enumerate() {
            put(280 + 16 * row + 4 * at, &value.to_le_bytes());
        }
    }
    put(344, b"n+1\0");
    for z in 0..2_i16 {
        for y in 0..2 {
            for x in 0..3 {
                header.extend((100 * z + 10 * y + x).to_le_bytes());
            }
        }
    }
    let path = folder.join("049.nii");
    std::fs::write(&path, header).unwrap();
    path
}

#[test]
fn a_volume_is_turned_as_dicom_shows_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = nifti(folder.path(), USUAL_GRID, 2.0);
    let volume = Volume::read(&path).unwrap();
    assert_eq!(volume.len(), 2);
    let slice = volume.slice(2).unwrap();
    let expected = [112.0, 111.0, 110.0, 102.0, 101.0, 100.0].map(|v| Hu(2.0 * v - 5.0));
    assert_eq!(slice.hu, expected);
    let header = &slice.header;
    assert_eq!((header.rows, header.cols), (2, 3));
    assert_eq!(
        header.image_orientation,
        Some([1.0, 0.0, 0.0, 0.0, 1.0, 0.0])
    );
    // The first pixel is the voxel furthest right and to the front: x = −10 + 2 · ½ in NIfTI's axes.
    assert_eq!(header.image_position, Some([9.0, 19.5, 35.0]));
    assert_eq!(header.pixel_spacing, Some([0.5, 0.5]));
    let mut reader = SliceReader::new();
    let place = Location::VolumeSlice {
        volume: path,
        number: 2,
    };
    let path = place.to_path();
    let place = Place {
        path: &path,
        window: None,
    };
    assert_eq!(reader.read(place).unwrap(), slice);
    assert!(volume.slice(0).is_err() && volume.slice(3).is_err());
}

#[test]
fn volumes_that_are_no_axial_stacks_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let sagittal = [
        [0.0, 0.0, 5.0, 0.0],
        [0.5, 0.0, 0.0, 0.0],
        [0.0, 0.5, 0.0, 0.0],
    ];
    let fault = |path: &Path| Volume::read(path).err().map(|fault| fault.fault);
    let path = nifti(folder.path(), sagittal, 1.0);
    assert_eq!(fault(&path), Some(SourceFault::UnsupportedVolume));
    let whole = std::fs::read(&path).unwrap();
    for cut in 0..whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        assert!(fault(&path).is_some());
    }
}

#[test]
fn a_volume_with_any_byte_wrong_is_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = nifti(folder.path(), USUAL_GRID, 2.0);
    let whole = std::fs::read(&path).unwrap();
    let mut refused = 0;
    for at in 0..352 {
        for flip in [0x01, 0x40, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= flip;
            std::fs::write(&path, &bytes).unwrap();
            // Neither a panic nor a slice that is not what it says.
            match Volume::read(&path) {
                Ok(volume) => {
                    for number in 1..=volume.len() {
                        if let Ok(slice) = volume.slice(number) {
                            assert_eq!(slice.hu.len(), slice.header.rows * slice.header.cols);
                        }
                    }
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 50, "{refused}");
}

fn zip(path: &Path, entries: &[(&str, &[u8])]) {
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    for (name, bytes) in entries {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

fn tar(out: impl Write, entries: &[(&str, &[u8])]) {
    let mut tar = tar::Builder::new(out);
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        // Written by hand, since the writer too refuses names that lead outside.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        tar.append(&header, *bytes).unwrap();
    }
    tar.finish().unwrap();
}

#[test]
fn entries_are_read_from_every_kind_of_archive_and_names_that_climb_out_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dicom = Ct::new("p", 1, 3).bytes();
    let entries: &[(&str, &[u8])] = &[
        ("a/b.dcm", &dicom),
        ("../evil.dcm", &dicom),
        ("/etc/evil.dcm", &dicom),
        ("a/notes.txt", b"words"),
    ];
    let at = |name: &str| folder.path().join(name);
    zip(&at("x.zip"), entries);
    tar(std::fs::File::create(at("x.tar")).unwrap(), entries);
    let gz = flate2::write::GzEncoder::new(
        std::fs::File::create(at("x.tar.gz")).unwrap(),
        flate2::Compression::fast(),
    );
    tar(gz, entries);
    for name in ["x.zip", "x.tar", "x.tar.gz"] {
        let path = at(name);
        let mut seen = Vec::new();
        let kind = ArchiveKind::of(&path).unwrap();
        each_entry(&path, kind, |entry, bytes| {
            let outcome = bytes.map(<[u8]>::len).map_err(|fault| fault.fault);
            seen.push((entry.to_owned(), outcome));
            true
        })
        .unwrap();
        let unsafe_path = Err(SourceFault::UnsafeArchivePath);
        assert_eq!(
            seen,
            [
                ("a/b.dcm".to_owned(), Ok(dicom.len())),
                ("../evil.dcm".to_owned(), unsafe_path),
                ("/etc/evil.dcm".to_owned(), unsafe_path),
                ("a/notes.txt".to_owned(), Ok(5)),
            ],
            "{name}"
        );
        let mut reader = SliceReader::new();
        let read = |reader: &mut SliceReader, entry: &str| {
            let path = Location::Entry {
                archive: path.clone(),
                entry: entry.to_owned(),
            }
            .to_path();
            reader.read(Place {
                path: &path,
                window: None,
            })
        };
        let slice = read(&mut reader, "a/b.dcm").unwrap();
        assert_eq!(slice.header.rows, 8);
        let whole = |entry: &str| PathBuf::from(format!("{}!/{entry}", path.display()));
        let bytes = reader.entry(&whole("a/b.dcm")).unwrap().unwrap();
        assert_eq!(bytes, dicom);
        assert!(reader.entry(&path).is_none());
        let gone = reader.entry(&whole("a/c.dcm")).unwrap();
        assert!(matches!(gone, Err(DicomError::Io { .. })));
        assert!(matches!(
            read(&mut reader, "a/notes.txt"),
            Err(DicomError::Refused { .. })
        ));
        for gone in ["a/c.dcm", "../evil.dcm"] {
            assert!(matches!(
                read(&mut reader, gone),
                Err(DicomError::Io { .. })
            ));
        }
    }
}

#[test]
fn damaged_archives_are_faults() {
    let folder = tempfile::tempdir().unwrap();
    let dicom = Ct::new("p", 1, 3).bytes();
    let path = folder.path().join("x.zip");
    zip(&path, &[("a.dcm", &dicom), ("b.dcm", &dicom)]);
    let whole = std::fs::read(&path).unwrap();
    for cut in (0..whole.len()).step_by(11) {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let read = each_entry(&path, ArchiveKind::Zip, |_, _| true);
        assert!(
            matches!(
                read,
                Err(Fault {
                    fault: SourceFault::DamagedArchive,
                    ..
                })
            ),
            "cut at {cut}"
        );
    }
}

#[test]
fn every_fault_has_a_name_of_its_own() {
    let names: std::collections::BTreeSet<_> =
        SourceFault::ALL.iter().map(|fault| fault.name()).collect();
    assert_eq!(names.len(), SourceFault::ALL.len());
    for fault in SourceFault::ALL {
        assert!(fault.describe().ends_with('.') && !fault.remedy().is_empty());
        assert!(
            falx_dicom::Refusal::ALL
                .iter()
                .all(|refusal| refusal.name() != fault.name())
        );
    }
}

#[test]
fn every_fault_stands_in_the_document() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/data.md");
    let text = std::fs::read_to_string(path).unwrap();
    for fault in SourceFault::ALL {
        let line = format!("| `{}` | {} |", fault.name(), fault.describe());
        assert!(text.contains(&line), "docs/data.md lacks {line}");
    }
    assert!(text.contains(super::WINDOWED_PICTURE));
}
