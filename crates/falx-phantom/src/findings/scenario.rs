//! Which haemorrhages a patient has: the clinic's usual stories, in their usual shares.

use falx_core::Label;
use rand::RngExt;

use crate::anatomy::cavity;
use crate::draw::{chance, normal, side, uniform};
use crate::shape::{Point, length, scale};

use super::{Clot, Collection, Fracture, Intraventricular, MassEffect, Sheet, Subarachnoid};

/// Everything that bleeds, and what it displaces.
#[derive(Default)]
pub struct Findings {
    /// Clots in the brain.
    pub clots: Vec<Clot>,
    /// Collections under the inner table.
    pub collections: Vec<Collection>,
    /// Subdural sheets on falx and tentorium.
    pub sheets: Vec<Sheet>,
    /// Subarachnoid blood.
    pub subarachnoid: Vec<Subarachnoid>,
    /// Blood in the ventricles.
    pub ventricles: Option<Intraventricular>,
    /// Displacement.
    pub mass: Vec<MassEffect>,
    /// Cracks of the vault.
    pub fractures: Vec<Fracture>,
}

impl Findings {
    /// What would be there without the blood: the brain lies where the blood has pushed it, bone is cracked as it is.
    pub fn bloodless(&self) -> Self {
        Self {
            mass: self.mass.clone(),
            fractures: self.fractures.clone(),
            ..Self::default()
        }
    }
}

/// The stories and their shares among bleeding patients; they sum to 1.
const STORIES: [(f32, Story); 11] = [
    (0.15, Story::Subdural),
    (0.13, Story::SubduralWithSulci),
    (0.12, Story::Clot),
    (0.23, Story::ClotIntoVentricle),
    (0.10, Story::ClotVentricleCisterns),
    (0.02, Story::Aneurysm),
    (0.06, Story::AneurysmIntoVentricle),
    (0.04, Story::Sulci),
    (0.11, Story::Contusions),
    (0.03, Story::Epidural),
    (0.01, Story::Ventricle),
];

#[derive(Clone, Copy)]
enum Story {
    Subdural,
    SubduralWithSulci,
    Clot,
    ClotIntoVentricle,
    ClotVentricleCisterns,
    Aneurysm,
    AneurysmIntoVentricle,
    Sulci,
    Contusions,
    Epidural,
    Ventricle,
}

impl Findings {
    /// Draws the haemorrhages of a bleeding patient; `place` in 0 .. 1 chooses the story.
    pub fn draw(rng: &mut impl RngExt, place: f32) -> Self {
        let mut findings = Self::default();
        let mut left = place;
        let story = STORIES
            .iter()
            .find(|(share, _)| {
                left -= share;
                left < 0.0
            })
            .map_or(Story::Subdural, |&(_, story)| story);
        match story {
            Story::Subdural => findings.subdural(rng),
            Story::SubduralWithSulci => {
                findings.subdural(rng);
                findings.sulci(rng);
            }
            Story::Clot => findings.clot(rng, false),
            Story::ClotIntoVentricle => {
                findings.clot(rng, true);
                findings.ventricle(rng);
            }
            Story::ClotVentricleCisterns => {
                findings.clot(rng, true);
                findings.ventricle(rng);
                findings.sulci(rng);
            }
            Story::Aneurysm => findings.aneurysm(rng),
            Story::AneurysmIntoVentricle => {
                findings.aneurysm(rng);
                findings.ventricle(rng);
            }
            Story::Sulci => findings.sulci(rng),
            Story::Contusions => findings.contusions(rng),
            Story::Epidural => findings.epidural(rng),
            Story::Ventricle => findings.ventricle(rng),
        }
        findings
    }

    fn subdural(&mut self, rng: &mut impl RngExt) {
        if chance(rng, 0.22) {
            self.sheet(rng);
            if chance(rng, 0.5) {
                return;
            }
        }
        let first = side(rng);
        self.crescent(rng, first);
        if chance(rng, 0.2) {
            self.crescent(rng, -first);
        }
        if chance(rng, 0.2) {
            self.sheet(rng);
        }
    }

