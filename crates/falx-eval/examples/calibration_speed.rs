//! How long everything about one label's calibration takes at the size of the RSNA data.
//!
//! `cargo run --release -p falx-eval --example calibration_speed`

use std::time::Instant;

use falx_core::random;
use falx_eval::calibration::{estimate_prior, recalibrate, recalibrate_cross_fitted, summary};
use falx_eval::{Outcomes, Resampling};
use rand::RngExt;

const CASES: usize = 752_803;
const PATIENTS: u32 = 18_938;

type Columns = (Vec<bool>, Vec<f64>, Vec<u32>);

/// Overconfident predictions of a label that is positive in about one case of seven.
fn label(seed: u64) -> Columns {
    let mut rng = random::stream(seed, "example", &[]);
    let mut columns = (Vec::new(), Vec::new(), Vec::new());
    for case in 0..CASES {
        let logit = -3.0 + 8.0 * (rng.random::<f64>() + rng.random::<f64>() - 1.0);
        let right = 1.0 / (1.0 + (-logit).exp());
        columns.0.push(rng.random::<f64>() < right);
        columns.1.push(1.0 / (1.0 + (-1.5 * logit).exp()));
        columns
            .2
            .push((case / CASES.div_ceil(PATIENTS as usize)) as u32);
    }
    columns
}

fn timed<T>(what: &str, of: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = of();
    println!("{what}: {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    result
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (development, test) = (label(1), label(2));
    let development = Outcomes::new(&development.0, &development.1, &development.2)?;
    let test = Outcomes::new(&test.0, &test.1, &test.2)?;
    let resampling = Resampling::new(test.clusters(), 0, 1);
    let found = timed("summary", || summary(&test, &resampling));
    println!("  slope {:?}", found.slope.map(|s| s.value));
    let found = timed("fitted on a development set", || {
        recalibrate(&development, &test)
    })?;
    println!("  log loss before {:.5}", found.before.log_loss);
    for row in &found.methods {
        println!("  {} {:?}", row.method, row.after.map(|a| a.log_loss));
    }
    timed("cross-fitted in five folds", || {
        recalibrate_cross_fitted(&test, 5, 1)
    })?;
    let shift = timed("prior", || estimate_prior(test.prediction(), 0.2))?;
    println!("  {shift:?}");
    Ok(())
}
