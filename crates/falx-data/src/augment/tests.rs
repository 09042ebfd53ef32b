//! Each change does what it says, and nothing else.

use falx_core::{Hu, SEED_WINDOWS, Window};
use proptest::prelude::*;

use super::elastic::{self, Elastic};
use super::texture::{TILE, Texture};
use super::{AugmentConfig, Augmenter, Placement};

const SIZE: usize = 64;
const STILL: Placement = Placement {
    noise_seed: 7,
    ..Placement::none()
};

fn picture(hu: impl Fn(f32, f32) -> f32) -> Vec<f32> {
    (0..SIZE * SIZE)
        .map(|at| hu((at / SIZE) as f32, (at % SIZE) as f32))
        .collect()
}

/// A head with padding in the corners.
fn head() -> Vec<f32> {
    picture(|row, col| {
        let (y, x) = (row - 31.5, col - 31.5);
        match (x * x + y * y).sqrt() {
            d if d < 22.0 => 35.0 + (row * 0.9).sin() * 6.0 + (col * 0.7).cos() * 6.0,
            d if d < 25.0 => 1100.0,
            d if d < 31.0 => -1000.0,
            _ => Hu::PADDING.0,
        }
    })
}

fn apply(placement: Placement, planes: &[f32]) -> Vec<f32> {
    let mut changed = planes.to_vec();
    Augmenter::new().apply(&placement, SIZE, 0.9, &mut changed);
    changed
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len() as f32
}

#[test]
fn no_change_is_the_identity_to_the_bit() {
    let head = head();
    assert_eq!(apply(STILL, &head), head);
    let drawn = AugmentConfig::none().draw(3, 4, 5);
    assert_eq!(apply(drawn, &head), head);
    assert_eq!(drawn.windows(&SEED_WINDOWS), SEED_WINDOWS);
}

#[test]
fn placing_is_its_definition_to_the_bit() {
    let head = head();
    let config = AugmentConfig {
        hu_shift: 0.0,
        noise_hu: 0.0,
        ..AugmentConfig::default()
    };
    for position in 0..40 {
        let placement = config.draw(1, 0, position);
        let expected = crate::input::affine::place(&head, SIZE, &placement);
        assert_eq!(apply(placement, &head), expected);
    }
}

#[test]
fn new_changes_leave_the_numbers_of_old_ones() {
    let old = AugmentConfig::default().draw(5, 1, 9);
    let new = AugmentConfig {
        noise_hu: 2.0,
        ..AugmentConfig::full()
    }
    .draw(5, 1, 9);
    assert_eq!(
        (old.flip, old.rotate_deg, old.scale, old.shift, old.hu_shift),
        (new.flip, new.rotate_deg, new.scale, new.shift, new.hu_shift)
    );
    assert_eq!(
        (old.noise_hu, old.noise_seed),
        (new.noise_hu, new.noise_seed)
    );
    let without = AugmentConfig {
        shear: 0.0,
        ..AugmentConfig::full()
    };
    let with = AugmentConfig::full().draw(1, 2, 3);
    assert_eq!(Placement { shear: 0.0, ..with }, without.draw(1, 2, 3));
}

#[test]
fn everything_is_the_same_every_time_and_in_any_buffer() {
    let head = head();
    let mut reused = Augmenter::new();
    for position in 0..20 {
        let placement = AugmentConfig::full().draw(2, 0, position);
        let mut again = head.clone();
        reused.apply(&placement, SIZE, 0.9, &mut again);
        assert_eq!(again, apply(placement, &head));
    }
}

#[test]
fn padding_stays_padding() {
    let head = head();
    let nothing = vec![Hu::PADDING.0; SIZE * SIZE];
    let still = AugmentConfig {
        flip: false,
        rotate_deg: 0.0,
        scale: 0.0,
        shift: 0.0,
        stretch: 0.0,
        shear: 0.0,
        elastic: 0.0,
        streaks_chance: 1.0,
        cutout_chance: 1.0,
        noise_hu: 1.0,
        ..AugmentConfig::full()
    };
    for position in 0..20 {
        let changed = apply(still.draw(2, 0, position), &head);
        for (before, after) in head.iter().zip(&changed) {
            assert!(*before > Hu::PADDING.0 || after == before);
        }
        let moved = AugmentConfig::full().draw(2, 0, position);
        assert_eq!(apply(moved, &nothing), nothing);
    }
}

#[test]
fn proportions_and_shear_move_what_they_say() {
    let plane = picture(|row, col| row * 2.0 + col * 3.0);
    let middle = 31.5;
    let (row, col) = (40_usize, 25_usize);
    let at = row * SIZE + col;
    let (y, x) = (row as f32 - middle, col as f32 - middle);
    let value = |x: f32, y: f32| (y + middle) * 2.0 + (x + middle) * 3.0;
    let stretched = apply(
        Placement {
            stretch: 1.25,
            ..STILL
        },
        &plane,
    );
    assert!((stretched[at] - value(x / 1.25, y * 1.25)).abs() < 0.01);
    let sheared = apply(
        Placement {
            shear: 0.1,
            ..STILL
        },
        &plane,
    );
    assert!((sheared[at] - value(x - 0.1 * y, y)).abs() < 0.01);
}

