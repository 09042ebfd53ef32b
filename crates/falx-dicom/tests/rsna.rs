//! The real RSNA slices at hand: all are read, and none needs a guess.

use falx_dicom::{CtSlice, Defect, Reader, read_header};

#[test]
fn every_real_slice_is_read_without_refusal() {
    let Some(folder) = falx_fixtures::shared("data/rsna-dicom") else {
        return;
    };
    let mut files = falx_fixtures::files_under(&folder);
    files.retain(|path| path.extension().is_some_and(|extension| extension == "dcm"));
    assert_eq!(files.len(), 220);
    let (mut clamped, mut without_length) = (0, 0);
    let mut reader = Reader::new();
    let mut again = CtSlice::default();
    for path in files {
        let slice = reader
            .read_slice(&path)
            .unwrap_or_else(|error| panic!("{error}"));
        let header = &slice.header;
        assert_eq!((header.rows, header.cols), (512, 512));
        assert_eq!(slice.hu.len(), 512 * 512);
        assert!(header.position_mm().is_some() && header.pixel_spacing.is_some());
        assert!(header.patient_id.is_some() && header.series_instance_uid.is_some());
        assert!(!header.windows.is_empty());
        let (low, high) = slice.hu_min_max();
        assert!(low.0 >= -2000.0 && high.0 <= 31743.0);
        // What the archive is known for: undeclared padding, and meta groups without their length.
        for defect in &slice.defects {
            match defect {
                Defect::PaddingClamped => clamped += 1,
                Defect::MetaGroupLengthWrong => without_length += 1,
                other => panic!("{}: {other}", path.display()),
            }
        }
        assert_eq!(
            slice.padding.is_some(),
            slice.defects.contains(&Defect::PaddingClamped)
        );
        assert_eq!(read_header(&path).unwrap(), slice.header);
        reader.read_slice_into(&path, &mut again).unwrap();
        assert_eq!(again, slice);
    }
    assert_eq!((clamped, without_length), (93, 80));
}
