//! The loss of one label of one sample, with its derivative by the logit.
//!
//! With p the logistic function of the logit z and q = 1 - p; both are computed from z, since 1 - p loses all digits where p
//! is nearly 1.

/// How one label's logit is judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Element {
    /// The binary cross-entropy.
    Plain,
    /// The cross-entropy times the distance from the target to the power of `gamma`, and times the share `alpha` of positives.
    Focal { gamma: f64, alpha: Option<f64> },
    /// A power of its own for positives and negatives, and negatives below `margin` cost nothing.
    Asymmetric {
        positive: f64,
        negative: f64,
        margin: f64,
    },
}

impl Element {
    /// The loss of `logit` where the target is `y`, and its derivative.
    pub fn of(self, logit: f64, y: f64) -> (f64, f64) {
        match self {
            Self::Plain => cross_entropy(logit, y),
            Self::Focal { gamma, alpha } => focal(logit, y, gamma, alpha),
            Self::Asymmetric {
                positive,
                negative,
                margin,
            } => {
                let (gain, down) = of_positive(logit, positive);
                let (cost, up) = of_negative(logit, negative, margin);
                (y * gain + (1.0 - y) * cost, y * down + (1.0 - y) * up)
            }
        }
    }
}

fn logistic(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// `log(1 + exp(z))` in the form that cannot overflow: `-log(1 - p)`.
fn softplus(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

fn cross_entropy(z: f64, y: f64) -> (f64, f64) {
    let loss = z.max(0.0) - z * y + (-z.abs()).exp().ln_1p();
    (loss, logistic(z) - y)
}

fn focal(z: f64, y: f64, gamma: f64, alpha: Option<f64>) -> (f64, f64) {
    let (p, q) = (logistic(z), logistic(-z));
    let (loss, slope) = cross_entropy(z, y);
    let distance = y * q + (1.0 - y) * p;
    let factor = alpha.map_or(1.0, |alpha| alpha * y + (1.0 - alpha) * (1.0 - y));
    let power = distance.powf(gamma);
    let by_power = if gamma > 0.0 && distance > 0.0 {
        gamma * distance.powf(gamma - 1.0) * (1.0 - 2.0 * y) * p * q
    } else {
        0.0
    };
    (
        factor * loss * power,
        factor * (slope * power + loss * by_power),
    )
}

/// `-q^gamma log p`.
fn of_positive(z: f64, gamma: f64) -> (f64, f64) {
    let (p, q, loss) = (logistic(z), logistic(-z), softplus(-z));
    let power = q.powf(gamma);
    (power * loss, -power * (q + gamma * p * loss))
}

/// `-m^gamma log(1 - m)` with `m = max(p - margin, 0)`.
fn of_negative(z: f64, gamma: f64, margin: f64) -> (f64, f64) {
    let (p, q) = (logistic(z), logistic(-z));
    let shifted = p - margin;
    if shifted <= 0.0 {
        return (0.0, 0.0);
    }
    // Without a margin p q / (1 - m) is 0 / 0 for large logits; it is p.
    let (loss, slope) = if margin > 0.0 {
        (-(q + margin).ln(), p * q / (q + margin))
    } else {
        (softplus(z), p)
    };
    let power = shifted.powf(gamma);
    let by_power = if gamma > 0.0 {
        gamma * shifted.powf(gamma - 1.0) * p * q * loss
    } else {
        0.0
    };
    (power * loss, power * slope + by_power)
}
