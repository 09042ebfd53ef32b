//! Drawing a head's numbers.

use rand::RngExt;

/// Uniform in `lo .. hi`.
pub fn uniform(rng: &mut impl RngExt, lo: f32, hi: f32) -> f32 {
    lo + (hi - lo) * rng.random::<f32>()
}

/// Normal, cut at two and a half standard deviations.
pub fn normal(rng: &mut impl RngExt, mean: f32, sd: f32) -> f32 {
    // The sum of twelve uniform numbers is normal enough for anatomy, and cheap.
    let sum: f32 = (0..12).map(|_| rng.random::<f32>()).sum();
    mean + sd * (sum - 6.0).clamp(-2.5, 2.5)
}

/// True with probability `p`.
pub fn chance(rng: &mut impl RngExt, p: f32) -> bool {
    rng.random::<f32>() < p
}

/// Left or right: +1 or −1.
pub fn side(rng: &mut impl RngExt) -> f32 {
    if rng.random::<bool>() { 1.0 } else { -1.0 }
}
