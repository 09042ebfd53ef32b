//! The mean of each channel.
//!
//! Sums of 256 pixels are added in order, whatever the number of threads.

use pulp::Arch;
use rayon::prelude::*;

use super::buffers;
use super::{Rules, image};

/// ONNX `GlobalAveragePool`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GlobalAveragePool;

impl Rules for GlobalAveragePool {
    fn name(&self) -> &'static str {
        "GlobalAveragePool"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        let [channels, _, _] = image(inputs)?;
        Ok(vec![channels, 1, 1])
    }
}

/// Pixels of a part's sum.
const PIXELS: usize = 256;

/// The means, N × C, of images of N, H, W, C with `pixels` each.
pub fn means(images: &[f32], pixels: usize, channels: usize) -> Vec<f32> {
    let arch = Arch::new();
    let size = (pixels * channels).max(1);
    let sum = |part: &[f32]| {
        let mut sums = vec![0.0; channels];
        arch.dispatch(|| {
            for pixel in part.chunks_exact(channels) {
                sums.iter_mut().zip(pixel).for_each(|(sum, x)| *sum += x);
            }
        });
        sums
    };
    let means = images.par_chunks_exact(size).flat_map_iter(|image| {
        let parts = image.par_chunks(PIXELS * channels).map(sum);
        let mut means = vec![0.0_f32; channels];
        for part in parts.collect::<Vec<_>>() {
            means
                .iter_mut()
                .zip(part)
                .for_each(|(mean, sum)| *mean += sum);
        }
        means.into_iter().map(move |sum| sum / pixels as f32)
    });
    means.collect()
}

/// The gradient of the images from that of their means.
pub fn means_gradient(slopes: &[f32], pixels: usize, channels: usize) -> Vec<f32> {
    let (arch, size) = (Arch::new(), (pixels * channels).max(1));
    let mut gradient = buffers::taken(slopes.len() / channels.max(1) * size);
    let images = gradient.par_chunks_exact_mut(size);
    images
        .zip(slopes.par_chunks_exact(channels.max(1)))
        .for_each(|(image, slopes)| {
            let share: Vec<f32> = slopes.iter().map(|slope| slope / pixels as f32).collect();
            image.par_chunks_mut(PIXELS * channels).for_each(|part| {
                arch.dispatch(|| {
                    for pixel in part.chunks_exact_mut(channels) {
                        pixel.copy_from_slice(&share);
                    }
                });
            });
        });
    gradient
}
