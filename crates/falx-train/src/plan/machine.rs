//! Another machine, as a small file describes it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::TrainError;

/// What is known of another machine; what is left out is taken from this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OtherMachine {
    /// Threads that load slices there. Without a loader's speed, loading is taken to grow with them.
    pub threads: Option<u32>,
    /// Slices in a second of loading alone, as `falx bench loader` shows it there.
    pub loader_slices_per_second: Option<f64>,
    /// Slices in a second of steps alone, as `falx bench train` shows it there for the recipe's network.
    pub step_slices_per_second: Option<f64>,
    /// Memory in GiB.
    pub memory_gib: Option<f64>,
    /// What the disk reads in a second, in MB (10^6 bytes).
    pub disk_mb_per_second: Option<f64>,
}

impl OtherMachine {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`TrainError::Machine`] when it cannot be read, has a key that no machine has, or a number that is not above 0.
    pub fn read(path: &Path) -> Result<Self, TrainError> {
        let refused = |reason: String| TrainError::Machine {
            path: path.to_owned(),
            reason: reason.trim().to_owned(),
        };
        let text = std::fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
        let machine: Self = toml::from_str(&text).map_err(|error| refused(error.to_string()))?;
        let numbers = [
            ("threads", machine.threads.map(f64::from)),
            ("loader_slices_per_second", machine.loader_slices_per_second),
            ("step_slices_per_second", machine.step_slices_per_second),
            ("memory_gib", machine.memory_gib),
            ("disk_mb_per_second", machine.disk_mb_per_second),
        ];
        for (key, value) in numbers {
            if let Some(value) = value.filter(|value| !value.is_finite() || *value <= 0.0) {
                return Err(refused(format!("{key} = {value} is not above 0")));
            }
        }
        Ok(machine)
    }

    /// Whether it changes any speed.
    pub(super) fn has_speeds(&self) -> bool {
        self.threads.is_some()
            || self.loader_slices_per_second.is_some()
            || self.step_slices_per_second.is_some()
            || self.disk_mb_per_second.is_some()
    }
}
