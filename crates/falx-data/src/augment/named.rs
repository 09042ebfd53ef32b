//! Augmentation as people write it: by a name, by several names, or key by key.

#[cfg(test)]
mod tests;

use schemars::{Schema, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value as Json, json};
use toml::{Table, Value};

use super::{AugmentConfig, InvalidAugment};

/// The presets by their names.
pub const PRESETS: [(&str, AugmentConfig); 3] = [
    ("none", AugmentConfig::none()),
    ("default", AugmentConfig::usual()),
    ("full", AugmentConfig::full()),
];

/// The key of a table that says what its other keys start from.
const PRESET: &str = "preset";
/// Keys that say how a change is drawn and switch none on.
const MANNERS: [&str; 3] = ["streaks_chance", "cutout_chance", "mixup_alpha"];
/// How alike a name must be to be what was meant, from 0 to 1.
const ALIKE: f64 = 0.8;

/// Augmentation that cannot be what was meant.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AugmentError {
    /// A word that is neither a preset nor a change.
    #[error("`{name}` is no augmentation{}; there are the presets {}, and the changes {}", meant(.suggestion.as_ref()), presets(), changes().join(", "))]
    Unknown {
        /// The word.
        name: String,
        /// What it may have meant.
        suggestion: Option<String>,
    },
    /// A key that no table of augmentation has.
    #[error("augment.{key} is no key of augmentation{}; docs/augmentation.md has them all", meant(.suggestion.as_ref()))]
    UnknownKey {
        /// The key.
        key: String,
        /// What it may have meant.
        suggestion: Option<String>,
    },
    /// A value of another type, such as a text in place of a number.
    #[error("augment: {0}")]
    Type(String),
    /// A number out of range.
    #[error(transparent)]
    Range(#[from] InvalidAugment),
}

fn meant(suggestion: Option<&String>) -> String {
    suggestion.map_or_else(String::new, |word| format!(", did you mean `{word}`?"))
}

fn presets() -> String {
    PRESETS.map(|(name, _)| name).join(", ")
}

/// The changes that can be asked for by their names, each at the strength that `full` has (white noise: `default`).
pub fn changes() -> Vec<String> {
    let keys = table(&AugmentConfig::none()).into_iter();
    let keys = keys.map(|(key, _)| key);
    keys.filter(|key| !MANNERS.contains(&key.as_str()))
        .collect()
}

/// A configuration as a table; every field of it is a bool or a number, so there is nothing that could fail.
fn table(config: &AugmentConfig) -> Table {
    Table::try_from(config).unwrap_or_default()
}

/// Makes of the schema of a table one of all three forms: a name, a list of names, or a table with a preset.
pub(super) fn names_or_keys(schema: &mut Schema) {
    let presets = PRESETS.map(|(name, _)| name.to_owned());
    let names: Vec<String> = presets.into_iter().chain(changes()).collect();
    let name = json!({"type": "string", "enum": names});
    let list = json!({"type": "array", "items": name});
    let mut keys = schema.clone();
    let description = keys.remove("description");
    if let Some(properties) = keys.get_mut("properties").and_then(Json::as_object_mut) {
        let preset = json!({
            "description": "What the keys that are left out start from: a name or several; left out = `default`.",
            "anyOf": [name, list],
        });
        properties.insert(PRESET.to_owned(), preset);
    }
    *schema = json_schema!({"anyOf": [name, list, keys]});
    if let Some(description) = description {
        schema.insert("description".to_owned(), description);
    }
}

fn closest(word: &str, among: impl Iterator<Item = String>) -> Option<String> {
    let alike = among.map(|name| (strsim::jaro_winkler(word, &name), name));
    let best = alike.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 >= ALIKE).then_some(best.1)
}

