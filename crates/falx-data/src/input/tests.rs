use falx_core::{Hu, SEED_WINDOWS, Window};
use falx_dicom::{CtSlice, SliceHeader, picture};
use proptest::prelude::*;

use super::{InputSpec, affine};
use crate::augment::{AugmentConfig, Placement};

mod pictures;

/// A window that keeps HU apart: 0 ..= 1 is −1024 ..= 3072.
fn wide() -> Window {
    Window::new(1024.0, 4096.0).unwrap()
}

fn slice(rows: usize, cols: usize, hu: impl Fn(usize, usize) -> f32) -> CtSlice {
    let header = SliceHeader {
        rows,
        cols,
        ..SliceHeader::default()
    };
    let hu = (0..rows * cols)
        .map(|at| Hu(hu(at / cols, at % cols)))
        .collect();
    CtSlice {
        header,
        hu,
        padding: None,
        defects: Vec::new(),
    }
}

fn render(slice: &CtSlice, size: usize, placement: Option<&Placement>) -> Vec<f32> {
    let spec = InputSpec {
        size,
        windows: vec![wide()],
        ..InputSpec::default()
    };
    let mut out = vec![f32::NAN; spec.len()];
    spec.render(slice, placement, &mut out);
    out.iter().map(|share| share * 4096.0 - 1024.0).collect()
}

fn close(have: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(have.len(), expected.len());
    for (at, (have, expected)) in have.iter().zip(expected).enumerate() {
        assert!(
            (have - expected).abs() <= tolerance,
            "at {at}: {have}, expected {expected}"
        );
    }
}

fn hills(row: usize, col: usize) -> f32 {
    ((row as f32 * 0.7).sin() * 300.0 + (col as f32 * 0.4).cos() * 200.0).round()
}

/// The mean over the area of each target pixel by brute force: 60 × 60 points, a multiple of every factor here.
fn area_mean(slice: &CtSlice, size: usize) -> Vec<f32> {
    let (rows, cols) = (slice.header.rows, slice.header.cols);
    let side = rows.max(cols) as f64;
    let points = 60;
    let mut out = Vec::new();
    for row in 0..size {
        for col in 0..size {
            let mut sum = 0.0;
            for (i, j) in (0..points * points).map(|k| (k / points, k % points)) {
                let at = |pixel: usize, point: usize, source: usize| {
                    let x =
                        (pixel as f64 + (point as f64 + 0.5) / points as f64) * side / size as f64;
                    (x + (source as f64 - side) / 2.0).floor()
                };
                let (y, x) = (at(row, i, rows), at(col, j, cols));
                let inside = y >= 0.0 && x >= 0.0 && y < rows as f64 && x < cols as f64;
                let value = if inside {
                    slice.hu[y as usize * cols + x as usize]
                } else {
                    Hu::PADDING
                };
                sum += f64::from(value.0);
            }
            out.push((sum / (points * points) as f64) as f32);
        }
    }
    out
}

#[test]
fn shrinking_is_the_mean_over_the_area() {
    for (rows, cols, size) in [
        (32, 32, 8),
        (30, 30, 8),
        (24, 12, 8),
        (10, 20, 5),
        (18, 18, 12),
    ] {
        let slice = slice(rows, cols, hills);
        close(&render(&slice, size, None), &area_mean(&slice, size), 0.02);
    }
}

#[test]
fn equal_size_and_growing_keep_the_values() {
    let same = slice(8, 8, hills);
    let values: Vec<f32> = same.hu.iter().map(|hu| hu.0).collect();
    close(&render(&same, 8, None), &values, 0.001);
    let ramp = slice(8, 8, |_, col| col as f32 * 10.0);
    let grown = render(&ramp, 16, None);
    // Between the first and the last pixel centre a ramp stays a ramp.
    for (col, value) in grown[..16].iter().enumerate().take(15).skip(1) {
        assert!(
            (value - (col as f32 * 5.0 - 2.5)).abs() < 0.01,
            "{col}: {value}"
        );
    }
}

#[test]
fn pixel_spacing_keeps_the_proportions() {
    let mut flat = slice(8, 16, |_, _| 100.0);
    flat.header.pixel_spacing = Some([1.0, 0.5]);
    close(&render(&flat, 8, None), &[100.0; 64], 0.01);
    flat.header.pixel_spacing = None;
    let boxed = render(&flat, 8, None);
    assert_eq!((boxed[8], boxed[3 * 8]), (-1024.0, 100.0));
}

#[test]
fn placements_mirror_turn_and_shift() {
    let slice = slice(8, 8, hills);
    let still = render(&slice, 8, None);
    let moved = |placement: Placement| render(&slice, 8, Some(&placement));
    let pick = |from: &dyn Fn(usize, usize) -> Option<(usize, usize)>| -> Vec<f32> {
        (0..64)
            .map(|at| from(at / 8, at % 8).map_or(-1024.0, |(row, col)| still[row * 8 + col]))
            .collect()
    };
    let none = Placement::default();
    close(&moved(none), &still, 0.0);
    close(
        &moved(Placement { flip: true, ..none }),
        &pick(&|r, c| Some((r, 7 - c))),
        0.01,
    );
    close(
        &moved(Placement {
            rotate_deg: 180.0,
            ..none
        }),
        &pick(&|r, c| Some((7 - r, 7 - c))),
        0.01,
    );
    // Clockwise on the screen: what was on the left edge is on the upper one.
    close(
        &moved(Placement {
            rotate_deg: 90.0,
            ..none
        }),
        &pick(&|r, c| Some((7 - c, r))),
        0.01,
    );
    let shift = Placement {
        shift: [0.25, 0.0],
        ..none
    };
    close(
        &moved(shift),
        &pick(&|r, c| c.checked_sub(2).map(|c| (r, c))),
        0.01,
    );
}

