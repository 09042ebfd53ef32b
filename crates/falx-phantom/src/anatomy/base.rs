//! The skull's base and the face: orbits, sinuses, petrous bones, mastoid cells.

use crate::noise;
use crate::shape::{
    Point, cover, cover_sheet, ellipsoid, mirrored, mix, rod, smooth_max, smooth_min,
};

use super::patient::Build;

const AIR: f32 = -1000.0;

impl Build {
    /// Paints base and face over `hu` at a point outside the cavity. `inner` is the distance to it.
    pub fn base(&self, p: Point, inner: f32, mut hu: f32, w: f32) -> f32 {
        let m = mirrored(p);
        hu = self.bones(p, m, inner, hu, w);
        hu = self.orbit(m, inner, hu, w);
        self.air_spaces(p, m, inner, hu, w)
    }

    fn bones(&self, p: Point, m: Point, inner: f32, hu: f32, w: f32) -> f32 {
        let body = ellipsoid(p, [0.0, -17.0, -45.0], [19.0, 24.0, 14.0]);
        let clivus = rod(p, [0.0, -4.0, -36.0], [0.0, 12.0, -68.0], 8.0, 5.0);
        let petrous = rod(m, [14.0, 2.0, -45.0], [58.0, 20.0, -44.0], 5.5, 9.0);
        let mastoid = ellipsoid(m, [58.0, 28.0, -50.0], [15.0, 19.0, 26.0]);
        let mut central = smooth_min(smooth_min(body, clivus, 4.0), petrous, 4.0);
        central = smooth_min(central, mastoid, 5.0);
        let arch = rod(m, [52.0, -66.0, -52.0], [68.0, -34.0, -50.0], 3.0, 2.0).min(rod(
            m,
            [68.0, -34.0, -50.0],
            [66.0, 0.0, -46.0],
            2.0,
            3.0,
        ));
        let cheek = ellipsoid(m, [48.0, -70.0, -54.0], [8.0, 8.0, 8.0]);
        let mandible = rod(m, [54.0, -4.0, -56.0], [47.0, -12.0, -110.0], 4.5, 5.0);
        let maxilla = (ellipsoid(m, [27.0, -62.0, -70.0], [17.0, 20.0, 19.0])).abs() - 0.8;
        let wall = ellipsoid(p, [0.0, -62.0, -40.0], [13.5, 28.0, 22.0]).abs() - 0.6;
        let nasal = rod(p, [0.0, -90.0, -24.0], [0.0, -98.0, -44.0], 4.0, 3.0);
        let brow = ellipsoid(m, [20.0, -84.0, -19.0], [24.0, 7.0, 9.0]);
        let face = arch
            .min(cheek)
            .min(mandible)
            .min(maxilla)
            .min(wall)
            .min(nasal)
            .min(brow);
        let bone = central.min(face).min((inner - 2.0).abs() - 1.8);
        let bone = cover(bone, w);
        if bone == 0.0 {
            return hu;
        }
        let texture = noise::value(p, 4.0, self.seed ^ 0x11);
        let dense = self.cortical * (0.72 + 0.12 * texture);
        let dense = mix(dense, self.cortical * 1.15, cover(petrous + 3.0, 3.0));
        mix(hu, dense, bone)
    }

