//! What lies inside the cranial cavity.

use falx_core::Label;

use crate::findings::Findings;
use crate::noise::{self, Field};
use crate::shape::{
    Point, add, cover, cover_sheet, ellipsoid, length, mirrored, mix, rod, scale, smooth_step, sub,
};

use super::patient::Build;
use super::ventricles::{choroid, cisterns, midbrain, pons, ventricles};

/// One point of the head: its density and the share of each subtype there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sample {
    /// HU.
    pub hu: f32,
    /// Share of the voxel that each subtype fills, in label order.
    pub blood: [f32; 5],
}

/// Height of the tentorium at a point's x and y.
fn tentorium(p: Point) -> f32 {
    3.0 - 0.40 * p[0].abs() - 0.36 * (p[1] - 34.0).max(0.0) - 0.15 * (34.0 - p[1]).max(0.0)
}

/// A grid of costly fields: warp in x, warp in y, distance to the nearest sulcus, patches.
pub fn field(seed: u32) -> Field {
    let lo = [-72.0, -88.0, -78.0];
    let hi = [72.0, 88.0, 78.0];
    let mut field = Field::fill(lo, hi, 2.0, |p| {
        let inner = super::cavity(p);
        if inner > 12.0 {
            return [0.0; 4];
        }
        let patch = noise::value(p, 16.0, seed ^ 0x1F);
        let warp_x = noise::value(p, 34.0, seed ^ 0x25);
        let warp_y = noise::value(p, 34.0, seed ^ 0x29);
        // Sulci run inwards from the surface: their pattern is drawn on the sphere, and bent with depth.
        let r = length([p[0] / 66.0, p[1] / 83.0, (p[2] - 6.0) / 66.0]).max(0.25);
        let bend = [
            8.0 * noise::value(p, 17.0, seed ^ 0x2B),
            8.0 * noise::value(p, 17.0, seed ^ 0x2F),
            4.0 * noise::value(p, 17.0, seed ^ 0x31),
        ];
        // On the base the surface turns away from the sphere, so the pattern there is drawn in space.
        let k = r.powf(-smooth_step(-24.0, 14.0, p[2]));
        let q = add(scale(p, k), bend);
        let folds = noise::value(q, 16.0, seed ^ 0x35) + 0.45 * noise::value(q, 8.5, seed ^ 0x3B);
        [warp_x, warp_y, folds, patch]
    });
    field.level_to_distance(2, 7.0);
    field
}

/// Where a point lies relative to the brain's own landmarks.
pub(super) struct Place {
    /// The point after mass effect and warp are undone.
    pub q: Point,
    /// `q` on the left side.
    pub m: Point,
    /// Depth below the inner table.
    pub depth: f32,
    /// Depth below the inner table or the collection under it.
    pub below: f32,
    /// Distance to the nearest sulcus's middle.
    pub sulcus: f32,
    /// A slow random number in −1 ..= 1.
    pub patch: f32,
    /// How far sulci are effaced.
    pub effaced: f32,
}

impl Build {
    /// The density and the blood at a point inside the cavity, for a voxel `w` mm wide.
    pub fn inside(
        &self,
        p: Point,
        inner: f32,
        findings: &Findings,
        field: &Field,
        w: f32,
    ) -> Sample {
        let [warp_x, warp_y, sulcus, patch] = field.at(p);
        let depth = -inner;
        let (mut moved, mut effaced) = ([0.0; 3], 0.0_f32);
        for mass in &findings.mass {
            let (shift, effect) = mass.at(p);
            moved = add(moved, shift);
            effaced = effaced.max(effect);
        }
        let free = smooth_step(0.0, 14.0, depth);
        let q = sub(
            [p[0] + 2.2 * warp_x * free, p[1] + 2.6 * warp_y * free, p[2]],
            moved.map(|c| c * free),
        );
        let mut sample = Sample::default();
        let mut thick = 0.0_f32;
        let mut outer = (0.0_f32, 0.0_f32);
        for c in &findings.collections {
            let t = c.at(p, depth);
            if t > 0.0 {
                let share = cover(depth - t, w) * smooth_step(0.0, 1.5, t);
                sample.blood[c.label.index()] = sample.blood[c.label.index()].max(share);
                if share > outer.0 {
                    outer = (share, c.density(p));
                }
                thick = thick.max(t);
            }
        }
        let place = Place {
            q,
            m: mirrored(q),
            depth,
            below: depth - thick,
            sulcus,
            patch,
            effaced: effaced.max(smooth_step(0.0, 6.0, thick) * 0.6),
        };
        let below_tent = tentorium(q) - q[2];
        let infra = below_tent > 0.0 && q[1] > 6.0 + 0.25 * place.m[0];
        sample.hu = if infra {
            self.cerebellum(&place, below_tent, w)
        } else {
            self.cerebrum(&place, w)
        };
        self.paint_clots(p, findings, &mut sample, w);
        self.paint_fluid(p, &place, infra, findings, &mut sample, w);
        sample.hu = mix(sample.hu, outer.1, outer.0);
        let covered = 1.0 - outer.0;
        for k in [
            Label::Intraparenchymal,
            Label::Intraventricular,
            Label::Subarachnoid,
        ] {
            sample.blood[k.index()] *= covered;
        }
        self.paint_dura(p, &place, below_tent, findings, &mut sample, w);
        sample
    }

