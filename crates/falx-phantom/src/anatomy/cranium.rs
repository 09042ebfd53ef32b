//! The cranial cavity, the skull round it, the scalp and the head's outline.

use crate::noise;
use crate::shape::{
    Point, cover, cover_sheet, ellipsoid, mirrored, mix, rod, smooth_max, smooth_min, smooth_step,
};

use super::patient::Build;
use super::sutures;

/// Signed distance to the inner table: negative inside the cranial cavity. In the reference head's mm.
pub fn cavity(p: Point) -> f32 {
    let m = mirrored(p);
    // Below the brow the side walls stand nearly upright.
    let v = [p[0], p[1], if p[2] < 0.0 { 0.55 * p[2] } else { p[2] }];
    let frontal = ellipsoid(v, [0.0, -15.0, 6.0], [57.0, 68.0, 63.0]);
    let parietal = ellipsoid(v, [0.0, 15.0, 9.0], [67.0, 69.0, 64.0]);
    let vault = smooth_min(frontal, parietal, 18.0);
    if p[2] > 5.0 {
        return vault;
    }
    // The orbital roofs bulge into the floor of the anterior fossa, the cribriform plate lies lower.
    let roof =
        7.0 * (-((m[0] - 30.0) / 17.0).powi(2)).exp() * ((-20.0 - p[1]) / 12.0).clamp(0.0, 1.0);
    let floor = -26.0 - 9.0 * smooth_step(-15.0, 25.0, p[1]);
    let upper = smooth_max(vault, floor + roof - p[2], 7.0);
    // The middle fossa is a wedge: wide at the skull's side, cut off behind by the petrous ridge.
    let middle = ellipsoid(m, [39.0, -10.0, -25.0], [28.5, 39.0, 27.0]);
    let ridge = (p[1] + 1.0 - 0.42 * (m[0] - 15.0)) * 0.92;
    let middle = smooth_max(middle, ridge, 8.0);
    // The posterior fossa narrows towards the clivus.
    let hind = ellipsoid(p, [0.0, 52.0, -38.0], [56.0, 35.0, 34.0]);
    let clival = ellipsoid(p, [0.0, 24.0, -42.0], [21.0, 23.0, 30.0]);
    let posterior = smooth_min(hind, clival, 22.0);
    let foramen = rod(p, [0.0, 24.0, -52.0], [0.0, 30.0, -130.0], 16.0, 14.0);
    let lower = smooth_min(smooth_min(middle, posterior, 4.0), foramen, 8.0);
    smooth_min(upper, lower, 5.0)
}

/// What lies outside the brain's cavity.
pub struct Shell {
    /// Signed distance to the skin.
    pub skin: f32,
    /// Distance from the inner table, positive outside the cavity.
    pub inner: f32,
    /// Thickness of the vault here.
    pub thickness: f32,
}

