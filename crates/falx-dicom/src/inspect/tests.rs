use super::*;
use crate::SliceHeader;
use crate::voi::VoiFunction;

fn slice(hu: &[f32], padding: Option<Vec<bool>>) -> CtSlice {
    CtSlice {
        header: SliceHeader {
            rows: 1,
            cols: hu.len(),
            ..SliceHeader::default()
        },
        hu: hu.iter().copied().map(Hu).collect(),
        padding,
        defects: vec![],
    }
}

#[test]
fn statistics_leave_padding_out() {
    let mask = vec![true, false, false, false, false];
    let found = HuStatistics::of(&slice(&[-1024.0, 40.0, 20.0, 60.0, 0.0], Some(mask)));
    assert_eq!(found.padding_share, 0.19999999999999996);
    assert_eq!((found.min, found.max), (Some(Hu(0.0)), Some(Hu(60.0))));
    assert_eq!((found.median, found.mean), (Some(Hu(20.0)), Some(30.0)));
    let nothing = HuStatistics::of(&slice(&[-1024.0], Some(vec![true])));
    assert_eq!(
        (nothing.min, nothing.mean, nothing.padding_share),
        (None, None, 1.0)
    );
}

#[test]
fn the_hash_is_that_of_the_bytes() {
    // printf '\x00\x00\x80\x3f' | sha256sum
    let one = "e00e5eb9444182f352323374ef4e08ebcb784725fdd4fd612d7730540b3e0c8c";
    assert_eq!(sha256(&[Hu(1.0)]), one);
}

#[test]
fn a_picture_has_the_windows_greys() {
    let window = VoiWindow::new(40.0, 80.0, VoiFunction::LinearExact).unwrap();
    let bytes = png(&slice(&[-5.0, 40.0, 200.0], None), &window).unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
        .read_info()
        .unwrap();
    let mut grey = [0; 3];
    reader.next_frame(&mut grey).unwrap();
    assert_eq!(grey, [0, 128, 255]);
    assert!(grey_png(&[0; 5], 2, 3).is_err());
}

#[test]
fn the_text_names_what_there_is() {
    let mut slice = slice(&[0.0, 10.0], None);
    slice.header.transfer_syntax = "1.2.840.10008.1.2.4.80".to_owned();
    slice.header.pixel_spacing = Some([0.5, 0.5]);
    slice.defects = vec![Defect::DerivedImage];
    let decoded = Decoded {
        slices: vec![slice.clone(), slice],
    };
    let text = Inspection::of(&decoded).to_text(1);
    for part in [
        "encoding  JPEG-LS Lossless (1.2.840.10008.1.2.4.80)",
        "pixels 0.5000 x 0.5000 mm",
        "HU        0 to 10 (1 % 0, median 0, 99 % 10), mean 5.0; padding 0.0 %",
        "frames    1 more",
        "defect    derived_image: Image Type value 1 is DERIVED.",
    ] {
        assert!(text.contains(part), "{part} in:\n{text}");
    }
}
