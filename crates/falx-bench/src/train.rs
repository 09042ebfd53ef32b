//! One training step, from the batch to moved weights: time, processor time and memory, beside `PyTorch`.

mod peer;
mod report;

use std::path::Path;
use std::time::Instant;

use falx_core::{Interrupt, LABELS, LabelRow, Progress};
use falx_nn::optim::{AdamW, Optimizer, OptimizerConfig};
use falx_nn::zoo::{self, NetworkConfig};
use falx_nn::{Engine, EngineKind, Graph, Parameters, Targets, Tensor, Training, weights};

use crate::BenchError;
use crate::index::forget_peak;
use crate::io::status_mib;
use crate::loader::cpu_ms;
use crate::report::median;
use peer::Peer;
pub use peer::TrainPeer;
pub use report::TrainReport;

/// What to measure of training.
#[derive(Clone, Debug)]
pub struct TrainBenchOptions {
    /// The network's name in the zoo.
    pub network: String,
    /// Which engine.
    pub engine: EngineKind,
    /// An image's side in pixels.
    pub size: usize,
    /// Images in a batch.
    pub batch: usize,
    /// Segments whose values falx computes again on the way back.
    pub checkpoints: usize,
    /// How often everything is measured.
    pub rounds: usize,
    /// The Python whose `PyTorch` is the peer, if there is to be one.
    pub python: Option<std::path::PathBuf>,
    /// Threads of falx and of the peer.
    pub threads: usize,
}

/// Rounds that warm memory and caches up, and are not counted.
const WARM_UP: usize = 2;
/// The optimiser's rate.
const LR: f32 = 1e-3;
/// The difference of the first loss up to which a peer does the same work: batch normalisation amplifies rounding.
const SAME_WORK: f64 = 1e-3;
const WEIGHTS: &str = "weights.safetensors";
const BATCH: &str = "batch.safetensors";

/// What one step costs.
#[derive(Clone, Copy, Debug)]
struct Cost {
    wall_ms: f64,
    cpu_ms: f64,
}

/// Measures training steps: forward, loss, backward and `AdamW`.
///
/// # Errors
/// [`BenchError`] where the network cannot be built, or the peer does not run or does other work.
pub fn measure(
    options: &TrainBenchOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<TrainReport, BenchError> {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(options.threads);
    let pool = threads.build()?;
    let temporary = tempfile::tempdir()?;
    let mut course = Course::new(options)?;
    course.write(temporary.path())?;
    let mut peers = match &options.python {
        Some(python) => Vec::from(Peer::start_both(python, options, temporary.path())?),
        None => Vec::new(),
    };
    let idle_mib = status_mib("VmRSS");
    let (mut falx, mut warm_up, mut first_loss) = (Vec::new(), Vec::new(), None);
    let mut peak_mib = None::<f64>;
    progress.begin("measuring", Some((options.rounds + WARM_UP) as u64));
    for round in 0..options.rounds + WARM_UP {
        if interrupt.is_requested() {
            return Err(BenchError::Interrupted);
        }
        forget_peak();
        let (loss, cost) = pool.install(|| course.step(round as u64))?;
        peak_mib = peak_mib
            .into_iter()
            .chain(status_mib("VmHWM"))
            .reduce(f64::max);
        for peer in &mut peers {
            let (theirs, cost) = peer.step()?;
            if round == 0 && (loss - theirs).abs() > SAME_WORK {
                return Err(BenchError::OtherLoss {
                    peer: peer.name(),
                    falx: loss,
                    theirs,
                });
            }
            if round >= WARM_UP {
                peer.costs.push(cost);
            }
        }
        first_loss = first_loss.or(Some(loss));
        if round >= WARM_UP {
            falx.push(cost);
        } else {
            warm_up.push(cost.wall_ms);
        }
        progress.advance(1);
    }
    progress.finish();
    let peers = peers.iter().map(|peer| peer.report(&falx)).collect();
    Ok(TrainReport {
        first_loss,
        warm_up_ms: warm_up,
        ..TrainReport::new(options, &falx, [idle_mib, peak_mib], peers)
    })
}

/// A network in training on one batch.
struct Course {
    graph: Graph,
    parameters: Parameters,
    optimizer: Optimizer,
    engine: Box<dyn Engine>,
    images: Tensor,
    targets: Targets,
    training: Training,
}

impl Course {
    fn new(options: &TrainBenchOptions) -> Result<Self, BenchError> {
        let config = NetworkConfig {
            name: options.network.clone(),
            size: options.size,
            // Chance would make other steps of falx's and of the peer's.
            dropout: 0.0,
            stochastic_depth: Some(0.0),
            ..NetworkConfig::default()
        };
        let graph = zoo::build(&config)?;
        let parameters = Parameters::initialise(&graph, 1);
        let shape: Vec<usize> = std::iter::once(options.batch)
            .chain(graph.input().iter().copied())
            .collect();
        // Fractional parts of multiples of the golden ratio: spread evenly, the same everywhere.
        let values = 0..shape.iter().product::<usize>();
        let images = values.map(|i| (i as f64 * 0.618_033_988_75).fract() as f32 - 0.5);
        let images = Tensor {
            data: images.collect(),
            shape,
        };
        Ok(Self {
            optimizer: Optimizer::new(&OptimizerConfig::AdamW(AdamW::default()), &parameters),
            engine: options.engine.start(1)?,
            training: Training {
                checkpoints: options.checkpoints,
                ..Training::default()
            },
            targets: Targets::new((0..options.batch).map(labels).collect()),
            graph,
            parameters,
            images,
        })
    }

    /// Weights and batch for the peer.
    fn write(&self, folder: &Path) -> Result<(), BenchError> {
        let count = self.images.shape.first().copied().unwrap_or_default();
        let labels = (0..count).flat_map(|n| labels(n).0);
        let labels = labels.map(|label| f32::from(u8::from(label == Some(true))));
        let labels = Tensor {
            shape: vec![count, LABELS.len()],
            data: labels.collect(),
        };
        let batch = [("images", &self.images), ("labels", &labels)];
        let batch = batch.map(|(name, tensor)| (name.to_owned(), tensor.clone()));
        std::fs::write(folder.join(WEIGHTS), weights::save(&self.parameters)?)?;
        std::fs::write(
            folder.join(BATCH),
            weights::save(&batch.into_iter().collect())?,
        )?;
        Ok(())
    }

    fn step(&mut self, step: u64) -> Result<(f64, Cost), BenchError> {
        let (start, cpu) = (Instant::now(), cpu_ms());
        let output = self.engine.step(
            &self.graph,
            &mut self.parameters,
            (&self.images).into(),
            &self.targets,
            step,
            &self.training,
        )?;
        self.optimizer
            .step(&mut self.parameters, &output.gradients, LR);
        let cost = Cost {
            wall_ms: start.elapsed().as_secs_f64() * 1e3,
            cpu_ms: cpu_ms() - cpu,
        };
        Ok((output.loss, cost))
    }
}

fn labels(image: usize) -> LabelRow {
    LabelRow(LABELS.map(|label| Some((image + label.index()).is_multiple_of(3))))
}

/// The median ratio of steps that were measured side by side.
fn ratio(theirs: &[Cost], falx: &[Cost], number: fn(&Cost) -> f64) -> f64 {
    let pairs = theirs.iter().zip(falx);
    let ratios: Vec<f64> = pairs.map(|(a, b)| number(a) / number(b)).collect();
    median(&ratios)
}
