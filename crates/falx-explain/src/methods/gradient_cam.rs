//! Maps of features weighted by gradients: Grad-CAM and its variants.
//!
//! All take the features of some images and the gradient of each image's label with regard to them, both N × C × h × w, and
//! give a map an image: h × w numbers of at least 0. Tensors of another form give no maps.

use falx_nn::Tensor;

/// Each feature map weighted by the mean of its gradient; what then speaks against the label is left out.
///
/// # Source
/// Selvaraju et al. 2017, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", eq. 1 and 2.
pub fn grad_cam(features: &Tensor, gradient: &Tensor) -> Vec<Vec<f32>> {
    maps(features, gradient, |_, gradient| {
        let weight = mean(gradient);
        Weights::Map(weight)
    })
}

/// As [`grad_cam`], but a feature map's weight is the weighted mean of its gradient's positive part, each place counting by how
/// much it adds to the label: several findings of one kind then count alike, however large they are.
///
/// # Source
/// Chattopadhay et al. 2018, "Grad-CAM++", eq. 10 and 19: second and third derivatives of the exponential of a logit are
/// powers of its gradient.
pub fn grad_cam_plus_plus(features: &Tensor, gradient: &Tensor) -> Vec<Vec<f32>> {
    maps(features, gradient, |features, gradient| {
        let sum: f64 = features.iter().copied().map(f64::from).sum();
        let weight = gradient.iter().map(|&slope| {
            let slope = f64::from(slope);
            let all = 2.0 * slope.powi(2) + sum * slope.powi(3);
            let share = if all == 0.0 { 0.0 } else { slope.powi(2) / all };
            share * slope.max(0.0)
        });
        Weights::Map(weight.sum())
    })
}

/// Every place of every feature map weighted by the positive part of its own gradient, which keeps the places of finer maps.
///
/// # Source
/// Jiang et al. 2021, "LayerCAM: Exploring Hierarchical Class Activation Maps for Localization", eq. 6 to 8.
pub fn layer_cam(features: &Tensor, gradient: &Tensor) -> Vec<Vec<f32>> {
    maps(features, gradient, |_, _| Weights::Places)
}

/// How a feature map counts.
enum Weights {
    /// Alike everywhere.
    Map(f64),
    /// Each place by the positive part of its own gradient.
    Places,
}

fn mean(values: &[f32]) -> f64 {
    let sum: f64 = values.iter().copied().map(f64::from).sum();
    sum / values.len().max(1) as f64
}

/// The positive part of the weighted sum of feature maps.
fn maps(
    features: &Tensor,
    gradient: &Tensor,
    weights: impl Fn(&[f32], &[f32]) -> Weights,
) -> Vec<Vec<f32>> {
    let &[_, channels, rows, cols] = features.shape.as_slice() else {
        return Vec::new();
    };
    let plane = rows * cols;
    if gradient.shape != features.shape || channels * plane == 0 {
        return Vec::new();
    }
    let images = features.data.chunks_exact(channels * plane);
    let slopes = gradient.data.chunks_exact(channels * plane);
    let map = |(features, gradient): (&[f32], &[f32])| {
        let mut sums = vec![0.0_f64; plane];
        let pairs = features.chunks_exact(plane);
        for (features, gradient) in pairs.zip(gradient.chunks_exact(plane)) {
            let weights = weights(features, gradient);
            for ((sum, &feature), &slope) in sums.iter_mut().zip(features).zip(gradient) {
                let weight = match weights {
                    Weights::Map(weight) => weight,
                    Weights::Places => f64::from(slope.max(0.0)),
                };
                *sum += weight * f64::from(feature);
            }
        }
        sums.into_iter().map(|sum| sum.max(0.0) as f32).collect()
    };
    images.zip(slopes).map(map).collect()
}