    fn cerebrum(&self, at: &Place, w: f32) -> f32 {
        let (q, m) = (at.q, at.m);
        let reach = self.reach(at);
        let to_sulcus = at.sulcus.abs() + (at.below - reach).max(0.0) * 0.5;
        let callosum = ellipsoid(q, [0.0, 2.0, 4.0], [40.0, 42.0, 25.0]);
        let to_fissure = m[0] + (3.0 - callosum).max(0.0);
        let to_insula = insula(m);
        let edge = (at.below - self.gap)
            .min(to_sulcus)
            .min(to_fissure)
            .min(to_insula);
        let ribbon = 1.0 - smooth_step(1.6, 4.8, edge);
        let texture = 1.2 * at.patch;
        let mut grey = ribbon;
        if q[2] > -14.0 && q[2] < 26.0 && m[0] < 40.0 {
            let thalamus = ellipsoid(m, [10.5, 9.0, 6.0], [8.5, 14.0, 9.5]);
            let caudate = ellipsoid(m, [15.5, -19.0, 9.0], [5.5, 9.5, 10.0]);
            let slanted = [m[0] - 0.22 * (m[1] + 2.0).abs(), m[1], m[2]];
            let lentiform = ellipsoid(slanted, [24.0, -2.0, 3.0], [6.5, 19.0, 10.0]);
            let nuclei = thalamus.min(caudate).min(lentiform);
            grey = grey.max(cover(nuclei + 1.4 * at.patch, 4.0) * 0.9);
        }
        if q[2] < -8.0 {
            let stem = midbrain(q).min(pons(q));
            grey = mix(grey, 0.35, cover(stem, w));
        }
        mix(self.white, self.grey, grey) + texture
    }

    fn cerebellum(&self, at: &Place, below_tent: f32, w: f32) -> f32 {
        let q = at.q;
        // Folia: fine leaves that follow the surface.
        let edge = at.depth.min(below_tent);
        let leaf = (edge * 1.3 + 9.0 * at.patch + 0.4 * q[0].abs()).sin();
        let core = ellipsoid(at.m, [19.0, 48.0, -42.0], [14.0, 15.0, 11.0]);
        let white = 0.85 * (1.0 - smooth_step(-3.0, 3.0, core));
        let grey = mix(0.72 + 0.14 * leaf, 0.25, white);
        let stem = midbrain(q).min(pons(q));
        let grey = mix(grey, 0.3, cover(stem, w));
        mix(self.white, self.grey - 1.0, grey)
    }

    /// Depth at which sulci end.
    fn reach(&self, at: &Place) -> f32 {
        (13.0 + 7.0 * at.patch + 5.0 * (self.sulcus - 0.6)).max(5.0)
    }

    fn paint_clots(&self, p: Point, findings: &Findings, sample: &mut Sample, w: f32) {
        for clot in &findings.clots {
            let Some(d) = clot.distance(p) else { continue };
            let rim = (1.0 - smooth_step(0.3 * clot.oedema, clot.oedema, d)) * 0.9;
            sample.hu = mix(sample.hu, (self.white - 8.0).min(sample.hu), rim);
            let share = cover(d, w + 0.6);
            if share > 0.0 {
                sample.hu = mix(sample.hu, clot.density(p), share);
                let k = Label::Intraparenchymal.index();
                sample.blood[k] = sample.blood[k].max(share);
            }
        }
        for (center, radii, hu) in &self.mimics.infarcts {
            let d = ellipsoid(p, *center, *radii);
            if d < 6.0 {
                let rough = d + 3.0 * noise::value(p, 9.0, self.seed ^ 0x3D);
                sample.hu = mix(sample.hu, *hu, cover(rough, 3.0));
            }
        }
        if let Some(hu) = self.mimics.pallidum {
            let m = mirrored(p);
            let d = ellipsoid(m, [19.0, -1.0, 1.0], [2.6, 6.0, 4.0]);
            if d < 3.0 {
                let grain = 0.7 + 0.5 * noise::value(p, 3.0, self.seed ^ 0x43);
                sample.hu = mix(sample.hu, hu, (cover(d, 1.5) * grain).clamp(0.0, 1.0));
            }
        }
    }

