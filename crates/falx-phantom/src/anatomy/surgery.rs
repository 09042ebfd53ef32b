//! What a surgeon left, painted over everything else.

use crate::shape::{Point, cover, cover_sheet, length, mix, rod, scale, sub};

use super::patient::{Build, Surgery};

impl Build {
    /// Changes `hu` at a point, `inner` mm outside the cavity, where surgery changed the head.
    pub fn operate(&self, p: Point, inner: f32, w: f32, hu: &mut f32) {
        match &self.mimics.surgery {
            None => {}
            Some(Surgery::BurrHole(entry)) => {
                let inward = scale(*entry, 0.8);
                let hole = rod(p, scale(*entry, 1.6), inward, 6.0, 6.0);
                if inner > -1.0 {
                    *hu = mix(*hu, 25.0, cover(hole, w) * cover(inner - 11.0, 2.0));
                } else {
                    *hu = mix(*hu, 9.0, cover(length(sub(p, inward)) - 7.0, 3.0));
                }
            }
            Some(Surgery::Flap(center, radius)) => {
                // A saw cut all round, and a thin scar of dura below.
                let outward = scale(*center, 75.0 / length(*center).max(1.0));
                let rho = length(sub(p, outward));
                if inner > -0.5 && inner < 14.0 {
                    *hu = mix(
                        *hu,
                        20.0,
                        cover_sheet(rho - radius, 1.0, w) * cover(inner - 10.0, 2.0),
                    );
                } else if inner < 0.0 && rho < *radius {
                    *hu = mix(*hu, 58.0, cover_sheet(inner + 1.0, 0.9, w));
                }
            }
            Some(Surgery::Shunt(entry, tip)) => {
                let tube = rod(p, scale(*entry, 1.7), *tip, 1.3, 1.3);
                *hu = mix(*hu, 380.0, cover(tube, w));
                *hu = mix(*hu, 5.0, cover(tube + 0.7, w) * 0.6);
            }
            Some(Surgery::Clip(center)) => {
                let clip = rod(
                    p,
                    *center,
                    [center[0] + 5.0, center[1] - 3.0, center[2]],
                    1.2,
                    1.0,
                );
                *hu = mix(*hu, 3500.0, cover(clip, w));
            }
        }
    }
}
