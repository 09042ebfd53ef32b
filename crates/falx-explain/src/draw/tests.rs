use falx_core::{Hu, SEED_WINDOWS};
use falx_dicom::picture::{FieldOfView, PictureGrid};
use falx_dicom::{CtSlice, SliceHeader};

use super::*;
use crate::HeatMap;

/// A slice of 40 × 40 pixels of 5 mm whose rows run to the patient's left or right.
fn slice(across: Option<f64>) -> CtSlice {
    CtSlice {
        header: SliceHeader {
            rows: 40,
            cols: 40,
            pixel_spacing: Some([5.0, 5.0]),
            image_orientation: across.map(|x| [x, 0.0, 0.0, 0.0, 1.0, 0.0]),
            ..SliceHeader::default()
        },
        hu: vec![Hu(40.0); 1600],
        ..CtSlice::default()
    }
}

/// A map that is 1 in the upper left quarter of the picture and 0 elsewhere.
fn quarter() -> HeatMap {
    let values: Vec<f32> = (0..64)
        .map(|at| if at / 8 < 4 && at % 8 < 4 { 1.0 } else { 0.0 })
        .collect();
    HeatMap::of_grid(&values, 8, 8, 8)
}

#[test]
fn colours_grow_lighter_and_nothing_is_transparent() {
    let light = |value: f32| {
        let ([r, g, b], _) = heat(value);
        0.3 * f32::from(r) + 0.59 * f32::from(g) + 0.11 * f32::from(b)
    };
    for step in 0..100 {
        let value = step as f32 / 100.0;
        assert!(light(value) <= light(value + 0.01), "{value}");
    }
    assert_eq!(heat(0.05).1, 0.0);
    assert_eq!(heat(f32::NAN), heat(0.0));
    assert_eq!(heat(7.0), heat(1.0));
    assert!(heat(0.5).1 > 0.6);
}

#[test]
fn sides_are_the_patient_s_and_marked_only_where_known() {
    let side = |across| SliceView::new(&slice(across), 80).left();
    assert_eq!(
        side(Some(1.0)),
        Some(Side::Right),
        "the usual view, from the feet"
    );
    assert_eq!(side(Some(-1.0)), Some(Side::Left));
    assert_eq!(side(Some(0.0)), None);
    assert_eq!(side(None), None);
    let drawn = |across| {
        let view = SliceView::new(&slice(across), 80);
        overlay(
            &view,
            SEED_WINDOWS[0],
            &vec![0.0; 6400],
            &Caption::default(),
        )
    };
    let (right, left, unknown) = (drawn(Some(1.0)), drawn(Some(-1.0)), drawn(None));
    assert_ne!(right, left);
    assert_ne!(right, unknown);
}

#[test]
fn the_map_is_drawn_where_it_is_and_only_on_the_second_picture() {
    let view = SliceView::new(&slice(None), 80);
    let grid = PictureGrid::of(&slice(None).header, FieldOfView::default(), 8);
    let values = view.heat(&quarter(), &grid);
    let canvas = overlay(&view, SEED_WINDOWS[0], &values, &Caption::default());
    let top = 8 + 2 * 17 + 4;
    let at = |col: usize, row: usize| canvas.get(col, top + row).unwrap();
    let is_grey = |[r, g, b]: [u8; 3]| r == g && g == b;
    assert!(
        is_grey(at(8 + 20, 20)) && is_grey(at(8 + 60, 20)),
        "the plain one"
    );
    let second = 16 + 80;
    assert!(!is_grey(at(second + 20, 20)), "in the quarter");
    assert!(is_grey(at(second + 60, 20)) && is_grey(at(second + 20, 60)));
    let line = (0..80).filter(|&col| at(second + col, 20) == [90, 230, 255]);
    assert_eq!(line.collect::<Vec<_>>(), [39], "the line at half");
    // The bar is 10 of the slice's pixels long, 20 of the picture's.
    let bar = (0..80).filter(|&col| at(8 + col, 70) == [235; 3]);
    assert_eq!(bar.count(), 20);
    assert!(canvas.png().unwrap().png.starts_with(b"\x89PNG"));
}

#[test]
fn a_part_that_the_network_saw_is_drawn_in_its_place() {
    let slice = slice(None);
    let view = SliceView::new(&slice, 80);
    let part = FieldOfView {
        middle: Some([30.0, 30.0]),
        side: Some(10.0),
    };
    let values = view.heat(&quarter(), &PictureGrid::of(&slice.header, part, 8));
    // The part begins at 25 of 40: its upper left quarter at 50 to 60 of 80.
    let at = |row: usize, col: usize| values[row * 80 + col];
    assert_eq!((at(54, 54), at(66, 54), at(54, 66)), (1.0, 0.0, 0.0));
    assert_eq!((at(20, 20), at(49, 54), at(54, 49)), (0.0, 0.0, 0.0));
}

#[test]
fn a_montage_has_a_tile_a_slice_and_frames_what_is_called() {
    let tile = |called| Tile {
        view: SliceView::new(&slice(None), 32),
        window: SEED_WINDOWS[0],
        heat: Vec::new(),
        words: "1".to_owned(),
        called,
    };
    let tiles: Vec<Tile> = (0..11).map(|number| tile(number == 9)).collect();
    let canvas = montage("series", &tiles);
    assert_eq!(canvas.width(), 6 + 8 * 38);
    assert_eq!(canvas.height(), 6 + 17 + 6 + 2 * (32 + 17 + 6));
    let second_row = 6 + 17 + 6 + 32 + 17 + 6;
    let frame = [237, 105, 37];
    assert_eq!(canvas.get(6 + 38, second_row - 1), Some(frame));
    assert_ne!(canvas.get(6, second_row - 1), Some(frame));
    assert_eq!(montage("none", &[]).width(), 12 + 4 * 8);
}

#[test]
fn a_layer_is_transparent_where_the_map_says_nothing() {
    let layer = heat_layer(quarter().values(), 8).unwrap();
    let decoder = png::Decoder::new(std::io::Cursor::new(layer.png));
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    assert_eq!(pixels.len(), 4 * 64);
    assert!(pixels[3] > 100 && pixels[4 * 63 + 3] == 0);
}