impl AugmentConfig {
    /// What presets and single changes ask for together: `["default", "mixup"]`, or just `["full"]`.
    ///
    /// # Errors
    /// [`AugmentError::Unknown`] for a word that is neither.
    pub fn named<S: AsRef<str>>(names: &[S]) -> Result<Self, AugmentError> {
        let off = table(&Self::none());
        let mut asked = off.clone();
        for name in names.iter().map(AsRef::as_ref) {
            let preset = PRESETS.iter().find(|(preset, _)| *preset == name);
            if let Some((_, config)) = preset {
                let on = table(config)
                    .into_iter()
                    .filter(|(key, value)| off.get(key) != Some(value));
                asked.extend(on);
            } else if let Some(value) = strength(name) {
                asked.insert(name.to_owned(), value);
            } else {
                let presets = PRESETS.iter().map(|(name, _)| (*name).to_owned());
                return Err(AugmentError::Unknown {
                    name: name.to_owned(),
                    suggestion: closest(name, presets.chain(changes())),
                });
            }
        }
        from_table(asked)
    }

    /// What it does in a word: a preset's name, else the changes that are on, whatever their strength.
    pub fn words(&self) -> String {
        if let Some((name, _)) = PRESETS.iter().find(|(_, preset)| preset == self) {
            return (*name).to_owned();
        }
        let (off, own) = (table(&Self::none()), table(self));
        let mut on = changes();
        on.retain(|change| own.get(change) != off.get(change));
        if on.is_empty() {
            on.push("none".to_owned());
        }
        on.join(", ")
    }

    /// What a table asks for: its keys, and for those that it leaves out its `preset` (a name or several), else `default`.
    ///
    /// # Errors
    /// [`AugmentError`] for a key, a name or a type that cannot be.
    pub fn of_table(mut keys: Table) -> Result<Self, AugmentError> {
        let start = match keys.remove(PRESET) {
            None => Self::default(),
            Some(names) => Names::deserialize(names)
                .map_err(|error| AugmentError::Type(format!("{PRESET}: {}", error.message())))?
                .config()?,
        };
        let mut asked = table(&start);
        for (key, value) in keys {
            if !asked.contains_key(&key) {
                let all = asked.keys().cloned().chain([PRESET.to_owned()]);
                let suggestion = closest(&key, all);
                return Err(AugmentError::UnknownKey { key, suggestion });
            }
            asked.insert(key, value);
        }
        from_table(asked)
    }
}

/// The value that switches a change on.
fn strength(name: &str) -> Option<Value> {
    if MANNERS.contains(&name) {
        return None;
    }
    let (off, full) = (table(&AugmentConfig::none()), table(&AugmentConfig::full()));
    let in_full = full.get(name)?;
    if off.get(name) == Some(in_full) {
        table(&AugmentConfig::usual()).remove(name)
    } else {
        Some(in_full.clone())
    }
}

fn from_table(table: Table) -> Result<AugmentConfig, AugmentError> {
    // The derived one, key by key.
    let config = AugmentConfig::deserialize(Value::Table(table))
        .map_err(|error| AugmentError::Type(error.to_string().trim().replace('\n', " ")))?;
    config.check()?;
    Ok(config)
}

/// A name or several.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "the name of an augmentation, or a list of names"
)]
enum Names {
    One(String),
    Several(Vec<String>),
}

impl Names {
    fn config(&self) -> Result<AugmentConfig, AugmentError> {
        match self {
            Self::One(name) => AugmentConfig::named(&[name]),
            Self::Several(names) => AugmentConfig::named(names),
        }
    }
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "augment is a name (`\"full\"`), a list of names, or a table of keys"
)]
enum Asked {
    Names(Names),
    Keys(Table),
}

impl<'de> Deserialize<'de> for AugmentConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let config = match Asked::deserialize(deserializer)? {
            Asked::Names(names) => names.config(),
            Asked::Keys(keys) => Self::of_table(keys),
        };
        config.map_err(D::Error::custom)
    }
}

impl Serialize for AugmentConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The derived one, key by key.
        Self::serialize(self, serializer)
    }
}
