//! `timing.jsonl`: how fast each epoch was.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{TrainError, folder};

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

/// Reads all lines; no file means no epochs yet.
pub(super) fn read(path: &Path) -> Result<Vec<EpochTiming>, TrainError> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(path).map_err(TrainError::io(path))?;
    text.lines()
        .map(|line| {
            serde_json::from_str(line).map_err(|error| TrainError::damaged(path, error.to_string()))
        })
        .collect()
}

/// Writes all lines anew.
pub(super) fn write(path: &Path, epochs: &[EpochTiming]) -> Result<(), TrainError> {
    let mut text = String::new();
    for epoch in epochs {
        let line = serde_json::to_string(epoch)
            .map_err(|error| TrainError::damaged(path, error.to_string()))?;
        text.push_str(&line);
        text.push('\n');
    }
    folder::write(path, text.as_bytes())
}
