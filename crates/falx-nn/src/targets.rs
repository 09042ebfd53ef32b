//! What a batch's logits are compared with.

use falx_core::{LabelRow, TargetRow};

/// The labels of a batch and how much each sample counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Targets {
    /// One row per sample, of shares from 0 to 1; a missing label takes no part in the loss.
    pub labels: Vec<TargetRow>,
    /// One weight per sample; 1 for all where empty.
    pub weights: Vec<f32>,
}

impl Targets {
    /// Slices as they are, of equal weight.
    pub fn new(labels: Vec<LabelRow>) -> Self {
        Self {
            labels: labels.into_iter().map(TargetRow::from).collect(),
            weights: Vec::new(),
        }
    }

    /// The weight of sample `index`.
    pub fn weight(&self, index: usize) -> f32 {
        self.weights.get(index).copied().unwrap_or(1.0)
    }
}
