//! From channels first, the order of files and ONNX, to channels last.

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
