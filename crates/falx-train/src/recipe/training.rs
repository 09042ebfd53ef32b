//! How long, how much at a time, and what learns when.

use falx_nn::optim::EmaConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SwaConfig;

/// How long, and how much at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingConfig {
    /// Passes over the (possibly oversampled) training folds.
    #[schemars(range(min = 1))]
    pub epochs: u64,
    /// The most steps in all; the last epoch is cut short there. Left out: as many as the epochs have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Training ends with the first epoch that lasts longer than this since the start, in minutes. Such a run depends on the
    /// machine's speed: it cannot be repeated exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes: Option<f64>,
    /// The last epochs, so many, show slices as they are, without `augment`, whose resampling softens them: the mean prediction comes
    /// nearer to that of the slices in use. 0 = every epoch is augmented.
    #[serde(skip_serializing_if = "is_zero")]
    pub no_augment_epochs: u64,
    /// Slices that go through the network at once.
    #[schemars(range(min = 1))]
    pub batch: usize,
    /// Batches whose gradients are averaged to one step.
    #[schemars(range(min = 1))]
    pub accumulate: usize,
    /// The base learning rate.
    #[schemars(extend("exclusiveMinimum" = 0.0))]
    pub learning_rate: f64,
    /// Gradients are shortened to this norm; left out = never.
    pub clip_norm: Option<f64>,
    /// Training ends when so many epochs in a row were not better than the best; left out = never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<u64>,
    /// A moving average of the weights is what is judged and kept; left out = the weights themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ema: Option<EmaConfig>,
    /// The mean of the weights of the last epochs is the run's result; left out = the best epoch's weights are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub swa: Option<SwaConfig>,
    /// Segments of the network whose values are computed twice to save memory; 0 keeps all values.
    pub checkpoints: usize,
    /// The most memory that batches in the making may take, in MiB.
    pub loader_memory_mib: usize,
    /// Room beside it for pictures that stay in memory from epoch to epoch, in MiB.
    pub keep_memory_mib: usize,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            epochs: 4,
            steps: None,
            minutes: None,
            no_augment_epochs: 0,
            batch: 16,
            accumulate: 1,
            learning_rate: 1e-3,
            clip_norm: Some(5.0),
            patience: None,
            ema: None,
            swa: None,
            checkpoints: 0,
            loader_memory_mib: 256,
            keep_memory_mib: 0,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl TrainingConfig {
    /// The epochs that show slices as they are, in words, where the recipe has some.
    pub(crate) fn no_augment_words(&self) -> Option<String> {
        match self.no_augment_epochs {
            0 => None,
            1 => Some("the last epoch".to_owned()),
            last => Some(format!("the last {last} epochs")),
        }
    }

    pub(super) fn check(&self, is_augmented: bool) -> Result<(), String> {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let ends_early = self.steps.is_some() || self.minutes.is_some() || self.patience.is_some();
        let rules = [
            (self.epochs > 0, "training.epochs must be at least 1"),
            (
                self.no_augment_epochs == 0 || is_augmented,
                "training.no_augment_epochs leaves `augment` out at the end, but the recipe has no `augment`; give one, or leave it 0",
            ),
            (
                self.no_augment_epochs == 0 || self.no_augment_epochs < self.epochs,
                "training.no_augment_epochs must be fewer than training.epochs; without any augmentation, leave `augment` out",
            ),
            (
                self.no_augment_epochs == 0 || !ends_early,
                "training.no_augment_epochs are the last of training.epochs, and training.steps, minutes or patience may end the run \
                 before these come; give one or the other",
            ),
            (
                self.steps != Some(0),
                "training.steps must be at least 1, or be left out",
            ),
            (
                self.minutes.is_none_or(positive),
                "training.minutes must be above 0, or be left out",
            ),
            (self.batch > 0, "training.batch must be at least 1"),
            (
                self.accumulate > 0,
                "training.accumulate must be at least 1",
            ),
            (
                positive(self.learning_rate),
                "training.learning_rate must be above 0",
            ),
            (
                self.clip_norm.is_none_or(|norm| norm > 0.0),
                "training.clip_norm must be above 0, or be left out",
            ),
            (
                self.patience != Some(0),
                "training.patience must be at least 1, or be left out",
            ),
            (
                self.ema.is_none_or(|ema| (0.0..1.0).contains(&ema.decay)),
                "training.ema.decay must be at least 0 and below 1",
            ),
            (
                self.ema.is_none() || self.swa.is_none(),
                "training.ema and training.swa are two averages of the weights; give one",
            ),
        ];
        let broken = rules.iter().find(|(holds, _)| !holds);
        let swa = self.swa.map_or(Ok(()), |swa| swa.check());
        broken
            .map_or(swa, |(_, rule)| Err(*rule))
            .map_err(str::to_owned)
    }
}

/// A part of the run in which some modules rest: transfer learning trains a new head first, then more and more of what
/// was imported.
///
/// A module is named as its parameters begin (`layer4`, `features.7`); `backbone` and `head` mean all of these, and
/// `falx models show` lists them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Phase {
    /// How many epochs it lasts; the last phase lasts to the end, and leaves this out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u64>,
    /// Modules whose weights stay as they are.
    pub frozen: Vec<String>,
    /// Modules whose batch normalisations use their running statistics, and do not move them. Left out: those that are
    /// frozen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running_statistics: Option<Vec<String>>,
    /// A factor on the learning rate; left out = 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
}

impl Phase {
    /// The phase of `epoch` (from 0).
    pub(crate) fn at(phases: &[Self], epoch: u64) -> Option<&Self> {
        let mut end = 0_u64;
        let ends = phases.iter().map(|phase| {
            end = end.saturating_add(phase.epochs.unwrap_or(u64::MAX));
            end
        });
        let at = ends.take_while(|end| *end <= epoch).count();
        phases.get(at).or(phases.last())
    }

    pub(super) fn check(phases: &[Self]) -> Result<(), String> {
        for (index, phase) in phases.iter().enumerate() {
            let is_last = index + 1 == phases.len();
            let number = index + 1;
            match phase.epochs {
                Some(0) => return Err(format!("phase {number}: epochs must be at least 1")),
                None if !is_last => {
                    return Err(format!(
                        "phase {number}: give its epochs; only the last phase lasts to the end"
                    ));
                }
                _ => {}
            }
            if phase
                .rate
                .is_some_and(|rate| !(rate.is_finite() && rate > 0.0))
            {
                return Err(format!(
                    "phase {number}: rate must be above 0, or be left out"
                ));
            }
        }
        Ok(())
    }
}
