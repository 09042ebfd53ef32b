//! How long an evaluation of as many slices as the RSNA data has takes, with intervals of every headline score.
//!
//!     cargo run --release -p falx-eval --example resampling_speed [slices] [patients of one slice] [replicates]
//!
//! Made-up cases: some 19,000 patients of either few or about 40 slices, and patients of one slice.

use std::time::Instant;

use falx_core::{ImageId, LABELS, LabelRow, PatientId, Probability, Silent, random};
use falx_eval::{Case, EvaluateOptions, evaluate};
use rand::RngExt;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let number = |place: usize, default: u64| -> Result<u64, std::num::ParseIntError> {
        std::env::args()
            .nth(place)
            .map_or(Ok(default), |text| text.parse())
    };
    let (slices, single) = (number(1, 752_803)?, number(2, 398_516)?);
    let replicates = u32::try_from(number(3, 1000)?)?;
    let cases = cases(slices, single)?;
    let options = EvaluateOptions {
        replicates,
        ..EvaluateOptions::default()
    };
    let start = Instant::now();
    let evaluation = evaluate(&cases, &options, &Silent)?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{}", evaluation.to_text());
    println!("{seconds:.2} s, without making the cases");
    Ok(())
}

fn cases(slices: u64, single: u64) -> Result<Vec<Case>, falx_core::NotAProbability> {
    const SHARES: [f64; 5] = [0.0042, 0.048, 0.0348, 0.0474, 0.0627];
    let mut rng = random::stream(0, "resampling speed", &[]);
    let mut cases = Vec::new();
    let (mut patient, mut left) = (0_u64, 0_u32);
    let mut bleeds = false;
    for slice in 0..slices {
        if left == 0 || slice < single {
            patient += 1;
            left = if rng.random::<bool>() { 5 } else { 33 };
            bleeds = rng.random::<f64>() < 0.4;
        }
        left -= 1;
        let mut truth = LabelRow([Some(false); 6]);
        let mut prediction = [Probability::new(0.0)?; 6];
        for ((label, share), place) in LABELS.into_iter().zip(SHARES).zip(&mut prediction) {
            let positive = bleeds && rng.random::<f64>() < share / 0.4;
            truth.set(label, positive);
            let signal = if positive { 0.4 } else { 0.0 };
            *place = Probability::new(rng.random::<f64>().powi(4) * 0.6 + signal)?;
        }
        truth.set(LABELS[5], truth.0.contains(&Some(true)));
        prediction[5] = prediction
            .into_iter()
            .fold(prediction[5], |a, b| if a > b { a } else { b });
        cases.push(Case {
            image_id: ImageId(format!("ID_{slice:09x}")),
            patient: PatientId(format!("P{patient:06}")),
            study: None,
            series: None,
            order: None,
            attributes: None,
            truth,
            prediction,
        });
    }
    Ok(cases)
}
