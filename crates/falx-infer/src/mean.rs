//! Means over views of a picture and over networks.

use falx_core::{Prediction, Probability};

/// What several networks, or views, give the same slices, equally weighted.
///
/// `any` stays at least as likely as every subtype where each of them says so: sums and quotients of ordered numbers,
/// rounded alike, are ordered.
#[derive(Clone, Debug, Default)]
pub struct Mean {
    sums: Vec<[f64; 6]>,
    count: f64,
}

impl Mean {
    /// Takes in what one of them gives. All give as many rows as the first.
    pub fn add(&mut self, rows: &[[Probability; 6]]) {
        self.sums.resize(rows.len(), [0.0; 6]);
        for (sums, row) in self.sums.iter_mut().zip(rows) {
            for (sum, p) in sums.iter_mut().zip(row) {
                *sum += p.get();
            }
        }
        self.count += 1.0;
    }

    /// The mean of what was taken in; no rows where there was nothing.
    pub fn rows(&self) -> Vec<[Probability; 6]> {
        let mean = |sum: f64| Probability::new((sum / self.count).min(1.0)).unwrap_or_default();
        self.sums.iter().map(|sums| sums.map(mean)).collect()
    }
}

/// The mean of several models' predictions, or `None` where these are not of the same slices in the same order, or
/// there are none.
///
/// It is to the last bit what a bundle of these models predicts.
pub fn mean_of_predictions(models: &[Vec<Prediction>]) -> Option<Vec<Prediction>> {
    let first = models.first()?;
    let mut mean = Mean::default();
    for model in models {
        let ids = model.iter().map(|prediction| &prediction.image_id);
        if !ids.eq(first.iter().map(|prediction| &prediction.image_id)) {
            return None;
        }
        let rows: Vec<_> = model.iter().map(|p| p.probabilities).collect();
        mean.add(&rows);
    }
    let means = first.iter().zip(mean.rows());
    let predictions = means.map(|(prediction, probabilities)| Prediction {
        image_id: prediction.image_id.clone(),
        probabilities,
    });
    Some(predictions.collect())
}

/// Pictures with left and right exchanged.
///
/// # Shape
/// Any number of rows of `width` numbers.
#[must_use]
pub fn mirrored(images: &[f32], width: usize) -> Vec<f32> {
    let mut images = images.to_vec();
    for row in images.chunks_mut(width.max(1)) {
        row.reverse();
    }
    images
}
