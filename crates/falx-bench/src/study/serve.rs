//! falx's own detector in a process of its own: answers one line of JSON with another, as the peer does.

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::time::Instant;

use falx_core::LABELS;
use falx_infer::{Answer, Detector, PredictOptions, RuntimeKind};
use serde::Deserialize;
use serde_json::json;

use crate::BenchError;
use crate::io::status_mib;
use crate::loader::cpu_ms;

/// What is asked.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Request {
    Setup { bundle: PathBuf, threads: usize },
    Study(PathBuf),
}

/// Loads the bundle that it is told to, and answers for folders.
///
/// # Errors
/// [`BenchError`] where the bundle cannot be loaded, or a study not be answered.
pub fn serve(runtime: RuntimeKind) -> Result<(), BenchError> {
    let mut out = std::io::stdout().lock();
    let mut detector = None;
    for line in std::io::stdin().lock().lines() {
        let request = serde_json::from_str(&line?).map_err(std::io::Error::from)?;
        let answer = match (request, &detector) {
            (Request::Setup { bundle, threads }, _) => {
                let options = PredictOptions {
                    runtime,
                    threads,
                    ..PredictOptions::default()
                };
                detector = Some(Detector::load(&bundle, options)?);
                json!({ "versions": runtime.name() })
            }
            (Request::Study(folder), Some(detector)) => {
                let (start, cpu) = (Instant::now(), cpu_ms());
                let answer = detector.study(&[folder])?;
                json!({
                    "wall_ms": start.elapsed().as_secs_f64() * 1e3,
                    "cpu_ms": cpu_ms() - cpu,
                    "peak_mib": status_mib("VmHWM"),
                    "probabilities": probabilities(&answer),
                })
            }
            (Request::Study(_), None) => json!({}),
        };
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

/// Of every slice, from the feet upwards.
fn probabilities(answer: &Answer) -> Vec<[f64; 6]> {
    let series = answer.studies.iter().flat_map(|study| &study.series);
    let slices = series.flat_map(|series| &series.slices);
    slices
        .map(|slice| LABELS.map(|label| slice.findings.get(label).probability))
        .collect()
}