    fn crescent(&mut self, rng: &mut impl RngExt, side: f32) {
        let thickness = (normal(rng, 1.95, 0.5)).exp().clamp(2.5, 20.0);
        let middle = uniform(rng, 1.1, 2.0);
        let half = uniform(rng, 0.65, 1.25);
        // Acute in half, then subacute, chronic, and acute blood in a chronic collection.
        let hu = match rng.random_range(0..100) {
            0..60 => {
                let hu = uniform(rng, 55.0, 75.0);
                [hu - uniform(rng, 0.0, 8.0), hu]
            }
            60..75 => [uniform(rng, 40.0, 52.0); 2],
            75..88 => [uniform(rng, 12.0, 20.0), uniform(rng, 18.0, 30.0)],
            _ => [uniform(rng, 14.0, 24.0), uniform(rng, 48.0, 64.0)],
        };
        let z = uniform(rng, 18.0, 36.0);
        self.collections.push(Collection {
            label: Label::Subdural,
            side,
            thickness,
            center: [side * 60.0, 0.0, z],
            radius: uniform(rng, 26.0, 48.0),
            arc: [(middle - half).max(0.05), (middle + half).min(3.05)],
            hu,
            level: uniform(rng, -10.0, 25.0),
            seed: rng.random(),
        });
        let push = (thickness - 3.0).max(0.0) * uniform(rng, 0.35, 0.75);
        self.mass.push(MassEffect {
            center: [side * 45.0, 0.0, z - 5.0],
            shift: [-side * push.min(12.0), 0.0, 0.0],
        });
    }

    fn sheet(&mut self, rng: &mut impl RngExt) {
        let falx = chance(rng, 0.6);
        let start = if falx {
            uniform(rng, -60.0, 20.0)
        } else {
            uniform(rng, 15.0, 28.0)
        };
        let long = uniform(rng, 35.0, 65.0);
        let from = if falx { uniform(rng, 22.0, 35.0) } else { 12.0 };
        self.sheets.push(Sheet {
            falx,
            side: side(rng),
            thickness: uniform(rng, 2.5, 6.0),
            along: [start, start + long],
            across: [from, from + uniform(rng, 28.0, 42.0)],
            hu: uniform(rng, 54.0, 72.0),
        });
    }

    fn clot(&mut self, rng: &mut impl RngExt, by_ventricle: bool) {
        let s = side(rng);
        let place = rng.random_range(0..100);
        let (center, stretch): (Point, Point) = if place < 60 || by_ventricle {
            if chance(rng, 0.55) {
                (
                    [
                        s * uniform(rng, 23.0, 29.0),
                        uniform(rng, -10.0, 8.0),
                        uniform(rng, 0.0, 14.0),
                    ],
                    [0.75, 1.35, 1.0],
                )
            } else {
                (
                    [
                        s * uniform(rng, 11.0, 16.0),
                        uniform(rng, 4.0, 14.0),
                        uniform(rng, 4.0, 12.0),
                    ],
                    [0.9, 1.15, 1.0],
                )
            }
        } else if place < 90 {
            let y = uniform(rng, -52.0, 52.0);
            (
                [s * uniform(rng, 24.0, 44.0), y, uniform(rng, 8.0, 42.0)],
                [0.9, 1.1, 1.0],
            )
        } else if chance(rng, 0.7) {
            (
                [
                    s * uniform(rng, 8.0, 28.0),
                    uniform(rng, 48.0, 62.0),
                    uniform(rng, -48.0, -34.0),
                ],
                [1.1, 1.0, 0.9],
            )
        } else {
            ([s * 2.0, 18.0, uniform(rng, -44.0, -34.0)], [1.1, 0.8, 0.8])
        };
        let mut volume_ml = normal(rng, 12.0_f32.ln(), 1.0).exp().clamp(0.8, 90.0);
        if center[2] < -20.0 {
            volume_ml = volume_ml.min(14.0);
        }
        let radius = 10.0 * (volume_ml * 0.75 / std::f32::consts::PI).cbrt();
        let hu = if chance(rng, 0.12) {
            uniform(rng, 45.0, 54.0)
        } else {
            uniform(rng, 57.0, 76.0)
        };
        self.clots.push(Clot {
            center,
            radii: stretch.map(|k| k * radius),
            hu,
            liquid_hu: uniform(rng, 32.0, 46.0),
            swirl: if chance(rng, 0.3) {
                uniform(rng, 0.2, 0.5)
            } else {
                0.0
            },
            oedema: uniform(rng, 1.5, 7.0),
            seed: rng.random(),
        });
        self.mass.push(MassEffect {
            center,
            shift: [
                -center[0].signum() * (volume_ml / 9.0).min(9.0) * uniform(rng, 0.4, 1.2),
                0.0,
                0.0,
            ],
        });
    }

    fn contusions(&mut self, rng: &mut impl RngExt) {
        let s = side(rng);
        for _ in 0..rng.random_range(1..5) {
            let frontal = chance(rng, 0.6);
            let side = if chance(rng, 0.75) { s } else { -s };
            let center = if frontal {
                [
                    side * uniform(rng, 8.0, 34.0),
                    uniform(rng, -70.0, -52.0),
                    uniform(rng, -16.0, 8.0),
                ]
            } else {
                [
                    side * uniform(rng, 42.0, 58.0),
                    uniform(rng, -32.0, -5.0),
                    uniform(rng, -36.0, -18.0),
                ]
            };
            let radius = uniform(rng, 3.5, 12.0);
            self.clots.push(Clot {
                center,
                radii: [radius * 0.9, radius, radius],
                hu: uniform(rng, 50.0, 70.0),
                liquid_hu: uniform(rng, 24.0, 38.0),
                swirl: uniform(rng, 0.2, 0.5),
                oedema: uniform(rng, 2.0, 6.0),
                seed: rng.random(),
            });
        }
        self.sulci(rng);
        if chance(rng, 0.45) {
            self.crescent(rng, s);
        }
    }

