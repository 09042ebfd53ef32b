//! Chains of small nodes that exporters write where ONNX long had no operator: the exact Gelu.

use crate::Value;

/// A step on the way from x to 0.5 x (1 + erf(x / sqrt 2)).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Partial {
    /// erf(x / sqrt 2).
    Erf(Value),
    /// 1 + erf(x / sqrt 2).
    OnePlusErf(Value),
    /// x (1 + erf(x / sqrt 2)).
    Twice(Value),
    /// 0.5 (1 + erf(x / sqrt 2)).
    Half(Value),
}

impl Partial {
    /// What it is, for messages.
    pub fn words(self) -> &'static str {
        match self {
            Self::Erf(_) => "erf(x / sqrt 2)",
            Self::OnePlusErf(_) => "1 + erf(x / sqrt 2)",
            Self::Twice(_) => "x (1 + erf(x / sqrt 2))",
            Self::Half(_) => "0.5 (1 + erf(x / sqrt 2))",
        }
    }
}
