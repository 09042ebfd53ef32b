//! What augmentation does to a slice, drawn: a panel a change at its full strength, and some whole draws.

mod sheet;
#[cfg(test)]
mod tests;

use falx_core::{Hu, LabelRow, Window};
use falx_dicom::{CtSlice, picture};

use super::mix::{self, Targets};
use super::{AugmentConfig, Augmenter, FIELD_MM, Placement};

pub use sheet::{Sheet, sheet};

/// What is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PreviewOptions {
    /// The changes.
    pub config: AugmentConfig,
    /// Where all randomness starts.
    pub seed: u64,
    /// The side of a panel in pixels.
    pub size: usize,
    /// The window of the panels.
    pub window: Window,
    /// Whole draws after the single changes.
    pub draws: u64,
}

/// The slice that is drawn, and what single changes need beside it.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The slice.
    pub slice: CtSlice,
    /// The slices below and above it, for what changes along z.
    pub neighbours: Option<[CtSlice; 2]>,
    /// Another sample, for mixup and cutmix.
    pub partner: Option<CtSlice>,
}

/// One picture of the sheet.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// The key that switches the change on; `original`, `draw` for whole draws.
    pub key: &'static str,
    /// What is shown, in a few words.
    pub caption: String,
    /// Grey levels, size × size.
    pub grey: Vec<u8>,
}

/// Draws every change that `options.config` has on.
///
/// A change that needs a neighbour or a partner which the subject lacks is left out.
pub fn panels(subject: &Subject, options: &PreviewOptions) -> Vec<Panel> {
    let mut studio = Studio {
        options,
        hu: fitted(&subject.slice, options.size),
        augmenter: Augmenter::new(),
        panels: Vec::new(),
    };
    let still = Placement {
        noise_seed: options.seed,
        ..Placement::default()
    };
    studio.add("original", "original".to_owned(), still);
    for (key, caption, placement) in single(&options.config, still) {
        studio.add(key, caption, placement);
    }
    if let Some(neighbours) = &subject.neighbours {
        studio.along_z(neighbours, still);
    }
    if let Some(partner) = &subject.partner {
        studio.mixtures(partner);
    }
    for position in 0..options.draws {
        let placement = options.config.draw(options.seed, 0, position);
        studio.add("draw", format!("draw {position}"), placement);
    }
    studio.panels
}

/// Each change alone, at its full strength.
fn single(config: &AugmentConfig, still: Placement) -> Vec<(&'static str, String, Placement)> {
    let c = config;
    let percent = |share: f32| share * 100.0;
    let mut changes: Vec<(&'static str, bool, String, Placement)> = Vec::new();
    let mut add = |key, value: f32, caption: String, placement| {
        changes.push((key, value != 0.0, caption, placement));
    };
    let flip = f32::from(u8::from(c.flip));
    add(
        "flip",
        flip,
        "flip".to_owned(),
        Placement {
            flip: true,
            ..still
        },
    );
    let rotate_deg = c.rotate_deg;
    add(
        "rotate_deg",
        rotate_deg,
        format!("rotate_deg {rotate_deg}"),
        Placement {
            rotate_deg,
            ..still
        },
    );
    add(
        "scale",
        c.scale,
        format!("scale +{:.0}%", percent(c.scale)),
        Placement {
            scale: 1.0 + c.scale,
            ..still
        },
    );
    add(
        "scale",
        c.scale,
        "scale, smaller".to_owned(),
        Placement {
            scale: 1.0 / (1.0 + c.scale),
            ..still
        },
    );
    add(
        "stretch",
        c.stretch,
        format!("stretch +{:.0}%", percent(c.stretch)),
        Placement {
            stretch: 1.0 + c.stretch,
            ..still
        },
    );
    add(
        "shift",
        c.shift,
        format!("shift {}", c.shift),
        Placement {
            shift: [c.shift; 2],
            ..still
        },
    );
    add(
        "shear",
        c.shear,
        format!("shear {}", c.shear),
        Placement {
            shear: c.shear,
            ..still
        },
    );
    add(
        "elastic",
        c.elastic,
        format!("elastic {}", c.elastic),
        Placement {
            elastic: c.elastic,
            ..still
        },
    );
    add(
        "hu_shift",
        c.hu_shift,
        format!("hu_shift +{} HU", c.hu_shift),
        Placement {
            hu_shift: c.hu_shift,
            ..still
        },
    );
    add(
        "hu_gain",
        c.hu_gain,
        format!("hu_gain +{:.0}%", percent(c.hu_gain)),
        Placement {
            hu_gain: 1.0 + c.hu_gain,
            ..still
        },
    );
    add(
        "noise_hu",
        c.noise_hu,
        format!("noise_hu {} HU", c.noise_hu),
        Placement {
            noise_hu: c.noise_hu,
            ..still
        },
    );
    let texture = |texture_grain: f32| Placement {
        texture_hu: c.texture_hu * texture_grain.mul_add(0.5, 0.5),
        texture_grain,
        ..still
    };
    add(
        "texture_hu",
        c.texture_hu,
        format!("texture_hu {}, soft", c.texture_hu),
        texture(0.0),
    );
    add(
        "texture_hu",
        c.texture_hu,
        format!("texture_hu {}, sharp", c.texture_hu),
        texture(1.0),
    );
    add(
        "kernel",
        c.kernel,
        format!("kernel {}, blur", c.kernel),
        Placement {
            sharpness: -c.kernel,
            ..still
        },
    );
    add(
        "kernel",
        c.kernel,
        format!("kernel {}, sharp", c.kernel),
        Placement {
            sharpness: c.kernel,
            ..still
        },
    );
    add(
        "streaks_hu",
        c.streaks_hu,
        format!("streaks_hu {} HU", c.streaks_hu),
        Placement {
            streaks_hu: c.streaks_hu,
            ..still
        },
    );
    add(
        "cutout",
        c.cutout,
        format!("cutout {}", c.cutout),
        Placement {
            cutout: c.cutout,
            ..still
        },
    );
    add(
        "window_center",
        c.window_center,
        format!("window_center {}", c.window_center),
        Placement {
            window_center: c.window_center,
            ..still
        },
    );
    add(
        "window_width",
        c.window_width,
        format!("window_width +{:.0}%", percent(c.window_width)),
        Placement {
            window_width: 1.0 + c.window_width,
            ..still
        },
    );
    changes
        .into_iter()
        .filter(|(_, is_on, ..)| *is_on)
        .map(|(key, _, caption, placement)| (key, caption, placement))
        .collect()
}

fn fitted(slice: &CtSlice, size: usize) -> Vec<f32> {
    let mut hu = vec![Hu::PADDING.0; size * size];
    picture::fit(slice, size, &mut hu);
    hu
}

/// Draws panels of one slice.
struct Studio<'a> {
    options: &'a PreviewOptions,
    hu: Vec<f32>,
    augmenter: Augmenter,
    panels: Vec<Panel>,
}

