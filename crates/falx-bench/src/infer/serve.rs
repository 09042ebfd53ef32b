//! One run-time in a process of its own: answers one line of JSON with another, as the peers do.

use std::io::{BufRead, Write};
use std::time::Instant;

use falx_infer::{Runtime, RuntimeKind, runtime};
use serde_json::{Value, json};

use crate::BenchError;
use crate::io::status_mib;
use crate::loader::cpu_ms;

/// Loads what it is told to, and runs it as often as it is asked to.
///
/// # Errors
/// [`BenchError`] where the network cannot be loaded or run.
pub fn serve(kind: RuntimeKind) -> Result<(), BenchError> {
    let mut lines = std::io::stdin().lock().lines();
    let mut out = std::io::stdout().lock();
    let Some(setup) = lines.next().transpose()? else {
        return Ok(());
    };
    let setup: Value = serde_json::from_str(&setup).map_err(std::io::Error::from)?;
    let setup = &setup["setup"];
    let shape: [usize; 4] =
        serde_json::from_value(setup["shape"].clone()).map_err(std::io::Error::from)?;
    let bytes = std::fs::read(setup["images"].as_str().unwrap_or_default())?;
    let (words, _) = bytes.as_chunks();
    let images: Vec<f32> = words.iter().map(|&word| f32::from_le_bytes(word)).collect();
    drop(bytes);

    let start = Instant::now();
    let model = std::fs::read(setup["model"].as_str().unwrap_or_default())?;
    let threads = setup["threads"].as_u64().unwrap_or(1) as usize;
    let mut network = runtime::load(kind, model, threads)?;
    let load_ms = start.elapsed().as_secs_f64() * 1e3;
    let start = Instant::now();
    let logits = logits(network.as_mut(), &images, shape)?;
    let answer = json!({
        "versions": kind.name(),
        "load_ms": load_ms,
        "first_ms": start.elapsed().as_secs_f64() * 1e3,
        "logits": logits,
    });
    writeln!(out, "{answer}")?;
    out.flush()?;
    for line in lines {
        line?;
        // The others had the caches, and this one's threads sleep: a turn's first run is not counted.
        self::logits(network.as_mut(), &images, shape)?;
        let (start, cpu) = (Instant::now(), cpu_ms());
        self::logits(network.as_mut(), &images, shape)?;
        let answer = json!({
            "wall_ms": start.elapsed().as_secs_f64() * 1e3,
            "cpu_ms": cpu_ms() - cpu,
            "peak_mib": status_mib("VmHWM"),
        });
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn logits(
    network: &mut dyn Runtime,
    images: &[f32],
    shape: [usize; 4],
) -> Result<Vec<f32>, BenchError> {
    let outputs = network.run(images, shape)?;
    let logits = outputs.into_iter().next();
    Ok(logits.map(|(_, tensor)| tensor.data).unwrap_or_default())
}
