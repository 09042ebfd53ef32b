//! What a run was, for the table of experiments.

use std::collections::BTreeSet;

use falx_core::{LABELS, PatientId};
use falx_data::index::Index;
use falx_data::sampler::{Sampler, SamplerConfig};
use falx_data::samples::Samples;
use falx_eval::compare::{EpochLosses, JudgedPart, RunFacts, RunTiming, Slices};
use falx_infer::Bundle;
use falx_nn::loss::{LossConfig, LossName, Reduction};
use falx_nn::{Graph, ParameterKind, cost, zoo};

use crate::data::RunData;
use crate::evaluation::JudgedRun;
use crate::folder::{self, Part, RunFolder};
use crate::transfer::{self, Plan};
use crate::{EpochMetrics, EpochTiming, Recipe, TrainError, cases};

/// What the run in `folder` was.
///
/// # Errors
/// [`TrainError`] when its files cannot be read.
pub(crate) fn of(folder: &RunFolder, run: &JudgedRun) -> Result<RunFacts, TrainError> {
    let (recipe, data) = (&run.recipe, &run.data);
    let graph = transfer::graph(recipe)?;
    let cost = cost::of_graph(&graph);
    let slices_epochs: Vec<EpochMetrics> = folder::read_lines(&folder.metrics())?;
    let second = Second::of(folder, recipe)?;
    // What a run is judged by is what its last stage reached.
    let epochs = second
        .as_ref()
        .map_or(&slices_epochs, |second| &second.epochs);
    let more = second.as_ref().map_or(0, |second| second.parameters);
    // A file of weights for the sampler may be gone by now.
    let sampler = data.sampler(&recipe.sampler).ok();
    // A second stage is shown every slice alike.
    let plain = second.as_ref();
    let plain = plain.and_then(|_| data.sampler(&SamplerConfig::default()).ok());
    let last = plain.as_ref().or(sampler.as_ref());
    let side = recipe.input.size as u64;
    // Where weights were averaged, no epoch's are judged.
    let is_mean = folder.last_stage(recipe).averaged().is_file();
    let best = EpochMetrics::best(epochs).filter(|_| !is_mean);
    Ok(RunFacts {
        network: recipe.networks(),
        parameters: cost.parameters + more,
        trained_parameters: trained(recipe, &graph, slices_epochs.len() as u64)? + more,
        multiply_adds: cost.multiply_adds,
        input: [recipe.input.channels() as u64, side, side],
        engine: run.lock.engine.clone(),
        sampling: sampling(&recipe.sampler),
        augmentation: augmentation(recipe),
        loss: loss(&recipe.loss),
        training: slices(&data.training, &run.index)?,
        validation: slices(&data.validation, &run.index)?,
        judged: judged(run),
        judged_part: match run.part {
            Part::Test => JudgedPart::Test,
            Part::Validation => JudgedPart::Validation,
        },
        epochs_planned: match &recipe.sequence {
            Some(sequence) => sequence.epochs,
            None => recipe.training.epochs,
        },
        best_epoch: best.map(|line| line.epoch),
        training_baseline: last.and_then(|s| baseline(recipe, data, s)),
        timing: timing(folder, recipe, &slices_epochs, sampler.as_ref()),
        epochs: epochs.iter().map(losses).collect(),
    })
}

/// The second stage of a run.
struct Second {
    parameters: u64,
    epochs: Vec<EpochMetrics>,
}

impl Second {
    fn of(folder: &RunFolder, recipe: &Recipe) -> Result<Option<Self>, TrainError> {
        if recipe.sequence.is_none() {
            return Ok(None);
        }
        let bundle = Bundle::open(&folder.bundle())?;
        let Some(config) = &bundle.manifest().sequence else {
            return Ok(None);
        };
        let graph = zoo::build_sequence(config)?;
        let weights = graph.parameters().iter();
        let weights = weights.filter(|spec| spec.kind == ParameterKind::Weight);
        Ok(Some(Self {
            parameters: weights
                .map(|spec| spec.shape.iter().product::<usize>() as u64)
                .sum(),
            epochs: folder::read_lines(&folder.last_stage(recipe).metrics())?,
        }))
    }
}

fn losses(line: &EpochMetrics) -> EpochLosses {
    EpochLosses {
        epoch: line.epoch,
        training_loss: line.training_loss,
        validation_loss: line.validation_loss,
        validation_baseline: line.validation_baseline,
    }
}

/// How many weights learnt in one of the epochs that were run.
fn trained(recipe: &Recipe, graph: &Graph, epochs: u64) -> Result<u64, TrainError> {
    let plan = Plan::new(recipe, graph)?;
    // Phases last whole epochs, so few lists of frozen modules differ.
    let frozen: BTreeSet<Vec<String>> = (0..epochs)
        .map(|epoch| plan.of_epoch(epoch).0.frozen)
        .collect();
    let specs = graph.parameters();
    let learnt = specs.iter().filter(|spec| {
        let rests = |modules: &Vec<String>| modules.iter().any(|module| spec.is_in(module));
        spec.kind == ParameterKind::Weight && !frozen.iter().all(rests)
    });
    Ok(learnt
        .map(|spec| spec.shape.iter().product::<usize>() as u64)
        .sum())
}

