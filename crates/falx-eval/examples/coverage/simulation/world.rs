//! A world with known scores, and samples of it.

use std::f64::consts::{FRAC_1_SQRT_2, LN_2, PI};

use falx_core::{ImageId, LabelRow, PatientId, Probability, random};
use falx_eval::Case;
use rand::RngExt;
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

/// The true scores.
pub struct Truth {
    pub log_loss: f64,
    pub brier: f64,
    pub auc: f64,
    pub partial_auc: f64,
    pub average_precision: f64,
    pub difference: f64,
    pub sensitivity: f64,
    pub specificity: f64,
    /// At a specificity of 0.9.
    pub sensitivity_at_nine_tenths: f64,
    pub alarms: f64,
    pub skill: f64,
    pub skill_of_half: f64,
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
    pub const CALLED: f64 = 0.5;

    /// The calibrated prediction that belongs to a score.
    pub fn prediction(&self, score: f64) -> f64 {
        1.0 / (1.0 + (-self.logit(score)).exp())
    }

    fn logit(&self, score: f64) -> f64 {
        let odds = self.prevalence / (1.0 - self.prevalence);
        self.separation * (score - self.separation / 2.0) + odds.ln()
    }

    /// The true sensitivity and specificity of a threshold of the predictions.
    pub fn rates(&self, threshold: f64) -> (f64, f64) {
        let odds = self.prevalence / (1.0 - self.prevalence);
        let logit = (threshold / (1.0 - threshold)).ln();
        let score = (logit - odds.ln()) / self.separation + self.separation / 2.0;
        (below(self.separation - score), below(score))
    }

    pub fn truth(&self) -> Truth {
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
            specificity: below(called),
            sensitivity_at_nine_tenths: below(apart - Normal::standard().inverse_cdf(0.9)),
            alarms: share * sensitivity + (1.0 - share) * below(-called),
            skill: 1.0 - log_loss / entropy,
            skill_of_half: 1.0 - log_loss / LN_2,
        }
    }

    /// One sample: six labels, which know nothing of each other.
    pub fn sample(&self, number: u64) -> Sample {
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
pub struct Sample {
    pub patient: Vec<u32>,
    pub first_of_patient: Vec<bool>,
    pub truth: Vec<[bool; 6]>,
    pub first: Vec<[f64; 6]>,
    pub second: Vec<[f64; 6]>,
}

impl Sample {
    pub fn cases(&self, world: &World) -> Vec<Case> {
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
