//! What augmentation costs: CPU time a sample, all together and each change alone.
//!
//! `cargo run --release -p falx-data --example augment_speed -- [size] [planes]`

use std::hint::black_box;
use std::time::Instant;

use falx_core::SEED_WINDOWS;
use falx_data::augment::{AugmentConfig, Augmenter, FIELD_MM, Placement};
use falx_dicom::picture;

const SAMPLES: u64 = 64;
const ROUNDS: usize = 15;

fn main() {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse().ok());
    let size: usize = numbers.next().flatten().unwrap_or(256);
    let planes: usize = numbers.next().flatten().unwrap_or(1);
    let head = head(size, planes);
    let cases = cases();
    println!(
        "{size} x {size}, {planes} plane(s), {} windows; ms a sample, best of {ROUNDS} rounds of {SAMPLES}",
        SEED_WINDOWS.len()
    );
    let mut augmenter = Augmenter::new();
    let mut hu = head.clone();
    let mut out = vec![0.0; 3 * head.len()];
    for (name, config) in cases {
        let mut best = f64::INFINITY;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for position in 0..SAMPLES {
                hu.copy_from_slice(&head);
                let placement: Placement = config.draw(1, 0, position);
                augmenter.apply(&placement, size, FIELD_MM / size as f32, &mut hu);
                let windows = placement.windows(&SEED_WINDOWS);
                for (plane, out) in hu.chunks(size * size).zip(out.chunks_mut(3 * size * size)) {
                    picture::apply_windows(plane, &windows, out);
                }
                black_box(&mut out);
            }
            best = best.min(start.elapsed().as_secs_f64() * 1000.0 / SAMPLES as f64);
        }
        println!("{best:8.4}  {name}");
    }
}

/// Each change alone, and together.
fn cases() -> Vec<(&'static str, AugmentConfig)> {
    let none = AugmentConfig::none();
    let full = AugmentConfig::full();
    let always = AugmentConfig {
        streaks_chance: 1.0,
        cutout_chance: 1.0,
        ..none
    };
    vec![
        ("nothing (copy and windows)", none),
        ("the former default", AugmentConfig::default()),
        (
            "rotation, scale, shift, flip",
            AugmentConfig {
                noise_hu: 0.0,
                hu_shift: 0.0,
                ..AugmentConfig::default()
            },
        ),
        (
            "all geometry",
            AugmentConfig {
                elastic: full.elastic,
                stretch: full.stretch,
                shear: full.shear,
                noise_hu: 0.0,
                hu_shift: 0.0,
                ..AugmentConfig::default()
            },
        ),
        (
            "offset and gain",
            AugmentConfig {
                hu_shift: 3.0,
                hu_gain: 0.02,
                ..none
            },
        ),
        (
            "white noise",
            AugmentConfig {
                noise_hu: 2.0,
                ..none
            },
        ),
        (
            "textured noise",
            AugmentConfig {
                texture_hu: 5.0,
                ..none
            },
        ),
        (
            "kernel",
            AugmentConfig {
                kernel: 0.8,
                ..none
            },
        ),
        (
            "streaks, always",
            AugmentConfig {
                streaks_hu: 15.0,
                ..always
            },
        ),
        (
            "cut-out, always",
            AugmentConfig {
                cutout: 0.01,
                ..always
            },
        ),
        (
            "window jitter",
            AugmentConfig {
                window_center: 0.05,
                window_width: 0.1,
                ..none
            },
        ),
        ("full", full),
    ]
}

/// A disc of brain in a ring of bone in air, with padding outside of the scanner's circle.
fn head(size: usize, planes: usize) -> Vec<f32> {
    let at = |index: usize| {
        let (row, col) = (index / size % size, index % size);
        let half = size as f32 / 2.0;
        let (y, x) = (row as f32 - half, col as f32 - half);
        let distance = (x * x / 0.7 + y * y).sqrt() / half;
        match distance {
            d if d < 0.75 => 30.0 + (row as f32 * 0.3).sin() * 8.0,
            d if d < 0.82 => 1200.0,
            _ if (x * x + y * y).sqrt() < half => -1000.0,
            _ => -1024.0,
        }
    };
    (0..planes * size * size).map(at).collect()
}
