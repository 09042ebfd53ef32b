//! The JSON schema of a recipe: editors complete keys, show what they mean, and mark what falx would refuse.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use super::Recipe;

/// The schema of a [`Recipe`], as `docs/recipe.schema.json` holds it. Descriptions are the types' own.
///
/// What no schema can say, such as numbers of one loss that another has no use for, is checked where a recipe is read.
///
/// # Source
/// JSON Schema, draft 2020-12.
pub fn recipe_schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.root_schema_for::<Recipe>();
    schema.insert("title".to_owned(), "falx recipe".into());
    let mut schema = schema.to_value();
    tidy(&mut schema);
    schema
}

/// Puts right what a schema of Rust's types says otherwise than TOML means it.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(object) => {
            without_null(object);
            if let Some(Value::String(words)) = object.get_mut("description") {
                *words = without_links(words);
            }
            if let Some(default) = object.get_mut("default") {
                shorten(default);
            }
            for (key, inner) in object.iter_mut() {
                if key != "default" {
                    tidy(inner);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// TOML has no null: a key that has no value is left out.
fn without_null(object: &mut Map<String, Value>) {
    let is_null = |value: &Value| value == "null" || *value == serde_json::json!({"type": "null"});
    if object.get("default").is_some_and(Value::is_null) {
        object.remove("default");
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| !is_null(name));
        if let [one] = types.as_slice() {
            let one = one.clone();
            object.insert("type".to_owned(), one);
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| !is_null(choice));
        if let [Value::Object(one)] = choices.as_slice() {
            let one = one.clone();
            object.remove("anyOf");
            object.extend(one);
        }
    }
}

/// Words without the links of Rust's documentation.
fn without_links(words: &str) -> String {
    let mut parts = words.split("[`");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("`]").unwrap_or((part, ""));
        let place = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        plain.extend(["`", name, "`", place.map_or(rest, |(_, rest)| rest)]);
    }
    plain
}

/// Numbers of 32 bits with the digits that they were written with: 0.1, not 0.10000000149011612.
fn shorten(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let Some(wide) = number.as_f64().filter(|_| number.is_f64()) else {
                return;
            };
            let narrow = wide as f32;
            let short = narrow.to_string().parse::<f64>();
            if let (true, Ok(short)) = (f64::from(narrow) == wide, short) {
                *value = short.into();
            }
        }
        Value::Array(values) => values.iter_mut().for_each(shorten),
        Value::Object(object) => object.values_mut().for_each(shorten),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
