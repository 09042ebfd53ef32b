//! `timing.jsonl`: how fast each epoch was.

use serde::{Deserialize, Serialize};

/// How fast an epoch was; of one that was stopped and gone on with, its last part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EpochTiming {
    /// The epoch, from 1.
    pub epoch: u64,
    /// Slices shown.
    pub slices: u64,
    /// Seconds of training.
    pub seconds: f64,
    /// Seconds of validation.
    pub validation_seconds: f64,
    /// Slices that were learnt from in a second of training.
    pub images_per_second: f64,
    /// The share of training in which the network waited for slices.
    pub waiting_share: f64,
}