    fn paint_fluid(
        &self,
        p: Point,
        at: &Place,
        infra: bool,
        findings: &Findings,
        sample: &mut Sample,
        w: f32,
    ) {
        let (q, m) = (at.q, at.m);
        let mut bloody = 0.0_f32;
        let mut hu = self.csf;
        let mut fills = 0.0_f32;
        for s in &findings.subarachnoid {
            let share = s.share(p);
            if share > bloody {
                bloody = share;
                hu = mix(self.csf, s.hu, share);
                fills = s.fills * share;
            }
        }
        let slack = 1.0 - at.effaced;
        let uneven = (1.0 + 0.9 * at.patch).max(0.1);
        let gap = self.gap * uneven * slack * if q[1] < -30.0 { 1.35 } else { 1.0 } + 0.25 * fills;
        let mut space = cover(at.below - gap, w);
        if infra {
            let fissure = (at.depth * 0.5 + 0.12 * q[2] + 3.5 * at.patch).sin();
            let wide = (self.sulcus - 0.8).max(0.0) * 0.45 * (1.0 + 2.0 * at.patch).max(0.0);
            if at.depth < 13.0 {
                space = space.max(cover_sheet(fissure * 1.8, wide, w));
            }
        } else {
            let half = self.sulcus * slack * (1.0 - at.below / self.reach(at));
            if half > -0.2 {
                space = space.max(cover_sheet(at.sulcus, half.max(0.0) + 0.7 * fills, w));
            }
            let callosum = ellipsoid(q, [0.0, 2.0, 4.0], [40.0, 42.0, 25.0]);
            let open = smooth_step(0.0, 3.0, callosum);
            let half = (0.15 + 0.85 * self.sulcus) * slack + 0.6 * fills;
            space = space.max(cover_sheet(q[0], half, w) * open);
            let uneven = (0.8 + 1.3 * at.patch).max(0.0);
            let half = (0.1 + 0.75 * self.sulcus) * (0.35 + 0.65 * slack) * uneven + 0.6 * fills;
            space = space.max(cover_sheet(insula(m), half, w));
        }
        let cistern = cisterns(q, self.gap + 0.6 * fills) + 1.2 * at.effaced - 0.9 * at.patch;
        space = space.max(cover(cistern, w));
        let clot = sample.blood[Label::Intraparenchymal.index()];
        space *= 1.0 - clot;
        sample.hu = mix(sample.hu, hu, space);
        let k = Label::Subarachnoid.index();
        sample.blood[k] = if bloody > 0.35 { space } else { 0.0 };
        self.vessels(q, m, sample, w);
        self.paint_ventricles(p, q, findings, sample, w);
    }

    fn vessels(&self, q: Point, m: Point, sample: &mut Sample, w: f32) {
        if q[2] > -8.0 || q[2] < -60.0 || m[0] > 40.0 || q[1] > 24.0 {
            return;
        }
        let basilar = rod(q, [0.5, 3.0, -56.0], [0.0, 0.5, -26.0], 1.7, 1.6);
        let carotid = rod(m, [8.0, -12.0, -32.0], [10.0, -12.0, -21.0], 2.0, 1.9);
        let middle = rod(m, [10.0, -12.0, -21.0], [34.0, -18.0, -15.0], 1.5, 1.1);
        let d = basilar.min(carotid).min(middle);
        sample.hu = mix(sample.hu, self.vessel - 5.0, cover(d, w));
    }

    fn paint_ventricles(
        &self,
        p: Point,
        q: Point,
        findings: &Findings,
        sample: &mut Sample,
        w: f32,
    ) {
        let d = ventricles(q, self.ventricle);
        if d > 14.0 {
            return;
        }
        if self.leukoaraiosis > 0.0 && q[2] > 2.0 {
            let near = 1.0 - smooth_step(1.0, 13.0, d);
            let clot = sample.blood[Label::Intraparenchymal.index()];
            sample.hu -= self.leukoaraiosis * near * (1.0 - clot);
        }
        let space = cover(d, w);
        if space == 0.0 {
            return;
        }
        let mut hu = self.csf;
        if let Some(blood) = &findings.ventricles {
            let share = blood.share(q, w);
            hu = mix(hu, blood.hu, share);
            sample.blood[Label::Intraventricular.index()] = space * share;
        }
        let glomus = choroid(q, self.ventricle);
        let density = self
            .mimics
            .choroid
            .map_or(38.0, |hu| hu[usize::from(q[0] > 0.0)]);
        let grain = 0.75 + 0.45 * noise::value(p, 3.0, self.seed ^ 0x47);
        hu = mix(hu, density, (cover(glomus, w) * grain).clamp(0.0, 1.0));
        let rest = 1.0 - space;
        for k in [Label::Intraparenchymal, Label::Subarachnoid] {
            sample.blood[k.index()] *= rest;
        }
        sample.hu = mix(sample.hu, hu, space);
    }
}

/// Distance to the middle of the Sylvian fissure's sheets, insula and lateral limb, on the left side.
fn insula(m: Point) -> f32 {
    if m[0] < 28.0 || m[2] < -22.0 || m[2] > 26.0 {
        return 20.0;
    }
    let (y, z) = (m[1] + 2.0, m[2] - 2.0);
    // The island's face is concave in height and shorter towards its top.
    let wall = (m[0] - 41.5 + 0.010 * y * y + 0.012 * z * z).abs();
    let long = 19.0 - 0.35 * z.abs();
    let wall = wall.max(y.abs() - long).max(z.abs() - 17.0);
    let limb = (m[1] - (-12.0 + 1.1 * z) - 0.2 * (m[0] - 42.0)).abs() * 0.67;
    let limb = limb.max(41.0 - m[0]).max(z.abs() - 20.0);
    wall.min(limb)
}
