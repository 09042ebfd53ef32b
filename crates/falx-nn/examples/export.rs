//! Writes an untrained simple CNN with fresh weights as ONNX and prints its logits: `export FILE`.
//!
//! The two images hold the fractional parts of 0, .618034, 2 * .618034, ... for a comparison with other run-times.

use std::path::Path;

use falx_nn::zoo::{NetworkConfig, build};
use falx_nn::{Parameters, Tensor, flex_engine, onnx};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("name the file to write")?;
    let graph = build(&NetworkConfig::default())?.with_probabilities()?;
    let parameters = Parameters::initialise(&graph, 1);
    onnx::write(&graph, &parameters, Path::new(&path))?;
    let images = (0..2 * 3 * 128 * 128)
        .map(|i| (i as f32 * 0.618_034).fract())
        .collect();
    let images = Tensor::new(&[2, 3, 128, 128], images)?;
    println!(
        "{:?}",
        flex_engine(0).logits(&graph, &parameters, &images)?.data
    );
    Ok(())
}
