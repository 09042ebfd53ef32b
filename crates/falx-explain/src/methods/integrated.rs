//! Integrated gradients: what every number of a picture adds to a logit, on the way from another picture.

use falx_core::Label;
use falx_nn::{Tensor, Value};

use crate::{ExplainError, Network};

/// Steps that run through the network together.
const TOGETHER: usize = 8;

/// What every number of one image adds to each label's logit.
///
/// Gradients are taken at `steps` places of the straight line from `reference`, a picture without a finding, to the image, at
/// the middles of equal parts; their mean times the image's distance from the reference is the result. It sums up to the difference
/// of the two pictures' logits (the axiom of completeness), the better the more steps.
///
/// # Shape
/// `image` and `reference` are C × H × W, and so is each label's result.
///
/// # Errors
/// [`ExplainError::Engine`] when the image does not fit the network.
///
/// # Source
/// Sundararajan, Taly, Yan 2017, "Axiomatic Attribution for Deep Networks", eq. 3.
pub fn integrated_gradients(
    network: &Network,
    image: &[f32],
    reference: &[f32],
    shape: [usize; 3],
    labels: &[Label],
    steps: usize,
) -> Result<Vec<Vec<f32>>, ExplainError> {
    let steps = steps.max(1);
    let mut sums = vec![vec![0.0_f64; image.len()]; labels.len()];
    let all: Vec<usize> = (0..steps).collect();
    for part in all.chunks(TOGETHER) {
        let along = part.iter().map(|&step| (step as f32 + 0.5) / steps as f32);
        let pictures: Vec<f32> = along
            .flat_map(|share| {
                let pairs = image.iter().zip(reference);
                pairs.map(move |(x, from)| from + share * (x - from))
            })
            .collect();
        let [channels, rows, cols] = shape;
        let shape = [part.len(), channels, rows, cols];
        let labels = vec![labels.to_vec(); part.len()];
        let found = network.gradients(&pictures, shape, Value::INPUT, &labels)?;
        for (sums, gradient) in sums.iter_mut().zip(&found.gradients) {
            add(sums, gradient);
        }
    }
    let scaled = sums.into_iter().map(|sums| {
        let pairs = sums.into_iter().zip(image.iter().zip(reference));
        pairs
            .map(|(sum, (x, from))| (sum / steps as f64) as f32 * (x - from))
            .collect()
    });
    Ok(scaled.collect())
}

/// Adds the gradients of all pictures.
fn add(sums: &mut [f64], gradient: &Tensor) {
    for picture in gradient.data.chunks_exact(sums.len().max(1)) {
        for (sum, slope) in sums.iter_mut().zip(picture) {
            *sum += f64::from(*slope);
        }
    }
}