#[test]
fn all_planes_are_placed_alike() {
    let (one, other) = (head(), picture(|row, col| row - col));
    let both = [one.clone(), other.clone()].concat();
    let config = AugmentConfig {
        texture_hu: 0.0,
        streaks_hu: 0.0,
        cutout: 0.0,
        ..AugmentConfig::full()
    };
    let placement = config.draw(0, 0, 3);
    let parts = [apply(placement, &one), apply(placement, &other)].concat();
    assert_eq!(apply(placement, &both), parts);
}

#[test]
fn the_elastic_change_is_smooth_and_never_folds() {
    let size = 96;
    let mut elastic = Elastic::default();
    let mut largest = 0.0_f32;
    for seed in 0..60 {
        elastic.draw(size, elastic::LARGEST, seed);
        let mut field = vec![[0.0_f32; 2]; size * size];
        let (mut across, mut down) = (vec![0.0; size], vec![0.0; size]);
        for (row, line) in field.chunks_mut(size).enumerate() {
            elastic.row(row, &mut across, &mut down);
            for (at, out) in line.iter_mut().enumerate() {
                *out = [across[at], down[at]];
            }
        }
        for row in 0..size - 1 {
            for col in 0..size - 1 {
                let here = field[row * size + col];
                let right = field[row * size + col + 1];
                let below = field[(row + 1) * size + col];
                let (xx, yx) = (1.0 + right[0] - here[0], right[1] - here[1]);
                let (xy, yy) = (below[0] - here[0], 1.0 + below[1] - here[1]);
                assert!(xx * yy - xy * yx > 0.05, "seed {seed}");
                largest = largest.max(here[0].abs());
            }
        }
    }
    let bound = elastic::LARGEST * size as f32;
    assert!(largest <= bound && largest > 0.3 * bound, "{largest}");
}

#[test]
fn offset_and_gain_are_exact() {
    let placement = Placement {
        hu_shift: 3.0,
        hu_gain: 1.5,
        ..STILL
    };
    for (before, after) in head().iter().zip(apply(placement, &head())) {
        if *before > Hu::PADDING.0 {
            assert_eq!(after, before * 1.5 + 3.0);
        }
    }
}

#[test]
fn a_kernel_blurs_or_sharpens_and_keeps_the_mean() {
    // A wave along a row keeps its form; its strength is the kernel's answer to its frequency.
    for frequency in [0.3_f32, 1.0, 2.2, 3.0] {
        let wave = picture(|_, col| 100.0 * (frequency * col).cos());
        for (sharpness, weight) in [(-1.0, 0.25), (-0.5, 0.125), (0.5, -0.075), (1.0, -0.15)] {
            let filtered = apply(Placement { sharpness, ..STILL }, &wave);
            let answer = 1.0 - 2.0 * weight * (1.0 - frequency.cos());
            for at in 1..SIZE - 1 {
                assert!((filtered[at] - answer * wave[at]).abs() < 0.01);
            }
        }
    }
    let flat = vec![40.0; SIZE * SIZE];
    assert_eq!(
        apply(
            Placement {
                sharpness: -1.0,
                ..STILL
            },
            &flat
        ),
        flat
    );
    // [¼ ½ ¼] along both axes.
    let mut dot = vec![0.0; SIZE * SIZE];
    dot[20 * SIZE + 20] = 16.0;
    let spread = apply(
        Placement {
            sharpness: -1.0,
            ..STILL
        },
        &dot,
    );
    assert_eq!(spread[20 * SIZE + 20], 4.0);
    assert_eq!((spread[20 * SIZE + 21], spread[19 * SIZE + 21]), (2.0, 1.0));
}

#[test]
fn texture_has_the_strength_and_the_spectrum_of_ct() {
    // Power at a frequency along rows, in line pairs a millimetre, over the whole tile.
    let pixel_mm = 0.9;
    let texture = Texture::of(pixel_mm);
    let power = |grain: usize, cycles: usize| {
        let mut sum = 0.0;
        for row in (0..TILE).step_by(4) {
            let (mut re, mut im) = (0.0, 0.0);
            for (at, &value) in texture.row(grain, row).iter().enumerate() {
                let turn = (at * cycles % TILE) as f32 / TILE as f32 * std::f32::consts::TAU;
                re += value * turn.cos();
                im += value * turn.sin();
            }
            sum += re * re + im * im;
        }
        sum
    };
    let band = |grain: usize, lp_mm: f32| {
        let middle = (lp_mm * pixel_mm * TILE as f32) as usize;
        (middle..middle + 8).map(|at| power(grain, at)).sum::<f32>()
    };
    for grain in 0..2 {
        let values: Vec<f32> = (0..TILE)
            .flat_map(|row| texture.row(grain, row).to_vec())
            .collect();
        let spread = mean(&values.iter().map(|v| v * v).collect::<Vec<_>>()).sqrt();
        assert!(mean(&values).abs() < 1e-3 && (spread - 1.0).abs() < 1e-3);
    }
    // A row's spectrum is the plane's summed over the other axis: it peaks lower, but still rises, peaks and falls.
    let soft = [0.01, 0.18, 0.5].map(|f| band(0, f));
    assert!(
        soft[1] > 1.3 * soft[0] && soft[1] > 5.0 * soft[2],
        "{soft:?}"
    );
    let fine = band(1, 0.4) / band(1, 0.1);
    let coarse = band(0, 0.4) / band(0, 0.1);
    assert!(fine > 2.0 * coarse, "{fine} {coarse}");
}

