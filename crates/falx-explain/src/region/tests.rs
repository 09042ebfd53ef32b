use falx_core::Hu;
use falx_dicom::{CtSlice, SliceHeader};

use super::{dilated, head, inside_skull};

/// A round head of brain in a ring of bone, off the middle of a slice of 1 mm pixels; `gap` opens the ring to the right.
pub(crate) fn phantom(gap: bool) -> CtSlice {
    let (rows, cols) = (120, 140);
    let mut hu = Vec::with_capacity(rows * cols);
    for row in 0..rows {
        for col in 0..cols {
            let (down, across) = (row as f64 + 0.5 - 60.0, col as f64 + 0.5 - 80.0);
            let far = down.hypot(across);
            let is_gap = gap && across > 0.0 && down.abs() < 15.0;
            hu.push(Hu(match far {
                ..40.0 => 35.0,
                40.0..46.0 if !is_gap => 1000.0,
                ..50.0 => 40.0,
                _ => -1000.0,
            }));
        }
    }
    CtSlice {
        header: SliceHeader {
            rows,
            cols,
            pixel_spacing: Some([1.0, 1.0]),
            ..SliceHeader::default()
        },
        hu,
        ..CtSlice::default()
    }
}

#[test]
fn the_inside_is_what_bone_surrounds() {
    let slice = phantom(false);
    let inside = inside_skull(&slice);
    for (place, is) in inside.iter().enumerate() {
        let (row, col) = (place / 140, place % 140);
        let far = (row as f64 + 0.5 - 60.0).hypot(col as f64 + 0.5 - 80.0);
        if far < 36.0 {
            assert!(is, "{row} {col}");
        }
        if far > 40.0 {
            assert!(!is, "{row} {col}");
        }
    }
}

/// Pictures of 8 bits in a window have no values above it.
#[test]
fn bone_is_what_a_window_cuts_off() {
    let mut picture = phantom(false);
    for hu in &mut picture.hu {
        hu.0 = hu.0.clamp(-20.0, 100.0);
    }
    assert_eq!(inside_skull(&picture), inside_skull(&phantom(false)));
}

#[test]
fn an_open_skull_leaves_what_is_deep_in_the_head() {
    let inside = inside_skull(&phantom(true));
    assert!(inside[60 * 140 + 80]);
    assert!(!inside[60 * 140 + 80 + 42], "the gap is close to the skin");
    let [[row, col], [tall, wide]] = head(&phantom(true));
    assert_eq!([row, col], [60.0, 80.0]);
    assert!((45.0..50.0).contains(&tall) && tall == wide);
}

#[test]
fn an_empty_slice_has_no_inside_and_its_own_middle() {
    let mut slice = phantom(false);
    slice.hu.fill(Hu::AIR);
    assert!(inside_skull(&slice).iter().all(|is| !is));
    assert_eq!(head(&slice), [[60.0, 70.0], [60.0, 70.0]]);
}

#[test]
fn a_mask_grows_down_and_across_by_its_reach() {
    let mut mask = vec![false; 42];
    mask[2 * 7 + 3] = true;
    let grown = dilated(&mask, [6, 7], [1, 2]);
    let places: Vec<usize> = (0..42).filter(|&at| grown[at]).collect();
    assert_eq!(
        places,
        [8, 9, 10, 11, 12, 15, 16, 17, 18, 19, 22, 23, 24, 25, 26]
    );
}
