use std::path::Path;

use falx_core::Label;
use falx_dicom::SliceHeader;

use super::{Mask, MaskError, MaskKind, MaskReader, PlaceInSeries};

fn header(rows: usize, cols: usize) -> SliceHeader {
    SliceHeader {
        rows,
        cols,
        ..SliceHeader::default()
    }
}

/// A volume of bytes of 3 × 2 × 2 voxels in DICOM's axes, half a millimetre large and 5 mm apart.
fn volume(folder: &Path, name: &str, description: &str, voxels: [u8; 12]) {
    let mut bytes = vec![0_u8; 352];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, &348_i32.to_le_bytes());
    for (at, dim) in [3_i16, 3, 2, 2, 1, 1, 1, 1].into_iter().enumerate() {
        put(40 + 2 * at, &dim.to_le_bytes());
    }
    put(70, &2_i16.to_le_bytes());
    put(72, &8_i16.to_le_bytes());
    for (at, size) in [1.0_f32, 0.5, 0.5, 5.0].into_iter().enumerate() {
        put(76 + 4 * at, &size.to_le_bytes());
    }
    put(108, &352.0_f32.to_le_bytes());
    put(112, &1.0_f32.to_le_bytes());
    put(148, description.as_bytes());
    put(254, &1_i16.to_le_bytes());
    let affine = [
        [-0.5_f32, 0.0, 0.0, 10.0],
        [0.0, -0.5, 0.0, 20.0],
        [0.0, 0.0, 5.0, 30.0],
    ];
    for (row, values) in affine.into_iter().enumerate() {
        for (at, value) in values.into_iter().enumerate() {
            put(280 + 16 * row + 4 * at, &value.to_le_bytes());
        }
    }
    put(344, b"n+1\0");
    bytes.extend(voxels);
    std::fs::write(folder.join(name), bytes).unwrap();
}

fn marked(mask: &Mask, label: Label) -> Vec<usize> {
    let pixels = mask.of(label).unwrap().into_iter().enumerate();
    pixels.filter(|(_, is)| *is).map(|(at, _)| at).collect()
}

#[test]
fn bits_are_subtypes_and_any_is_their_union() {
    let folder = tempfile::tempdir().unwrap();
    let mut voxels = [0; 12];
    voxels[6] = 0b00001;
    voxels[8] = 0b10010;
    volume(folder.path(), "s.nii", "bit k: subtype k in order", voxels);
    let mut reader = MaskReader::new();
    let path = folder.path().join("s.nii#2");
    let mask = reader.read(&path, &header(2, 3)).unwrap();
    assert_eq!((mask.kind(), mask.size()), (MaskKind::Subtypes, [2, 3]));
    assert_eq!(marked(&mask, Label::Epidural), [0]);
    assert_eq!(marked(&mask, Label::Intraparenchymal), [2]);
    assert_eq!(marked(&mask, Label::Subdural), [2]);
    assert_eq!(marked(&mask, Label::Any), [0, 2]);
    let misfit = reader.read(&path, &header(3, 2)).unwrap_err();
    assert!(matches!(misfit, MaskError::Size { .. }), "{misfit}");
}

#[test]
fn other_volumes_and_pictures_say_any_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut voxels = [0; 12];
    voxels[1] = 255;
    volume(folder.path(), "s.nii", "made elsewhere", voxels);
    let mut reader = MaskReader::new();
    let mask = reader
        .read(&folder.path().join("s.nii#1"), &header(2, 3))
        .unwrap();
    assert_eq!(mask.of(Label::Subdural), None);
    assert_eq!(marked(&mask, Label::Any), [1]);
    let path = folder.path().join("12_HGE_Seg.png");
    let levels: image::GrayImage = image::ImageBuffer::from_raw(2, 1, vec![90, 200]).unwrap();
    levels.save(&path).unwrap();
    let mask = reader.read(&path, &header(1, 2)).unwrap();
    assert_eq!(
        (mask.kind(), marked(&mask, Label::Any)),
        (MaskKind::Any, vec![1])
    );
    std::fs::write(&path, b"words").unwrap();
    assert!(matches!(
        reader.read(&path, &header(1, 2)).unwrap_err(),
        MaskError::Read { .. }
    ));
}

#[test]
fn a_series_volume_is_matched_by_order_or_by_position() {
    let folder = tempfile::tempdir().unwrap();
    let mut voxels = [0; 12];
    voxels[0] = 1;
    voxels[7] = 1;
    volume(folder.path(), "2.25.7.nii", "bit k: subtype k", voxels);
    let mut reader = MaskReader::new();
    let at = |z: f64| SliceHeader {
        image_position: Some([-10.0, -20.0, z]),
        ..header(2, 3)
    };
    let mut found = |place, header: &SliceHeader| {
        let mask = reader
            .beside(folder.path(), "2.25.7", place, header)
            .unwrap();
        mask.map(|mask| marked(&mask, Label::Any))
    };
    let second = Some(PlaceInSeries { order: 1, of: 2 });
    assert_eq!(found(second, &header(2, 3)), Some(vec![1]), "by order");
    // One slice of the series is missing: order says nothing.
    let alone = Some(PlaceInSeries { order: 0, of: 1 });
    assert_eq!(found(alone, &at(35.0)), Some(vec![1]), "by position");
    assert_eq!(found(alone, &at(30.2)), Some(vec![0]));
    assert_eq!(found(alone, &at(32.5)), None, "between two slices");
    assert_eq!(found(alone, &at(40.0)), None, "beyond the last");
    let missing = reader.beside(folder.path(), "2.25.8", second, &at(30.0));
    assert_eq!(missing.unwrap(), None);
    let outside = reader.beside(folder.path(), "../2.25.7", second, &at(30.0));
    assert_eq!(outside.unwrap(), None);
}
