//! Are these numbers probabilities, logits or percentages?

use falx_core::Probability;

/// What the numbers of a file mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Probabilities, from 0 to 1.
    #[default]
    Probabilities,
    /// Logits: the sigmoid makes probabilities of them.
    Logits,
    /// Percentages, from 0 to 100.
    Percentages,
}

impl Scale {
    /// The probability that a number stands for; `None` where it stands for none.
    pub fn probability(self, value: f64) -> Option<Probability> {
        match self {
            Self::Probabilities => Probability::new(value).ok(),
            Self::Logits => value.is_finite().then(|| Probability::from_logit(value)),
            Self::Percentages => Probability::new(value / 100.0).ok(),
        }
    }
}

/// How far numbers reach beyond probabilities.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Range {
    pub(crate) count: u64,
    pub(crate) below: u64,
    pub(crate) above: u64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Default for Range {
    fn default() -> Self {
        Self {
            count: 0,
            below: 0,
            above: 0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }
}

impl Range {
    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1;
        self.below += u64::from(value < 0.0);
        self.above += u64::from(value > 1.0);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// What the numbers look like. A few strays do not make logits of probabilities, nor does a rounding error below 0;
    /// and numbers beyond any plausible logit or per cent are neither.
    pub(crate) fn scale(&self) -> Scale {
        let share = |part: u64| part as f64 / self.count.max(1) as f64;
        if self.min < -0.5
            && self.min >= -100.0
            && self.max <= 100.0
            && share(self.below + self.above) >= 0.05
        {
            Scale::Logits
        } else if self.below == 0
            && self.max > 2.0
            && self.max <= 100.0
            && share(self.above) >= 0.01
        {
            Scale::Percentages
        } else {
            Scale::Probabilities
        }
    }
}