#[test]
fn textured_noise_is_as_strong_as_asked_for_and_new_in_every_plane() {
    let flat = vec![40.0; 2 * SIZE * SIZE];
    for grain in [0.0, 0.5, 1.0] {
        let mut squares = 0.0;
        for noise_seed in 0..8 {
            let placement = Placement {
                texture_hu: 5.0,
                texture_grain: grain,
                noise_seed,
                ..STILL
            };
            let noisy = apply(placement, &flat);
            let (one, other) = noisy.split_at(SIZE * SIZE);
            assert_ne!(one, other);
            squares += mean(&noisy.iter().map(|v| (v - 40.0).powi(2)).collect::<Vec<_>>());
        }
        let sigma = (squares / 8.0).sqrt();
        assert!((sigma - 5.0).abs() < 0.25, "{grain}: {sigma}");
    }
}

#[test]
fn streaks_are_few_and_no_stronger_than_asked_for() {
    let flat = vec![40.0; SIZE * SIZE];
    let streaked = apply(
        Placement {
            streaks_hu: 20.0,
            ..STILL
        },
        &flat,
    );
    let delta: Vec<f32> = streaked.iter().map(|v| v - 40.0).collect();
    let changed = delta.iter().filter(|d| d.abs() > 1.0).count();
    assert!(changed > 60 && changed < SIZE * SIZE / 3, "{changed}");
    assert!(delta.iter().any(|&d| d > 5.0) && delta.iter().any(|&d| d < -5.0));
}

#[test]
fn a_cutout_is_as_large_as_asked_for_and_lies_on_the_head() {
    let head = head();
    for noise_seed in 0..20 {
        let placement = Placement {
            cutout: 0.02,
            noise_seed,
            ..STILL
        };
        let cut = apply(placement, &head);
        let hidden = cut
            .iter()
            .zip(&head)
            .filter(|(cut, head)| cut != head)
            .count();
        // 2 % of the picture to whole pixels, and some pixels of the head have 30 HU already or are padding.
        assert!((60..=110).contains(&hidden), "{hidden}");
        let on_brain = cut
            .iter()
            .zip(&head)
            .filter(|(cut, head)| cut != head && (0.0..90.0).contains(*head));
        assert!(on_brain.count() * 4 > hidden);
    }
}

#[test]
fn windows_move_by_shares_of_their_width() {
    let placement = Placement {
        window_center: 0.1,
        window_width: 1.1,
        ..STILL
    };
    let window = |center, width| Window::new(center, width).unwrap();
    let moved = placement.windows(&SEED_WINDOWS);
    assert_eq!(
        moved,
        [
            window(48.0, 88.0),
            window(100.0, 220.0),
            window(78.0, 418.0)
        ]
    );
}

#[test]
fn what_cannot_be_done_is_refused() {
    assert_eq!(AugmentConfig::full().check(), Ok(()));
    assert_eq!(AugmentConfig::default().check(), Ok(()));
    for wrong in [
        AugmentConfig {
            elastic: 0.1,
            ..AugmentConfig::none()
        },
        AugmentConfig {
            cutout: 0.5,
            ..AugmentConfig::none()
        },
        AugmentConfig {
            rotate_deg: f32::NAN,
            ..AugmentConfig::none()
        },
        AugmentConfig {
            mixup: -0.1,
            ..AugmentConfig::none()
        },
    ] {
        assert!(
            wrong
                .check()
                .unwrap_err()
                .to_string()
                .contains("out of range")
        );
    }
}

proptest! {
    #[test]
    fn every_size_can_be_changed(size in 1_usize..40, planes in 0_usize..4, position: u64) {
        let mut hu = vec![40.0; size * size * planes];
        let config = AugmentConfig { streaks_chance: 1.0, cutout_chance: 1.0, ..AugmentConfig::full() };
        Augmenter::new().apply(&config.draw(0, 0, position), size, 0.9, &mut hu);
        prop_assert!(hu.iter().all(|value| value.is_finite()));
    }
}
