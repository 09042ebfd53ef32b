//! Logistic regression with few columns, by Newton's method, and its variance over clusters.

// Rows and columns of small matrices are clearest by number; the numbers end at a constant.
#![allow(clippy::needless_range_loop)]

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{FitError, sigmoid};
use crate::Estimate;

const MOST_STEPS: usize = 60;
const MOST_HALVINGS: usize = 40;
/// The step after which the next would be lost in rounding: Newton's error is about the square of its step.
const SMALL_STEP: f64 = 1e-8;
/// A pivot below this share of its column's sum of squares means that the column depends on the others.
const DEPENDENT: f64 = 1e-13;

/// One case of a regression.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<const K: usize> {
    pub(super) columns: [f64; K],
    /// What is added to the logit whatever the coefficients.
    pub(super) offset: f64,
    /// The outcome, from 0 to 1.
    pub(super) target: f64,
}

/// The coefficients that fit best.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fit<const K: usize> {
    pub(super) coefficients: [f64; K],
    /// The inverse of the information.
    inverse: [[f64; K]; K],
}

fn dot<const K: usize>(a: &[f64; K], b: &[f64; K]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The gradient of the loss (negative log likelihood) and the information at some coefficients.
fn derivatives<const K: usize>(
    rows: impl Iterator<Item = Row<K>>,
    at: &[f64; K],
) -> ([f64; K], [[f64; K]; K]) {
    let (mut gradient, mut information) = ([0.0; K], [[0.0; K]; K]);
    for row in rows {
        let p = sigmoid(row.offset + dot(at, &row.columns));
        let (residual, weight) = (p - row.target, p * (1.0 - p));
        for i in 0..K {
            gradient[i] += residual * row.columns[i];
            for j in 0..=i {
                information[i][j] += weight * row.columns[i] * row.columns[j];
            }
        }
    }
    for i in 0..K {
        for j in 0..i {
            information[j][i] = information[i][j];
        }
    }
    (gradient, information)
}

/// The inverse of a positive definite matrix, by Gauss and Jordan; `None` where a column depends on the others.
fn invert<const K: usize>(mut a: [[f64; K]; K]) -> Option<[[f64; K]; K]> {
    let mut inverse = [[0.0; K]; K];
    let diagonal: [f64; K] = std::array::from_fn(|i| a[i][i]);
    for i in 0..K {
        inverse[i][i] = 1.0;
    }
    for i in 0..K {
        let pivot = a[i][i];
        // Written so that NaN is refused too.
        let sound =
            pivot > DEPENDENT * diagonal[i] && pivot.is_normal() && pivot.is_sign_positive();
        if !sound {
            return None;
        }
        for j in 0..K {
            a[i][j] /= pivot;
            inverse[i][j] /= pivot;
        }
        for row in (0..K).filter(|&row| row != i) {
            let factor = a[row][i];
            for j in 0..K {
                a[row][j] -= factor * a[i][j];
                inverse[row][j] -= factor * inverse[i][j];
            }
        }
    }
    Some(inverse)
}

/// Fits by Newton's method from `start`; a step that overshoots along its own direction is halved.
pub(super) fn fit<const K: usize, I: Iterator<Item = Row<K>>>(
    rows: impl Fn() -> I,
    start: [f64; K],
) -> Result<Fit<K>, FitError> {
    let mut at = start;
    let (mut gradient, mut information) = derivatives(rows(), &at);
    for round in 0..MOST_STEPS {
        let Some(inverse) = invert(information) else {
            return Err(if round == 0 && start == [0.0; K] {
                FitError::TooFewValues
            } else {
                FitError::NotConverged
            });
        };
        let step: [f64; K] = std::array::from_fn(|i| -dot(&inverse[i], &gradient));
        let slope = dot(&step, &gradient);
        let small = step
            .iter()
            .zip(&at)
            .all(|(s, b)| s.abs() <= SMALL_STEP * (1.0 + b.abs()));
        let mut share = 1.0;
        let mut settled = small;
        for _ in 0..MOST_HALVINGS {
            let next = std::array::from_fn(|i| at[i] + share * step[i]);
            let (g, h) = derivatives(rows(), &next);
            // At the end both slopes are rounding errors.
            if small || dot(&step, &g) <= -0.5 * slope {
                (at, gradient, information) = (next, g, h);
                settled = true;
                break;
            }
            share *= 0.5;
        }
        if small && let Some(inverse) = invert(information) {
            return Ok(Fit {
                coefficients: at,
                inverse,
            });
        }
        if !settled {
            return Err(FitError::NotConverged);
        }
    }
    Err(FitError::NotConverged)
}

impl<const K: usize> Fit<K> {
    /// Each coefficient with its 95 % interval over clusters: the sandwich variance with the usual correction
    /// G/(G - 1) · (n - 1)/(n - k), and Student's t with G - 1 degrees of freedom. No interval with fewer than two clusters.
    pub(super) fn estimates(
        &self,
        rows: impl Iterator<Item = Row<K>>,
        cluster: &[u32],
    ) -> [Estimate; K] {
        let width = self.half_widths(rows, cluster);
        std::array::from_fn(|i| {
            let value = self.coefficients[i];
            let width = width.map(|w| w[i]).filter(|w| w.is_finite());
            Estimate {
                value,
                low: width.map(|w| value - w),
                high: width.map(|w| value + w),
            }
        })
    }

    fn half_widths(&self, rows: impl Iterator<Item = Row<K>>, cluster: &[u32]) -> Option<[f64; K]> {
        let last = cluster.iter().max().map_or(0, |&c| c as usize + 1);
        let mut scores = vec![([0.0; K], false); last];
        let mut cases = 0_u64;
        for (row, &c) in rows.zip(cluster) {
            let p = sigmoid(row.offset + dot(&self.coefficients, &row.columns));
            if let Some((score, seen)) = scores.get_mut(c as usize) {
                *seen = true;
                for i in 0..K {
                    score[i] += (p - row.target) * row.columns[i];
                }
            }
            cases += 1;
        }
        scores.retain(|(_, seen)| *seen);
        let (clusters, n) = (scores.len() as f64, cases as f64);
        if scores.len() < 2 || n <= K as f64 {
            return None;
        }
        let correction = clusters / (clusters - 1.0) * (n - 1.0) / (n - K as f64);
        let t = StudentsT::new(0.0, 1.0, clusters - 1.0).ok()?;
        let t = t.inverse_cdf(0.975);
        Some(std::array::from_fn(|i| {
            // Row i of the inverse times each cluster's score: its share in the coefficient.
            let sum: f64 = scores
                .iter()
                .map(|(score, _)| dot(&self.inverse[i], score).powi(2))
                .sum();
            t * (sum * correction).sqrt()
        }))
    }
}