impl Studio<'_> {
    fn add(&mut self, key: &'static str, caption: String, placement: Placement) {
        let hu = self.hu.clone();
        self.add_of(hu, key, caption, placement);
    }

    fn add_of(
        &mut self,
        mut hu: Vec<f32>,
        key: &'static str,
        caption: String,
        placement: Placement,
    ) {
        let size = self.options.size;
        let pixel_mm = FIELD_MM / size.max(1) as f32;
        self.augmenter.apply(&placement, size, pixel_mm, &mut hu);
        let windows = placement.windows(&[self.options.window]);
        let mut shown = vec![0.0; hu.len()];
        picture::apply_windows(&hu, &windows, &mut shown);
        self.push(key, caption, &shown);
    }

    fn push(&mut self, key: &'static str, caption: String, shown: &[f32]) {
        let grey = shown.iter().map(|share| (share * 255.0).round() as u8);
        self.panels.push(Panel {
            key,
            caption,
            grey: grey.collect(),
        });
    }

    fn along_z(&mut self, neighbours: &[CtSlice; 2], still: Placement) {
        let [below, above] = [0, 1].map(|side| fitted(&neighbours[side], self.options.size));
        let mean = |weights: [f32; 3]| -> Vec<f32> {
            let sides = below.iter().zip(&above);
            let planes = self.hu.iter().zip(sides);
            planes
                .map(|(here, (below, above))| {
                    weights[0] * below + weights[1] * here + weights[2] * above
                })
                .collect()
        };
        let (higher, thicker) = (mean([0.0, 0.5, 0.5]), mean([0.25, 0.5, 0.25]));
        if self.options.config.z_shift_mm > 0.0 {
            let caption = "z: half a slice up".to_owned();
            self.add_of(higher, "z_shift_mm", caption, still);
        }
        if self.options.config.thickness_mm > 0.0 {
            let caption = "twice as thick".to_owned();
            self.add_of(thicker, "thickness_mm", caption, still);
        }
    }

    fn mixtures(&mut self, partner: &CtSlice) {
        let PreviewOptions {
            config,
            seed,
            size,
            window,
            ..
        } = *self.options;
        let none = AugmentConfig::none();
        let kinds = [
            (
                "mixup",
                config.mixup,
                AugmentConfig {
                    mixup: 1.0,
                    mixup_alpha: 4.0,
                    ..none
                },
            ),
            (
                "cutmix",
                config.cutmix,
                AugmentConfig {
                    cutmix: 1.0,
                    ..none
                },
            ),
        ];
        let both = [self.hu.clone(), fitted(partner, size)].concat();
        for (key, _, kind) in kinds.into_iter().filter(|(_, chance, _)| *chance > 0.0) {
            let mut shown = vec![0.0; both.len()];
            picture::apply_windows(&both, &[window], &mut shown);
            let rows = [LabelRow([Some(true); 6]), LabelRow([Some(false); 6])];
            // The first epoch in which much of both is seen.
            let (mut images, mut own) = (shown.clone(), 1.0);
            for epoch in 0..50 {
                images.clone_from(&shown);
                let mut targets = Targets::of(&rows);
                let shape = [2, 1, size, size];
                mix::mix(
                    &kind,
                    (seed, epoch),
                    &[0, 1],
                    shape,
                    &mut images,
                    &mut targets,
                );
                own = targets.share.first().map_or(1.0, |share| share[0]);
                if (0.3..0.8).contains(&own) {
                    break;
                }
            }
            images.truncate(size * size);
            self.push(key, format!("{key}, {:.0}% own", own * 100.0), &images);
        }
    }
}