#[test]
fn size_changes_about_the_middle() {
    // A plane: bilinear sampling is exact on it.
    let plane = slice(32, 32, |row, col| row as f32 * 2.0 + col as f32 * 3.0);
    let grown = render(
        &plane,
        32,
        Some(&Placement {
            scale: 2.0,
            ..Placement::default()
        }),
    );
    for (row, col) in [(0, 0), (5, 20), (31, 31)] {
        let source = |x: usize| (x as f32 - 15.5) / 2.0 + 15.5;
        let expected = source(row) * 2.0 + source(col) * 3.0;
        assert!((grown[row * 32 + col] - expected).abs() < 0.01);
    }
    let shrunk = render(
        &plane,
        32,
        Some(&Placement {
            scale: 0.5,
            ..Placement::default()
        }),
    );
    assert_eq!(shrunk[0], -1024.0);
}

#[test]
fn offset_and_noise_leave_padding_alone() {
    let slice = slice(64, 64, |row, _| if row < 32 { Hu::PADDING.0 } else { 50.0 });
    let placement = Placement {
        hu_shift: 5.0,
        noise_hu: 4.0,
        noise_seed: 7,
        ..Placement::default()
    };
    let changed = render(&slice, 64, Some(&placement));
    assert!(changed[..32 * 64].iter().all(|&hu| hu == -1024.0));
    let values = &changed[32 * 64..];
    let mean = values.iter().sum::<f32>() / values.len() as f32;
    let spread =
        (values.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / values.len() as f32).sqrt();
    assert!(
        (mean - 55.0).abs() < 0.5 && (spread - 4.0).abs() < 0.3,
        "{mean} ± {spread}"
    );
}

#[test]
fn former_recipes_give_the_same_bytes() {
    // Close to padding, an offset or noise may carry a value beyond it.
    let slice = slice(64, 64, |row, col| match (row / 8 + col / 8) % 3 {
        0 => Hu::PADDING.0,
        1 => Hu::PADDING.0 + 1.0,
        _ => hills(row, col),
    });
    let size = 64;
    let spec = InputSpec {
        size,
        ..InputSpec::default()
    };
    for position in 0..30 {
        let placement = AugmentConfig::default().draw(3, 1, position);
        let mut hu = vec![0.0; size * size];
        picture::fit(&slice, size, &mut hu);
        let mut hu = affine::place(&hu, size, &placement);
        affine::change_values(&mut hu, &placement);
        let mut expected = vec![0.0; spec.len()];
        picture::apply_windows(&hu, &spec.windows, &mut expected);
        let mut out = vec![0.0; spec.len()];
        spec.render(&slice, Some(&placement), &mut out);
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&out), bits(&expected));
    }
}

#[test]
fn windows_are_channels() {
    let slice = slice(4, 4, |_, _| 60.0);
    let spec = InputSpec {
        size: 2,
        ..InputSpec::default()
    };
    let mut out = vec![0.0; spec.len()];
    spec.render(&slice, None, &mut out);
    for (channel, window) in out.chunks(4).zip(SEED_WINDOWS) {
        assert_eq!(channel, [window.unit_interval(Hu(60.0)); 4]);
    }
}

#[test]
fn augmentation_is_a_function_of_seed_epoch_and_position() {
    let config = AugmentConfig::default();
    assert_eq!(config.draw(1, 2, 3), config.draw(1, 2, 3));
    assert_ne!(config.draw(1, 2, 3), config.draw(1, 2, 4));
    let still = AugmentConfig::none().draw(1, 2, 3);
    assert_eq!(
        still,
        Placement {
            noise_seed: still.noise_seed,
            ..Placement::default()
        }
    );
    let flips = (0..1000).filter(|&at| config.draw(5, 0, at).flip).count();
    assert!((430..570).contains(&flips));
}

proptest! {
    #[test]
    fn nothing_is_lost_or_outside_the_unit_interval(
        rows in 1_usize..40, cols in 1_usize..40, size in 1_usize..24,
        position in 0_u64..1000,
    ) {
        let slice = slice(rows, cols, hills);
        let spec = InputSpec { size, ..InputSpec::default() };
        let mut out = vec![f32::NAN; spec.len()];
        spec.render(&slice, Some(&AugmentConfig::default().draw(0, 0, position)), &mut out);
        prop_assert!(out.iter().all(|share| (0.0..=1.0).contains(share)));
    }
}

/// Of two windows the first that shows brain is a file's own; one of bone alone is none.
#[test]
fn an_own_window_becomes_the_range_that_is_kept() {
    let window = |center, width| Window::new(center, width).unwrap();
    let mut given = slice(2, 2, |row, col| [[-40.0, 0.0], [40.0, 1000.0]][row][col]);
    let spec = InputSpec {
        clip_hu: Some([0.0, 80.0]),
        own_window: true,
        ..InputSpec::default()
    };
    let mut shown = |windows: &[Window]| {
        given.header.windows = windows.to_vec();
        spec.clipped(&given)
            .hu
            .iter()
            .map(|hu| hu.0)
            .collect::<Vec<_>>()
    };
    let as_it_is = [0.0, 0.0, 40.0, 80.0];
    assert_eq!(shown(&[]), as_it_is);
    assert_eq!(shown(&[window(40.0, 80.0)]), as_it_is);
    assert_eq!(shown(&[window(600.0, 2800.0)]), as_it_is);
    assert_eq!(shown(&[window(30.0, 80.0)]), [0.0, 10.0, 50.0, 80.0]);
    let stretched = [0.0, 20.0, 40.0, 80.0];
    assert_eq!(
        shown(&[window(600.0, 2800.0), window(40.0, 160.0)]),
        stretched
    );
}
