//! In which order, and how often, an epoch shows each slice.

mod places;
#[cfg(test)]
mod tests;
mod weights;

use std::collections::BTreeMap;
use std::path::PathBuf;

use falx_core::{ImageId, LABELS, Label, LabelRow, random};
use rand::RngExt;
use rand::seq::SliceRandom;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::records::{Records, RecordsWriter};
use crate::samples::{Samples, SamplesError};
use places::Places;

/// How an epoch is drawn.
///
/// What is not set leaves every slice of which a label is known to be shown once. The parts may be combined: slices are
/// weighted by study and file first, to a mean of 1, and repeated for their labels then.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SamplerConfig {
    /// Repeat slices with a positive `any` until they make up this share of the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub positive_any_share: Option<f64>,
    /// Repeat slices with a positive label until they make up this share of the epoch, say `epidural = 0.05`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "label_shares")]
    pub label_shares: BTreeMap<Label, f64>,
    /// Show every study as often as any other, however many slices it has.
    #[serde(skip_serializing_if = "is_false")]
    pub balance_studies: bool,
    /// A table with the columns `image_id` and `weight`: how often a slice is shown relative to others; 1 where it is
    /// not named, 0 for never. Say from the losses of an earlier run (hard examples).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
}

/// A share for each label; `Label` itself stays free of schemas.
fn label_shares(_: &mut SchemaGenerator) -> Schema {
    let share = |label: Label| {
        let share = json_schema!({"type": "number", "minimum": 0.0, "maximum": MAX_SHARE});
        (label.name().to_owned(), share.to_value())
    };
    let labels: serde_json::Map<_, _> = LABELS.into_iter().map(share).collect();
    json_schema!({"type": "object", "properties": labels, "additionalProperties": false})
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

/// Why an epoch cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum SamplerError {
    /// A share that no epoch can have.
    #[error("the sampler's share of {label} is {share}; give a share from 0 to {MAX_SHARE}")]
    Share {
        /// Of which label.
        label: Label,
        /// What was asked for.
        share: f64,
    },
    /// Shares that cannot be had together.
    #[error(
        "the sampler's shares cannot be reached together ({label} stays at {reached:.3}, not {share}); ask for less"
    )]
    Together {
        /// Which label.
        label: Label,
        /// What was asked for.
        share: f64,
        /// What can be reached.
        reached: f64,
    },
    /// The file of weights cannot be read.
    #[error("cannot read the weights {}: {what}; it needs the columns image_id and weight", .path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong, and on which line.
        what: String,
    },
    /// No slice of the file of weights is among the samples.
    #[error("none of the {rows} slices in {}, such as {example}, is among those learnt from", .path.display())]
    Strangers {
        /// The file.
        path: PathBuf,
        /// How many slices it names.
        rows: usize,
        /// One of them.
        example: ImageId,
    },
    /// All weights are 0.
    #[error("all slices have the weight 0: there is nothing to show")]
    NoWeight,
    /// The list of slices cannot be read.
    #[error(transparent)]
    Samples(#[from] SamplesError),
}

/// An epoch's order for any epoch, and what it makes of the labels' prevalence.
///
/// In memory it takes a bit or two a slice; weights lie on the disk.
#[derive(Debug)]
pub struct Sampler {
    /// The places of the slices that are shown.
    places: Places,
    plan: Plan,
    /// How often each label is positive among the known ones, as the network sees it.
    shown: [f64; 6],
}

#[derive(Debug)]
enum Plan {
    /// Each once.
    Once,
    /// Positives of `any` repeated so many times in all.
    Positives { places: Places, extra: usize },
    /// How often each is shown on average, summed up, and the last of these sums.
    Cumulated { sums: Records<8>, last: f64 },
}

impl Sampler {
    /// Plans the epochs of `samples`.
    ///
    /// # Errors
    /// [`SamplerError`] for shares that cannot be, weights that cannot be used, or a temporary folder without room for
    /// them.
    pub fn new(samples: &Samples, config: &SamplerConfig) -> Result<Self, SamplerError> {
        let places = Places::of(samples, |row| !row.is_empty());
        let rows = || places.iter().map(|at| samples.labels(at as usize));
        let by_any_alone = SamplerConfig {
            positive_any_share: config.positive_any_share,
            ..SamplerConfig::default()
        };
        if *config != by_any_alone {
            let weights = weights::of(samples, &places.to_vec(0), config)?;
            let shown = prevalence(rows().zip(weights.iter().copied()));
            return Ok(Self {
                plan: cumulated(&weights).map_err(SamplesError::Temporary)?,
                shown,
                places,
            });
        }
        let positive = Places::of(samples, is_positive);
        let extra = extra_positives(positive.len(), places.len(), config.positive_any_share)?;
        let repeat = 1.0 + extra as f64 / positive.len().max(1) as f64;
        let weight = |row: LabelRow| if is_positive(row) { repeat } else { 1.0 };
        let shown = prevalence(rows().map(|row| (row, weight(row))));
        let plan = if extra == 0 {
            Plan::Once
        } else {
            Plan::Positives {
                places: positive,
                extra,
            }
        };
        Ok(Self {
            places,
            plan,
            shown,
        })
    }

