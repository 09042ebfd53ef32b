//! Each change alone, at its full strength.

use crate::augment::{AugmentConfig, Placement};

/// A change's key, its caption, and what is done.
type Change = (&'static str, String, Placement);

/// All that `config` has on, of those that need no other slice.
pub(super) fn changes(config: &AugmentConfig, still: Placement) -> Vec<Change> {
    let mut list = List {
        still,
        changes: Vec::new(),
    };
    geometry(config, &mut list);
    values(config, &mut list);
    list.changes
}

struct List {
    still: Placement,
    changes: Vec<Change>,
}

impl List {
    /// Adds the change by `key` where its strength is above 0.
    fn add(
        &mut self,
        key: &'static str,
        strength: f32,
        how: &str,
        change: impl FnOnce(&mut Placement, f32),
    ) {
        if strength > 0.0 {
            let mut placement = self.still;
            change(&mut placement, strength);
            let caption = format!("{key} {strength}{how}");
            self.changes.push((key, caption, placement));
        }
    }
}

fn geometry(config: &AugmentConfig, list: &mut List) {
    if config.flip {
        let placement = Placement {
            flip: true,
            ..list.still
        };
        list.changes.push(("flip", "flip".to_owned(), placement));
    }
    list.add("rotate_deg", config.rotate_deg, "", |p, v| p.rotate_deg = v);
    list.add("scale", config.scale, ", larger", |p, v| p.scale = 1.0 + v);
    list.add("scale", config.scale, ", smaller", |p, v| {
        p.scale = 1.0 / (1.0 + v);
    });
    list.add("stretch", config.stretch, "", |p, v| p.stretch = 1.0 + v);
    list.add("shift", config.shift, "", |p, v| p.shift = [v; 2]);
    list.add("shear", config.shear, "", |p, v| p.shear = v);
    list.add("elastic", config.elastic, "", |p, v| p.elastic = v);
}

fn values(config: &AugmentConfig, list: &mut List) {
    list.add("hu_shift", config.hu_shift, "", |p, v| p.hu_shift = v);
    list.add("hu_gain", config.hu_gain, "", |p, v| p.hu_gain = 1.0 + v);
    list.add("noise_hu", config.noise_hu, "", |p, v| p.noise_hu = v);
    for (how, grain) in [(", soft", 0.0_f32), (", sharp", 1.0)] {
        list.add("texture_hu", config.texture_hu, how, |p, v| {
            p.texture_hu = v * grain.mul_add(0.5, 0.5);
            p.texture_grain = grain;
        });
    }
    list.add("kernel", config.kernel, ", blur", |p, v| p.sharpness = -v);
    list.add("kernel", config.kernel, ", sharp", |p, v| p.sharpness = v);
    list.add("streaks_hu", config.streaks_hu, "", |p, v| p.streaks_hu = v);
    list.add("cutout", config.cutout, "", |p, v| p.cutout = v);
    list.add("window_center", config.window_center, "", |p, v| {
        p.window_center = v;
    });
    list.add("window_width", config.window_width, "", |p, v| {
        p.window_width = 1.0 + v;
    });
}
