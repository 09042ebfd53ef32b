//! Functions of single numbers, forward and backward in one pass each.

#![expect(
    clippy::inline_always,
    reason = "what is not inlined is not compiled for the processor at hand"
)]

use pulp::Arch;
use rayon::prelude::*;

use super::{Clip, Gelu, HardSigmoid, LeakyRelu, Operator, Pow, Swish, buffers};

/// Numbers that one thread computes at a time.
const CHUNK: usize = 1 << 13;

/// A function of single numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Function {
    Clip { min: f32, max: f32 },
    LeakyRelu { alpha: f32 },
    Tanh,
    HardSigmoid { alpha: f32, beta: f32 },
    HardSwish,
    Swish { alpha: f32 },
    Gelu,
    GeluTanh,
    Softplus,
    Exp,
    Log,
    Sqrt,
    Neg,
    Pow { exponent: f32 },
}

impl Function {
    /// The function that `operator` is, if it is one.
    pub fn of(operator: &Operator) -> Option<Self> {
        Some(match *operator {
            Operator::Clip(Clip { min, max }) => Self::Clip {
                min: min.unwrap_or(f32::NEG_INFINITY),
                max: max.unwrap_or(f32::INFINITY),
            },
            Operator::LeakyRelu(LeakyRelu { alpha }) => Self::LeakyRelu { alpha },
            Operator::Tanh(_) => Self::Tanh,
            Operator::HardSigmoid(HardSigmoid { alpha, beta }) => Self::HardSigmoid { alpha, beta },
            Operator::HardSwish(_) => Self::HardSwish,
            Operator::Swish(Swish { alpha }) => Self::Swish { alpha },
            Operator::Gelu(Gelu { tanh: false }) => Self::Gelu,
            Operator::Gelu(Gelu { tanh: true }) => Self::GeluTanh,
            Operator::Softplus(_) => Self::Softplus,
            Operator::Exp(_) => Self::Exp,
            Operator::Log(_) => Self::Log,
            Operator::Sqrt(_) => Self::Sqrt,
            Operator::Neg(_) => Self::Neg,
            Operator::Pow(Pow { exponent }) => Self::Pow { exponent },
            _ => return None,
        })
    }

    /// The function of each of `values`.
    pub fn forward(self, values: &[f32]) -> Vec<f32> {
        match self {
            Self::Clip { min, max } => each(values, move |x| x.max(min).min(max)),
            Self::LeakyRelu { alpha } => each(values, move |x| if x > 0.0 { x } else { alpha * x }),
            Self::Tanh => each(values, f32::tanh),
            Self::HardSigmoid { alpha, beta } => {
                each(values, move |x| (alpha * x + beta).clamp(0.0, 1.0))
            }
            Self::HardSwish => each(values, move |x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0)),
            Self::Swish { alpha } => each(values, move |x| swish(x, alpha)),
            Self::Gelu => each(values, move |x| x * normal_share(x)),
            Self::GeluTanh => each(values, move |x| 0.5 * x * (1.0 + bent(x).0.tanh())),
            Self::Softplus => each(values, move |x| x.max(0.0) + (-x.abs()).exp().ln_1p()),
            Self::Exp => each(values, f32::exp),
            Self::Log => each(values, f32::ln),
            Self::Sqrt => each(values, f32::sqrt),
            Self::Neg => each(values, move |x| -x),
            Self::Pow { exponent } => match whole(exponent) {
                Some(power) => each(values, move |x| x.powi(power)),
                None => each(values, move |x| x.powf(exponent)),
            },
        }
    }

    /// The gradient of `values` from the results'.
    pub fn backward(self, values: &[f32], slopes: &[f32]) -> Vec<f32> {
        match self {
            Self::Clip { min, max } => {
                pairs(
                    values,
                    slopes,
                    move |x, g| {
                        if x > min && x < max { g } else { 0.0 }
                    },
                )
            }
            Self::LeakyRelu { alpha } => pairs(
                values,
                slopes,
                move |x, g| if x > 0.0 { g } else { alpha * g },
            ),
            Self::Tanh => pairs(values, slopes, move |x, g| {
                let t = x.tanh();
                g * (1.0 - t * t)
            }),
            Self::HardSigmoid { alpha, beta } => pairs(values, slopes, move |x, g| {
                let y = alpha * x + beta;
                if y > 0.0 && y < 1.0 { alpha * g } else { 0.0 }
            }),
            Self::HardSwish => pairs(values, slopes, move |x, g| {
                let inside = if x < 3.0 { x / 3.0 + 0.5 } else { 1.0 };
                g * if x > -3.0 { inside } else { 0.0 }
            }),
            Self::Swish { alpha } => pairs(values, slopes, move |x, g| g * swish_slope(x, alpha)),
            Self::Gelu => pairs(values, slopes, move |x, g| {
                g * (normal_share(x) + x * FRAC_1_SQRT_2PI * exp(-0.5 * x * x))
            }),
            Self::GeluTanh => pairs(values, slopes, move |x, g| {
                let (inner, slope) = bent(x);
                let t = inner.tanh();
                g * (0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * slope)
            }),
            Self::Softplus => pairs(values, slopes, move |x, g| g * logistic(x)),
            Self::Exp => pairs(values, slopes, move |x, g| g * x.exp()),
            Self::Log => pairs(values, slopes, move |x, g| g / x),
            Self::Sqrt => pairs(values, slopes, move |x, g| 0.5 * g / x.sqrt()),
            Self::Neg => pairs(values, slopes, |_, g| -g),
            Self::Pow { exponent } => match whole(exponent - 1.0) {
                Some(power) => pairs(values, slopes, move |x, g| g * exponent * x.powi(power)),
                None => pairs(values, slopes, move |x, g| {
                    g * exponent * x.powf(exponent - 1.0)
                }),
            },
        }
    }
}

