//! The little vector algebra that slice geometry needs.

pub(crate) fn dot([a, b, c]: [f64; 3], [x, y, z]: [f64; 3]) -> f64 {
    a * x + b * y + c * z
}

pub(crate) fn minus([a, b, c]: [f64; 3], [x, y, z]: [f64; 3]) -> [f64; 3] {
    [a - x, b - y, c - z]
}

pub(crate) fn length(v: [f64; 3]) -> f64 {
    dot(v, v).sqrt()
}

/// The unit normal of an Image Orientation, or `None` where its directions span no plane.
pub(crate) fn normal([a, b, c, x, y, z]: [f64; 6]) -> Option<[f64; 3]> {
    let cross = [b * z - c * y, c * x - a * z, a * y - b * x];
    let norm = length(cross);
    (norm.is_finite() && norm > 1e-6).then(|| cross.map(|component| component / norm))
}
