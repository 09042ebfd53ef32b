//! Training steps, from the batch to moved weights: time, processor time and memory, beside `PyTorch`.

mod card;
mod course;
mod peer;
mod report;

use falx_core::{Interrupt, Progress};
use falx_nn::{EngineKind, TorchDevice};

use crate::BenchError;
use crate::turns::Cost;
use course::Course;
use peer::Peer;
pub use peer::TrainPeer;
pub use report::{TrainFalx, TrainReport};

/// What to measure of training.
#[derive(Clone, Debug)]
pub struct TrainBenchOptions {
    /// The network's name in the zoo.
    pub network: String,
    /// Which engines, all on the same device.
    pub engines: Vec<EngineKind>,
    /// An image's side in pixels.
    pub size: usize,
    /// Images in a batch.
    pub batch: usize,
    /// Segments whose values falx computes again on the way back.
    pub checkpoints: usize,
    /// How often everything is measured.
    pub rounds: usize,
    /// Steps of a round, measured together: a card goes on computing when a step has returned.
    pub steps: usize,
    /// The Python whose `PyTorch` is the peer, if there is to be one.
    pub python: Option<std::path::PathBuf>,
    /// Threads of falx and of the peer.
    pub threads: usize,
}

/// Rounds that warm memory and caches up, and are not counted.
const WARM_UP: usize = 2;
/// The optimiser's rate.
const LR: f32 = 1e-3;
const WEIGHTS: &str = "weights.safetensors";
const BATCH: &str = "batch.safetensors";

impl TrainBenchOptions {
    /// Where all engines compute.
    fn device(&self) -> Result<TorchDevice, BenchError> {
        let mut devices = self.engines.iter().map(|engine| engine.device());
        let first = devices.next().unwrap_or_default();
        if devices.all(|device| device == first) {
            Ok(first)
        } else {
            Err(BenchError::Devices)
        }
    }

    /// The difference of the first loss up to which a peer does the same work: batch normalisation amplifies rounding, and a
    /// card rounds the factors of convolutions to the three digits of TF32 or `bfloat16`.
    fn same_work(&self, mixed_precision: bool) -> f64 {
        match self.device() {
            _ if mixed_precision => 3e-2,
            Ok(TorchDevice::Cpu) => 1e-3,
            _ => 1e-2,
        }
    }
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
    let device = options.device()?;
    let mut courses = Vec::new();
    for &engine in &options.engines {
        courses.push(pool.install(|| Course::start(engine, options, temporary.path()))?);
    }
    let mut peers = match &options.python {
        Some(python) => peer::start_all(python, device, options, temporary.path())?,
        None => Vec::new(),
    };
    progress.begin("measuring", Some((options.rounds + WARM_UP) as u64));
    for round in 0..options.rounds + WARM_UP {
        if interrupt.is_requested() {
            return Err(BenchError::Interrupted);
        }
        for course in &mut courses {
            pool.install(|| course.round(options.steps))?;
        }
        for peer in &mut peers {
            peer.round(options.steps)?;
        }
        if round == 0 {
            compare(&courses, &peers, options)?;
        }
        if round + 1 == WARM_UP {
            for course in &mut courses {
                course.warm_up = course.costs.iter().map(|cost| cost.wall_ms).collect();
            }
            let ours = courses.iter_mut().map(|course| &mut course.costs);
            let theirs = peers.iter_mut().map(|peer| &mut peer.costs);
            for costs in ours.chain(theirs) {
                costs.clear();
            }
        }
        progress.advance(1);
    }
    progress.finish();
    Ok(TrainReport::new(options, &courses, &peers))
}

/// Whether all that compute with the same precision begin with the same loss.
fn compare(
    courses: &[Course],
    peers: &[Peer],
    options: &TrainBenchOptions,
) -> Result<(), BenchError> {
    for course in courses {
        let mixed = course.engine.mixed_precision();
        for peer in peers.iter().filter(|peer| peer.mixed_precision == mixed) {
            if let (Some(falx), Some(theirs)) = (course.first_loss, peer.first_loss)
                && (falx - theirs).abs() > options.same_work(mixed)
            {
                return Err(BenchError::OtherLoss {
                    peer: peer.name,
                    falx,
                    theirs,
                });
            }
        }
    }
    Ok(())
}
