//! How often intervals hold the truth in samples of a world.

mod world;

use falx_core::Silent;
use falx_eval::interval::{
    LEVEL, clopper_pearson, clustered_difference, delong, delong_difference, wilson,
};
use falx_eval::operating::{ChosenOn, LockedPoint, RocBandPoint, Rule, locked_points};
use falx_eval::{Estimate, EvaluateOptions, LabelScore, Outcomes, Resampling, evaluate};
use rayon::prelude::*;

pub use world::World;
use world::{Sample, Truth};

/// Labels that the statistics of this file are resampled for.
const CLOSURES: usize = 3;

/// What a method promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promise {
    /// The level, within 1.5 points.
    Level,
    /// No less than 1.5 points below the level.
    AtLeast,
    /// Nothing here: it must be seen to fail.
    TooNarrow,
}

/// How often one method's interval held the truth.
#[derive(Clone, Debug)]
pub struct Row {
    pub name: &'static str,
    pub promise: Promise,
    pub held: u32,
    pub tried: u32,
    pub without: u32,
}

impl Row {
    pub fn covered(&self) -> f64 {
        f64::from(self.held) / f64::from(self.tried.max(1))
    }
}

/// The results of one sample, in an order that is the same for all.
type Found = Vec<(&'static str, Promise, Option<Estimate>, f64)>;

/// Runs so many samples.
pub fn run(world: &World, samples: u64) -> Vec<Row> {
    let truth = world.truth();
    let found: Vec<Found> = (0..samples)
        .into_par_iter()
        .map(|number| judge(world, &truth, number))
        .collect();
    let mut rows: Vec<Row> = Vec::new();
    for (name, promise, estimate, truth) in found.into_iter().flatten() {
        let place = rows.iter().position(|row| row.name == name);
        let place = place.unwrap_or_else(|| {
            rows.push(Row {
                name,
                promise,
                held: 0,
                tried: 0,
                without: 0,
            });
            rows.len() - 1
        });
        let row = &mut rows[place];
        row.tried += 1;
        match estimate.and_then(|e| Some((e.low?, e.high?))) {
            Some((low, high)) => row.held += u32::from(low <= truth && truth <= high),
            None => row.without += 1,
        }
    }
    rows
}

fn judge(world: &World, truth: &Truth, number: u64) -> Found {
    let sample = world.sample(number);
    let options = EvaluateOptions {
        replicates: world.replicates,
        seed: number,
        ..EvaluateOptions::default()
    };
    let mut found = Found::new();
    if let Ok(e) = evaluate(&sample.cases(world), &options, &Silent) {
        use Promise::Level;
        let skill = |name: &str| {
            let baseline = e.baselines.iter().find(|b| b.name.starts_with(name));
            baseline.and_then(|b| b.skill)
        };
        found.push((
            "weighted log loss, BCa",
            Level,
            Some(e.weighted_log_loss),
            truth.log_loss,
        ));
        found.push((
            "skill against prevalence, BCa",
            Level,
            skill("prevalence"),
            truth.skill,
        ));
        found.push((
            "skill against 0.5, BCa",
            Level,
            skill("0.5"),
            truth.skill_of_half,
        ));
        for score in &e.labels {
            of_label(score, truth, &mut found);
        }
    }
    for label in 0..6 {
        of_formulas(world, &sample, truth, label, &mut found);
        // These are slow, and the same for every label.
        if label < CLOSURES {
            of_closures(world, &sample, truth, (number, label), &mut found);
        }
    }
    of_locked(world, &sample, number, &mut found);
    found
}

fn of_label(score: &LabelScore, truth: &Truth, found: &mut Found) {
    use Promise::Level;
    found.push(("log loss, BCa", Level, score.log_loss, truth.log_loss));
    found.push(("Brier score, BCa", Level, score.brier, truth.brier));
    found.push(("AUC, BCa", Level, score.auc, truth.auc));
    found.push(("AUC, clustered DeLong", Level, score.auc_delong, truth.auc));
    found.push((
        "partial AUC, BCa",
        Level,
        score.partial_auc,
        truth.partial_auc,
    ));
    let precision = score.average_precision;
    let at = |p: &&RocBandPoint| p.specificity == 0.9;
    found.push((
        "sensitivity at a specificity of 0.9, band",
        Level,
        score.roc_band.iter().find(at).map(|p| p.sensitivity),
        truth.sensitivity_at_nine_tenths,
    ));
    let fixed = |p: &&LockedPoint| p.chosen_on == ChosenOn::Fixed;
    let points = score.locked_points.iter().flat_map(|points| &points.points);
    let test = points.clone().find(fixed).map(|point| &point.test);
    found.push((
        "sensitivity at a fixed threshold",
        Level,
        test.and_then(|test| test.sensitivity),
        truth.sensitivity,
    ));
    found.push((
        "specificity at a fixed threshold",
        Level,
        test.and_then(|test| test.specificity),
        truth.specificity,
    ));
    found.push((
        "average precision, BCa",
        Level,
        precision,
        truth.average_precision,
    ));
}

fn of_formulas(world: &World, sample: &Sample, truth: &Truth, label: usize, found: &mut Found) {
    use Promise::{AtLeast, Level, TooNarrow};
    let column = |rows: &[[f64; 6]]| -> Vec<f64> { rows.iter().map(|r| r[label]).collect() };
    let positive: Vec<bool> = sample.truth.iter().map(|r| r[label]).collect();
    let (first, second) = (column(&sample.first), column(&sample.second));
    let Ok(outcomes) = Outcomes::new(&positive, &first, &sample.patient) else {
        return;
    };
    let area = delong(&outcomes).ok().map(|a| a.interval(LEVEL));
    found.push((
        "AUC, DeLong as if slices were patients",
        TooNarrow,
        area,
        truth.auc,
    ));
    let clustered = clustered_difference(&outcomes, &second).ok();
    let clustered = clustered.map(|d| d.interval(LEVEL));
    found.push((
        "difference of AUCs, clustered DeLong",
        Level,
        clustered,
        truth.difference,
    ));

    // One slice a patient: independent cases.
    let kept = |i: &usize| sample.first_of_patient[*i];
    let single: Vec<usize> = (0..positive.len()).filter(kept).collect();
    let truths: Vec<bool> = single.iter().map(|&i| positive[i]).collect();
    let firsts: Vec<f64> = single.iter().map(|&i| first[i]).collect();
    let seconds: Vec<f64> = single.iter().map(|&i| second[i]).collect();
    let own: Vec<u32> = (0..single.len() as u32).collect();
    if let Ok(outcomes) = Outcomes::new(&truths, &firsts, &own) {
        let area = delong(&outcomes).ok();
        let logit = area.map(|a| a.interval(LEVEL));
        let plain = area.map(|a| a.plain_interval(LEVEL));
        found.push((
            "AUC of one slice a patient, DeLong",
            Level,
            logit,
            truth.auc,
        ));
        found.push((
            "AUC of one slice a patient, plain DeLong",
            Level,
            plain,
            truth.auc,
        ));
        let difference = delong_difference(&outcomes, &seconds).ok();
        let difference = difference.map(|d| d.interval(LEVEL));
        let name = "difference of AUCs, one slice each, DeLong";
        found.push((name, Level, difference, truth.difference));
    }
    let called = |score: &&f64| world.prediction(**score) >= World::CALLED;
    let alarms = firsts.iter().filter(called).count() as u64;
    let n = firsts.len() as u64;
    let (score, exact) = (wilson(alarms, n, LEVEL), clopper_pearson(alarms, n, LEVEL));
    found.push(("share of alarms, Wilson", Level, score.ok(), truth.alarms));
    found.push((
        "share of alarms, Clopper-Pearson",
        AtLeast,
        exact.ok(),
        truth.alarms,
    ));
}

/// A threshold that other patients chose: its true rates are those of this threshold, whatever it was chosen for.
fn of_locked(world: &World, sample: &Sample, number: u64, found: &mut Found) {
    let other = world.sample(number + OTHERS);
    let columns = |of: &Sample| -> (Vec<bool>, Vec<f64>) {
        let pairs = of.truth.iter().zip(&of.first);
        pairs.map(|(y, s)| (y[0], world.prediction(s[0]))).unzip()
    };
    let ((dev_truth, dev), (truth, prediction)) = (columns(&other), columns(sample));
    let development = Outcomes::new(&dev_truth, &dev, &other.patient);
    let test = Outcomes::new(&truth, &prediction, &sample.patient);
    let (Ok(development), Ok(test)) = (development, test) else {
        return;
    };
    let resampling = Resampling::new(world.patients, world.replicates, number);
    let rule = Rule::Sensitivity { at_least: 0.9 };
    let points = locked_points(&[rule], &development, &test, &resampling);
    let point = points.of(&rule);
    let (sensitivity, specificity) = point.map_or((0.0, 0.0), |p| world.rates(p.threshold));
    found.push((
        "sensitivity at a locked threshold",
        Promise::Level,
        point.and_then(|p| p.test.sensitivity),
        sensitivity,
    ));
    found.push((
        "specificity at a locked threshold",
        Promise::Level,
        point.and_then(|p| p.test.specificity),
        specificity,
    ));
}

/// Far from the numbers of samples that are judged.
const OTHERS: u64 = 1 << 32;

/// What a patient adds to a mean log loss and a sensitivity.
#[derive(Clone, Copy, Debug, Default)]
struct PatientSums {
    loss: f64,
    cases: f64,
    called: f64,
    positives: f64,
}

fn of_closures(
    world: &World,
    sample: &Sample,
    truth: &Truth,
    (number, label): (u64, usize),
    found: &mut Found,
) {
    use Promise::Level;
    let resampling = Resampling::new(world.patients, world.replicates, number);
    let mut sums = vec![PatientSums::default(); world.patients];
    for ((&patient, y), s) in sample.patient.iter().zip(&sample.truth).zip(&sample.first) {
        let sum = &mut sums[patient as usize];
        let p = world.prediction(s[label]);
        sum.loss += -(if y[label] { p } else { 1.0 - p }).ln();
        sum.cases += 1.0;
        if y[label] {
            sum.called += f64::from(u8::from(p >= World::CALLED));
            sum.positives += 1.0;
        }
    }
    let total = |of: fn(&PatientSums) -> f64, weights: &[u32]| -> f64 {
        let pairs = sums.iter().zip(weights);
        pairs
            .map(|(sums, &weight)| f64::from(weight) * of(sums))
            .sum()
    };
    let loss = resampling.percentile(|w| Some(total(|s| s.loss, w) / total(|s| s.cases, w)));
    found.push(("log loss, percentiles", Level, loss, truth.log_loss));
    let sensitivity = |w: &[u32]| {
        let positives = total(|s| s.positives, w);
        (positives > 0.0).then(|| total(|s| s.called, w) / positives)
    };
    let plain = resampling.percentile(sensitivity);
    found.push(("sensitivity, percentiles", Level, plain, truth.sensitivity));
    let corrected = resampling.estimate(sensitivity);
    found.push(("sensitivity, BCa", Level, corrected, truth.sensitivity));

    let order = |rows: &[[f64; 6]]| {
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by(|&a, &b| rows[a][label].total_cmp(&rows[b][label]));
        order
    };
    let (first, second) = (order(&sample.first), order(&sample.second));
    // Scores are continuous: there are no ties.
    let area = |order: &[usize], weights: &[u32]| {
        let (mut won, mut positives, mut negatives) = (0.0, 0.0, 0.0);
        for &i in order {
            let weight = f64::from(weights[sample.patient[i] as usize]);
            if sample.truth[i][label] {
                won += weight * negatives;
                positives += weight;
            } else {
                negatives += weight;
            }
        }
        let pairs: f64 = positives * negatives;
        (pairs > 0.0).then(|| won / pairs)
    };
    let difference = |w: &[u32]| Some(area(&first, w)? - area(&second, w)?);
    let found_difference = resampling.estimate(difference);
    found.push((
        "difference of AUCs, BCa",
        Level,
        found_difference,
        truth.difference,
    ));
    let plain = resampling.percentile(|w| area(&first, w));
    found.push(("AUC, percentiles", Level, plain, truth.auc));
}
