//! How often prediction sets hold the truth, and how much a controlled threshold misses, over many synthetic sets of
//! patients whose slices resemble each other.
//!
//! `cargo run --release -p falx-eval --example conformal_coverage -- [DRAWS] [PATIENTS] [ALPHA]`

use std::error::Error;

use falx_core::random;
use falx_eval::conformal::{Clustering, Condition, ConformalOptions, Detections, coverage, fit};
use falx_eval::{Outcomes, Resampling};
use rand::RngExt;
use rayon::prelude::*;

/// Patients to judge by in each draw.
const JUDGED: u32 = 500;

/// How cases that share a patient count, for a draw's number.
type Way = fn(u64) -> Clustering;

struct Cohort {
    truth: Vec<bool>,
    prediction: Vec<f64>,
    cluster: Vec<u32>,
}

/// Patients of 3 or 24 slices; those with many are harder, and the slices of each share most of their error.
fn cohort(patients: u32, draw: u64, purpose: &str) -> Cohort {
    let mut cohort = Cohort {
        truth: Vec::new(),
        prediction: Vec::new(),
        cluster: Vec::new(),
    };
    for patient in 0..patients {
        let mut rng = random::stream(2022, purpose, &[draw, u64::from(patient)]);
        let mut sum_of = |n: u32| (0..n).map(|_| rng.random::<f64>() - 0.5).sum::<f64>();
        let effect = 3.0 * sum_of(4);
        let sick = sum_of(1) > 0.1;
        let (slices, spread, bar) = if sick { (24, 1.5, 0.0) } else { (3, 0.5, 0.4) };
        for _ in 0..slices {
            let truth = sum_of(1) > bar;
            let logit = if truth { 1.2 } else { -1.2 } + spread * effect + sum_of(3);
            cohort.truth.push(truth);
            cohort.prediction.push(1.0 / (1.0 + (-logit).exp()));
            cohort.cluster.push(patient);
        }
    }
    cohort
}

/// Mean and standard error, as text.
fn mean(values: &[f64]) -> String {
    let n = values.len().max(2) as f64;
    let mean = values.iter().sum::<f64>() / n;
    let square = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
    let error = (square / (n - 1.0) / n).sqrt();
    format!("{mean:.4} ± {error:.4}")
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |default: &str| arguments.next().unwrap_or_else(|| default.to_owned());
    let draws: u64 = next("4000").parse()?;
    let patients: u32 = next("60").parse()?;
    let alpha: f64 = next("0.1").parse()?;
    println!(
        "{draws} draws of {patients} patients; promised coverage {:.3}",
        1.0 - alpha
    );
    let ways: [(&str, Way); 4] = [
        ("pooled", |_| Clustering::Pooled),
        ("one slice a patient", |seed| Clustering::SubsampledOnce {
            seed,
        }),
        ("20 such choices", |seed| Clustering::Subsampled {
            draws: 20,
            seed,
        }),
        ("slices as patients", |_| Clustering::Cases),
    ];
    let none = Resampling::new(JUDGED as usize, 0, 0);
    for condition in [Condition::Marginal, Condition::ByClass] {
        println!(
            "\n{condition:?}: coverage by patient of all, positives, negatives; by slice of all; mean size"
        );
        for (name, clustering) in ways {
            let found: Vec<Option<[f64; 5]>> = (0..draws)
                .into_par_iter()
                .map(|draw| {
                    let options = ConformalOptions {
                        alpha,
                        condition,
                        clustering: clustering(draw),
                    };
                    let (known, new) = (
                        cohort(patients, draw, "calibration"),
                        cohort(JUDGED, draw, "test"),
                    );
                    let outcomes =
                        Outcomes::new(&known.truth, &known.prediction, &known.cluster).ok()?;
                    let model = fit(&outcomes, &options).ok()?;
                    let judged = Outcomes::new(&new.truth, &new.prediction, &new.cluster).ok()?;
                    let sets = model.sets(&new.prediction);
                    let found = coverage(&judged, &sets, &options, &none).ok()?;
                    Some([
                        found.all.by_patient?.value,
                        found.positives.by_patient?.value,
                        found.negatives.by_patient?.value,
                        found.all.by_case?.value,
                        found.mean_size?.value,
                    ])
                })
                .collect();
            let columns: Vec<String> = (0..5)
                .map(|i| mean(&found.iter().flatten().map(|row| row[i]).collect::<Vec<_>>()))
                .collect();
            println!("{name:20} {}", columns.join("  "));
        }
    }
    let risks: Vec<f64> = (0..draws)
        .into_par_iter()
        .filter_map(|draw| {
            let (known, new) = (
                cohort(patients, draw, "risk calibration"),
                cohort(JUDGED, draw, "risk test"),
            );
            let detections = |c: &Cohort| {
                let outcomes = Outcomes::new(&c.truth, &c.prediction, &c.cluster).ok()?;
                Detections::of_cases(&outcomes).ok()
            };
            let control = detections(&known)?.control(alpha).ok()?;
            Some(detections(&new)?.realised(&control, &none).risk?.value)
        })
        .collect();
    println!(
        "\nexpected share missed, at most {alpha:.3} promised: {}",
        mean(&risks)
    );
    Ok(())
}
