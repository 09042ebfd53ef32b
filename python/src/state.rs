//! Where a loader stands, as a dict that can be kept beside a model's weights.

use std::collections::BTreeMap;
use std::time::Duration;

use falx_data::loader::{LoaderOptions, Skipped};
use falx_data::sampler::SamplerConfig;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::Failure;
use crate::options::Chosen;

/// Where a loader stands.
#[derive(Debug, Default)]
pub struct Progress {
    /// The epoch in progress, or the next one.
    pub epoch: u64,
    /// How many of its batches have been given.
    pub batch: usize,
    /// Where the next pass begins.
    pub start: usize,
    /// The number of the newest pass; older ones no longer count.
    pub pass: u64,
    /// How long that pass has waited for batches.
    pub waited: Duration,
    /// Damaged copies in the cache that it has passed over.
    pub damaged: u64,
    /// What it has left out.
    pub skipped: Skipped,
}

/// Everything that batches depend on, by the option's name.
pub type MadeBy = BTreeMap<&'static str, String>;

const EPOCH: &str = "epoch";
const BATCH: &str = "batch";
const MADE_BY: &str = "made_by";

/// The state as a dict of plain values.
pub fn save<'py>(
    py: Python<'py>,
    progress: &Progress,
    made_by: &MadeBy,
) -> PyResult<Bound<'py, PyDict>> {
    let state = PyDict::new(py);
    state.set_item(EPOCH, progress.epoch)?;
    state.set_item(BATCH, progress.batch)?;
    state.set_item(MADE_BY, made_by)?;
    Ok(state)
}

/// The epoch and the batch of a saved state, if it is of a loader that gives the same batches.
pub fn load(state: &Bound<'_, PyDict>, made_by: &MadeBy) -> PyResult<(u64, usize)> {
    let item = |key: &str| {
        let missing = || {
            Failure::option(format!(
                "this is no state of a loader: it has no {key}; give what `state_dict()` returned"
            ))
        };
        state.get_item(key)?.ok_or_else(|| PyErr::from(missing()))
    };
    let saved: BTreeMap<String, String> = item(MADE_BY)?.extract()?;
    let differs = made_by
        .iter()
        .find(|(key, value)| saved.get(**key) != Some(value));
    if let Some((key, here)) = differs {
        let there = saved.get(*key).map_or("nothing", String::as_str);
        let message = format!(
            "the state is of a loader with another {key} ({there}, here {here}), so its batches would not go on; make the loader as it was, or start anew"
        );
        return Err(Failure::option(message).into());
    }
    Ok((item(EPOCH)?.extract()?, item(BATCH)?.extract()?))
}

/// What the batches of these options depend on.
pub fn made_by(
    chosen: &Chosen,
    options: &LoaderOptions,
    sampler: &SamplerConfig,
    [shuffle, drop_last]: [bool; 2],
) -> Result<MadeBy, Failure> {
    let mut sampler = sampler.clone();
    if let Some(path) = &mut sampler.weights {
        // The same weights in another file are the same.
        let bytes = std::fs::read(&path).map_err(|error| {
            Failure::file(format!(
                "cannot open {}: {error}; check sample_weights",
                path.display()
            ))
        })?;
        *path = blake3::hash(&bytes).to_hex().as_str().into();
    }
    let json = |value: Result<String, serde_json::Error>| value.map_err(Failure::bug);
    Ok(MadeBy::from([
        ("version of falx", env!("CARGO_PKG_VERSION").to_owned()),
        ("index", chosen.data.clone()),
        ("part of the split", chosen.part.clone()),
        ("batch_size", options.batch.to_string()),
        ("seed", options.seed.to_string()),
        ("shuffle", shuffle.to_string()),
        ("drop_last", drop_last.to_string()),
        ("sampling", json(serde_json::to_string(&sampler))?),
        ("input", json(serde_json::to_string(&options.input))?),
        ("augment", json(serde_json::to_string(&options.augment))?),
    ]))
}
