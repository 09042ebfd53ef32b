//! A step that gave no number, kept so that it can be done again.

use falx_core::ImageId;
use falx_data::augment::AugmentConfig;
use falx_nn::{Parameters, Targets, Tensor, weights};
use serde::Serialize;

use crate::{RunFolder, TrainError, folder};

/// A step whose loss or gradients are not finite.
pub(crate) struct FailedStep<'a> {
    /// `loss` or `gradient`.
    pub what: &'static str,
    /// Steps taken before: what chooses its dropout.
    pub step: u64,
    /// The epoch, from 1.
    pub epoch: u64,
    /// The batch's place in its epoch, from 0.
    pub batch: usize,
    /// Where the run's randomness starts.
    pub seed: u64,
    /// The learning rate that it would have used.
    pub learning_rate: f64,
    /// The changes of the slices, which are drawn from seed, epoch and place.
    pub augment: Option<AugmentConfig>,
    /// The slices.
    pub ids: &'a [ImageId],
    /// What the network saw of them.
    pub images: &'a Tensor,
    /// What it was to say.
    pub targets: &'a Targets,
    /// Its parameters before the step.
    pub parameters: &'a Parameters,
}

/// The part for people.
#[derive(Serialize)]
struct Described<'a> {
    not_finite: &'static str,
    step: u64,
    epoch: u64,
    batch: usize,
    seed: u64,
    learning_rate: f64,
    augment: Option<AugmentConfig>,
    /// The first parameter that is no number already: then an earlier step is to blame.
    broken_parameter: Option<&'a str>,
    /// The first slice whose picture is no number.
    broken_slice: Option<&'a str>,
    ids: Vec<&'a str>,
    tensors: &'static str,
}

/// The file of the batch's pictures, labels and weights, and of the network's parameters.
const TENSORS: &str = "failed-batch.safetensors";

impl FailedStep<'_> {
    /// Writes `failed-batch.json` and `failed-batch.safetensors` into the run, and gives the error to return.
    ///
    /// The tensors are `images` (N, C, H, W), `labels` (N, 6; no number where not known), `weights` (N) and the network's
    /// parameters as `network.NAME`.
    pub(crate) fn keep(&self, run: &RunFolder) -> TrainError {
        match self.write(run) {
            Ok(()) => TrainError::NotFinite {
                what: self.what,
                step: self.step,
                batch: run.failed_batch(),
            },
            Err(error) => error,
        }
    }

    fn write(&self, run: &RunFolder) -> Result<(), TrainError> {
        let path = run.failed_batch();
        let broken = |tensor: &[f32]| tensor.iter().any(|value| !value.is_finite());
        let size = self.images.data.len() / self.ids.len().max(1);
        let mut slices = self.images.data.chunks(size.max(1)).zip(self.ids);
        let described = Described {
            not_finite: self.what,
            step: self.step,
            epoch: self.epoch,
            batch: self.batch,
            seed: self.seed,
            learning_rate: self.learning_rate,
            augment: self.augment,
            broken_parameter: self
                .parameters
                .iter()
                .find(|(_, tensor)| broken(&tensor.data))
                .map(|(name, _)| name),
            broken_slice: slices
                .find(|(picture, _)| broken(picture))
                .map(|(_, id)| id.as_str()),
            ids: self.ids.iter().map(ImageId::as_str).collect(),
            tensors: TENSORS,
        };
        let text = serde_json::to_string_pretty(&described)
            .map_err(|error| TrainError::damaged(&path, error.to_string()))?;
        folder::write(&run.path().join(TENSORS), &self.tensors()?)?;
        folder::write(&path, text.as_bytes())
    }

    fn tensors(&self) -> Result<Vec<u8>, TrainError> {
        let rows = self.targets.labels.iter().flat_map(|row| row.0);
        let labels: Vec<f32> = rows
            .map(|share| share.map_or(f32::NAN, |share| share.get() as f32))
            .collect();
        let slices = self.targets.labels.len();
        let weights = (0..slices).map(|at| self.targets.weight(at)).collect();
        let of_batch = [
            ("images", self.images.clone()),
            (
                "labels",
                Tensor {
                    shape: vec![slices, falx_core::LABELS.len()],
                    data: labels,
                },
            ),
            (
                "weights",
                Tensor {
                    shape: vec![slices],
                    data: weights,
                },
            ),
        ];
        let of_batch = of_batch.map(|(name, tensor)| (name.to_owned(), tensor));
        let network = self
            .parameters
            .iter()
            .map(|(name, tensor)| (format!("network.{name}"), tensor.clone()));
        let all: Parameters = of_batch.into_iter().chain(network).collect();
        Ok(weights::save(&all)?)
    }
}
