//! Four counts, and what they say.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Outcomes;

/// How a test's calls meet the truth: positive is called what is predicted at least the threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Confusion {
    /// Positives called positive.
    pub true_positives: u64,
    /// Negatives called positive: false alarms.
    pub false_positives: u64,
    /// Negatives called negative.
    pub true_negatives: u64,
    /// Positives called negative: missed.
    pub false_negatives: u64,
}

/// What four counts can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Share of the positives that are called positive.
    Sensitivity,
    /// Share of the negatives that are called negative.
    Specificity,
    /// Share of the called that are positive (precision).
    PositivePredictiveValue,
    /// Share of those not called that are negative.
    NegativePredictiveValue,
    /// The harmonic mean of sensitivity and positive predictive value.
    F1,
    /// Share of right calls.
    Accuracy,
    /// The mean of sensitivity and specificity.
    BalancedAccuracy,
    /// Sensitivity + specificity − 1.
    Youden,
    /// Sensitivity ÷ (1 − specificity): by how much a call raises the odds.
    PositiveLikelihoodRatio,
    /// (1 − sensitivity) ÷ specificity: by how much no call lowers the odds.
    NegativeLikelihoodRatio,
    /// The two likelihood ratios' quotient.
    DiagnosticOddsRatio,
    /// Share of all that are called positive: what a department sees of the test.
    AlarmRate,
    /// Matthews' correlation of call and truth.
    Matthews,
}

/// All measures, in the order in which they are shown.
pub const MEASURES: [Measure; 13] = [
    Measure::Sensitivity,
    Measure::Specificity,
    Measure::PositivePredictiveValue,
    Measure::NegativePredictiveValue,
    Measure::F1,
    Measure::Accuracy,
    Measure::BalancedAccuracy,
    Measure::Youden,
    Measure::PositiveLikelihoodRatio,
    Measure::NegativeLikelihoodRatio,
    Measure::DiagnosticOddsRatio,
    Measure::AlarmRate,
    Measure::Matthews,
];

/// Why a measure has no value: its formula divides by nothing. An infinite ratio has none either.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, thiserror::Error,
)]
#[serde(rename_all = "snake_case")]
pub enum NoValue {
    /// Nothing was judged.
    #[error("no case")]
    NoCases,
    /// No case is positive.
    #[error("no positive case")]
    NoPositives,
    /// No case is negative.
    #[error("no negative case")]
    NoNegatives,
    /// No case is called positive.
    #[error("no case is called positive")]
    NoneCalled,
    /// Every case is called positive.
    #[error("every case is called positive")]
    AllCalled,
    /// A ratio without bounds: no negative case is called positive.
    #[error("no false alarm: the ratio has no upper bound")]
    NoFalseAlarms,
    /// A ratio without bounds: no negative case is called negative.
    #[error("no true negative: the ratio has no upper bound")]
    NoTrueNegatives,
    /// A ratio without bounds: nothing was missed.
    #[error("nothing missed: the ratio has no upper bound")]
    NothingMissed,
}

impl Confusion {
    /// The counts of outcomes at a threshold: positive is called what is predicted at least `threshold`.
    pub fn at(outcomes: &Outcomes, threshold: f64) -> Self {
        let mut counts = Self::default();
        for (truth, prediction, _) in outcomes.iter() {
            counts.count(truth, prediction >= threshold, 1);
        }
        counts
    }

    /// Adds `times` cases with this truth and this call.
    pub(crate) fn count(&mut self, truth: bool, called: bool, times: u64) {
        let place = match (truth, called) {
            (true, true) => &mut self.true_positives,
            (false, true) => &mut self.false_positives,
            (false, false) => &mut self.true_negatives,
            (true, false) => &mut self.false_negatives,
        };
        *place += times;
    }

    /// These counts and `times` the others.
    #[must_use]
    pub(crate) const fn plus(self, other: Self, times: u64) -> Self {
        Self {
            true_positives: self.true_positives + times * other.true_positives,
            false_positives: self.false_positives + times * other.false_positives,
            true_negatives: self.true_negatives + times * other.true_negatives,
            false_negatives: self.false_negatives + times * other.false_negatives,
        }
    }

    /// All cases.
    pub const fn cases(&self) -> u64 {
        self.positives() + self.negatives()
    }

    /// Positive cases.
    pub const fn positives(&self) -> u64 {
        self.true_positives + self.false_negatives
    }

    /// Negative cases.
    pub const fn negatives(&self) -> u64 {
        self.false_positives + self.true_negatives
    }

    /// Cases called positive.
    pub const fn called(&self) -> u64 {
        self.true_positives + self.false_positives
    }

    /// Cases called negative.
    pub const fn cleared(&self) -> u64 {
        self.true_negatives + self.false_negatives
    }

