use falx_core::{Hu, SEED_WINDOWS};
use falx_dicom::{CtSlice, SliceHeader};

use super::{PreviewOptions, Subject, panels, sheet};
use crate::augment::AugmentConfig;

fn slice(hu: impl Fn(usize) -> f32) -> CtSlice {
    CtSlice {
        header: SliceHeader {
            rows: 32,
            cols: 32,
            ..SliceHeader::default()
        },
        hu: (0..32 * 32).map(|at| Hu(hu(at))).collect(),
        padding: None,
        defects: Vec::new(),
    }
}

fn subject() -> Subject {
    let pattern = |step: usize| slice(move |at| (at * step % 71) as f32);
    Subject {
        slice: pattern(1),
        neighbours: Some([pattern(2), pattern(3)]),
        partner: Some(pattern(5)),
    }
}

const OPTIONS: PreviewOptions = PreviewOptions {
    config: AugmentConfig::full(),
    seed: 1,
    size: 32,
    window: SEED_WINDOWS[0],
    draws: 3,
};

#[test]
fn every_change_has_a_panel_that_differs_from_the_original() {
    let config = AugmentConfig {
        noise_hu: 2.0,
        ..AugmentConfig::full()
    };
    let panels = panels(&subject(), &PreviewOptions { config, ..OPTIONS });
    let keys = serde_json::to_value(config).unwrap();
    for key in keys.as_object().unwrap().keys() {
        let is_drawn = panels.iter().any(|panel| panel.key == key);
        let only_says_how = key.ends_with("_chance") || key == "mixup_alpha";
        assert!(is_drawn != only_says_how, "{key}");
    }
    let changed = panels.iter().skip(1);
    assert!(changed.clone().all(|panel| panel.grey != panels[0].grey));
    assert_eq!(changed.filter(|panel| panel.key == "draw").count(), 3);
}

#[test]
fn what_is_off_or_lacks_its_slices_has_none() {
    let alone = Subject {
        neighbours: None,
        partner: None,
        ..subject()
    };
    let keys: Vec<_> = panels(&alone, &OPTIONS).iter().map(|p| p.key).collect();
    assert!(!keys.contains(&"mixup") && !keys.contains(&"z_shift_mm"));
    let config = AugmentConfig::none();
    let still = panels(
        &subject(),
        &PreviewOptions {
            config,
            draws: 0,
            ..OPTIONS
        },
    );
    assert_eq!(still.len(), 1);
}

#[test]
fn a_sheet_holds_all_panels_and_their_captions() {
    let panels = panels(&subject(), &OPTIONS);
    let sheet = sheet(&panels, 32, 6);
    assert_eq!(sheet.grey.len(), sheet.width * sheet.height);
    assert_eq!(sheet.width, 8 + 6 * 40);
    // The first panel lies below its caption, which is written in light on dark.
    assert_eq!(
        sheet.grey[25 * sheet.width + 8..][..32],
        panels[0].grey[..32]
    );
    let caption = &sheet.grey[8 * sheet.width..25 * sheet.width];
    assert!(caption.contains(&235));
}
