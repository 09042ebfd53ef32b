//! falx, which trains a network on one batch.

use std::path::Path;
use std::time::Instant;

use falx_core::{LABELS, LabelRow};
use falx_nn::optim::{AdamW, Optimizer, OptimizerConfig};
use falx_nn::zoo::{self, NetworkConfig};
use falx_nn::{
    EngineKind, Motion, Parameters, StepSettings, Targets, Tensor, Training, TrainingSession,
    TrainingState, weights,
};

use super::{Cost, TrainBenchOptions, card};
use crate::BenchError;
use crate::index::forget_peak;
use crate::io::status_mib;
use crate::loader::cpu_ms;

/// A network in training on one batch.
pub(super) struct Course {
    pub(super) engine: EngineKind,
    pub(super) idle_mib: Option<f64>,
    pub(super) peak_mib: Option<f64>,
    /// The card's memory that came into use with the first round.
    pub(super) card_mib: Option<f64>,
    pub(super) first_loss: Option<f64>,
    /// Milliseconds of a step in the rounds that are not counted.
    pub(super) warm_up: Vec<f64>,
    pub(super) costs: Vec<Cost>,
    session: Box<dyn TrainingSession>,
    images: Tensor,
    targets: Targets,
    training: Training,
    step: u64,
}

impl Course {
    /// Starts an engine, writes weights and batch into `folder` for the peers, and takes the first steps.
    pub(super) fn start(
        engine: EngineKind,
        options: &TrainBenchOptions,
        folder: &Path,
    ) -> Result<Self, BenchError> {
        let before = card::used_mib(engine.device());
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
        let images = images(options.batch, graph.input());
        write(folder, &parameters, &images)?;
        let state = TrainingState {
            optimizer: Optimizer::new(&OptimizerConfig::AdamW(AdamW::default()), &parameters),
            parameters,
            average: None,
        };
        let mut course = Self {
            session: engine.start(1)?.session(&graph, state)?,
            engine,
            idle_mib: status_mib("VmRSS"),
            peak_mib: None,
            card_mib: None,
            first_loss: None,
            warm_up: Vec::new(),
            costs: Vec::new(),
            images,
            targets: Targets::new((0..options.batch).map(labels).collect()),
            training: Training {
                checkpoints: options.checkpoints,
                ..Training::default()
            },
            step: 0,
        };
        if before.is_some() {
            course.round(1)?;
            let after = card::used_mib(engine.device());
            course.card_mib = after.zip(before).map(|(after, before)| after - before);
        }
        Ok(course)
    }

    /// So many steps, measured together.
    pub(super) fn round(&mut self, steps: usize) -> Result<(), BenchError> {
        forget_peak();
        let (start, cpu) = (Instant::now(), cpu_ms());
        for _ in 0..steps {
            let settings = StepSettings {
                rng_step: self.step,
                training: &self.training,
                motion: Motion {
                    rate: super::LR,
                    ..Motion::default()
                },
            };
            let report = self
                .session
                .step((&self.images).into(), &self.targets, &settings)?;
            self.first_loss.get_or_insert(report.loss);
            self.step += 1;
        }
        self.session.synchronize();
        let steps = steps.max(1) as f64;
        self.costs.push(Cost {
            wall_ms: start.elapsed().as_secs_f64() * 1e3 / steps,
            cpu_ms: (cpu_ms() - cpu) / steps,
        });
        let peaks = self.peak_mib.into_iter().chain(status_mib("VmHWM"));
        self.peak_mib = peaks.reduce(f64::max);
        Ok(())
    }
}

/// A batch of fractional parts of multiples of the golden ratio: spread evenly, the same everywhere.
fn images(batch: usize, image: &[usize]) -> Tensor {
    let shape: Vec<usize> = std::iter::once(batch)
        .chain(image.iter().copied())
        .collect();
    let values = 0..shape.iter().product::<usize>();
    let data = values.map(|i| (i as f64 * 0.618_033_988_75).fract() as f32 - 0.5);
    Tensor {
        data: data.collect(),
        shape,
    }
}

fn labels(image: usize) -> LabelRow {
    LabelRow(LABELS.map(|label| Some((image + label.index()).is_multiple_of(3))))
}

/// Weights and batch for the peers.
fn write(folder: &Path, parameters: &Parameters, images: &Tensor) -> Result<(), BenchError> {
    let count = images.shape.first().copied().unwrap_or_default();
    let labels = (0..count).flat_map(|n| labels(n).0);
    let labels = labels.map(|label| f32::from(u8::from(label == Some(true))));
    let labels = Tensor {
        shape: vec![count, LABELS.len()],
        data: labels.collect(),
    };
    let batch = [("images", images), ("labels", &labels)];
    let batch = batch.map(|(name, tensor)| (name.to_owned(), tensor.clone()));
    let batch = weights::save(&batch.into_iter().collect())?;
    std::fs::write(folder.join(super::WEIGHTS), weights::save(parameters)?)?;
    std::fs::write(folder.join(super::BATCH), batch)?;
    Ok(())
}