    /// A measure's value.
    ///
    /// # Units
    /// Shares from 0 to 1; Youden and Matthews from −1 to 1; ratios from 0 up, and always finite.
    ///
    /// # Errors
    /// [`NoValue`] where the formula divides by nothing. F1 has a value wherever a case is positive or called.
    ///
    /// # Source
    /// Altman, Bland 1994 (BMJ 308:1552, 309:102); Deeks, Altman 2004 (BMJ 329:168) for likelihood ratios; Glas and
    /// others 2003 (J Clin Epidemiol 56:1129) for the odds ratio; Youden 1950; Matthews 1975.
    pub fn measure(&self, measure: Measure) -> Result<f64, NoValue> {
        use NoValue::{NoCases, NoNegatives, NoPositives, NoneCalled};
        let (positives, negatives) = (self.positives(), self.negatives());
        match measure {
            Measure::Sensitivity => share(self.true_positives, positives, NoPositives),
            Measure::Specificity => share(self.true_negatives, negatives, NoNegatives),
            Measure::PositivePredictiveValue => {
                share(self.true_positives, self.called(), NoneCalled)
            }
            Measure::NegativePredictiveValue => {
                share(self.true_negatives, self.cleared(), NoValue::AllCalled)
            }
            Measure::F1 => share(
                2 * self.true_positives,
                positives + self.called(),
                NoPositives,
            ),
            Measure::Accuracy => share(
                self.true_positives + self.true_negatives,
                self.cases(),
                NoCases,
            ),
            Measure::AlarmRate => share(self.called(), self.cases(), NoCases),
            Measure::BalancedAccuracy => {
                let (sensitivity, specificity) = self.rates()?;
                Ok(f64::midpoint(sensitivity, specificity))
            }
            Measure::Youden => {
                let (sensitivity, specificity) = self.rates()?;
                Ok(sensitivity + specificity - 1.0)
            }
            Measure::PositiveLikelihoodRatio => {
                let (sensitivity, _) = self.rates()?;
                let alarms = share(self.false_positives, negatives, NoNegatives)?;
                quotient(sensitivity, alarms, NoValue::NoFalseAlarms)
            }
            Measure::NegativeLikelihoodRatio => {
                let (_, specificity) = self.rates()?;
                let missed = share(self.false_negatives, positives, NoPositives)?;
                quotient(missed, specificity, NoValue::NoTrueNegatives)
            }
            Measure::DiagnosticOddsRatio => self.odds_ratio(),
            Measure::Matthews => self.matthews(),
        }
    }

    /// Sensitivity and specificity.
    fn rates(&self) -> Result<(f64, f64), NoValue> {
        Ok((
            self.measure(Measure::Sensitivity)?,
            self.measure(Measure::Specificity)?,
        ))
    }

    fn odds_ratio(&self) -> Result<f64, NoValue> {
        self.rates()?;
        if self.false_positives == 0 {
            return Err(NoValue::NoFalseAlarms);
        }
        if self.false_negatives == 0 {
            return Err(NoValue::NothingMissed);
        }
        let right = self.true_positives as f64 * self.true_negatives as f64;
        Ok(right / (self.false_positives as f64 * self.false_negatives as f64))
    }

    fn matthews(&self) -> Result<f64, NoValue> {
        self.rates()?;
        if self.called() == 0 {
            return Err(NoValue::NoneCalled);
        }
        if self.cleared() == 0 {
            return Err(NoValue::AllCalled);
        }
        let product = |a: u64, b: u64| i128::from(a) * i128::from(b);
        let above = product(self.true_positives, self.true_negatives)
            - product(self.false_positives, self.false_negatives);
        // Four counts of a million million each would still be far from the largest float.
        let margins = [
            self.positives(),
            self.negatives(),
            self.called(),
            self.cleared(),
        ];
        let below = margins
            .map(|n| n as f64)
            .into_iter()
            .product::<f64>()
            .sqrt();
        Ok(above as f64 / below)
    }

    /// The predictive values (positive, negative) where another share of the cases is positive.
    ///
    /// Test sets often hold more haemorrhages than a department sees; sensitivity and specificity carry over as long as
    /// the spectrum of disease is the same, predictive values do not.
    ///
    /// # Units
    /// `prevalence` is a share from 0 to 1.
    ///
    /// # Errors
    /// For each of the two: [`NoValue`] where a class is missing, or where nobody would be called (or cleared).
    ///
    /// # Source
    /// Bayes' theorem; Altman, Bland 1994 (BMJ 309:102).
    pub fn predictive_values_at(
        &self,
        prevalence: f64,
    ) -> (Result<f64, NoValue>, Result<f64, NoValue>) {
        let (sensitivity, specificity) = match self.rates() {
            Ok(rates) => rates,
            Err(reason) => return (Err(reason), Err(reason)),
        };
        let healthy = 1.0 - prevalence;
        let (hits, alarms) = (prevalence * sensitivity, healthy * (1.0 - specificity));
        let (clear, missed) = (healthy * specificity, prevalence * (1.0 - sensitivity));
        (
            quotient(hits, hits + alarms, NoValue::NoneCalled),
            quotient(clear, clear + missed, NoValue::AllCalled),
        )
    }
}

fn share(part: u64, whole: u64, reason: NoValue) -> Result<f64, NoValue> {
    if whole == 0 {
        return Err(reason);
    }
    Ok(part as f64 / whole as f64)
}

fn quotient(above: f64, below: f64, reason: NoValue) -> Result<f64, NoValue> {
    if below > 0.0 {
        Ok(above / below)
    } else {
        Err(reason)
    }
}
