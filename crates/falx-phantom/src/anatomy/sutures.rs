//! The sutures of the vault, as signed distances along the skull in mm: negative in front of the suture.

use crate::shape::Point;

/// The coronal suture, between frontal and parietal bones.
pub fn coronal(p: Point) -> f32 {
    p[1] + 22.0 + 0.18 * p[2]
}

/// The lambdoid suture, between parietal and occipital bones.
pub fn lambdoid(p: Point) -> f32 {
    p[1] - 66.0 + 0.35 * (p[0].abs() - 20.0) + 0.30 * (p[2] - 20.0)
}
