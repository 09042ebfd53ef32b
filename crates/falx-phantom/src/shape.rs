//! Signed distances (negative inside) and how much of a voxel a shape covers.

/// A point or a direction: x to the patient's left, y to the back, z to the top, in mm.
pub type Point = [f32; 3];

pub fn sub(a: Point, b: Point) -> Point {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

pub fn add(a: Point, b: Point) -> Point {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

pub fn scale(a: Point, k: f32) -> Point {
    [a[0] * k, a[1] * k, a[2] * k]
}

pub fn dot(a: Point, b: Point) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub fn length(a: Point) -> f32 {
    dot(a, a).sqrt()
}

/// The point of the patient's left half that mirrors `p`.
pub fn mirrored(p: Point) -> Point {
    [p[0].abs(), p[1], p[2]]
}

/// First-order distance to an ellipsoid: exact on its surface, off by a few per cent near it.
pub fn ellipsoid(p: Point, center: Point, radii: Point) -> f32 {
    let d = sub(p, center);
    let a = [d[0] / radii[0], d[1] / radii[1], d[2] / radii[2]];
    let b = [a[0] / radii[0], a[1] / radii[1], a[2] / radii[2]];
    let k0 = length(a);
    let k1 = length(b);
    if k1 < 1e-6 {
        return -radii[0].min(radii[1]).min(radii[2]);
    }
    k0 * (k0 - 1.0) / k1
}

/// Distance to a rod from `a` to `b` whose radius runs from `ra` to `rb`.
pub fn rod(p: Point, a: Point, b: Point, ra: f32, rb: f32) -> f32 {
    let pa = sub(p, a);
    let ba = sub(b, a);
    let t = (dot(pa, ba) / dot(ba, ba)).clamp(0.0, 1.0);
    length(sub(pa, scale(ba, t))) - (ra + (rb - ra) * t)
}

/// A union whose seam is rounded over `k` mm.
pub fn smooth_min(a: f32, b: f32, k: f32) -> f32 {
    let h = (k - (a - b).abs()).max(0.0) / k;
    a.min(b) - h * h * k * 0.25
}

/// An intersection whose seam is rounded over `k` mm.
pub fn smooth_max(a: f32, b: f32, k: f32) -> f32 {
    -smooth_min(-a, -b, k)
}

/// 0 at `lo` and below, 1 at `hi` and above, smooth between.
pub fn smooth_step(lo: f32, hi: f32, x: f32) -> f32 {
    let t = ((x - lo) / (hi - lo)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Share of a voxel of width `w` that lies inside a surface at distance `d`.
pub fn cover(d: f32, w: f32) -> f32 {
    (0.5 - d / w).clamp(0.0, 1.0)
}

/// Share of a voxel of width `w` at distance `d` from the middle of a sheet of half-thickness `h`.
pub fn cover_sheet(d: f32, h: f32, w: f32) -> f32 {
    let d = d.abs();
    (((d + w * 0.5).min(h) - (d - w * 0.5).max(-h)) / w).clamp(0.0, 1.0)
}

/// `a` where `t` is 0, `b` where it is 1.
pub fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// A smooth bump: 1 at 0, one sixtieth at `2 * width` and further fading.
pub fn bell(x: f32, width: f32) -> f32 {
    let t = x / width;
    (-t * t).exp()
}

#[cfg(test)]
mod tests;
