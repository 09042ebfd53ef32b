//! Each channel of an image times a factor of its own: squeeze and excitation.

use pulp::Arch;
use rayon::prelude::*;

use super::buffers;

/// Pixels that one thread computes at a time.
const PIXELS: usize = 256;

/// Images of N, H, W, C times factors of N, C.
pub fn forward(images: &[f32], factors: &[f32], channels: usize) -> Vec<f32> {
    let arch = Arch::new();
    let count = (factors.len() / channels.max(1)).max(1);
    let size = (images.len() / count).max(1);
    let mut results = buffers::taken(images.len());
    results
        .par_chunks_mut(size)
        .zip(images.par_chunks(size))
        .zip(factors.par_chunks(channels))
        .for_each(|((results, image), factors)| {
            let chunks = results.par_chunks_mut(PIXELS * channels);
            chunks
                .zip(image.par_chunks(PIXELS * channels))
                .for_each(|(results, image)| {
                    arch.dispatch(|| {
                        let pixels = image.chunks_exact(channels);
                        for (results, pixel) in results.chunks_exact_mut(channels).zip(pixels) {
                            let terms = pixel.iter().zip(factors);
                            for (result, (x, f)) in results.iter_mut().zip(terms) {
                                *result = x * f;
                            }
                        }
                    });
                });
        });
    results
}

/// The gradient of `count` factors: the sums over pixels of images times slopes.
pub fn factors(images: &[f32], slopes: &[f32], count: usize, channels: usize) -> Vec<f32> {
    let arch = Arch::new();
    let size = (images.len() / (count / channels.max(1)).max(1)).max(1);
    let mut results = vec![0.0; count];
    results
        .par_chunks_mut(channels)
        .zip(images.par_chunks(size).zip(slopes.par_chunks(size)))
        .for_each(|(sums, (image, slopes))| {
            arch.dispatch(|| {
                let pixels = image.chunks_exact(channels);
                for (pixel, slopes) in pixels.zip(slopes.chunks_exact(channels)) {
                    let terms = pixel.iter().zip(slopes);
                    for (sum, (x, g)) in sums.iter_mut().zip(terms) {
                        *sum += x * g;
                    }
                }
            });
        });
    results
}
