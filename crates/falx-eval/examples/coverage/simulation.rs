//! A world with known scores, samples of it, and how often intervals hold the truth.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2, PI};

use falx_core::{ImageId, LabelRow, PatientId, Probability, Silent, random};
use falx_eval::interval::{
    LEVEL, clopper_pearson, clustered_difference, delong, delong_difference, wilson,
};
use falx_eval::{Case, Estimate, EvaluateOptions, LabelScore, Outcomes, Resampling, evaluate};
use rand::RngExt;
use rayon::prelude::*;
use statrs::distribution::{ContinuousCDF, Normal};

/// Patients with slices whose truths and scores resemble each other; taken one by one, a slice's score is normal about
/// `separation` where it is positive and about 0 where it is not, so every score has a known true value.
#[derive(Clone, Copy, Debug)]
pub struct World {
    pub patients: usize,
    /// A patient has 1 to so many slices.
    pub most_slices: u32,
    pub prevalence: f64,
    pub separation: f64,
    /// Of the second prediction.
    pub second: f64,
    /// How much slices of one patient share of what makes them positive, and of their score's noise.
    pub resemblance: f64,
    pub replicates: u32,
}

impl Default for World {
    fn default() -> Self {
        Self {
            patients: 300,
            most_slices: 9,
            prevalence: 0.3,
            separation: 1.5,
            second: 1.1,
            resemblance: 0.5,
            replicates: 1000,
        }
    }
}

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

/// The true scores.
struct Truth {
    log_loss: f64,
    brier: f64,
    auc: f64,
    partial_auc: f64,
    average_precision: f64,
    difference: f64,
    sensitivity: f64,
    alarms: f64,
    skill: f64,
    skill_of_half: f64,
}

fn below(z: f64) -> f64 {
    Normal::standard().cdf(z)
}

fn density(x: f64) -> f64 {
    (-x * x / 2.0).exp() / (2.0 * PI).sqrt()
}

/// Simpson's rule.
fn integral(from: f64, to: f64, of: impl Fn(f64) -> f64) -> f64 {
    const STEPS: u32 = 4000;
    let step = (to - from) / f64::from(STEPS);
    let inner = (1..STEPS).map(|i| {
        let weight = if i % 2 == 1 { 4.0 } else { 2.0 };
        weight * of(from + f64::from(i) * step)
    });
    (of(from) + inner.sum::<f64>() + of(to)) * step / 3.0
}

impl World {
    /// Called positive where the prediction is at least one half.
    const CALLED: f64 = 0.5;

    /// The calibrated prediction that belongs to a score.
    fn prediction(&self, score: f64) -> f64 {
        1.0 / (1.0 + (-self.logit(score)).exp())
    }

    fn logit(&self, score: f64) -> f64 {
        let odds = self.prevalence / (1.0 - self.prevalence);
        self.separation * (score - self.separation / 2.0) + odds.ln()
    }

    fn truth(&self) -> Truth {
        let (share, apart) = (self.prevalence, self.separation);
        let over = |of: &dyn Fn(f64, bool) -> f64| {
            let positive = integral(apart - 9.0, apart + 9.0, |s| {
                density(s - apart) * of(s, true)
            });
            let negative = integral(-9.0, 9.0, |s| density(s) * of(s, false));
            share * positive + (1.0 - share) * negative
        };
        let log_loss = over(&|s, y| {
            let sign = if y { -1.0 } else { 1.0 };
            (sign * self.logit(s)).exp().ln_1p()
        });
        let brier = over(&|s, y| (self.prediction(s) - f64::from(u8::from(y))).powi(2));
        let precision = |s: f64| {
            let (hits, false_alarms) = (share * below(apart - s), (1.0 - share) * below(-s));
            hits / (hits + false_alarms)
        };
        let width: f64 = 0.1;
        // Over false positive rates up to the width: over scores from where the rate is the width.
        let start = -Normal::standard().inverse_cdf(width);
        let part = integral(start, 9.0, |s| density(s) * below(apart - s));
        let least = width * width / 2.0;
        // The score at which the prediction is one half.
        let called = apart / 2.0 - ((share / (1.0 - share)).ln()) / apart;
        let sensitivity = below(apart - called);
        let entropy = -share * share.ln() - (1.0 - share) * (1.0 - share).ln();
        Truth {
            log_loss,
            brier,
            auc: below(apart * FRAC_1_SQRT_2),
            partial_auc: f64::midpoint(1.0, (part - least) / (width - least)),
            average_precision: integral(apart - 9.0, apart + 9.0, |s| {
                density(s - apart) * precision(s)
            }),
            difference: below(apart * FRAC_1_SQRT_2) - below(self.second * FRAC_1_SQRT_2),
            sensitivity,
            alarms: share * sensitivity + (1.0 - share) * below(-called),
            skill: 1.0 - log_loss / entropy,
            skill_of_half: 1.0 - log_loss / LN_2,
        }
    }

