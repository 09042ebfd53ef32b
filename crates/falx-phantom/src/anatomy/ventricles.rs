//! The ventricles, the cisterns and the choroid plexus, as distances in the reference head.

use crate::shape::{Point, ellipsoid, mirrored, rod, smooth_max, smooth_min};

/// Far away, where a bounding box already says so.
const FAR: f32 = 30.0;

/// Signed distance to the lateral, third and fourth ventricles, `width` times as wide as the reference's.
pub fn ventricles(p: Point, width: f32) -> f32 {
    let m = mirrored(p);
    if m[0] > 42.0 || p[1] < -46.0 || p[1] > 74.0 || p[2] < -56.0 || p[2] > 38.0 {
        return FAR;
    }
    let mut d = lateral(m, width);
    if m[0] < 10.0 {
        let third = ellipsoid(m, [0.0, 5.0, -3.0], [0.6 + 2.1 * width, 15.0, 12.0]);
        let fourth = ellipsoid(m, [0.0, 37.0, -37.0], [3.5 + 3.0 * width, 5.5, 10.0]);
        let aqueduct = rod(p, [0.0, 19.0, -8.0], [0.0, 32.0, -30.0], 1.0, 1.3);
        d = d.min(third).min(fourth).min(aqueduct);
    }
    d
}

/// One lateral ventricle; `m` lies on its side.
fn lateral(m: Point, w: f32) -> f32 {
    let r = |radius: f32| radius * w;
    // The horns splay as they widen, the septum stays near the midline.
    let x = |at: f32, radius: f32| at + radius * (w - 1.0).max(-0.3) * 0.7;
    let tip = [x(16.5, 3.0), -35.0, 6.0];
    let horn = [x(7.5, 5.0), -21.0, 10.0];
    let monro = [x(4.6, 3.0), -3.0, 13.0];
    let body = [x(9.5, 5.0), 14.0, 22.0];
    let atrium = [x(23.0, 7.0), 37.0, 13.0];
    let occipital = [x(23.0, 4.0), 66.0, 5.0];
    let temporal = [x(33.0, 3.0), 12.0, -14.0];
    let end = [x(28.0, 2.0), -10.0, -21.0];
    let mut d = rod(m, tip, horn, r(2.2), r(4.2));
    d = smooth_min(d, rod(m, horn, monro, r(4.2), r(2.6)), 2.5);
    d = smooth_min(d, rod(m, horn, body, r(3.6), r(5.2)), 3.0);
    d = smooth_min(d, rod(m, body, atrium, r(5.2), r(7.0)), 3.0);
    d = smooth_min(d, rod(m, atrium, occipital, r(6.2), r(1.6)), 3.0);
    d = smooth_min(d, rod(m, atrium, temporal, r(5.5), r(2.0)), 3.0);
    d = smooth_min(d, rod(m, temporal, end, r(2.0), r(1.4)), 2.0);
    // The septum parts the two; the thalamus and the caudate dent their walls.
    smooth_max(d, 0.8 - m[0], 1.0)
}

/// Signed distance to the cisterns round the brain stem, `gap` mm wider than in the young.
pub fn cisterns(p: Point, gap: f32) -> f32 {
    let m = mirrored(p);
    if m[0] > 46.0 || p[1] < -32.0 || p[1] > 86.0 || p[2] < -80.0 || p[2] > 8.0 {
        return FAR;
    }
    let wide = 0.35 * gap;
    let mut d = FAR;
    // Suprasellar: a star of five or six points about the chiasm.
    if p[2] > -34.0 && p[2] < -10.0 {
        let (x, y) = (m[0], p[1] + 7.0);
        let radius = x.hypot(y);
        let angle = x.atan2(-y);
        let star = 9.5 + 3.2 * (angle * 6.0).cos();
        let flat = radius - star - wide;
        d = smooth_max(flat * 0.75, (p[2] + 22.0).abs() - 6.0, 3.0);
        // Its front points run on along the middle cerebral artery.
        let stem = rod(m, [9.0, -13.0, -21.0], [36.0, -18.0, -14.0], 1.3, 1.6) - wide;
        d = smooth_min(d, stem, 2.0);
    }
    // Round the midbrain, and behind it the colliculi's smile.
    if p[2] > -34.0 && p[2] < 6.0 && p[1] > -12.0 && p[1] < 36.0 {
        let midbrain = midbrain(p);
        let ring = (midbrain - 1.3 - 0.6 * wide).abs() - 0.75 - 0.6 * wide;
        let ring = smooth_max(ring, (p[2] + 16.0).abs() - 9.0, 3.0);
        let smile = ellipsoid(m, [0.0, 27.0, -8.0], [8.5, 2.2, 5.0]) - wide;
        d = smooth_min(d, smooth_min(ring, smile, 2.0), 2.0);
    }
    // Before the pons, at its corners, and below the cerebellum.
    if p[2] < -22.0 {
        let front = (pons(p) - 1.5).abs() - 1.3 - wide;
        let front = smooth_max(front, p[1] - 16.0, 3.0);
        let corner = ellipsoid(m, [22.0, 12.0, -42.0], [6.0, 3.0, 5.0]) - wide;
        let magna = ellipsoid(p, [0.0, 68.0, -64.0], [9.0, 7.0, 9.0]) - 1.5 * wide;
        d = d.min(smooth_min(front, corner, 2.0)).min(magna);
    }
    d
}

/// Signed distance to the midbrain.
pub fn midbrain(p: Point) -> f32 {
    let m = mirrored(p);
    let tegmentum = ellipsoid(p, [0.0, 14.0, -16.0], [13.0, 10.0, 22.0]);
    let peduncle = ellipsoid(m, [10.0, 5.0, -16.0], [6.5, 7.5, 18.0]);
    smooth_min(tegmentum, peduncle, 3.0)
}

/// Signed distance to the pons and the medulla below it.
pub fn pons(p: Point) -> f32 {
    let pons = ellipsoid(p, [0.0, 19.0, -40.0], [17.0, 13.0, 14.0]);
    let medulla = rod(p, [0.0, 22.0, -48.0], [0.0, 28.0, -130.0], 9.0, 7.0);
    smooth_min(pons, medulla, 6.0)
}

/// Signed distance to the glomus of the choroid plexus on either side.
pub fn choroid(p: Point, width: f32) -> f32 {
    let m = mirrored(p);
    let x = 23.0 + 7.0 * (width - 1.0).max(-0.3) * 0.7;
    ellipsoid(m, [x, 37.0, 12.0], [2.6, 4.6, 4.2])
}
