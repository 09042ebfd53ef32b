//! Falx, tentorium, the venous sinuses, and what lies on them.

use falx_core::Label;

use crate::findings::Findings;
use crate::shape::{
    Point, cover, cover_sheet, ellipsoid, length, mix, rod, smooth_max, smooth_step, sub,
};

use super::brain::{Place, Sample};
use super::patient::Build;

impl Build {
    /// Paints them over what lies there; `below_tent` is the distance below the tentorium.
    pub(super) fn paint_dura(
        &self,
        p: Point,
        at: &Place,
        below_tent: f32,
        findings: &Findings,
        sample: &mut Sample,
        w: f32,
    ) {
        let (q, m) = (at.q, at.m);
        // The falx hangs from the vault and is stiffer than the brain.
        let fx = p[0] + 0.45 * (q[0] - p[0]);
        let falx_edge = ellipsoid(p, [0.0, 4.0, 0.0], [60.0, 50.0, 37.0]);
        let above = -below_tent;
        if falx_edge > 0.0 && p[2] > -20.0 && (p[1] < 30.0 || above > 0.0) {
            let there = smooth_step(0.0, 4.0, falx_edge);
            sample.hu = mix(sample.hu, self.dura, cover_sheet(fx, 0.55, w) * there);
            for sheet in findings.sheets.iter().filter(|s| s.falx) {
                let t = sheet.at([fx, p[1], p[2]]);
                let share = cover((fx * sheet.side - 0.5 * t).abs() - 0.5 * t, w) * there;
                bleed(sample, sheet.hu, share * smooth_step(0.0, 1.0, t));
            }
            for (center, half, hu) in &self.mimics.falx {
                let d = ellipsoid([fx, p[1], p[2]], *center, [1.3, *half, 0.8 * half]);
                sample.hu = mix(sample.hu, *hu, cover(d, w));
            }
        }
        if q[1] > 8.0 && q[2] < 8.0 && q[2] > -46.0 {
            let rim = smooth_max(15.0 - m[0], 33.0 - q[1], 4.0);
            let there = cover(rim, 2.0) * cover(10.0 + 0.25 * m[0] - q[1], 2.0);
            sample.hu = mix(
                sample.hu,
                self.dura,
                cover_sheet(above * 0.9, 0.55, w) * there,
            );
            for sheet in findings.sheets.iter().filter(|s| !s.falx) {
                let t = sheet.at(q);
                let share = cover((above * 0.9 - 0.5 * t).abs() - 0.5 * t, w) * there;
                bleed(sample, sheet.hu, share * smooth_step(0.0, 1.0, t));
            }
        }
        self.paint_veins(p, at, above, sample, w);
        if let Some(hu) = self.mimics.pineal {
            let d = ellipsoid(q, [0.0, 25.0, -1.0], [2.2, 3.0, 2.4]);
            sample.hu = mix(sample.hu, hu, cover(d, w));
        }
        if let Some((center, radius, hu)) = self.mimics.nodule {
            let d = length(sub(p, center)) - radius;
            if d < 2.0 {
                sample.hu = mix(sample.hu, hu, cover(d, w));
            }
        }
    }

    fn paint_veins(&self, p: Point, at: &Place, above: f32, sample: &mut Sample, w: f32) {
        let large = 0.35 + 0.65 * smooth_step(-70.0, 60.0, p[1]);
        let sagittal = if p[2] > 0.0 || p[1] > 40.0 {
            smooth_max(
                p[0].abs() + 0.55 * at.depth - 4.6 * large,
                at.depth - 7.0 * large,
                1.0,
            )
        } else {
            9.0
        };
        let mut vein = sagittal;
        if p[1] > 14.0 && p[2] < 12.0 {
            let wide = if p[0] < 0.0 { 3.4 } else { 2.6 };
            let transverse = (at.depth - 2.0).hypot(above) - wide;
            let straight = rod(at.q, [0.0, 34.0, 2.0], [0.0, 84.0, -16.0], 1.7, 2.4);
            let galen = rod(at.q, [0.0, 24.0, 4.0], [0.0, 34.0, 2.0], 1.5, 1.8);
            vein = vein.min(transverse).min(straight).min(galen);
        }
        sample.hu = mix(sample.hu, self.vessel, cover(vein, w));
    }
}

/// Adds subdural blood.
fn bleed(sample: &mut Sample, hu: f32, share: f32) {
    sample.hu = mix(sample.hu, hu, share);
    let k = Label::Subdural.index();
    sample.blood[k] = sample.blood[k].max(share);
}