    fn orbit(&self, m: Point, inner: f32, hu: f32, w: f32) -> f32 {
        if m[1] > -28.0 || m[2] < -64.0 || m[2] > -12.0 || m[0] > 58.0 || inner < 1.0 {
            return hu;
        }
        let cone = rod(m, [15.0, -38.0, -35.0], [32.0, -70.0, -38.0], 4.0, 18.0);
        let rim = cone - 2.2;
        let front = m[1] + 84.0 - 0.45 * (m[0] - 18.0);
        let wall = smooth_max(rim, -front, 2.0);
        let mut hu = mix(hu, self.cortical * 0.7, cover(wall, w));
        hu = mix(
            hu,
            self.fat,
            cover(smooth_max(cone, -(m[1] + 92.0), 2.0), w),
        );
        let eye = [32.0, -77.0, -38.0];
        let nerve = rod(m, eye, [14.0, -38.0, -33.0], 2.2, 1.9);
        let medial = rod(m, [21.0, -74.0, -38.0], [14.0, -40.0, -35.0], 1.9, 1.6);
        let lateral = rod(m, [43.5, -72.0, -38.0], [18.0, -38.0, -36.0], 1.8, 1.6);
        let upper = rod(m, [32.0, -74.0, -27.5], [16.0, -40.0, -33.0], 2.2, 1.6);
        let lower = rod(m, [32.0, -74.0, -48.5], [16.0, -40.0, -38.0], 2.2, 1.6);
        let muscle = medial.min(lateral).min(upper).min(lower);
        hu = mix(hu, self.muscle - 8.0, cover(muscle.min(nerve), w));
        let ball = ellipsoid(m, eye, [12.2, 12.2, 12.2]);
        // Lids and the tissue before the eye.
        hu = mix(
            hu,
            40.0,
            cover(ellipsoid(m, [32.0, -87.0, -38.0], [15.0, 5.0, 11.0]), w),
        );
        hu = mix(hu, 48.0, cover(ball, w));
        hu = mix(hu, 11.0, cover(ball + 1.3, w));
        let lens = ellipsoid(m, [32.0, -85.5, -38.0], [4.6, 2.3, 4.6]);
        mix(hu, 85.0, cover(lens, w))
    }

    fn air_spaces(&self, p: Point, m: Point, inner: f32, mut hu: f32, w: f32) -> f32 {
        if inner < 1.5 {
            return hu;
        }
        let near = cover(1.8 - inner, 1.0);
        let sphenoid =
            ellipsoid(p, [2.0, -24.0, -44.0], [12.0, 12.0, 9.0]).max(1.0 - (p[0] - 1.5).abs());
        hu = mix(hu, AIR, cover(sphenoid, w) * near);
        // Ethmoid: cells parted by thin walls.
        let ethmoid = ellipsoid(p, [0.0, -60.0, -37.0], [12.5, 26.0, 13.0]);
        if ethmoid < 1.0 {
            let wall = noise::value(p, 8.0, self.seed ^ 0x13).abs() * 8.0;
            let mucosa = cover_sheet(wall, 0.8, w).max(cover_sheet(p[0], 0.6, w));
            hu = mix(hu, mix(AIR, 120.0, mucosa), cover(ethmoid, w) * near);
        }
        let nose = ellipsoid(p, [0.0, -62.0, -62.0], [14.0, 30.0, 16.0]);
        if nose < 1.0 {
            let turbinate = ellipsoid(m, [8.0, -60.0, -60.0], [3.2, 20.0, 7.0]);
            let septum = cover_sheet(p[0] - 1.5 * self.lean(), 0.9, w);
            let inside = mix(AIR, 42.0, cover(turbinate, w).max(septum));
            hu = mix(hu, inside, cover(nose, w));
        }
        let maxillary = ellipsoid(m, [27.0, -62.0, -70.0], [16.0, 19.0, 18.0]);
        hu = mix(hu, AIR, cover(maxillary, w));
        let frontal = ellipsoid(
            m,
            [12.0, -88.5, -15.0],
            [13.0 + 3.0 * self.lean(), 3.2, 11.0],
        )
        .max(0.8 - (p[0] - 2.0 * self.lean()).abs());
        hu = mix(hu, AIR, cover(frontal, w) * cover(2.5 - inner, 1.0));
        let mastoid = ellipsoid(m, [60.0, 27.0, -50.0], [11.0, 14.0, 20.0]);
        if mastoid < 2.0 {
            let cell = noise::value(p, 4.5, self.seed ^ 0x17) + 0.15;
            hu = mix(hu, AIR, cover(mastoid, 4.0) * cover(-cell * 5.0, w) * near);
        }
        let canal = rod(m, [46.0, 13.0, -46.0], [86.0, 16.0, -46.0], 2.8, 3.6);
        hu = mix(hu, AIR, cover(canal, w));
        let cochlea = ellipsoid(m, [40.0, 11.0, -44.0], [5.0, 3.0, 3.5]);
        let labyrinth = cover(smooth_min(cochlea, canal - 1.0, 1.0), w);
        if cochlea < 0.5 {
            mix(hu, 60.0, labyrinth * 0.8)
        } else {
            hu
        }
    }

    /// A number in −1 ..= 1 that makes paired air spaces uneven.
    fn lean(&self) -> f32 {
        (self.seed % 201) as f32 / 100.0 - 1.0
    }
}
