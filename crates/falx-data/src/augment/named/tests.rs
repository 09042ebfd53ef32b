use serde::{Deserialize, Serialize};

use super::{AugmentError, changes};
use crate::augment::AugmentConfig;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Recipe {
    augment: AugmentConfig,
}

fn read(text: &str) -> Result<AugmentConfig, String> {
    let recipe: Result<Recipe, _> = toml::from_str(text);
    recipe
        .map(|recipe| recipe.augment)
        .map_err(|error| error.to_string())
}

#[test]
fn a_preset_is_asked_for_by_its_name() {
    for (name, config) in super::PRESETS {
        assert_eq!(read(&format!("augment = \"{name}\"")), Ok(config));
        assert_eq!(read(&format!("augment = [\"{name}\"]")), Ok(config));
        assert_eq!(read(&format!("[augment]\npreset = \"{name}\"")), Ok(config));
    }
    assert_eq!(read("augment = []"), Ok(AugmentConfig::none()));
    assert_eq!(read("[augment]"), Ok(AugmentConfig::default()));
}

#[test]
fn changes_are_asked_for_one_by_one() {
    assert_eq!(
        read("augment = \"rotate_deg\""),
        Ok(AugmentConfig {
            rotate_deg: 15.0,
            ..AugmentConfig::none()
        })
    );
    assert_eq!(
        read("augment = [\"default\", \"mixup\", \"texture_hu\"]"),
        Ok(AugmentConfig {
            mixup: 0.1,
            texture_hu: 5.0,
            ..AugmentConfig::default()
        })
    );
    let all = changes();
    assert_eq!(all.len(), 20);
    for name in &all {
        let one = AugmentConfig::named(&[name]).unwrap();
        assert_ne!(one, AugmentConfig::none(), "{name} is switched on");
    }
    let full = AugmentConfig::full();
    let without_white = all.iter().filter(|name| *name != "noise_hu");
    let names: Vec<&String> = without_white.collect();
    assert_eq!(AugmentConfig::named(&names), Ok(full));
}

#[test]
fn a_table_starts_from_its_preset() {
    let text = "[augment]\nmixup = 0\ncutmix = 0.0\npreset = \"full\"\nrotate_deg = 5\n";
    assert_eq!(
        read(text),
        Ok(AugmentConfig {
            mixup: 0.0,
            cutmix: 0.0,
            rotate_deg: 5.0,
            ..AugmentConfig::full()
        })
    );
    let several = read("[augment]\npreset = [\"flip\", \"shift\"]\nshift = 0.1\n");
    assert_eq!(
        several,
        Ok(AugmentConfig {
            flip: true,
            shift: 0.1,
            ..AugmentConfig::none()
        })
    );
}

#[test]
fn what_is_written_is_read_back_the_same() {
    for (_, augment) in super::PRESETS {
        let text = toml::to_string(&Recipe { augment }).unwrap();
        assert_eq!(read(&text), Ok(augment), "{text}");
        let json = serde_json::to_string(&augment).unwrap();
        assert_eq!(
            serde_json::from_str::<AugmentConfig>(&json).unwrap(),
            augment
        );
    }
}

#[test]
fn the_unknown_is_refused_with_what_was_meant() {
    for (text, words) in [
        ("augment = \"fulll\"", "did you mean `full`?"),
        ("augment = \"rotate\"", "did you mean `rotate_deg`?"),
        ("augment = [\"full\", \"cutmx\"]", "did you mean `cutmix`?"),
        ("augment = \"xyz\"", "the presets none, default, full"),
        ("augment = \"mixup_alpha\"", "is no augmentation"),
        ("[augment]\nelastc = 0.01", "did you mean `elastic`?"),
        ("[augment]\nqqq = 1", "augment.qqq is no key"),
        (
            "[augment]\npreset = \"heavy\"",
            "the presets none, default, full",
        ),
        ("[augment]\npreset = 3", "the name of an augmentation"),
        ("[augment]\nscale = \"much\"", "scale"),
        ("[augment]\nelastic = 0.5", "augment.elastic = 0.5"),
        ("augment = 3", "a list of names, or a table"),
    ] {
        let refused = read(text).unwrap_err();
        assert!(refused.contains(words), "{text}: {refused}");
    }
    let unknown = AugmentConfig::named(&["nothing at all"]).unwrap_err();
    assert!(matches!(
        unknown,
        AugmentError::Unknown {
            suggestion: None,
            ..
        }
    ));
}

#[test]
fn augmentation_is_told_in_a_word() {
    for (name, preset) in super::PRESETS {
        assert_eq!(preset.words(), name);
    }
    let own = AugmentConfig {
        flip: true,
        hu_shift: 1.0,
        ..AugmentConfig::none()
    };
    assert_eq!(own.words(), "flip, hu_shift");
    // How often a change would be drawn that is off changes nothing.
    let manner = AugmentConfig {
        cutout_chance: 1.0,
        ..AugmentConfig::none()
    };
    assert_eq!(manner.words(), "none");
}
