//! Intervals of a share that need no resampling.

/// The 97.5 % point of the normal distribution.
const Z: f64 = 1.959963984540054;

/// Wilson's 95 % interval of a share.
///
/// # Source
/// Wilson 1927 (JASA 22:209); recommended by Brown, Cai, DasGupta 2001 (Stat Sci 16:101).
pub(super) fn wilson(part: u64, whole: u64) -> Option<(f64, f64)> {
    if whole == 0 || part > whole {
        return None;
    }
    let (k, n) = (part as f64, whole as f64);
    let share = k / n;
    let spread = Z * Z / n;
    let centre = (share + spread / 2.0) / (1.0 + spread);
    let half = (spread * (share * (1.0 - share) + spread / 4.0)).sqrt() / (1.0 + spread);
    // At the ends the formula gives exactly 0 and 1, but for rounding.
    let low = if part == 0 { 0.0 } else { centre - half };
    let high = if part == whole { 1.0 } else { centre + half };
    Some((low, high))
}

/// Clopper and Pearson's 95 % interval where all of `whole` count, or none.
///
/// # Source
/// Clopper, Pearson 1934 (Biometrika 26:404); at the ends the beta quantile is a root.
pub(super) fn all_or_none(all: bool, whole: u64) -> Option<(f64, f64)> {
    if whole == 0 {
        return None;
    }
    let root = 0.025_f64.powf(1.0 / whole as f64);
    Some(if all { (root, 1.0) } else { (0.0, 1.0 - root) })
}
