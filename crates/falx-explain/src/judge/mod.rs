//! Heat maps judged by masks: how well they find the haemorrhage, beside maps that know no network, and whether they depend on
//! what the network has learnt.

mod cases;
mod localisation;
mod page;
mod sanity;
mod similarity;
mod summary;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::path::PathBuf;

use falx_core::{Interrupt, LABELS, Label, Progress};
use falx_data::index::Index;
use falx_eval::{Estimate, auc};
use falx_infer::{Bundle, PredictOptions, Predicted, predict, samples};
use serde::Serialize;

use crate::batches::{Loading, each};
use crate::explainer::{Explainer, MapOptions};
use crate::{ExplainError, Method};
pub use localisation::{Localisation, THRESHOLD, localise};
pub use page::write;
pub use sanity::{Likeness, Sanity, Stage};
pub use similarity::{spearman, ssim};

/// A model finds a label where its area under the ROC curve is at least this much.
pub const FOUND: f64 = 0.9;
/// A peak this close to a mask, in mm, still points at it.
pub const TOLERANCE_MM: f64 = 5.0;
/// A method fails the sanity check where maps of a network without what it learnt are ordered this much alike, or more.
pub const ALIKE: f64 = 0.5;

/// How maps are judged.
#[derive(Clone, Debug)]
pub struct JudgeOptions {
    /// The methods.
    pub methods: Vec<Method>,
    /// The layer and the run-time of all of them; its method is not looked at.
    pub maps: MapOptions,
    /// The labels.
    pub labels: Vec<Label>,
    /// A folder of volumes with masks, by Series Instance UID, for slices of which the index names no mask.
    pub masks: Option<PathBuf>,
    /// How often patients are drawn for the intervals.
    pub replicates: u32,
    /// Where all randomness starts.
    pub seed: u64,
    /// Slices of the sanity check.
    pub sanity_slices: usize,
    /// The model's recipe trained with shuffled labels: its maps are compared, too.
    pub shuffled: Option<Bundle>,
    /// Slices in a batch.
    pub batch: usize,
    /// The most memory that batches may take, in MiB.
    pub memory_mib: usize,
    /// What runs the network for its predictions.
    pub predict: PredictOptions,
}

impl Default for JudgeOptions {
    fn default() -> Self {
        Self {
            methods: vec![Method::default()],
            maps: MapOptions::default(),
            labels: LABELS.to_vec(),
            masks: None,
            replicates: 1000,
            seed: 0,
            sanity_slices: 16,
            shuffled: None,
            batch: 8,
            memory_mib: 256,
            predict: PredictOptions::default(),
        }
    }
}

/// How well heat maps find what masks mark.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// The model's network.
    pub network: String,
    /// The layer that methods look at, by method.
    pub layers: BTreeMap<&'static str, String>,
    /// Slices with a mask that marks something, and their patients.
    pub slices: usize,
    /// Patients of these slices.
    pub patients: usize,
    /// Slices of the data that have no mask.
    pub without_mask: usize,
    /// Whether the model was trained with these very data, so that it learnt from some of the patients.
    pub trained_on_these: bool,
    /// Label by label.
    pub labels: Vec<LabelJudgement>,
    /// Method by method, whether its maps depend on what the network has learnt.
    pub sanity: Vec<Sanity>,
    /// What must be known before the maps are believed.
    pub warnings: Vec<String>,
    /// How it was judged, a sentence each.
    pub rules: Vec<String>,
    /// The resamples of patients behind every interval.
    pub replicates: u32,
    /// Where all randomness started.
    pub seed: u64,
}

/// How well the maps of one label find it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LabelJudgement {
    /// The label.
    pub label: Label,
    /// Slices whose mask marks it.
    pub slices: usize,
    /// Their patients.
    pub patients: usize,
    /// The mean share of a slice's pixels that the masks mark: the average precision of chance.
    pub marked: f64,
    /// The model's area under the ROC curve on all slices given whose label is known.
    pub auc: Option<f64>,
    /// Methods, then baselines.
    pub scores: Vec<MapScores>,
}

/// The scores of one kind of map, with 95 % intervals over patients.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MapScores {
    /// The method's or baseline's name.
    pub name: &'static str,
    /// The scores.
    #[serde(flatten)]
    pub scores: Scores,
    /// How much more that is than each baseline's on the same slices; empty for a baseline.
    pub more_than: Vec<Difference>,
}

