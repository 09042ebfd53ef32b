//! A loss as a recipe says it.

use falx_core::LABELS;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Loss;
use super::element::Element;

/// Which loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LossName {
    /// The binary cross-entropy.
    #[default]
    LogLoss,
    /// The binary cross-entropy, where what is nearly right counts less.
    ///
    /// # Source
    /// Lin et al. 2017, "Focal Loss for Dense Object Detection".
    Focal,
    /// Focal with powers of their own for positives and negatives; easy negatives count nothing.
    ///
    /// # Source
    /// Ridnik et al. 2021, "Asymmetric Loss For Multi-Label Classification".
    Asymmetric,
}

/// How the losses of labels and samples become one number. With sample weights s, known labels m, label weights w and losses l:
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// `sum_n s r / sum_n s` over samples with any label, where `r = sum_c m w l / sum_c m w`.
    #[default]
    Samples,
    /// `sum_nc s m w l / sum_nc s m w`: a sample with few known labels counts less.
    Global,
    /// `sum_nc s m w l / batch size`: sample weights scale the step.
    Batch,
}

/// Which loss, and its numbers. Numbers that a loss has no use for are refused.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LossConfig {
    /// Which loss.
    pub name: LossName,
    /// What each label counts, in the order of [`LABELS`]; only their proportions matter.
    pub label_weights: [f32; 6],
    /// Targets are pulled to one half by this share (label smoothing).
    pub smoothing: f32,
    /// How labels and samples become one number.
    pub reduction: Reduction,
    /// Focal: the power of the distance from the target; 2 where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gamma: Option<f32>,
    /// Focal: the share of the weight that positives get; left out = no such factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f32>,
    /// Asymmetric: the power for positives; 0 where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gamma_positive: Option<f32>,
    /// Asymmetric: the power for negatives; 4 where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gamma_negative: Option<f32>,
    /// Asymmetric: negatives below this probability count nothing; .05 where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<f32>,
}

impl Default for LossConfig {
    fn default() -> Self {
        Self {
            name: LossName::LogLoss,
            label_weights: LABELS.map(|label| label.loss_weight() as f32),
            smoothing: 0.0,
            reduction: Reduction::Samples,
            gamma: None,
            alpha: None,
            gamma_positive: None,
            gamma_negative: None,
            margin: None,
        }
    }
}

/// A loss that cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LossConfigError {
    /// A number that the loss has no use for.
    #[error("the loss `{loss}` has no `{key}`; leave it out, or name the loss `{other}`")]
    Foreign {
        /// The number.
        key: &'static str,
        /// The loss that was named.
        loss: &'static str,
        /// The loss that has it.
        other: &'static str,
    },
    /// A number outside its range.
    #[error("a {key} of {value} is no loss; give {range}")]
    Range {
        /// The number.
        key: &'static str,
        /// Its value.
        value: f32,
        /// What it may be.
        range: &'static str,
    },
    /// Label weights that weigh nothing.
    #[error(
        "the label weights {0:?} are unusable; give six finite numbers from 0 up, not all of them 0"
    )]
    Weights([f32; 6]),
}

const POWER: &str = "a finite number from 0 up";

impl LossConfig {
    /// The loss, with every number in its range.
    ///
    /// # Errors
    /// [`LossConfigError`] for a number that is out of range or belongs to another loss.
    pub fn loss(&self) -> Result<Loss, LossConfigError> {
        let focal = [("gamma", self.gamma), ("alpha", self.alpha)];
        let asymmetric = [
            ("gamma_positive", self.gamma_positive),
            ("gamma_negative", self.gamma_negative),
            ("margin", self.margin),
        ];
        let foreign = |keys: &[(&'static str, Option<f32>)], loss, other| {
            let found = keys.iter().find(|(_, value)| value.is_some());
            found.map_or(Ok(()), |&(key, _)| {
                Err(LossConfigError::Foreign { key, loss, other })
            })
        };
        match self.name {
            LossName::LogLoss => {
                foreign(&focal, "log_loss", "focal")?;
                foreign(&asymmetric, "log_loss", "asymmetric")?;
            }
            LossName::Focal => foreign(&asymmetric, "focal", "asymmetric")?,
            LossName::Asymmetric => foreign(&focal, "asymmetric", "focal")?,
        }
        let ranges: [(&'static str, Option<f32>, f32, &'static str); 6] = [
            (
                "smoothing",
                Some(self.smoothing),
                1.0,
                "a share from 0 to below 1",
            ),
            ("gamma", self.gamma, f32::INFINITY, POWER),
            (
                "alpha",
                self.alpha,
                1.0 + f32::EPSILON,
                "a share from 0 to 1",
            ),
            ("gamma_positive", self.gamma_positive, f32::INFINITY, POWER),
            ("gamma_negative", self.gamma_negative, f32::INFINITY, POWER),
            (
                "margin",
                self.margin,
                1.0,
                "a probability from 0 to below 1",
            ),
        ];
        for (key, value, end, range) in ranges {
            if let Some(value) = value.filter(|value| !(0.0..end).contains(value)) {
                return Err(LossConfigError::Range { key, value, range });
            }
        }
        let unusable = |w: &f32| !w.is_finite() || *w < 0.0;
        if self.label_weights.iter().any(unusable) || self.label_weights.iter().sum::<f32>() <= 0.0
        {
            return Err(LossConfigError::Weights(self.label_weights));
        }
        Ok(Loss::checked(self))
    }
}

impl Loss {
    /// The loss of numbers that were found to be in range.
    pub(super) fn checked(config: &LossConfig) -> Self {
        let number = |value: Option<f32>, otherwise: f32| f64::from(value.unwrap_or(otherwise));
        let element = match config.name {
            LossName::LogLoss => Element::Plain,
            LossName::Focal => Element::Focal {
                gamma: number(config.gamma, 2.0),
                alpha: config.alpha.map(f64::from),
            },
            LossName::Asymmetric => Element::Asymmetric {
                positive: number(config.gamma_positive, 0.0),
                negative: number(config.gamma_negative, 4.0),
                margin: number(config.margin, 0.05),
            },
        };
        Self {
            element,
            smoothing: f64::from(config.smoothing),
            reduction: config.reduction,
            weights: config.label_weights.map(f64::from),
        }
    }
}