    fn aneurysm(&mut self, rng: &mut impl RngExt) {
        let hu = if chance(rng, 0.25) {
            uniform(rng, 40.0, 48.0)
        } else {
            uniform(rng, 52.0, 68.0)
        };
        let lean = uniform(rng, -14.0, 14.0);
        let high = uniform(rng, 14.0, 30.0);
        self.subarachnoid.push(Subarachnoid {
            center: [lean, uniform(rng, -18.0, 6.0), -18.0],
            radii: [uniform(rng, 38.0, 60.0), uniform(rng, 32.0, 52.0), high],
            hu,
            fills: uniform(rng, 0.4, 1.1),
            seed: rng.random(),
        });
        if chance(rng, 0.6) {
            let s = side(rng);
            self.subarachnoid.push(Subarachnoid {
                center: [s * 46.0, -2.0, 6.0],
                radii: [22.0, 36.0, 24.0],
                hu: hu - 4.0,
                fills: 0.7,
                seed: rng.random(),
            });
        }
    }

    fn sulci(&mut self, rng: &mut impl RngExt) {
        for _ in 0..rng.random_range(1..4) {
            let s = side(rng);
            let angle = uniform(rng, 0.4, 2.6);
            let z = uniform(rng, -5.0, 52.0);
            let ring = (1.0 - (z / 80.0).powi(2)).max(0.2).sqrt();
            let radius = uniform(rng, 16.0, 30.0);
            self.subarachnoid.push(Subarachnoid {
                center: [s * 58.0 * angle.sin() * ring, -70.0 * angle.cos() * ring, z],
                radii: [radius, radius, radius * uniform(rng, 0.6, 1.1)],
                hu: if chance(rng, 0.25) {
                    uniform(rng, 42.0, 50.0)
                } else {
                    uniform(rng, 52.0, 70.0)
                },
                fills: uniform(rng, 0.5, 1.3),
                seed: rng.random(),
            });
        }
    }

    fn epidural(&mut self, rng: &mut impl RngExt) {
        let s = side(rng);
        let direction = [s, uniform(rng, -0.55, 0.6), uniform(rng, -0.15, 0.65)];
        let center = on_inner_table(direction);
        let thickness = uniform(rng, 6.0, 24.0);
        let hu = uniform(rng, 55.0, 75.0);
        self.collections.push(Collection {
            label: Label::Epidural,
            side: s,
            thickness,
            center,
            // Sutures bound it: thick, not wide.
            radius: (20.0 + 1.1 * thickness) * uniform(rng, 0.9, 1.15),
            arc: [0.0, 0.0],
            hu: [hu, hu],
            level: 0.0,
            seed: rng.random(),
        });
        if chance(rng, 0.85) {
            let lean = uniform(rng, -1.2, 1.2);
            self.fractures.push(Fracture {
                center,
                across: [0.0, lean.cos(), lean.sin()],
                reach: uniform(rng, 20.0, 45.0),
            });
        }
        self.mass.push(MassEffect {
            center: scale(center, 0.75),
            shift: [
                -s * (thickness - 5.0).max(0.0) * uniform(rng, 0.15, 0.4),
                0.0,
                0.0,
            ],
        });
    }

    fn ventricle(&mut self, rng: &mut impl RngExt) {
        let mut level = [uniform(rng, 38.0, 62.0), uniform(rng, 38.0, 62.0)];
        if chance(rng, 0.25) {
            level[rng.random_range(0..2)] = 90.0;
        }
        let clotted = chance(rng, 0.4);
        let cast = [clotted && chance(rng, 0.6), clotted && chance(rng, 0.6)];
        self.ventricles = Some(Intraventricular {
            hu: uniform(rng, 48.0, 72.0),
            level,
            cast,
            below: chance(rng, 0.35),
        });
    }
}

/// Where a line from the head's middle in `direction` meets the inner table.
fn on_inner_table(direction: Point) -> Point {
    let unit = scale(direction, 1.0 / length(direction).max(1e-6));
    let (mut near, mut far) = (0.0_f32, 140.0_f32);
    for _ in 0..24 {
        let middle = 0.5 * (near + far);
        if cavity(scale(unit, middle)) < 0.0 {
            near = middle;
        } else {
            far = middle;
        }
    }
    scale(unit, near)
}
