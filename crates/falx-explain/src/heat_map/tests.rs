use falx_dicom::SliceHeader;
use falx_dicom::picture::{FieldOfView, PictureGrid};
use proptest::prelude::*;

use super::{HeatMap, peak, smooth};

#[test]
fn a_coarse_grid_covers_the_picture() {
    // A cell of four by four pixels: its middle is between the second and the third.
    let map = HeatMap::of_grid(&[0.0, 2.0, -5.0, 0.0], 2, 2, 8);
    let at = |row: usize, col: usize| map.values()[row * 8 + col];
    assert_eq!(at(0, 7), 1.0, "scaled to 1, the border is the cell's");
    assert_eq!(at(7, 0), 0.0, "below 0 is nothing");
    assert!((at(0, 3) - 0.375).abs() < 1e-6 && (at(0, 4) - 0.625).abs() < 1e-6);
    assert!(HeatMap::of_grid(&[-1.0; 4], 2, 2, 8).is_blank());
    assert!(HeatMap::of_grid(&[f32::NAN; 4], 2, 2, 8).is_blank());
    assert!(HeatMap::of_grid(&[1.0; 3], 2, 2, 8).is_blank());
}

/// A picture that shows a part of a slice, magnified: the map lies where the part is.
#[test]
fn a_map_goes_back_to_the_slice_s_pixels() {
    let header = SliceHeader {
        rows: 40,
        cols: 60,
        pixel_spacing: Some([0.5, 0.5]),
        ..SliceHeader::default()
    };
    let view = FieldOfView {
        middle: Some([30.0, 20.0]),
        side: Some(16.0),
    };
    let grid = PictureGrid::of(&header, view, 32);
    assert_eq!((grid.step, grid.corner), ([0.5, 0.5], [22.0, 12.0]));
    let mut values = vec![0.0; 32 * 32];
    // Picture pixels 16 and 17 down, 8 and 9 across: the slice's pixel 30 down, 16 across.
    for (row, col) in [(16, 8), (16, 9), (17, 8), (17, 9)] {
        values[row * 32 + col] = 3.0;
    }
    let on_slice = HeatMap::of_grid(&values, 32, 32, 32).on_slice(&grid, [40, 60]);
    assert_eq!(peak(&on_slice), Some(30 * 60 + 16));
    assert_eq!(on_slice[30 * 60 + 16], 1.0);
    let inside = on_slice.iter().enumerate().filter(|(_, v)| **v > 0.0);
    for (place, _) in inside {
        let (row, col) = (place / 60, place % 60);
        assert!(
            (29..=31).contains(&row) && (15..=17).contains(&col),
            "{row} {col}"
        );
    }
}

#[test]
fn smoothing_keeps_what_is_even_and_spreads_a_point_evenly() {
    assert!(
        smooth(&[2.0; 30], [5, 6], 1.5)
            .iter()
            .all(|v| (v - 2.0).abs() < 1e-6)
    );
    let mut point = vec![0.0; 81];
    point[40] = 1.0;
    let spread = smooth(&point, [9, 9], 1.0);
    let expected = (-0.5_f64).exp() as f32;
    assert!((spread[41] / spread[40] - expected).abs() < 1e-3);
    assert_eq!(spread[31], spread[49]);
    assert_eq!(smooth(&point, [9, 9], 0.0), point);
}

#[test]
fn members_count_alike_and_a_blank_one_takes_nothing_away() {
    let one = HeatMap::of_grid(&[8.0, 0.0, 0.0, 0.0], 2, 2, 2);
    let other = HeatMap::of_grid(&[0.0, 1.0, 0.0, 0.0], 2, 2, 2);
    let blank = HeatMap::of_grid(&[0.0; 4], 2, 2, 2);
    let mean = HeatMap::mean(&[one.clone(), other, blank.clone()]).unwrap();
    assert_eq!(mean.values(), [1.0, 1.0, 0.0, 0.0]);
    assert_eq!(HeatMap::mean(&[one.clone(), blank]).unwrap(), one);
    assert_eq!(HeatMap::mean(&[]), None);
}

proptest! {
    #[test]
    fn values_lie_from_0_to_1(values in proptest::collection::vec(-1e3_f32..1e3, 12), size in 1_usize..20) {
        let map = HeatMap::of_grid(&values, 3, 4, size);
        prop_assert_eq!(map.values().len(), size * size);
        prop_assert!(map.values().iter().all(|v| (0.0..=1.0).contains(v)));
        let most = map.values().iter().copied().fold(0.0, f32::max);
        prop_assert!(map.is_blank() || most == 1.0);
    }

    #[test]
    fn there_and_back_is_the_same_point(
        rows in 8_usize..600, cols in 8_usize..600, size in 8_usize..512,
        spacing in (0.2_f64..2.0, 0.2_f64..2.0), point in (0.0_f64..500.0, 0.0_f64..500.0),
    ) {
        let header = SliceHeader {
            rows,
            cols,
            pixel_spacing: Some([spacing.0, spacing.1]),
            ..SliceHeader::default()
        };
        let grid = PictureGrid::of(&header, FieldOfView::default(), size);
        let [down, across] = grid.in_slice(grid.in_picture([point.0, point.1]));
        prop_assert!((down - point.0).abs() < 1e-6 && (across - point.1).abs() < 1e-6);
    }
}
