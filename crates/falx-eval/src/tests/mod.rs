mod degenerate;
mod files;
mod golden;
mod intervals;
mod levels;
mod population;
mod properties;
mod wholes;

use falx_core::{ImageId, LABELS, LabelRow, PatientId, Probability, random};
use rand::RngExt;

use crate::Case;

/// A probability; the tests give only valid ones.
pub(crate) fn p(x: f64) -> Probability {
    Probability::new(x).unwrap()
}

/// Labels from bits.
fn row(bits: [u8; 6]) -> LabelRow {
    LabelRow(bits.map(|b| Some(b == 1)))
}

/// A case with one prediction for all labels.
fn case(image: &str, patient: &str, bits: [u8; 6], prediction: f64) -> Case {
    Case {
        image_id: ImageId::from(image),
        patient: PatientId::from(patient),
        study: None,
        series: None,
        order: None,
        attributes: None,
        truth: row(bits),
        prediction: [p(prediction); 6],
    }
}

/// Slices of `patients` patients, ten each, whose predictions know something.
pub(crate) fn cohort(patients: u64) -> Vec<Case> {
    let mut cases = Vec::new();
    for patient in 0..patients {
        let mut rng = random::stream(1, "cohort", &[patient]);
        for slice in 0..10 {
            let mut truth = LabelRow([Some(false); 6]);
            let mut prediction = [p(0.0); 6];
            for (i, label) in LABELS.into_iter().enumerate().take(5) {
                truth.set(label, rng.random::<f64>() < 0.12);
                let signal = if truth.0[i] == Some(true) { 0.5 } else { 0.1 };
                prediction[i] = p(0.05 + signal * rng.random::<f64>());
            }
            truth.set(LABELS[5], truth.0.contains(&Some(true)));
            prediction[5] = prediction
                .into_iter()
                .fold(p(0.0), |a, b| if a > b { a } else { b });
            cases.push(Case {
                image_id: ImageId(format!("ID_{patient:03}{slice:02}")),
                patient: PatientId(format!("P{patient:03}")),
                study: Some(format!("S{patient:03}{}", slice / 5).into()),
                series: None,
                order: None,
                attributes: None,
                truth,
                prediction,
            });
        }
    }
    cases
}
