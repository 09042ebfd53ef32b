//! The peer: the same scores and draws by `NumPy`.

use std::io::Write as _;
use std::path::Path;

use falx_core::LABELS;
use falx_eval::Case;
use serde_json::{Value, json};

use crate::BenchError;
use crate::python::Process;

const SCRIPT: &str = include_str!("../evaluate_peer.py");

/// How far two programs' scores of the same predictions may lie apart.
const TOLERANCE: f64 = 1e-9;

/// The `NumPy` process with its data.
pub(super) struct Peer {
    process: Process,
    pub(super) setup_seconds: f64,
    /// The scores on the cases as they are.
    pub(super) point: Value,
}

/// Hands the cases over as plain arrays, one after the other by label.
pub(super) fn start(
    python: &Path,
    folder: &Path,
    cases: &[Case],
    patients: &(Vec<u32>, usize),
) -> Result<Peer, BenchError> {
    let create = |name: &str| std::fs::File::create(folder.join(name)).map(std::io::BufWriter::new);
    let (mut truth, mut score) = (create("truth.u8")?, create("score.f64")?);
    for label in LABELS {
        for case in cases {
            truth.write_all(&[u8::from(case.truth.get(label) == Some(true))])?;
            score.write_all(&case.prediction[label.index()].get().to_le_bytes())?;
        }
    }
    let mut patient = create("patient.u32")?;
    for number in &patients.0 {
        patient.write_all(&number.to_le_bytes())?;
    }
    for file in [&mut truth, &mut score, &mut patient] {
        file.flush()?;
    }
    let mut process = Process::start(python, SCRIPT, "numpy")?;
    let point = process.ask(&json!({ "setup": folder, "patients": patients.1 }))?;
    let setup_seconds = point["s"].as_f64().ok_or_else(|| process.silent())?;
    Ok(Peer {
        process,
        setup_seconds,
        point,
    })
}

impl Peer {
    /// Seconds for so many draws.
    pub(super) fn draw(&mut self, draws: u32, seed: u64) -> Result<f64, BenchError> {
        let answer = self.process.ask(&json!({ "draws": draws, "seed": seed }))?;
        answer["s"].as_f64().ok_or_else(|| self.process.silent())
    }

    /// Its peak memory.
    pub(super) fn peak_mib(&mut self) -> Result<f64, BenchError> {
        let kib = self.process.ask(&json!({}))?["peak_kib"].as_f64();
        Ok(kib.ok_or_else(|| self.process.silent())? / 1024.0)
    }
}

/// How many point values both sides have, and the largest distance of two.
pub(super) fn compare(falx: &Value, peer: &Value) -> Result<(usize, f64), BenchError> {
    const SCORES: [&str; 4] = ["log_loss", "brier", "auc", "average_precision"];
    let mut pairs = vec![(
        "weighted_log_loss".to_owned(),
        &falx["weighted_log_loss"]["value"],
        &peer["weighted_log_loss"],
    )];
    for label in LABELS {
        let ours = &falx["labels"][label.index()];
        for (at, score) in SCORES.into_iter().enumerate() {
            let theirs = &peer["labels"][label.index()][at];
            pairs.push((format!("{score} of {label}"), &ours[score]["value"], theirs));
        }
    }
    let mut largest = 0.0_f64;
    let mut compared = 0;
    for (score, falx, peer) in pairs {
        if let (Some(falx), Some(peer)) = (falx.as_f64(), peer.as_f64()) {
            let distance = (falx - peer).abs();
            if distance.is_nan() || distance > TOLERANCE {
                return Err(BenchError::Differ { score, falx, peer });
            }
            largest = largest.max(distance);
            compared += 1;
        }
    }
    Ok((compared, largest))
}
