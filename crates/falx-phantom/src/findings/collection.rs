//! Collections outside the brain: epidural lenses, subdural crescents, and sheets on falx and tentorium.

use falx_core::Label;

use crate::anatomy::sutures;
use crate::noise;
use crate::shape::{Point, length, mix, smooth_step, sub};

/// A collection under the inner table.
pub struct Collection {
    /// `Epidural` or `Subdural`.
    pub label: Label,
    /// +1 left, −1 right.
    pub side: f32,
    /// Its greatest thickness.
    pub thickness: f32,
    /// Epidural: the lens's centre on the inner table. Subdural: unused beyond its height.
    pub center: Point,
    /// Epidural: the lens's radius. Subdural: half its extent in height.
    pub radius: f32,
    /// Subdural: first and last angle about the head's axis, 0 at the front, π at the back.
    pub arc: [f32; 2],
    /// Density of its upper (anterior) and its settled (posterior) part.
    pub hu: [f32; 2],
    /// The y about which the two part.
    pub level: f32,
    /// Seed of its density.
    pub seed: u32,
}

impl Collection {
    /// Its thickness at a point at `depth` below the inner table; 0 where it is not.
    pub fn at(&self, p: Point, depth: f32) -> f32 {
        if depth > self.thickness + 8.0 || p[0] * self.side < 2.0 {
            return 0.0;
        }
        if self.label == Label::Epidural {
            let rho = length(sub(p, self.center)) / self.radius;
            return self.thickness * (1.0 - rho * rho).max(0.0) * self.within_sutures(p);
        }
        let high = (p[2] - self.center[2]) / self.radius;
        if high.abs() >= 1.0 {
            return 0.0;
        }
        let angle = p[0].abs().atan2(-p[1] * 0.8);
        let [from, to] = self.arc;
        let around = (2.0 * angle - from - to) / (to - from);
        if around.abs() >= 1.0 {
            return 0.0;
        }
        let medial = smooth_step(2.0, 9.0, p[0].abs());
        let uneven = 1.0 + 0.25 * noise::value(p, 30.0, self.seed);
        self.thickness * ((1.0 - around.powi(4)) * (1.0 - high.powi(4))).sqrt() * medial * uneven
    }

    /// 1 on the bone that the lens's centre lies on, 0 beyond its sutures, where dura clings to the skull.
    fn within_sutures(&self, p: Point) -> f32 {
        let side = |suture: fn(Point) -> f32| {
            let home = suture(self.center).signum();
            smooth_step(0.0, 6.0, suture(p) * home)
        };
        side(sutures::coronal) * side(sutures::lambdoid)
    }

    /// Density inside.
    pub fn density(&self, p: Point) -> f32 {
        let settled = smooth_step(self.level - 6.0, self.level + 6.0, p[1]);
        let [upper, lower] = self.hu;
        mix(upper, lower, settled) + 4.0 * noise::value(p, 8.0, self.seed ^ 0x05)
    }
}

/// A thin subdural layer on one side of the falx, or on top of the tentorium.
pub struct Sheet {
    /// On the falx, else on the tentorium.
    pub falx: bool,
    /// +1 left, −1 right.
    pub side: f32,
    /// Its thickness.
    pub thickness: f32,
    /// First and last y.
    pub along: [f32; 2],
    /// First and last z (falx), or first and last |x| (tentorium).
    pub across: [f32; 2],
    /// Density.
    pub hu: f32,
}

impl Sheet {
    /// Its thickness at a point.
    pub fn at(&self, p: Point) -> f32 {
        if p[0] * self.side < 0.0 {
            return 0.0;
        }
        let second = if self.falx { p[2] } else { p[0].abs() };
        let window = |x: f32, [from, to]: [f32; 2]| {
            let t = (2.0 * x - from - to) / (to - from);
            (1.0 - t.powi(4)).max(0.0)
        };
        self.thickness * (window(p[1], self.along) * window(second, self.across)).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lens_ends_at_the_sutures_of_its_bone() {
        let lens = Collection {
            label: Label::Epidural,
            side: 1.0,
            thickness: 20.0,
            center: [62.0, -10.0, 10.0],
            radius: 40.0,
            arc: [0.0; 2],
            hu: [60.0; 2],
            level: 0.0,
            seed: 1,
        };
        assert!(lens.at(lens.center, 1.0) > 10.0);
        // 20 mm in front of the centre lies beyond the coronal suture, 20 mm behind it does not.
        assert_eq!(lens.at([58.0, -30.0, 10.0], 1.0), 0.0);
        assert!(lens.at([62.0, 10.0, 10.0], 1.0) > 5.0);
    }
}
