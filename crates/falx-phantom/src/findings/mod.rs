//! Haemorrhages: where blood lies and how dense it is.

mod collection;
mod scenario;

pub use collection::{Collection, Sheet};
pub use scenario::Findings;

use crate::noise;
use crate::shape::{
    Point, bell, cover, cover_sheet, dot, ellipsoid, length, mix, smooth_step, sub,
};

/// A clot in the brain's tissue, or a contusion.
pub struct Clot {
    /// Its centre.
    pub center: Point,
    /// Its half-axes before its edge is roughened.
    pub radii: Point,
    /// Density of its bulk.
    pub hu: f32,
    /// Density where it is still liquid.
    pub liquid_hu: f32,
    /// Share of it that is liquid, 0 ..= 1.
    pub swirl: f32,
    /// Width of the oedema round it.
    pub oedema: f32,
    /// Seed of its edge.
    pub seed: u32,
}

impl Clot {
    /// Signed distance to its edge, or `None` where even its oedema is far.
    pub fn distance(&self, p: Point) -> Option<f32> {
        let reach = 1.35;
        let d = sub(p, self.center);
        let margin = self.oedema + 4.0;
        if (0..3).any(|i| d[i].abs() > self.radii[i] * reach + margin) {
            return None;
        }
        let size = self.radii[0].min(self.radii[1]).min(self.radii[2]);
        let rough = noise::value(p, size.max(5.0), self.seed) * 0.30 * size
            + noise::value(p, (0.4 * size).max(3.0), self.seed ^ 0x01) * 0.14 * size;
        Some(ellipsoid(p, self.center, self.radii) + rough)
    }

    /// Density inside.
    pub fn density(&self, p: Point) -> f32 {
        let n = noise::value(p, 9.0, self.seed ^ 0x02);
        let liquid = smooth_step(1.0 - 2.0 * self.swirl, 1.4 - 2.0 * self.swirl, n);
        self.hu + 4.0 * n + (self.liquid_hu - self.hu) * liquid
    }
}

/// Blood mixed with the cerebrospinal fluid of a region's sulci and cisterns.
pub struct Subarachnoid {
    /// The region's centre.
    pub center: Point,
    /// The region's half-axes.
    pub radii: Point,
    /// Density of the mixture at its densest.
    pub hu: f32,
    /// How far blood holds sulci open, in mm.
    pub fills: f32,
    /// Seed of its patches.
    pub seed: u32,
}

impl Subarachnoid {
    /// How much of the fluid's place blood has taken: 0 none, 1 all that there will be.
    pub fn share(&self, p: Point) -> f32 {
        let d = sub(p, self.center);
        if (0..3).any(|i| d[i].abs() > self.radii[i] * 1.4) {
            return 0.0;
        }
        let e = ellipsoid(p, self.center, self.radii);
        let size = self.radii[0].min(self.radii[1]);
        let patch = noise::value(p, 11.0, self.seed) * 0.35 * size;
        1.0 - smooth_step(-0.25 * size, 0.12 * size, e + patch)
    }
}

/// Blood in the ventricles.
pub struct Intraventricular {
    /// Density of the blood.
    pub hu: f32,
    /// Behind this y blood has settled, by side: right, left.
    pub level: [f32; 2],
    /// A cast fills the lateral ventricle of this side wholly: right, left.
    pub cast: [bool; 2],
    /// Blood in the third and fourth ventricle too.
    pub below: bool,
}

impl Intraventricular {
    /// Share of the ventricle's fluid that is blood at a point of the ventricles, for a voxel `w` mm wide.
    pub fn share(&self, p: Point, w: f32) -> f32 {
        if p[0].abs() < 5.0 && p[2] < 7.0 {
            return if self.below { 1.0 } else { 0.0 };
        }
        let side = usize::from(p[0] > 0.0);
        if self.cast[side] {
            let thin = noise::value(p, 10.0, 77);
            return smooth_step(-0.75, -0.45, thin);
        }
        // A level: sharp, as blood settles while the patient lies on the back.
        ((p[1] - self.level[side]) / (w + 1.0) + 0.5).clamp(0.0, 1.0)
    }
}

/// A crack of the vault.
#[derive(Clone)]
pub struct Fracture {
    /// Its middle, on the inner table.
    pub center: Point,
    /// The direction across it.
    pub across: Point,
    /// How far it runs either way.
    pub reach: f32,
}

impl Fracture {
    /// The density of bone at `p` where it would be `hu`.
    pub fn crack(&self, p: Point, hu: f32, w: f32) -> f32 {
        let d = sub(p, self.center);
        let along = cover(length(d) - self.reach, 4.0);
        if along == 0.0 {
            return hu;
        }
        let jagged = 1.5 * noise::value(p, 12.0, 5);
        mix(
            hu,
            60.0,
            along * cover_sheet(dot(d, self.across) + jagged, 0.5, w),
        )
    }
}

/// The brain's displacement by a mass.
#[derive(Clone)]
pub struct MassEffect {
    /// Where the mass is.
    pub center: Point,
    /// How far it pushes, away from its side, in mm.
    pub shift: Point,
}

impl MassEffect {
    /// The displacement at `p`, and how far sulci are effaced there: 0 not, 1 wholly.
    pub fn at(&self, p: Point) -> (Point, f32) {
        let d = sub(p, self.center);
        let near = bell((d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).sqrt(), 58.0);
        let size = self.shift.iter().map(|c| c.abs()).sum::<f32>();
        (
            self.shift.map(|c| c * near),
            (near * near * size / 5.0).min(0.9),
        )
    }
}
