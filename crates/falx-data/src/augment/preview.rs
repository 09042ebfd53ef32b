//! What augmentation does to a slice, drawn: a panel a change at its full strength, and some whole draws.

mod sheet;
mod single;
#[cfg(test)]
mod tests;

use falx_core::{Hu, Label, LabelRow, Probability, TargetRow, Window};
use falx_dicom::{CtSlice, picture};

use super::mix;
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
    for (key, caption, placement) in single::changes(&options.config, still) {
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
                let mut targets = rows.map(TargetRow::from);
                let shape = [2, 1, size, size];
                mix::mix(
                    &kind,
                    (seed, epoch, 0),
                    &[0, 1],
                    shape,
                    &mut images,
                    &mut targets,
                );
                own = targets[0].get(Label::Any).map_or(1.0, Probability::get);
                if (0.3..0.8).contains(&own) {
                    break;
                }
            }
            images.truncate(size * size);
            self.push(key, format!("{key}, {:.0}% own", own * 100.0), &images);
        }
    }
}
