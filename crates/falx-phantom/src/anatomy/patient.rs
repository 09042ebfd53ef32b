//! One patient's build: sizes, densities and what age and earlier illness left behind.

use rand::RngExt;

use crate::draw::{chance, normal, side, uniform};
use crate::shape::Point;

/// The numbers of one head. Lengths are in the reference head's mm, densities in HU.
pub struct Build {
    /// Patient's size over the reference head's, by axis.
    pub size: Point,
    /// Age in years.
    pub age: f32,
    /// Seed of all noise in this head.
    pub seed: u32,
    /// Thickness of the parietal vault.
    pub skull: f32,
    /// Thickness of one table of the vault.
    pub table: f32,
    /// Thickness of skin and fat over the vault.
    pub scalp: f32,
    /// Thickness of the skin alone.
    pub skin_thickness: f32,
    /// Skin.
    pub skin: f32,
    /// Fat.
    pub fat: f32,
    /// Muscle.
    pub muscle: f32,
    /// Cortical bone.
    pub cortical: f32,
    /// Diploë.
    pub diploe: f32,
    /// Grey matter.
    pub grey: f32,
    /// White matter.
    pub white: f32,
    /// Cerebrospinal fluid.
    pub csf: f32,
    /// Blood in veins and arteries.
    pub vessel: f32,
    /// Falx and tentorium.
    pub dura: f32,
    /// Ventricles' width over the reference head's.
    pub ventricle: f32,
    /// Half-width of a sulcus at the surface.
    pub sulcus: f32,
    /// Width of the space between the inner table and the gyri.
    pub gap: f32,
    /// Loss of density of the white matter about the ventricles.
    pub leukoaraiosis: f32,
    /// What is bright or dark without being a haemorrhage.
    pub mimics: Mimics,
}

/// What is bright or dark without being a haemorrhage.
#[derive(Default)]
pub struct Mimics {
    /// Calcified choroid plexus: HU left and right.
    pub choroid: Option<[f32; 2]>,
    /// Calcified pineal gland: HU.
    pub pineal: Option<f32>,
    /// Calcified plaques of the falx: place, half-length and HU.
    pub falx: Vec<(Point, f32, f32)>,
    /// Calcified globus pallidus: HU.
    pub pallidum: Option<f32>,
    /// Old infarcts: centre, radii and HU.
    pub infarcts: Vec<(Point, Point, f32)>,
    /// What a surgeon left.
    pub surgery: Option<Surgery>,
    /// A calcified meningioma-like nodule on the inner table: centre, radius, HU.
    pub nodule: Option<(Point, f32, f32)>,
}

/// What a surgeon left.
pub enum Surgery {
    /// A burr hole, with air, fluid or scar below it: centre on the vault.
    BurrHole(Point),
    /// A bone flap with saw cuts: centre on the vault and radius.
    Flap(Point, f32),
    /// A ventricular drain from a burr hole: entry and tip.
    Shunt(Point, Point),
    /// A metal clip or coil: centre.
    Clip(Point),
}

impl Surgery {
    /// The place of metal, where the surgery left any.
    pub const fn metal(&self) -> Option<Point> {
        match self {
            Self::Clip(p) => Some(*p),
            _ => None,
        }
    }
}

impl Build {
    /// Draws a patient.
    pub fn draw(rng: &mut impl RngExt) -> Self {
        let age = if chance(rng, 0.25) {
            uniform(rng, 18.0, 45.0)
        } else {
            normal(rng, 65.0, 14.0).clamp(20.0, 95.0)
        };
        // 0 in the young, 1 at ninety, with wide spread between people of one age.
        let atrophy = ((age - 30.0) / 60.0 + normal(rng, 0.0, 0.13)).clamp(0.0, 1.1);
        let all = normal(rng, 1.0, 0.03);
        let size = [0, 1, 2].map(|_| all * normal(rng, 1.0, 0.025));
        // No two scanners are calibrated alike; what lies inside the skull drifts together.
        let drift = normal(rng, 0.0, 1.8);
        let white = normal(rng, 27.0, 1.0) + drift;
        Self {
            size,
            age,
            seed: rng.random(),
            skull: normal(rng, 6.0, 0.9).max(4.0),
            table: normal(rng, 2.0, 0.25),
            scalp: normal(rng, 5.5, 1.3).max(3.0),
            skin_thickness: normal(rng, 1.8, 0.2),
            skin: normal(rng, 35.0, 8.0),
            fat: normal(rng, -95.0, 6.0),
            muscle: normal(rng, 55.0, 4.0),
            cortical: normal(rng, 1450.0, 150.0),
            diploe: normal(rng, 620.0, 130.0),
            white,
            grey: white + normal(rng, 7.8, 1.0),
            csf: normal(rng, 6.0, 1.2) + drift,
            vessel: normal(rng, 52.0, 7.0) + drift,
            dura: normal(rng, 55.0, 4.5) + drift,
            ventricle: 0.72 + 0.75 * atrophy + normal(rng, 0.0, 0.08),
            sulcus: 0.25 + 1.35 * atrophy * atrophy + 0.35 * atrophy,
            gap: 0.4 + 2.6 * atrophy * atrophy,
            leukoaraiosis: if age > 55.0 {
                uniform(rng, 0.0, 10.0) * atrophy
            } else {
                0.0
            },
            mimics: Mimics::draw(rng, age),
        }
    }
}