/// How often which slices were shown, in a word.
fn sampling(config: &SamplerConfig) -> String {
    let mut ways = Vec::new();
    let shares = config.positive_any_share.map(|share| ("any", share));
    let of_labels = config
        .label_shares
        .iter()
        .map(|(label, share)| (label.name(), *share));
    for (label, share) in shares.into_iter().chain(of_labels) {
        ways.push(format!("{label} to {:.0} %", 100.0 * share));
    }
    if config.balance_studies {
        ways.push("studies alike".to_owned());
    }
    if config.weights.is_some() {
        ways.push("weighted by a file".to_owned());
    }
    if ways.is_empty() {
        ways.push("no".to_owned());
    }
    ways.join(", ")
}

/// What training made small, in a word.
fn loss(config: &LossConfig) -> String {
    let name = match config.name {
        LossName::LogLoss => "log loss",
        LossName::Focal => "focal",
        LossName::Asymmetric => "asymmetric",
    };
    let mut words = vec![name.to_owned()];
    if config.label_weights != LossConfig::default().label_weights {
        let weights = config.label_weights.map(|weight| weight.to_string());
        words.push(format!("labels weighted {}", weights.join(" ")));
    }
    if config.smoothing > 0.0 {
        words.push(format!("smoothed by {}", config.smoothing));
    }
    words.join(", ")
}

fn slices(samples: &Samples, index: &Index) -> Result<Slices, TrainError> {
    let mut patients: BTreeSet<PatientId> = BTreeSet::new();
    let mut count = 0;
    for at in samples.labelled() {
        count += 1;
        if let Some(row) = index.rows.get(samples.row(at)? as usize) {
            patients.insert(cases::patient(row));
        }
    }
    Ok(Slices {
        slices: count,
        patients: patients.len() as u64,
    })
}

fn judged(run: &JudgedRun) -> Slices {
    let known = run.judged.cases.iter();
    let known: Vec<_> = known.filter(|case| !case.truth.is_empty()).collect();
    let patients: BTreeSet<&PatientId> = known.iter().map(|case| &case.patient).collect();
    Slices {
        slices: known.len() as u64,
        patients: patients.len() as u64,
    }
}

fn augmentation(recipe: &Recipe) -> String {
    let Some(augment) = recipe.augment else {
        return "none".to_owned();
    };
    match recipe.training.no_augment_words() {
        None => augment.words(),
        Some(last) => format!("{}; none in {last}", augment.words()),
    }
}

/// The training loss of predicting, for every slice, the prevalence of the slices as they are shown on average.
///
/// For the log loss of whole labels this is the labels' entropy in the loss's weights; other losses have no such value here.
fn baseline(recipe: &Recipe, data: &RunData, sampler: &Sampler) -> Option<f64> {
    let config = &recipe.loss;
    let is_plain = config.name == LossName::LogLoss
        && config.smoothing == 0.0
        && config.reduction != Reduction::Batch
        && !recipe.augment.is_some_and(|augment| augment.mixes());
    let mut counted = LABELS.into_iter().zip(config.label_weights);
    let is_known = data.training.labelled().all(|at| {
        let row = data.training.labels(at);
        let mut counted = counted.clone();
        counted.all(|(label, weight)| weight == 0.0 || row.get(label).is_some())
    });
    if !is_plain || !is_known {
        return None;
    }
    let of = |(sum, weights): (f64, f64), (label, weight): (falx_core::Label, f32)| {
        let weight = f64::from(weight);
        let share = sampler.shown().get(label.index()).copied().unwrap_or(0.0);
        (sum + weight * entropy(share), weights + weight)
    };
    let (sum, weights) = counted.by_ref().fold((0.0, 0.0), of);
    Some(sum / weights)
}

/// The log loss of predicting a share for everything that has it.
fn entropy(share: f64) -> f64 {
    let part = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
    part(share) + part(1.0 - share)
}

/// Where the time of the network of slices went, as far as the run has written it down.
fn timing(
    folder: &RunFolder,
    recipe: &Recipe,
    epochs: &[EpochMetrics],
    sampler: Option<&Sampler>,
) -> Option<RunTiming> {
    // Nothing depends on the times, so a run without them is a run all the same.
    let lines: Vec<EpochTiming> = folder::read_lines(&folder.timing()).unwrap_or_default();
    let (mut training, mut validation, mut waited, mut slices) = (0.0, 0.0, 0.0, 0);
    for line in &lines {
        training += line.seconds;
        validation += line.validation_seconds;
        waited += line.waiting_share * line.seconds;
        slices += line.slices;
    }
    if lines.is_empty() || training <= 0.0 {
        return None;
    }
    let whole = sampler.map_or(0, Sampler::len) as u64;
    let last = epochs.last().map(|line| line.epoch);
    let is_whole = |line: &EpochTiming| {
        let is_cut_short = Some(line.epoch) == last && recipe.training.steps.is_some();
        line.slices >= whole || is_cut_short
    };
    let numbers = |line: &EpochTiming| line.epoch;
    Some(RunTiming {
        training_seconds: training,
        validation_seconds: validation,
        slices_per_second: slices as f64 / training,
        waiting_share: waited / training,
        is_whole: lines.iter().map(numbers).eq(epochs.iter().map(|e| e.epoch))
            && lines.iter().all(is_whole),
    })
}

#[cfg(test)]
mod tests;
