//! Weights of a first convolution that was trained on colours, for images of other channels.

use crate::Tensor;

/// Weights that are no first convolution, or images without channels.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StemError {
    /// Not outputs x inputs x height x width.
    #[error(
        "weights of the shape {0:?} are no convolution's; give outputs x channels x height x width"
    )]
    Shape(Vec<usize>),
    /// No channels to adapt to.
    #[error("an image needs at least one channel")]
    NoChannels,
}

/// The weights of a first convolution for images of `channels` channels.
///
/// Channel c takes the weights of channel c modulo those there are, divided by how many channels take the same: their sum
/// stays, so that an image whose channels repeat gives what it gave. So 3k channels, three windows of k neighbouring
/// slices, are red, green, blue in turn. Fewer channels than before would lose colours: there each takes an equal share of
/// the sum of all.
///
/// # Shape
/// `weights` is outputs x inputs x height x width; so is the result, with `channels` inputs.
///
/// # Errors
/// [`StemError`] when `weights` are no convolution's or there are no channels.
pub fn adapt_stem(weights: &Tensor, channels: usize) -> Result<Tensor, StemError> {
    let misfit = || StemError::Shape(weights.shape.clone());
    let &[outputs, inputs, height, width] = weights.shape.as_slice() else {
        return Err(misfit());
    };
    let pixels = height * width;
    if channels == 0 {
        return Err(StemError::NoChannels);
    }
    if inputs == 0 || pixels == 0 || weights.data.len() != outputs * inputs * pixels {
        return Err(misfit());
    }
    let mut data = Vec::with_capacity(outputs * channels * pixels);
    for filter in weights.data.chunks_exact(inputs * pixels) {
        for channel in 0..channels {
            let planes = || filter.chunks_exact(pixels);
            if channels < inputs {
                let sum = |at: usize| planes().map(|plane| plane[at]).sum::<f32>();
                data.extend((0..pixels).map(|at| sum(at) / channels as f32));
            } else {
                let plane = planes().nth(channel % inputs).unwrap_or_default();
                let alike = (channel % inputs..channels).step_by(inputs).len();
                data.extend(plane.iter().map(|x| x / alike as f32));
            }
        }
    }
    let shape = vec![outputs, channels, height, width];
    Ok(Tensor { shape, data })
}
