//! A logistic regression by smartcore. In a file of its own, because the library's traits give every slice a second
//! `get`.

use smartcore::linalg::basic::arrays::Array;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::logistic_regression::{LogisticRegression, LogisticRegressionParameters};

/// Weights of columns and a constant, whose sum is the logarithm of the odds.
pub(super) struct Model {
    pub(super) weights: Vec<f64>,
    pub(super) constant: f64,
}

/// Fits `outcomes` to `values`, with `ridge` as the weight of small coefficients against a good fit; `None` where there
/// is one outcome only, or no result.
///
/// # Shape
/// `values` has `columns` numbers an outcome, row by row.
pub(super) fn fit(
    values: Vec<f64>,
    columns: usize,
    outcomes: &Vec<u32>,
    ridge: f64,
) -> Option<Model> {
    let matrix = DenseMatrix::new(outcomes.len(), columns, values, false).ok()?;
    let parameters = LogisticRegressionParameters::default().with_alpha(ridge);
    let fitted = LogisticRegression::fit(&matrix, outcomes, parameters).ok()?;
    // The library numbers outcomes in the order of `classes`.
    let sign = match fitted.classes().as_slice() {
        [0, 1] => 1.0,
        [1, 0] => -1.0,
        _ => return None,
    };
    let weights: Vec<f64> = fitted
        .coefficients()
        .iterator(0)
        .map(|weight| sign * weight)
        .collect();
    let constant = sign * fitted.intercept().iterator(0).next()?;
    let is_finite = constant.is_finite() && weights.iter().all(|weight| weight.is_finite());
    is_finite.then_some(Model { weights, constant })
}
