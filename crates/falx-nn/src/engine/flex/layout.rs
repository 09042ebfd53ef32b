//! From channels first, the order of files and ONNX, to channels last, and back.

use rayon::prelude::*;

use crate::Tensor;

/// Images of N, C, H, W as N, H, W, C; other tensors stay as they are.
pub fn channels_last(images: &Tensor) -> (Vec<usize>, Vec<f32>) {
    let &[batch, channels, height, width] = images.shape.as_slice() else {
        return (images.shape.clone(), images.data.clone());
    };
    let (pixels, mut data) = (height * width, vec![0.0; images.data.len()]);
    if pixels > 0 && channels > 0 {
        let targets = data.par_chunks_mut(channels * pixels);
        targets
            .zip(images.data.par_chunks(channels * pixels))
            .for_each(|(target, image)| {
                for (channel, plane) in image.chunks_exact(pixels).enumerate() {
                    target[channel..]
                        .iter_mut()
                        .step_by(channels)
                        .zip(plane)
                        .for_each(|(target, x)| *target = *x);
                }
            });
    }
    (vec![batch, height, width, channels], data)
}

/// Images of N, H, W, C as N, C, H, W; other tensors stay as they are.
pub fn channels_first(images: Tensor) -> Tensor {
    let &[batch, height, width, channels] = images.shape.as_slice() else {
        return images;
    };
    let pixels = height * width;
    let shape = vec![batch, channels, height, width];
    if pixels == 1 || channels == 1 {
        return Tensor { shape, ..images };
    }
    let mut data = vec![0.0; images.data.len()];
    if pixels > 0 && channels > 0 {
        let targets = data.par_chunks_mut(channels * pixels);
        let images = images.data.par_chunks(channels * pixels);
        targets.zip(images).for_each(|(target, image)| {
            for (channel, plane) in target.chunks_exact_mut(pixels).enumerate() {
                let values = image[channel..].iter().step_by(channels);
                plane
                    .iter_mut()
                    .zip(values)
                    .for_each(|(target, x)| *target = *x);
            }
        });
    }
    Tensor { shape, data }
}
