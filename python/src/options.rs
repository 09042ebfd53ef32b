//! Python's words as the loader's types.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use falx_core::Window;
use falx_data::augment::AugmentConfig;
use falx_data::index::data_lock;
use falx_data::loader::Policy;
use falx_data::sampler::{Sampler, SamplerConfig};
use falx_data::samples::Samples;
use falx_data::split::{IndexColumns, Split};
use pyo3::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Failure;

/// The fold of the patients that are locked away.
const LOCKED: i32 = -1;

/// Which slices, and what they are known by.
pub struct Chosen {
    /// The slices.
    pub samples: Arc<Samples>,
    /// The index's data lock.
    pub data: String,
    /// The split and the part of it that was chosen, in words.
    pub part: String,
}

/// In which order slices come.
pub enum Plan {
    /// As a sampler draws them: those with labels, shuffled anew in each epoch.
    Drawn(Sampler),
    /// All of them, as the index has them.
    AsListed(Vec<u32>),
}

impl Plan {
    /// How many slices an epoch has.
    pub fn len(&self) -> usize {
        match self {
            Self::Drawn(sampler) => sampler.len(),
            Self::AsListed(places) => places.len(),
        }
    }

    /// The order of an epoch.
    pub fn order(&self, seed: u64, epoch: u64) -> Result<Vec<u32>, Failure> {
        Ok(match self {
            Self::Drawn(sampler) => sampler.order(seed, epoch)?,
            Self::AsListed(places) => places.clone(),
        })
    }
}

/// The slices of a part of a split, or of a whole index; a split is checked for leaks first.
pub fn choose(
    index: &Path,
    split: Option<&Path>,
    fold: Option<u32>,
    part: Option<&str>,
) -> Result<Chosen, Failure> {
    let (data, _) = data_lock(index)?;
    let Some(path) = split else {
        if fold.is_some() || part.is_some() {
            return Err(Failure::option(
                "fold and part are a split's; give split=, or leave them out for the whole index",
            ));
        }
        return Ok(Chosen {
            samples: Arc::new(Samples::read(index, None)?),
            data,
            part: "the whole index".to_owned(),
        });
    };
    let split = Split::read(path)?;
    split.check_leaks(&IndexColumns::read(index)?)?;
    let folds = folds(&split, path, fold, part)?;
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::file(format!("cannot open {}: {error}", path.display())))?;
    let samples = Samples::read(index, Some((path, &folds)))?;
    if samples.is_empty() {
        return Err(Failure::option(format!(
            "{} has no usable slice in {}; choose another fold or part",
            path.display(),
            words(&folds)
        )));
    }
    Ok(Chosen {
        samples: Arc::new(samples),
        data,
        part: format!("{} of {}", words(&folds), blake3::hash(&bytes).to_hex()),
    })
}

fn words(folds: &[i32]) -> String {
    let numbers: Vec<String> = folds.iter().map(i32::to_string).collect();
    format!("folds {}", numbers.join(", "))
}

fn folds(
    split: &Split,
    path: &Path,
    fold: Option<u32>,
    part: Option<&str>,
) -> Result<Vec<i32>, Failure> {
    let count = i32::try_from(split.options.folds).unwrap_or(i32::MAX);
    let part = part.unwrap_or("train");
    if part == "test" {
        return Ok(vec![LOCKED]);
    }
    let own = fold
        .and_then(|fold| i32::try_from(fold).ok())
        .filter(|fold| *fold < count);
    let Some(own) = own else {
        return Err(Failure::option(format!(
            "{} has the folds 0 to {}; give fold= as the one that is held out",
            path.display(),
            count - 1
        )));
    };
    match part {
        "train" => Ok((0..count).filter(|fold| *fold != own).collect()),
        "validation" => Ok(vec![own]),
        _ => Err(Failure::option(format!(
            "part {part:?} is none of \"train\", \"validation\" and \"test\""
        ))),
    }
}

