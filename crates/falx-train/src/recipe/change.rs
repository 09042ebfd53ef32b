//! Values of a recipe that are changed where it is used.

use std::path::Path;
use std::str::FromStr;

use toml::{Table, Value};

/// A value that replaces a recipe's, or is added to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The names of the tables, and that of the value in the last of them.
    key: Vec<String>,
    value: Value,
}

impl Change {
    /// A file that the recipe names, by a path that starts here and not at the recipe's folder.
    ///
    /// # Errors
    /// [`std::io::Error`] when there is no folder to start at.
    pub fn file(key: [&str; 2], path: &Path) -> std::io::Result<Self> {
        let path = std::path::absolute(path)?;
        Ok(Self {
            key: key.map(str::to_owned).to_vec(),
            value: Value::String(path.to_string_lossy().into_owned()),
        })
    }

    /// A whole number.
    pub fn number(key: [&str; 2], value: u32) -> Self {
        Self {
            key: key.map(str::to_owned).to_vec(),
            value: Value::Integer(value.into()),
        }
    }
}

/// `training.epochs=2`: a key with dots, and a value as TOML writes it; what is no value of TOML is a text.
impl FromStr for Change {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no change; write it as training.epochs=2");
        let (key, value) = text.split_once('=').ok_or_else(wrong)?;
        let key: Vec<String> = key.split('.').map(|part| part.trim().to_owned()).collect();
        if key.iter().any(String::is_empty) {
            return Err(wrong());
        }
        let value = value.trim();
        let table: Result<Table, _> = toml::from_str(&format!("value = {value}"));
        let parsed = table.ok().and_then(|mut table| table.remove("value"));
        Ok(Self {
            key,
            value: parsed.unwrap_or_else(|| Value::String(value.to_owned())),
        })
    }
}

/// The table of `text` after all changes, in their order.
pub fn changed(text: &str, changes: &[Change]) -> Result<Table, String> {
    let mut table: Table = toml::from_str(text).map_err(|error| error.to_string())?;
    for change in changes {
        let Some((last, parents)) = change.key.split_last() else {
            continue;
        };
        let mut inner = &mut table;
        for parent in parents {
            let entry = inner.entry(parent.clone());
            let entry = entry.or_insert_with(|| Value::Table(Table::new()));
            inner = entry
                .as_table_mut()
                .ok_or_else(|| format!("{}: `{parent}` is no table", change.key.join(".")))?;
        }
        inner.insert(last.clone(), change.value.clone());
    }
    Ok(table)
}
