//! An area under the ROC curve with its variance, and the difference of two.

use super::{normal_share, reach};
use crate::{Estimate, Undefined};

/// Why an area, or its variance, has no value.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum AreaError {
    /// A class is missing.
    #[error(transparent)]
    Undefined(#[from] Undefined),
    /// A class has one case (or one cluster): how cases differ cannot be seen in one.
    #[error("only one {unit} has a {class} case; a variance needs two")]
    Single {
        /// "case" or "cluster".
        unit: &'static str,
        /// "positive" or "negative".
        class: &'static str,
    },
    /// The second prediction does not fit the cases.
    #[error("{given} second predictions for {cases} cases; give one for each")]
    Lengths {
        /// Second predictions given.
        given: usize,
        /// Cases.
        cases: usize,
    },
    /// A second prediction is no finite number.
    #[error("the second prediction of case {case} is {value}; it must be a finite number")]
    NotFinite {
        /// Which case, from 0.
        case: usize,
        /// What was given.
        value: f64,
    },
}

/// An area under the ROC curve and its variance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// The area.
    pub auc: f64,
    /// The variance of the area over samples of cases (or of clusters).
    pub variance: f64,
}

impl Area {
    /// The standard error.
    pub fn standard_error(&self) -> f64 {
        self.variance.sqrt()
    }

    /// The interval of the area: symmetric on the logit scale. The default, because it stays within 0 and 1 and covers
    /// better near 1, where detectors are.
    ///
    /// No ends where the variance is 0 (an area of exactly 1, or all scores equal): that no spread was seen does not
    /// mean that there is none.
    ///
    /// # Source
    /// Pepe MS. The Statistical Evaluation of Medical Tests for Classification and Prediction. Oxford 2003, 5.2.
    pub fn interval(&self, level: f64) -> Estimate {
        let inner = self.auc * (1.0 - self.auc);
        let ends = self.reach(level).filter(|_| inner > 0.0).map(|half| {
            let logit = (self.auc / (1.0 - self.auc)).ln();
            let half = half / inner;
            (logistic(logit - half), logistic(logit + half))
        });
        self.estimate(ends)
    }

    /// The interval of the area that is symmetric about it, cut off at 0 and 1: what `pROC` prints.
    ///
    /// No ends where the variance is 0, as [`Self::interval`].
    pub fn plain_interval(&self, level: f64) -> Estimate {
        let ends = self
            .reach(level)
            .map(|half| ((self.auc - half).max(0.0), (self.auc + half).min(1.0)));
        self.estimate(ends)
    }

    fn reach(&self, level: f64) -> Option<f64> {
        (self.variance > 0.0).then(|| Some(reach(level)? * self.standard_error()))?
    }

    fn estimate(&self, ends: Option<(f64, f64)>) -> Estimate {
        Estimate {
            value: self.auc,
            low: ends.map(|(low, _)| low),
            high: ends.map(|(_, high)| high),
        }
    }
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Two areas of the same cases, and their difference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AreaDifference {
    /// The first prediction's area.
    pub first: Area,
    /// The second prediction's area.
    pub second: Area,
    /// The covariance of the two.
    pub covariance: f64,
}

impl AreaDifference {
    /// The first area minus the second.
    pub fn difference(&self) -> f64 {
        self.first.auc - self.second.auc
    }

    /// The variance of the difference.
    pub fn variance(&self) -> f64 {
        // Rounding may leave a little less than nothing where both rank the cases alike.
        let variance = self.first.variance + self.second.variance - 2.0 * self.covariance;
        let smallest = 1e-14 * (self.first.variance + self.second.variance);
        if variance > smallest { variance } else { 0.0 }
    }

    /// The difference in standard errors; `None` where its variance is 0.
    pub fn z(&self) -> Option<f64> {
        let variance = self.variance();
        (variance > 0.0).then(|| self.difference() / variance.sqrt())
    }

    /// The two-sided p-value of no difference; `None` where the variance is 0.
    pub fn p(&self) -> Option<f64> {
        self.z().map(|z| 2.0 * normal_share(-z.abs()))
    }

    /// The difference with its interval; no ends where the variance is 0.
    pub fn interval(&self, level: f64) -> Estimate {
        let value = self.difference();
        let variance = self.variance();
        let half = reach(level)
            .filter(|_| variance > 0.0)
            .map(|z| z * variance.sqrt());
        Estimate {
            value,
            low: half.map(|half| value - half),
            high: half.map(|half| value + half),
        }
    }
}