impl Build {
    /// The distances to skin and skull at a point of the reference head.
    pub fn shell(&self, p: Point, inner: f32) -> Shell {
        let m = mirrored(p);
        let lateral =
            (-((p[2] + 8.0) / 26.0).powi(2)).exp() * ((m[0] - 35.0) / 20.0).clamp(0.0, 1.0);
        let occipital = ((p[1] - 45.0) / 35.0).clamp(0.0, 1.0);
        let frontal = ((-p[1] - 50.0) / 30.0).clamp(0.0, 1.0);
        let mut thickness = self.skull + 3.5 * occipital + 1.5 * frontal - 2.2 * lateral;
        if inner > -2.0 && inner < 16.0 {
            thickness += 1.2 * noise::value(p, 26.0, self.seed);
        }
        let base = smooth_step(-12.0, -30.0, p[2]) * smooth_step(62.0, 40.0, m[0]);
        thickness *= 1.0 - 0.45 * base * (1.0 - occipital);
        let mut skin = inner - thickness - self.scalp;
        if p[2] < 25.0 {
            let face = ellipsoid(p, [0.0, -36.0, -66.0], [63.0, 57.0, 68.0]);
            let neck = rod(p, [0.0, 22.0, -70.0], [0.0, 26.0, -150.0], 62.0, 58.0);
            let temple = ellipsoid(m, [55.0, -32.0, -18.0], [15.0, 30.0, 42.0]);
            let nose = rod(p, [0.0, -88.0, -28.0], [0.0, -99.0, -60.0], 7.0, 13.0);
            let eye = ellipsoid(m, [31.0, -75.0, -38.0], [18.0, 17.5, 16.0]);
            let ear = ellipsoid(m, [79.0, 20.0, -38.0], [3.5, 15.0, 27.0]);
            let brow = ellipsoid(p, [0.0, -76.0, -20.0], [40.0, 22.0, 16.0]);
            let side = ellipsoid(p, [0.0, 10.0, -34.0], [76.0, 72.0, 62.0]);
            skin = smooth_min(skin, face, 14.0);
            skin = smooth_min(skin, side, 6.0);
            skin = smooth_min(skin, neck, 14.0);
            skin = smooth_min(skin, temple, 8.0);
            skin = smooth_min(skin, brow, 8.0);
            skin = smooth_min(skin, nose, 9.0);
            skin = smooth_min(skin, eye, 7.0);
            skin = smooth_min(skin, ear, 2.0);
        }
        Shell {
            skin,
            inner,
            thickness: thickness.max(2.5),
        }
    }

    /// HU of scalp and skull at a point outside the cavity, for a voxel `w` mm wide.
    pub fn outside(&self, p: Point, shell: &Shell, w: f32) -> f32 {
        let bone = cover(shell.inner - shell.thickness, w);
        if bone >= 1.0 {
            return self.vault(p, shell);
        }
        let depth = -shell.skin;
        let m = mirrored(p);
        let mut hu = self.fat;
        let lump = noise::value(p, 9.0, self.seed ^ 0x07);
        // Muscle: the temple, the neck, and strands of it all over the face.
        let temple = ellipsoid(m, [58.0, -30.0, -16.0], [11.5, 27.0, 38.0]) + lump;
        let mut muscle = cover(temple, 2.0);
        if p[2] < -25.0 {
            let nuchal = smooth_max(15.0 - p[1], p[2] + 38.0, 10.0) + 9.0 * lump.abs() - 2.0;
            let face = smooth_max(p[1] + 5.0, 25.0 - m[0], 6.0) + 14.0 * lump - 2.0;
            muscle = muscle
                .max(cover(nuchal, 3.0))
                .max(cover(face, 3.0) * cover(p[2] + 48.0, 8.0));
        }
        hu = mix(hu, self.muscle, muscle);
        // The galea, a thin sheet on the skull.
        hu = mix(
            hu,
            self.muscle,
            cover_sheet(shell.inner - shell.thickness - 0.7, 0.7, w),
        );
        hu = mix(hu, self.skin, cover(depth - self.skin_thickness, w));
        if bone > 0.0 {
            hu = mix(hu, self.vault(p, shell), bone);
        }
        hu
    }

    /// HU of the vault: two tables with diploë between, sutures, and what surgery left.
    fn vault(&self, p: Point, shell: &Shell) -> f32 {
        let t = shell.thickness;
        let mid = (shell.inner - t * 0.5).abs();
        let diploe = cover(mid - (t * 0.5 - self.table).max(0.0), 1.2);
        let mut hu = self.cortical;
        if diploe > 0.0 {
            let spongy = self.diploe + 160.0 * noise::value(p, 2.6, self.seed ^ 0x0B);
            hu = mix(hu, spongy, diploe);
        }
        if p[2] <= -15.0 {
            return hu;
        }
        let zigzag = 1.6 * noise::value(p, 3.5, self.seed ^ 0x0D);
        let (coronal, lambdoid) = (sutures::coronal(p), sutures::lambdoid(p));
        let mut suture = (coronal + zigzag).abs().min((lambdoid + zigzag).abs());
        if p[1] > -22.0 && p[1] < 66.0 && p[2] > 30.0 {
            suture = suture.min((p[0] + zigzag).abs());
        }
        mix(hu, 160.0, cover_sheet(suture, 0.55, 1.0) * 0.85)
    }
}
