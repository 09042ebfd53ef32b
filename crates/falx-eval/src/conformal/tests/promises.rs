//! Do the promises hold, on average over many sets of clustered cases? The sizes are for a test that ends soon;
//! `examples/conformal_coverage.rs` runs the same with thousands.

use falx_core::random;
use rand::RngExt;

use super::super::*;
use crate::{Outcomes, Resampling};

/// Cases of patients of very different sizes, whose scores share a strong part.
struct Cohort {
    truth: Vec<bool>,
    prediction: Vec<f64>,
    cluster: Vec<u32>,
}

impl Cohort {
    fn draw(patients: u32, draw: u64, purpose: &str) -> Self {
        let mut cohort = Self {
            truth: Vec::new(),
            prediction: Vec::new(),
            cluster: Vec::new(),
        };
        for patient in 0..patients {
            let mut rng = random::stream(11, purpose, &[draw, u64::from(patient)]);
            let mut sum_of = |n: u32| (0..n).map(|_| rng.random::<f64>() - 0.5).sum::<f64>();
            // Sick patients have many slices and are harder: slices and patients do not agree on how hard it is.
            let effect = 3.0 * sum_of(4);
            let sick = sum_of(1) > 0.1;
            for _ in 0..if sick { 24 } else { 3 } {
                let truth = sum_of(1) > if sick { 0.0 } else { 0.4 };
                let signal = if truth { 1.2 } else { -1.2 };
                let logit = signal + effect * if sick { 1.5 } else { 0.5 } + sum_of(3);
                cohort.truth.push(truth);
                cohort.prediction.push(1.0 / (1.0 + (-logit).exp()));
                cohort.cluster.push(patient);
            }
        }
        cohort
    }

    fn outcomes(&self) -> Outcomes<'_> {
        Outcomes::new(&self.truth, &self.prediction, &self.cluster).unwrap()
    }
}

const ALPHA: f64 = 0.1;
const DRAWS: u64 = 300;
const PATIENTS: u32 = 60;
/// Three standard errors of a mean of [`DRAWS`] coverages, each of 400 patients under a model of 60.
const ROOM: f64 = 0.01;

/// Mean coverage by patient of all, of positives and of negatives.
fn mean_coverage(condition: Condition, clustering: impl Fn(u64) -> Clustering) -> [f64; 3] {
    let mut sums = [0.0; 3];
    for draw in 0..DRAWS {
        let options = ConformalOptions {
            alpha: ALPHA,
            condition,
            clustering: clustering(draw),
        };
        let (known, new) = (
            Cohort::draw(PATIENTS, draw, "calibration"),
            Cohort::draw(400, draw, "test"),
        );
        let model = fit(&known.outcomes(), &options).unwrap();
        let sets = model.sets(&new.prediction);
        let none = Resampling::new(400, 0, 0);
        let found = coverage(&new.outcomes(), &sets, &options, &none).unwrap();
        for (sum, of) in sums
            .iter_mut()
            .zip([found.all, found.positives, found.negatives])
        {
            *sum += of.by_patient.unwrap().value;
        }
    }
    sums.map(|sum| sum / DRAWS as f64)
}

#[test]
fn new_patients_are_covered_as_promised() {
    let ways: [fn(u64) -> Clustering; 3] = [
        |_| Clustering::Pooled,
        |seed| Clustering::SubsampledOnce { seed },
        |seed| Clustering::Subsampled { draws: 20, seed },
    ];
    for clustering in ways {
        let [all, ..] = mean_coverage(Condition::Marginal, clustering);
        // Not above by more than the one patient at infinity and what is left of chance.
        let most = 1.0 - ALPHA + 1.0 / f64::from(PATIENTS) + ROOM;
        let way = clustering(0);
        assert!(all >= 1.0 - ALPHA - ROOM && all <= most, "{way:?}: {all}");
    }
}

#[test]
fn each_class_is_covered_as_promised() {
    let [_, positives, negatives] = mean_coverage(Condition::ByClass, |_| Clustering::Pooled);
    assert!(positives >= 1.0 - ALPHA - ROOM, "positives: {positives}");
    assert!(negatives >= 1.0 - ALPHA - ROOM, "negatives: {negatives}");
}

#[test]
fn slices_taken_for_patients_cover_otherwise_than_promised() {
    let [pooled, ..] = mean_coverage(Condition::Marginal, |_| Clustering::Pooled);
    let [slices, ..] = mean_coverage(Condition::Marginal, |_| Clustering::Cases);
    // The many slices of the harder patients rule: easy patients are covered far more than anyone asked for.
    assert!(slices > pooled + 0.01, "{slices} against {pooled}");
}

#[test]
fn the_expected_share_missed_stays_below_its_level() {
    let mut sum = 0.0;
    let none = Resampling::new(400, 0, 0);
    for draw in 0..DRAWS {
        let known = Cohort::draw(PATIENTS, draw, "risk calibration");
        let new = Cohort::draw(400, draw, "risk test");
        let control = Detections::of_cases(&known.outcomes())
            .unwrap()
            .control(ALPHA)
            .unwrap();
        let realised = Detections::of_cases(&new.outcomes())
            .unwrap()
            .realised(&control, &none);
        sum += realised.risk.unwrap().value;
    }
    let risk = sum / DRAWS as f64;
    // Above alpha - 2/(n + 1) by the theorem, n being the patients with a positive case.
    assert!(risk <= ALPHA + ROOM && risk > ALPHA - 0.06, "{risk}");
}
