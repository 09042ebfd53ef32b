mod band;
mod degenerate;
mod golden;
mod properties;

use falx_core::random;
use rand::RngExt;

use super::sigmoid;
use crate::Outcomes;

/// Cases that own their columns.
#[derive(Debug)]
struct Sample {
    truth: Vec<bool>,
    prediction: Vec<f64>,
    cluster: Vec<u32>,
}

impl Sample {
    fn outcomes(&self) -> Outcomes<'_> {
        Outcomes::new(&self.truth, &self.prediction, &self.cluster).unwrap()
    }

    /// The same cases with other predictions.
    fn mapped(&self, map: impl Fn(f64) -> f64) -> Self {
        Self {
            truth: self.truth.clone(),
            prediction: self.prediction.iter().map(|&p| map(p)).collect(),
            cluster: self.cluster.clone(),
        }
    }
}

/// Patients of ten slices whose predictions are right case by case, while `shared` of a patient's outcomes are drawn together.
fn right(seed: u64, patients: u32, shared: f64) -> Sample {
    let mut sample = Sample {
        truth: Vec::new(),
        prediction: Vec::new(),
        cluster: Vec::new(),
    };
    for patient in 0..patients {
        let mut rng = random::stream(seed, "right", &[u64::from(patient)]);
        let common: f64 = rng.random();
        let centre = -1.0 + 1.5 * (rng.random::<f64>() + rng.random::<f64>() - 1.0);
        for _ in 0..10 {
            let p = sigmoid(centre + 3.0 * (rng.random::<f64>() - 0.5));
            let own: f64 = rng.random();
            let drawn = if rng.random::<f64>() < shared {
                common
            } else {
                own
            };
            sample.truth.push(drawn < p);
            sample.prediction.push(p);
            sample.cluster.push(patient);
        }
    }
    sample
}

fn near(a: f64, b: f64, tolerance: f64) {
    assert!(
        (a - b).abs() <= tolerance * b.abs().max(1.0),
        "{a} is not {b}"
    );
}