fn each(values: &[f32], of: impl Fn(f32) -> f32 + Copy + Send + Sync) -> Vec<f32> {
    let (arch, mut results) = (Arch::new(), buffers::taken(values.len()));
    let chunks = results.par_chunks_mut(CHUNK).zip(values.par_chunks(CHUNK));
    chunks.for_each(|(results, values)| {
        arch.dispatch(move || {
            for (result, &x) in results.iter_mut().zip(values) {
                *result = of(x);
            }
        });
    });
    results
}

fn pairs(
    values: &[f32],
    slopes: &[f32],
    of: impl Fn(f32, f32) -> f32 + Copy + Send + Sync,
) -> Vec<f32> {
    let (arch, mut results) = (Arch::new(), buffers::taken(values.len()));
    let inputs = values.par_chunks(CHUNK).zip(slopes.par_chunks(CHUNK));
    let chunks = results.par_chunks_mut(CHUNK).zip(inputs);
    chunks.for_each(|(results, (values, slopes))| {
        arch.dispatch(move || {
            for ((result, &x), &g) in results.iter_mut().zip(values).zip(slopes) {
                *result = of(x, g);
            }
        });
    });
    results
}

/// `exponent` where it is a small whole number: repeated multiplication is faster than a power.
fn whole(exponent: f32) -> Option<i32> {
    (exponent.fract() == 0.0 && exponent.abs() <= 8.0).then_some(exponent as i32)
}

const FRAC_1_SQRT_2PI: f32 = 0.398_942_3;

/// The inner of Gelu's approximation and its derivative.
fn bent(x: f32) -> (f32, f32) {
    const CUBE: f32 = 0.044_715;
    let scale = std::f32::consts::FRAC_2_SQRT_PI * std::f32::consts::FRAC_1_SQRT_2;
    (
        scale * (x + CUBE * x * x * x),
        scale * (1.0 + 3.0 * CUBE * x * x),
    )
}

/// The exponential to 1e-7, without a branch, so that loops become vector code; above 88.3 it stays where it is there.
///
/// # Source
/// The polynomial is `expf`'s of the Cephes library (Moshier 1992).
#[inline(always)]
fn exp(x: f32) -> f32 {
    /// Adding it leaves whole numbers in the last bits.
    const WHOLE: f32 = 12_582_912.0;
    let x = x.clamp(-87.3, 88.3);
    let shifted = x * std::f32::consts::LOG2_E + WHOLE;
    let n = shifted - WHOLE;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let mut p = 1.987_569_1e-4;
    for coefficient in [
        1.398_199_9e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        0.166_666_65,
        0.5,
    ] {
        p = p * r + coefficient;
    }
    let power = shifted
        .to_bits()
        .wrapping_sub(WHOLE.to_bits())
        .wrapping_add(127)
        << 23;
    (p * r * r + r + 1.0) * f32::from_bits(power)
}

/// [`Swish`] of one number.
#[inline(always)]
pub(crate) fn swish(x: f32, alpha: f32) -> f32 {
    x * logistic(alpha * x)
}

/// How [`swish`] changes with `x`.
#[inline(always)]
pub(crate) fn swish_slope(x: f32, alpha: f32) -> f32 {
    let s = logistic(alpha * x);
    s + alpha * x * s * (1.0 - s)
}

#[inline(always)]
fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The share of the normal distribution below `x`, by the error function.
///
/// # Source
/// The quotient of polynomials is the one that Eigen and XLA use for single precision.
fn normal_share(x: f32) -> f32 {
    let y = (x * std::f32::consts::FRAC_1_SQRT_2).clamp(-4.0, 4.0);
    let square = y * y;
    let of = |coefficients: &[f32]| coefficients.iter().fold(0.0, |sum, c| sum * square + c);
    let above = of(&[
        -2.726_142_4e-10,
        2.770_681_4e-8,
        -2.101_024e-6,
        -5.692_506_5e-5,
        -7.349_906_3e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ]);
    let below = of(&[
        -1.456_607_2e-5,
        -2.133_740_6e-4,
        -1.682_827e-3,
        -7.373_329_2e-3,
        -1.426_473_9e-2,
    ]);
    0.5 + 0.5 * y * above / below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_and_the_normal_distribution_are_as_exact_as_their_type() {
        for step in -8000..8000 {
            let x = step as f32 * 0.01;
            let theirs = f64::from(x).exp();
            let distance = (f64::from(exp(x)) - theirs).abs();
            assert!(distance <= 2e-7 * theirs, "{x}: {distance}");
            let share = f64::from(normal_share(x));
            let theirs = statrs_share(f64::from(x));
            assert!((share - theirs).abs() < 2e-7, "{x}: {share} {theirs}");
        }
        assert!(exp(f32::NAN).is_nan() && normal_share(f32::NAN).is_nan());
    }

    /// The normal distribution's share by Simpson's rule.
    fn statrs_share(x: f64) -> f64 {
        let density = |t: f64| (-0.5 * t * t).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let (end, count) = (x.clamp(-9.0, 9.0), 400);
        let step = end / f64::from(count);
        let sum: f64 = (0..count)
            .map(|i| {
                let t = f64::from(i) * step;
                density(t) + 4.0 * density(t + step / 2.0) + density(t + step)
            })
            .sum();
        0.5 + sum * step / 6.0
    }
}
