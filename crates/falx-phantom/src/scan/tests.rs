use falx_core::random;

use super::artefact::{blur, noise};
use super::device::DEVICES;
use super::pose::Stack;
use crate::shape::{add, dot, length, sub};

/// Power at a frequency of `cycles` per image width along x and none along y.
fn power(image: &[f32], side: usize, cycles: usize) -> f64 {
    let (mut re, mut im) = (0.0_f64, 0.0_f64);
    for (i, v) in image.iter().enumerate() {
        let angle = std::f64::consts::TAU * ((i % side) * cycles) as f64 / side as f64;
        re += f64::from(*v) * angle.cos();
        im += f64::from(*v) * angle.sin();
    }
    re * re + im * im
}

#[test]
fn noise_has_unit_deviation_and_its_power_peaks_at_a_middle_frequency() {
    let side = 128;
    let image = noise(&mut random::stream(1, "test", &[]), side, 2.0);
    let mean = image.iter().map(|&v| f64::from(v)).sum::<f64>() / image.len() as f64;
    let square = image.iter().map(|&v| f64::from(v * v)).sum::<f64>() / image.len() as f64;
    assert!(mean.abs() < 0.02 && (square - 1.0).abs() < 1e-3);
    let images: Vec<_> = (0..6)
        .map(|k| noise(&mut random::stream(1, "test", &[k]), side, 2.0))
        .collect();
    let band = |from: usize, to: usize| {
        let powers = (from..to).flat_map(|c| images.iter().map(move |i| power(i, side, c)));
        powers.sum::<f64>() / (to - from) as f64
    };
    let (low, middle, high) = (band(0, 3), band(12, 20), band(50, 64));
    assert!(
        middle > 1.5 * low && middle > 10.0 * high,
        "{low} {middle} {high}"
    );
}

#[test]
fn blur_keeps_a_flat_image_and_spreads_a_point_to_its_width() {
    let side = 33;
    let mut flat = vec![40.0; side * side];
    blur(&mut flat, side, 1.3);
    assert!(flat.iter().all(|v| (v - 40.0).abs() < 1e-3));
    let mut point = vec![0.0; side * side];
    point[16 * side + 16] = 1.0;
    blur(&mut point, side, 1.3);
    let mut second = 0.0;
    for (i, v) in point.iter().enumerate() {
        second += v * ((i % side) as f32 - 16.0).powi(2);
    }
    assert!((second.sqrt() - 1.3).abs() < 0.05, "{}", second.sqrt());
}

#[test]
fn poses_turn_without_stretching_and_slices_step_along_the_table() {
    for (k, device) in DEVICES.iter().enumerate() {
        let mut rng = random::stream(2, "test", &[k as u64]);
        let (pose, stack) = Stack::draw(&mut rng, device, 80.0);
        let (a, b) = ([10.0, -20.0, 30.0], [-5.0, 40.0, 12.0]);
        let shifted = [a, b].map(|p| pose.to_head(add(p, pose.center)));
        let there = length(sub(shifted[0], shifted[1]));
        assert!((there - length(sub(a, b))).abs() < 1e-3);
        assert!(dot(stack.down(), stack.normal()).abs() < 1e-6);
        let step = sub(stack.corner(1, 64, 3.0), stack.corner(0, 64, 3.0));
        assert!(step[0].abs() < 1e-4 && step[1].abs() < 1e-4 && step[2] > 2.0);
        // Seen across, neighbouring slices touch.
        let (_, thickness) = stack.slices[0];
        assert!((dot(step, stack.normal()) - thickness).abs() < 0.02);
    }
}