/// The order of shuffled or listed slices.
pub fn plan(samples: &Samples, shuffle: bool, sampler: &SamplerConfig) -> Result<Plan, Failure> {
    if !shuffle {
        if *sampler != SamplerConfig::default() {
            return Err(Failure::option(
                "shares, balance_studies and sample_weights draw slices, and shuffle=False lists them; leave one out",
            ));
        }
        return Ok(Plan::AsListed(samples.all()));
    }
    let sampler = Sampler::new(samples, sampler)?;
    if sampler.is_empty() {
        return Err(Failure::option(
            "none of these slices has a label, so there is nothing to learn from; shuffle=False lists them all",
        ));
    }
    Ok(Plan::Drawn(sampler))
}

/// The windows of centres and widths, in HU.
pub fn windows(given: Vec<(f32, f32)>) -> Result<Vec<Window>, Failure> {
    let windows = given.into_iter().map(|(c, w)| Window::new(c, w));
    windows.collect::<Result<_, _>>().map_err(Failure::option)
}

/// How augmentation is asked for: by a name, by several, or as a recipe's `[augment]`.
#[derive(FromPyObject, Serialize)]
#[serde(untagged)]
pub enum Augment {
    /// A preset or a single change.
    Name(String),
    /// Several of them.
    Names(Vec<String>),
    /// Keys, `preset` among them.
    Keys(BTreeMap<String, Asked>),
}

/// A key's value.
#[derive(FromPyObject, Serialize)]
#[serde(untagged)]
pub enum Asked {
    /// A switch; before numbers, as Python's bools are numbers too.
    Switch(bool),
    /// A strength or a share.
    Number(f64),
    /// A preset.
    Name(String),
    /// Several of them.
    Names(Vec<String>),
}

/// The augmentation that is asked for, in the words of a recipe.
pub fn augment(asked: Option<Augment>) -> Result<Option<AugmentConfig>, Failure> {
    let Some(asked) = asked else { return Ok(None) };
    // The recipe's own reading of the same words.
    let words = serde_json::to_value(asked).map_err(Failure::option)?;
    let config: AugmentConfig = serde_json::from_value(words).map_err(Failure::option)?;
    Ok((config != AugmentConfig::none()).then_some(config))
}

/// What to do with unreadable files.
pub fn policy(word: &str) -> Result<Policy, Failure> {
    one_of("unreadable", word)
}

/// One of the words that falx's recipes take too.
pub fn one_of<T: DeserializeOwned>(option: &str, word: &str) -> Result<T, Failure> {
    serde_json::from_value(word.into())
        .map_err(|error| Failure::option(format!("{option}: {error}")))
}

/// MiB in a text such as `2GiB` or `512 MiB`; a decimal unit is taken as what it says.
pub fn mebibytes(option: &str, text: &str) -> Result<usize, Failure> {
    const UNITS: [(&str, u64); 4] = [
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
    ];
    let found = UNITS.iter().find_map(|(unit, bytes)| {
        let number: f64 = text.trim().strip_suffix(unit)?.trim().parse().ok()?;
        let is_room = number.is_finite() && number >= 0.0;
        is_room.then_some((number * *bytes as f64 / f64::from(1 << 20)).max(0.0) as usize)
    });
    found.ok_or_else(|| {
        Failure::option(format!(
            "{option} {text:?} is no amount of memory; write it like \"2GiB\" or \"512MiB\""
        ))
    })
}

/// How often slices are shown: what a recipe's `[sampler]` says.
pub fn sampler(
    positive_any_share: Option<f64>,
    label_shares: Option<BTreeMap<String, f64>>,
    balance_studies: bool,
    weights: Option<PathBuf>,
) -> Result<SamplerConfig, Failure> {
    let shares = label_shares.into_iter().flatten().map(|(label, share)| {
        let label = label.parse().map_err(Failure::option)?;
        Ok((label, share))
    });
    Ok(SamplerConfig {
        positive_any_share,
        label_shares: shares.collect::<Result<_, Failure>>()?,
        balance_studies,
        weights,
    })
}
