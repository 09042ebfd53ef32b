//! How often each slice is shown on average.

use std::collections::BTreeMap;
use std::path::Path;

use falx_core::{ImageId, Label};

use super::{SamplerConfig, SamplerError, check_share};
use crate::samples::Samples;

/// How often rounds over the labels may go on; a handful settles what can be settled.
const ROUNDS: usize = 200;
/// How near to a share is reached.
const NEAR: f64 = 1e-6;

/// The weight of the slice at each of `places`.
pub(super) fn of(
    samples: &Samples,
    places: &[u32],
    config: &SamplerConfig,
) -> Result<Vec<f64>, SamplerError> {
    let mut weights = vec![1.0; places.len()];
    if config.balance_studies {
        balance(&samples.studies()?, places, &mut weights);
    }
    if let Some(path) = &config.weights {
        multiply(samples, places, path, &mut weights)?;
    }
    let sum: f64 = weights.iter().sum();
    if sum <= 0.0 {
        return Err(SamplerError::NoWeight);
    }
    let to_mean = weights.len() as f64 / sum;
    for weight in &mut weights {
        *weight *= to_mean;
    }
    let any = config.positive_any_share.map(|share| (Label::Any, share));
    let labels = config.label_shares.iter().map(|(&l, &s)| (l, s));
    let shares: Vec<(Label, f64)> = labels.chain(any).collect();
    for &(label, share) in &shares {
        check_share(label, share)?;
    }
    repeat(samples, places, &shares, &mut weights)?;
    Ok(weights)
}

/// Every study weighs the same.
fn balance(studies: &[u32], places: &[u32], weights: &mut [f64]) {
    let study = |at: u32| studies.get(at as usize).map_or(0, |&study| study as usize);
    let mut slices = vec![0_u32; studies.iter().max().map_or(1, |&last| last as usize + 1)];
    for &at in places {
        if let Some(slices) = slices.get_mut(study(at)) {
            *slices += 1;
        }
    }
    for (weight, &at) in weights.iter_mut().zip(places) {
        let count = slices.get(study(at)).map_or(1, |&count| count.max(1));
        *weight /= f64::from(count);
    }
}

/// Multiplies by the weights of a file.
fn multiply(
    samples: &Samples,
    places: &[u32],
    path: &Path,
    weights: &mut [f64],
) -> Result<(), SamplerError> {
    let given = read(path)?;
    let mut found = 0;
    for (weight, &at) in weights.iter_mut().zip(places) {
        if let Some(factor) = given.get(&samples.get(at as usize)?.image_id) {
            *weight *= factor;
            found += 1;
        }
    }
    match given.keys().next() {
        Some(example) if found == 0 => Err(SamplerError::Strangers {
            path: path.to_owned(),
            rows: given.len(),
            example: example.clone(),
        }),
        _ => Ok(()),
    }
}

/// Repeats the positives of each label until all shares are reached at once.
///
/// Each round gives every label in turn the factor that it lacks; repeats for one label also show others, so factors
/// only grow, and a share may end up larger than it was asked to be.
fn repeat(
    samples: &Samples,
    places: &[u32],
    shares: &[(Label, f64)],
    weights: &mut [f64],
) -> Result<(), SamplerError> {
    let is_positive = |at: u32, label: Label| samples.labels(at as usize).get(label) == Some(true);
    let sums = |weights: &[f64], label: Label| {
        let all = weights.iter().zip(places);
        all.fold((0.0, 0.0), |(positive, other), (weight, &at)| match samples
            .labels(at as usize)
            .get(label)
        {
            Some(true) => (positive + weight, other),
            Some(false) => (positive, other + weight),
            None => (positive, other),
        })
    };
    for _ in 0..ROUNDS {
        let mut is_settled = true;
        for &(label, share) in shares {
            let (positive, other) = sums(weights, label);
            // Without a positive nothing can be repeated; without another nothing need be.
            if positive <= 0.0 || positive >= (share - NEAR) * (positive + other) {
                continue;
            }
            is_settled = false;
            let factor = share / (1.0 - share) * other / positive;
            for (weight, &at) in weights.iter_mut().zip(places) {
                if is_positive(at, label) {
                    *weight *= factor;
                }
            }
        }
        if is_settled {
            return Ok(());
        }
    }
    let lacking = shares.iter().find_map(|&(label, share)| {
        let (positive, other) = sums(weights, label);
        let reached = positive / (positive + other);
        (positive > 0.0 && reached < share - 1e-3).then_some(SamplerError::Together {
            label,
            share,
            reached,
        })
    });
    lacking.map_or(Ok(()), Err)
}

/// Reads a table with the columns `image_id` and `weight`.
pub(super) fn read(path: &Path) -> Result<BTreeMap<ImageId, f64>, SamplerError> {
    let wrong = |what: String| SamplerError::Weights {
        path: path.to_owned(),
        what,
    };
    let mut reader = csv::Reader::from_path(path).map_err(|error| wrong(error.to_string()))?;
    let header = reader.headers().map_err(|error| wrong(error.to_string()))?;
    let column = |name: &str| {
        let found = header.iter().position(|field| field.trim() == name);
        found.ok_or_else(|| wrong(format!("it has no column {name}")))
    };
    let (id, weight) = (column("image_id")?, column("weight")?);
    let mut weights = BTreeMap::new();
    for row in reader.records() {
        let row = row.map_err(|error| wrong(error.to_string()))?;
        let line = row.position().map_or(0, csv::Position::line);
        let text = row.get(weight).unwrap_or_default().trim();
        let value = text.parse().ok();
        let Some(value) = value.filter(|w: &f64| w.is_finite() && *w >= 0.0) else {
            return Err(wrong(format!(
                "line {line} has `{text}` as weight, which is no number from 0 upwards"
            )));
        };
        let id = ImageId::from(row.get(id).unwrap_or_default().trim());
        if weights.insert(id, value).is_some() {
            return Err(wrong(format!("line {line} names a slice a second time")));
        }
    }
    Ok(weights)
}