/// Mean scores over slices.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Scores {
    /// The share of slices whose map points at the mask.
    pub pointing: Option<Estimate>,
    /// The mean intersection over union.
    pub iou: Option<Estimate>,
    /// The mean average precision.
    pub average_precision: Option<Estimate>,
}

/// How much more a method reaches than a baseline, slice by slice.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The baseline.
    pub baseline: &'static str,
    /// The mean differences.
    #[serde(flatten)]
    pub scores: Scores,
}

/// Judges the heat maps of a bundle on the slices of an index that have masks.
///
/// # Errors
/// [`ExplainError`]: no slice has a mask, none marks one of the labels, the networks cannot be explained, or the bundle with shuffled
/// labels is none.
pub fn judge(
    bundle: &Bundle,
    index: &Index,
    options: &JudgeOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<Judgement, ExplainError> {
    if let Some(shuffled) = &options.shuffled {
        sanity::check_shuffled(shuffled, bundle)?;
    }
    let input = &bundle.manifest().input;
    let mut explainers = Vec::new();
    for &method in &options.methods {
        let maps = MapOptions {
            method,
            ..options.maps.clone()
        };
        explainers.push(Explainer::load(bundle, &maps)?);
    }
    let (samples, _) = samples(index)?;
    let found = cases::find(index, &samples, options, (progress, interrupt))?;
    let all = samples.all();
    let predicted = predict(bundle, &samples, all, &options.predict, progress, interrupt)?;
    let loading = Loading {
        samples: &samples,
        input,
        batch: options.batch,
        threads: options.predict.threads,
        memory_mib: options.memory_mib,
    };
    let places: Vec<u32> = found.cases.iter().map(|case| case.place).collect();
    progress.begin("judge", Some(places.len() as u64));
    let mut scored = Vec::new();
    each(loading, places, (progress, interrupt), |pictures| {
        let of_batch = cases::score(
            pictures,
            loading,
            index,
            &found.cases,
            &mut explainers,
            options,
        )?;
        scored.extend(of_batch);
        Ok(())
    })?;
    progress.finish();
    let sanity = sanity::check(
        &mut explainers,
        &found.cases,
        loading,
        options,
        (progress, interrupt),
    )?;
    let labels = options.labels.iter().filter_map(|&label| {
        let auc = area(index, &predicted, label);
        summary::of(label, &scored, &options.methods, auc, options)
    });
    let labels: Vec<LabelJudgement> = labels.collect();
    let layers = explainers
        .iter()
        .filter_map(|e| Some((e.method().name(), e.layer()?.to_owned())));
    let patients: std::collections::BTreeSet<u32> =
        found.cases.iter().map(|case| case.patient).collect();
    let mut judgement = Judgement {
        network: bundle.manifest().network.clone(),
        layers: layers.collect(),
        slices: found.cases.len(),
        patients: patients.len(),
        without_mask: found.without_mask,
        trained_on_these: {
            // An ensemble names the data of each of its networks.
            let mut learnt_from = bundle.manifest().data_hash.split(", ");
            let these = index.data_hash();
            learnt_from.any(|data| data == these)
        },
        labels,
        sanity,
        warnings: Vec::new(),
        rules: text::rules(options),
        replicates: options.replicates,
        seed: options.seed,
    };
    judgement.warnings = text::warnings(&judgement);
    Ok(judgement)
}

/// The model's area under the ROC curve on the slices whose label is known; `None` where one class is missing.
fn area(index: &Index, predicted: &Predicted, label: Label) -> Option<f64> {
    let scores: BTreeMap<&str, f64> = predicted
        .predictions
        .iter()
        .map(|p| (p.image_id.as_str(), p.probabilities[label.index()].get()))
        .collect();
    let known = index.rows.iter().filter_map(|row| {
        let truth = row.labels.get(label)?;
        Some((truth, *scores.get(row.image_id.as_str())?))
    });
    let (truth, score): (Vec<bool>, Vec<f64>) = known.unzip();
    auc(&truth, &score).ok()
}

impl Judgement {
    /// Whether nothing must be known before the maps are believed.
    pub fn is_sound(&self) -> bool {
        self.warnings.is_empty()
    }

    /// The judgement in words and a table.
    pub fn to_text(&self) -> String {
        text::of(self)
    }
}
