//! A network in use, from a batch to its logits: time, processor time, memory and start, beside ONNX Runtime and `PyTorch`.
//!
//! Every contender has a process of its own, which waits while another one's turn it is.

mod contender;
mod report;
mod serve;

use std::path::{Path, PathBuf};

use falx_core::{Interrupt, Progress};
use falx_infer::RuntimeKind;
use falx_nn::zoo::{self, NetworkConfig};
use falx_nn::{Graph, Parameters, onnx, weights};

use crate::BenchError;
use crate::turns::{Rounds, same_work};
use contender::Contender;
pub use report::{InferContender, InferReport};
pub use serve::serve;

/// What to measure of a network in use.
#[derive(Clone, Debug)]
pub struct InferBenchOptions {
    /// The network's name in the zoo.
    pub network: String,
    /// Images in a batch; each is measured.
    pub batches: Vec<usize>,
    /// An image's side in pixels.
    pub size: usize,
    /// falx's run-times to measure.
    pub runtimes: Vec<RuntimeKind>,
    /// The Python whose ONNX Runtime and `PyTorch` are the peers, if there are to be any.
    pub python: Option<PathBuf>,
    /// How often everything is measured.
    pub rounds: usize,
    /// Threads of every contender.
    pub threads: usize,
}

/// Rounds that warm memory and caches up, and are not counted.
const WARM_UP: usize = 2;
impl InferBenchOptions {
    const fn turns(&self) -> Rounds {
        Rounds {
            warm_up: WARM_UP,
            counted: self.rounds,
        }
    }
}

const MODEL: &str = "model.onnx";
const WEIGHTS: &str = "weights.safetensors";

/// Measures run-times on the same exported network and the same batches, in turns; one report a batch size.
///
/// # Errors
/// [`BenchError`] where the network cannot be built, a contender does not run, or gives other probabilities.
pub fn measure(
    options: &InferBenchOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<Vec<InferReport>, BenchError> {
    let temporary = tempfile::tempdir()?;
    let folder = temporary.path();
    let (graph, parameters) = network(options)?;
    std::fs::write(folder.join(MODEL), onnx::to_bytes(&graph, &parameters)?)?;
    std::fs::write(folder.join(WEIGHTS), weights::save(&parameters)?)?;
    let rounds = options.batches.len() * options.turns().all();
    progress.begin("measuring", Some(rounds as u64));
    let mut reports = Vec::with_capacity(options.batches.len());
    for &batch in &options.batches {
        reports.push(of_batch(options, batch, folder, progress, interrupt)?);
    }
    progress.finish();
    Ok(reports)
}

fn network(options: &InferBenchOptions) -> Result<(Graph, Parameters), BenchError> {
    let config = NetworkConfig {
        name: options.network.clone(),
        size: options.size,
        ..NetworkConfig::default()
    };
    let graph = zoo::build(&config)?;
    let parameters = Parameters::initialise(&graph, 1);
    Ok((graph, parameters))
}

fn of_batch(
    options: &InferBenchOptions,
    batch: usize,
    folder: &Path,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<InferReport, BenchError> {
    let shape = [batch, 3, options.size, options.size];
    // Fractional parts of multiples of the golden ratio: spread evenly, the same everywhere.
    let values = 0..shape.iter().product::<usize>();
    let images = values.flat_map(|i| ((i as f64 * 0.618_033_988_75).fract() as f32).to_le_bytes());
    let path = folder.join("images.f32");
    std::fs::write(&path, images.collect::<Vec<u8>>())?;
    let mut contenders = Contender::start_all(options, folder, &path, shape)?;
    let differences = contender::differences(&contenders);
    for (contender, &difference) in contenders.iter().zip(&differences) {
        same_work(contender.name(), difference)?;
    }
    options
        .turns()
        .in_turns(&mut contenders, progress, interrupt, Contender::run)?;
    Ok(InferReport::new(options, batch, &contenders, &differences))
}