    /// One sample: six labels, which know nothing of each other.
    fn sample(&self, number: u64) -> Sample {
        let mut rng = random::stream(8, "coverage", &[number]);
        let mut normal = || {
            let uniform: f64 = rng.random();
            Normal::standard().inverse_cdf(uniform.max(1e-300))
        };
        let mut sample = Sample::default();
        let cut = -Normal::standard().inverse_cdf(self.prevalence);
        let (shared, own) = (self.resemblance.sqrt(), (1.0 - self.resemblance).sqrt());
        for patient in 0..self.patients as u32 {
            let slices = 1 + (below(normal()) * f64::from(self.most_slices)) as u32;
            let of_patient: [[f64; 3]; 6] =
                std::array::from_fn(|_| std::array::from_fn(|_| normal()));
            for slice in 0..slices {
                let mut truth = [false; 6];
                let (mut first, mut second) = ([0.0; 6], [0.0; 6]);
                for (i, of_patient) in of_patient.iter().enumerate() {
                    let [y, a, b] = of_patient.map(|common| shared * common + own * normal());
                    truth[i] = y > cut;
                    let apart = f64::from(u8::from(truth[i]));
                    first[i] = self.separation * apart + a;
                    // The second prediction shares most of the first one's noise.
                    second[i] = self.second * apart + 0.8 * a + 0.6 * b;
                }
                sample.patient.push(patient);
                sample.first_of_patient.push(slice == 0);
                sample.truth.push(truth);
                sample.first.push(first);
                sample.second.push(second);
            }
        }
        sample
    }
}

#[derive(Default)]
struct Sample {
    patient: Vec<u32>,
    first_of_patient: Vec<bool>,
    truth: Vec<[bool; 6]>,
    first: Vec<[f64; 6]>,
    second: Vec<[f64; 6]>,
}

impl Sample {
    fn cases(&self, world: &World) -> Vec<Case> {
        (0..self.patient.len())
            .map(|i| Case {
                image_id: ImageId(format!("{i:06}")),
                patient: PatientId(format!("{:06}", self.patient[i])),
                study: None,
                series: None,
                order: None,
                attributes: None,
                truth: LabelRow(self.truth[i].map(Some)),
                prediction: self.first[i]
                    .map(|score| Probability::new(world.prediction(score)).unwrap_or_default()),
            })
            .collect()
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

fn of_closures(
    world: &World,
    sample: &Sample,
    truth: &Truth,
    (number, label): (u64, usize),
    found: &mut Found,
) {
    use Promise::Level;
    let resampling = Resampling {
        clusters: world.patients,
        replicates: world.replicates,
        seed: number,
    };
    let mut sums = vec![(0.0, 0.0, 0.0, 0.0); world.patients];
    for ((&patient, y), s) in sample.patient.iter().zip(&sample.truth).zip(&sample.first) {
        let sum = &mut sums[patient as usize];
        let p = world.prediction(s[label]);
        sum.0 += -(if y[label] { p } else { 1.0 - p }).ln();
        sum.1 += 1.0;
        if y[label] {
            sum.2 += f64::from(u8::from(p >= World::CALLED));
            sum.3 += 1.0;
        }
    }
    let ratio = |of: fn(&(f64, f64, f64, f64)) -> (f64, f64), weights: &[u32]| {
        let pairs = sums.iter().zip(weights);
        let (sum, count) = pairs.fold((0.0, 0.0), |total, (sums, &weight)| {
            let (sum, count) = of(sums);
            let weight = f64::from(weight);
            (total.0 + weight * sum, total.1 + weight * count)
        });
        (count > 0.0).then(|| sum / count)
    };
    let loss = resampling.percentile(|w| ratio(|s| (s.0, s.1), w));
    found.push(("log loss, percentiles", Level, loss, truth.log_loss));
    let sensitivity = |w: &[u32]| ratio(|s| (s.2, s.3), w);
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
