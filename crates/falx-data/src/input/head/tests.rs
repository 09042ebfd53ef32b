use falx_core::{Hu, Window};
use falx_dicom::{CtSlice, SliceHeader};

use super::find;
use crate::input::{Crop, InputSpec};

/// A disc of tissue at (`row`, `col`) of radius `radius` in 256 × 256 pixels of .5 mm, above the arc of a table.
fn head_at(row: f64, col: f64, radius: f64) -> CtSlice {
    let hu = (0..256 * 256).map(|at| {
        let (y, x) = (f64::from(at / 256), f64::from(at % 256));
        let from_middle = (y - row).hypot(x - col);
        let is_table = (240.0..243.0).contains(&y);
        Hu(if from_middle < radius || is_table {
            40.0
        } else {
            -1000.0
        })
    });
    CtSlice {
        header: SliceHeader {
            rows: 256,
            cols: 256,
            pixel_spacing: Some([0.5, 0.5]),
            ..SliceHeader::default()
        },
        hu: hu.collect(),
        ..CtSlice::default()
    }
}

#[test]
fn the_head_is_found_beside_its_table() {
    for (row, col, radius) in [
        (120.0, 128.0, 90.0),
        (90.0, 150.0, 80.0),
        (110.0, 100.0, 95.0),
    ] {
        let head = find(&head_at(row, col, radius), None).unwrap();
        assert!((head.middle[0] - row).abs() < 4.0, "{head:?}");
        assert!((head.middle[1] - col).abs() < 4.0, "{head:?}");
        assert!((head.side - radius * 2.2).abs() < 10.0, "{head:?}");
    }
}

#[test]
fn a_head_that_is_cut_off_at_the_brain_window_lies_where_it_did() {
    let slice = head_at(110.0, 140.0, 80.0);
    let spec = InputSpec {
        crop: Crop::Head,
        clip_hu: Some([0.0, 80.0]),
        ..InputSpec::default()
    };
    let whole = find(&slice, None).unwrap();
    let view = spec.view(&slice).unwrap();
    // A cell of the grid that tissue fills in part is tissue from another share of it on.
    for (found, before) in view.middle.unwrap().into_iter().zip(whole.middle) {
        assert!((found - before).abs() < 4.0, "{view:?} {whole:?}");
    }
    assert!(
        (view.side.unwrap() - whole.side).abs() < 10.0,
        "{view:?} {whole:?}"
    );
    // What was cut off before is no other slice.
    let mut picture = slice;
    for hu in &mut picture.hu {
        hu.0 = hu.0.clamp(0.0, 80.0);
    }
    assert_eq!(spec.view(&picture), Some(view));
}

#[test]
fn a_small_disc_is_not_blown_up_and_air_has_no_head() {
    let vertex = find(&head_at(120.0, 128.0, 25.0), None).unwrap();
    assert!((vertex.side - 0.6 * 256.0).abs() < 1e-9);
    assert_eq!(
        find(&head_at(120.0, 128.0, 0.0), None),
        None,
        "a table is no head"
    );
    assert_eq!(find(&CtSlice::default(), None), None);
}

#[test]
fn a_cropped_picture_has_the_head_in_its_middle() {
    let wide = Window::new(-480.0, 1040.0).unwrap();
    let draw = |slice: &CtSlice, crop, mm_per_pixel| {
        let spec = InputSpec {
            size: 64,
            windows: vec![wide],
            crop,
            mm_per_pixel,
            ..InputSpec::default()
        };
        let mut out = vec![0.0; spec.len()];
        spec.render(slice, None, &mut out);
        out
    };
    // Where tissue begins and ends on the picture's middle row.
    let span = |picture: &[f32]| {
        let row = &picture[32 * 64..33 * 64];
        let first = row.iter().position(|&v| v > 0.5).unwrap();
        (first, 63 - row.iter().rposition(|&v| v > 0.5).unwrap())
    };
    let slice = head_at(100.0, 150.0, 80.0);
    let (left, right) = span(&draw(&slice, Crop::None, None));
    assert!(left > right + 8);
    let (left, right) = span(&draw(&slice, Crop::Head, None));
    assert!(left.abs_diff(right) <= 2 && left < 6, "{left} {right}");
    // 80 mm across at 2 mm a pixel is 40 pixels, whatever the slice's own pixels are.
    let (left, right) = span(&draw(&slice, Crop::Head, Some(2.0)));
    assert!(left.abs_diff(right) <= 2, "{left} {right}");
    assert!((64 - left - right).abs_diff(40) <= 1, "{left} {right}");
}