/// A point outside the vault at height `z`, from which a line to the centre meets the skull.
fn vault(rng: &mut impl RngExt, z: f32) -> Point {
    let s = side(rng);
    [s * uniform(rng, 40.0, 60.0), uniform(rng, -50.0, 45.0), z]
}

impl Mimics {
    fn draw(rng: &mut impl RngExt, age: f32) -> Self {
        let old = ((age - 25.0) / 50.0).clamp(0.0, 1.0);
        let mut mimics = Self::default();
        if chance(rng, 0.15 + 0.55 * old) {
            let hu = uniform(rng, 70.0, 320.0);
            mimics.choroid = Some([hu * uniform(rng, 0.5, 1.2), hu * uniform(rng, 0.5, 1.2)]);
        }
        if chance(rng, 0.25 + 0.4 * old) {
            mimics.pineal = Some(uniform(rng, 70.0, 300.0));
        }
        if chance(rng, 0.08 + 0.3 * old) {
            for _ in 0..rng.random_range(1..4) {
                let place = [0.0, uniform(rng, -72.0, -20.0), uniform(rng, 15.0, 62.0)];
                mimics
                    .falx
                    .push((place, uniform(rng, 2.0, 7.0), uniform(rng, 90.0, 400.0)));
            }
        }
        if chance(rng, 0.03 + 0.16 * old) {
            mimics.pallidum = Some(uniform(rng, 55.0, 140.0));
        }
        if chance(rng, 0.18 * old) {
            for _ in 0..rng.random_range(1..3) {
                let s = side(rng);
                let lacune = chance(rng, 0.5);
                let center = if lacune {
                    [
                        s * uniform(rng, 16.0, 30.0),
                        uniform(rng, -12.0, 15.0),
                        uniform(rng, -2.0, 22.0),
                    ]
                } else {
                    [
                        s * uniform(rng, 42.0, 58.0),
                        uniform(rng, -30.0, 50.0),
                        uniform(rng, -5.0, 40.0),
                    ]
                };
                let radii = [0, 1, 2].map(|_| {
                    if lacune {
                        uniform(rng, 2.5, 6.0)
                    } else {
                        uniform(rng, 10.0, 24.0)
                    }
                });
                mimics
                    .infarcts
                    .push((center, radii, uniform(rng, 6.0, 17.0)));
            }
        }
        mimics.surgery = match rng.random_range(0..100) {
            0..4 => Some(Surgery::BurrHole(vault(rng, 45.0))),
            4..9 => {
                let r = uniform(rng, 22.0, 38.0);
                Some(Surgery::Flap(vault(rng, 22.0), r))
            }
            9..12 => {
                let s = side(rng);
                Some(Surgery::Shunt(
                    [s * 42.0, 52.0, 40.0],
                    [s * 5.0, -12.0, 12.0],
                ))
            }
            12..15 => {
                let s = side(rng);
                Some(Surgery::Clip([
                    s * uniform(rng, 0.0, 22.0),
                    uniform(rng, -22.0, -8.0),
                    -21.0,
                ]))
            }
            _ => None,
        };
        if chance(rng, 0.05 * old) {
            let z = uniform(rng, 10.0, 45.0);
            mimics.nodule = Some((
                vault(rng, z),
                uniform(rng, 4.0, 9.0),
                uniform(rng, 48.0, 180.0),
            ));
        }
        mimics
    }
}
