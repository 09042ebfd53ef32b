//! Where the head lies in the scanner, and where its slices are.

use rand::RngExt;

use crate::draw::{chance, normal, uniform};
use crate::shape::{Point, dot, sub};

use super::device::Device;

/// The head's place and turn in the patient coordinate system.
#[derive(Clone, Copy, Debug)]
pub struct Pose {
    /// The head's middle.
    pub center: Point,
    /// Rows of the rotation from scanner to head.
    rows: [Point; 3],
}

impl Pose {
    /// The point of the head that lies at the scanner's `p`.
    pub fn to_head(self, p: Point) -> Point {
        let d = sub(p, self.center);
        self.rows.map(|row| dot(row, d))
    }

    fn new(center: Point, yaw: f32, roll: f32, pitch: f32) -> Self {
        let (sy, cy) = yaw.sin_cos();
        let (sr, cr) = roll.sin_cos();
        let (sp, cp) = pitch.sin_cos();
        // Pitch about x, then roll about y, then yaw about z.
        let x = [cy * cr, sy * cr, -sr];
        let y = [cy * sr * sp - sy * cp, sy * sr * sp + cy * cp, cr * sp];
        let z = [cy * sr * cp + sy * sp, sy * sr * cp - cy * sp, cr * cp];
        Self {
            center,
            rows: [x, y, z],
        }
    }
}

/// A series' slices.
#[derive(Clone, Debug)]
pub struct Stack {
    /// Tilt of the gantry in radians; the table moves along z.
    pub tilt: f32,
    /// Width of the field in mm.
    pub field: f32,
    /// The field's middle in x and y.
    pub middle: [f32; 2],
    /// Table position and thickness of each slice, from the feet up.
    pub slices: Vec<(f32, f32)>,
}

impl Stack {
    /// Draws a pose and the slices that cover the head.
    pub fn draw(rng: &mut impl RngExt, device: &Device, height: f32) -> (Pose, Self) {
        let tilt = if device.tilts && chance(rng, 0.85) {
            uniform(rng, 4.0, 25.0).to_radians()
        } else {
            0.0
        };
        let yaw = normal(rng, 0.0, 4.5).to_radians();
        let roll = normal(rng, 0.0, 2.5).to_radians();
        // The gantry is tilted to follow the skull's base; it seldom succeeds wholly.
        let miss = normal(rng, 0.0, 5.0).to_radians();
        let table = uniform(rng, -150.0, 250.0).round();
        let center = [normal(rng, 0.0, 5.0), normal(rng, 0.0, 6.0), table];
        let pose = Pose::new(center, yaw, roll, tilt + miss);
        let start = -uniform(rng, 42.0, 66.0);
        let top = height * uniform(rng, 1.0, 1.06);
        let cos = tilt.cos();
        let mut slices = Vec::new();
        let mut at = start;
        while at < top && slices.len() < 60 {
            let lower = device.lower_slice.filter(|_| at < -18.0);
            let thickness = lower.unwrap_or(device.slice);
            slices.push((table + (at + 0.5 * thickness) / cos, thickness));
            at += thickness;
        }
        let field = uniform(rng, 220.0, 250.0);
        let stack = Self {
            tilt,
            field,
            middle: [normal(rng, 0.0, 3.0), normal(rng, 0.0, 4.0)],
            slices,
        };
        (pose, stack)
    }

    /// Direction of a slice's columns: along x the rows, down this the columns.
    pub fn down(&self) -> Point {
        [0.0, self.tilt.cos(), self.tilt.sin()]
    }

    /// Direction across the slices.
    pub fn normal(&self) -> Point {
        [0.0, -self.tilt.sin(), self.tilt.cos()]
    }

    /// Centre of the first pixel of a slice, for pixels of `pixel` mm.
    pub fn corner(&self, slice: usize, matrix: usize, pixel: f32) -> Point {
        let z = self.slices.get(slice).map_or(0.0, |s| s.0);
        let half = 0.5 * (matrix as f32 - 1.0) * pixel;
        let down = self.down();
        [
            self.middle[0] - half,
            self.middle[1] - half * down[1],
            z - half * down[2],
        ]
    }
}
