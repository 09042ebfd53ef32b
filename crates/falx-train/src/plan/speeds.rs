//! How fast slices go through, here or on another machine.

use serde::Serialize;

use super::{Figure, Measured, OtherMachine};

/// Slices a second of each part of the way.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Speeds {
    /// Loading alone.
    pub loader: Figure,
    /// What the disk gives, where the other machine's is known.
    pub disk: Option<Figure>,
    /// Validation: the network's way forward, or loading where that is slower.
    pub validation: Figure,
    /// The recipe's phases.
    pub stages: Vec<StageSpeeds>,
}

/// Slices a second of training in one phase.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct StageSpeeds {
    /// Its first epoch, from 1.
    pub first_epoch: u64,
    /// Steps alone.
    pub step: Figure,
    /// Training: steps with the loader at work.
    pub training: Figure,
}

/// What limits the speed of training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The network waits for slices.
    Loading,
    /// The loader waits for the disk.
    Disk,
    /// Slices wait for the network.
    Computing,
}

impl Speeds {
    /// The speeds of this machine, or what they are on another one.
    pub fn of(here: &Measured, machine: Option<&OtherMachine>, threads: usize) -> Self {
        let known = machine.copied().unwrap_or_default();
        let loader = match (known.loader_slices_per_second, known.threads) {
            (Some(speed), _) => Figure::given(speed),
            (None, Some(there)) => {
                let more = f64::from(there) / threads.max(1) as f64;
                Figure::extrapolated(here.loader_slices_per_second * more)
            }
            (None, None) => Figure::measured(here.loader_slices_per_second),
        };
        let disk = known.disk_mb_per_second.zip(here.read_bytes());
        let disk = disk.map(|(mb, bytes)| Figure::extrapolated(mb * 1e6 / bytes.max(1.0)));
        let first = here
            .stages
            .first()
            .map(|stage| stage.step_slices_per_second);
        let faster = known.step_slices_per_second.zip(first);
        let faster = faster.map(|(there, here)| there / here);
        let loading = loader
            .value
            .min(disk.map_or(f64::INFINITY, |disk| disk.value));
        let stages = here.stages.iter().enumerate().map(|(at, stage)| {
            let own = stage.step_slices_per_second;
            let step = match (faster, known.step_slices_per_second) {
                (Some(_), Some(there)) if at == 0 => Figure::given(there),
                (Some(faster), _) => Figure::extrapolated(own * faster),
                (None, _) => Figure::measured(own),
            };
            let training = if known.has_speeds() {
                Figure::extrapolated(loading.min(step.value))
            } else {
                Figure::measured(stage.training_slices_per_second)
            };
            StageSpeeds {
                first_epoch: stage.first_epoch,
                step,
                training,
            }
        });
        let forward = here.forward_slices_per_second * faster.unwrap_or(1.0);
        Self {
            loader,
            disk,
            // Loading and computing were measured apart, so this is computed even here.
            validation: Figure::extrapolated(loading.min(forward)),
            stages: stages.collect(),
        }
    }

    /// What limits the slowest phase.
    pub fn limit(&self) -> Limit {
        let steps = self.stages.iter().map(|stage| stage.step.value);
        let step = steps.fold(f64::INFINITY, f64::min);
        let disk = self.disk.map_or(f64::INFINITY, |disk| disk.value);
        if step <= self.loader.value.min(disk) {
            Limit::Computing
        } else if disk < self.loader.value {
            Limit::Disk
        } else {
            Limit::Loading
        }
    }
}

impl Measured {
    /// Bytes that are read to show a slice once, its neighbours among them.
    pub fn read_bytes(&self) -> Option<f64> {
        let bytes = if self.has_cache {
            self.cached_bytes
        } else {
            self.file_bytes
        };
        bytes.map(|bytes| bytes * self.planes.max(1) as f64)
    }
}