    /// How many slices an epoch shows.
    pub fn len(&self) -> usize {
        match &self.plan {
            Plan::Once => self.places.len(),
            Plan::Positives { extra, .. } => self.places.len() + extra,
            Plan::Cumulated { last, .. } => last.round() as usize,
        }
    }

    /// True when an epoch shows nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How often each label is positive among the known ones of an epoch: the prior that prediction must undo.
    ///
    /// A label that is nowhere known has a prior of 0.
    pub fn shown(&self) -> [f64; 6] {
        self.shown
    }

    /// The order of one epoch: places of the samples, shuffled.
    ///
    /// A slice that is shown `w` times on average is shown `w` rounded down or up in every epoch, never more or less.
    ///
    /// # Errors
    /// [`SamplesError::Temporary`] where the weights' temporary file cannot be read.
    pub fn order(&self, seed: u64, epoch: u64) -> Result<Vec<u32>, SamplesError> {
        let mut random = random::stream(seed, "sampler", &[epoch]);
        let mut order = match &self.plan {
            Plan::Once => self.places.to_vec(0),
            Plan::Positives { places, extra } => {
                let mut order = self.places.to_vec(*extra);
                let mut positive = places.to_vec(0);
                positive.shuffle(&mut random);
                // Whole rounds over the positives, then a random part of them: none is shown two times more than another.
                order.extend(positive.iter().copied().cycle().take(*extra));
                order
            }
            Plan::Cumulated { sums, .. } => {
                // One ruler with marks at every whole number is laid along the weights from a random start (Madow 1949):
                // each slice takes the marks on its length.
                let start: f64 = random.random();
                let (mut marks, length) = (0_usize, self.len());
                let mut order = places::room(length);
                let mut places = self.places.iter();
                sums.for_each(|sum| {
                    let upto = ((f64::from_le_bytes(sum) + start) as usize).min(length);
                    let times = upto.saturating_sub(marks);
                    order.extend(
                        places
                            .next()
                            .into_iter()
                            .flat_map(|p| std::iter::repeat_n(p, times)),
                    );
                    marks = marks.max(upto);
                })?;
                order
            }
        };
        order.shuffle(&mut random);
        Ok(order)
    }
}

/// Lays the sums of weights on the disk.
fn cumulated(weights: &[f64]) -> std::io::Result<Plan> {
    let mut writer = RecordsWriter::new()?;
    let mut last = 0.0;
    for weight in weights {
        last += weight;
        writer.push(f64::to_le_bytes(last))?;
    }
    let sums = writer.finish()?;
    Ok(Plan::Cumulated { sums, last })
}

/// How often each label is positive among the known ones of `samples`, each taken once.
///
/// A label that is nowhere known has a prevalence of 0.
pub fn prevalence_of(samples: &Samples) -> [f64; 6] {
    prevalence(samples.labelled().map(|at| (samples.labels(at), 1.0)))
}

fn prevalence(rows: impl Iterator<Item = (LabelRow, f64)>) -> [f64; 6] {
    let mut known = [0.0; 6];
    let mut positive = [0.0; 6];
    for (row, weight) in rows {
        for ((known, positive), label) in known.iter_mut().zip(&mut positive).zip(LABELS) {
            if let Some(value) = row.get(label) {
                *known += weight;
                *positive += weight * f64::from(u8::from(value));
            }
        }
    }
    std::array::from_fn(|i| {
        if known[i] > 0.0 {
            positive[i] / known[i]
        } else {
            0.0
        }
    })
}

fn is_positive(row: LabelRow) -> bool {
    row.get(Label::Any) == Some(true)
}

/// A share of 1 would need endless repeats.
const MAX_SHARE: f64 = 0.95;

fn check_share(label: Label, share: f64) -> Result<f64, SamplerError> {
    if (0.0..=MAX_SHARE).contains(&share) {
        Ok(share)
    } else {
        Err(SamplerError::Share { label, share })
    }
}

/// How many repeats of positives bring their share to the wanted one (0 where it is reached already).
fn extra_positives(
    positives: usize,
    all: usize,
    share: Option<f64>,
) -> Result<usize, SamplerError> {
    let Some(share) = share else { return Ok(0) };
    let share = check_share(Label::Any, share)?;
    if positives == 0 {
        return Ok(0);
    }
    let others = (all - positives) as f64;
    let wanted = (share / (1.0 - share) * others).round() as usize;
    Ok(wanted.saturating_sub(positives))
}
