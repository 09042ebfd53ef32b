use std::path::Path;

use serde_json::json;

use super::*;

/// The file is what the types say. `FALX_UPDATE=1 cargo test --workspace --lib recipe::schema` writes it anew.
#[test]
fn the_committed_schema_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/recipe.schema.json");
    let current = format!(
        "{}\n",
        serde_json::to_string_pretty(&recipe_schema()).unwrap()
    );
    if std::env::var_os("FALX_UPDATE").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == current,
        "docs/recipe.schema.json is not what the types say; FALX_UPDATE=1 cargo test --workspace --lib recipe::schema writes it anew"
    );
}

/// Calls `check` with every schema and its place.
fn walk(at: &str, value: &Value, check: &mut impl FnMut(&str, &Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            check(at, object);
            for (name, inner) in object.iter().filter(|(name, _)| *name != "default") {
                walk(&format!("{at}/{name}"), inner, check);
            }
        }
        Value::Array(values) => {
            for (place, inner) in values.iter().enumerate() {
                walk(&format!("{at}/{place}"), inner, check);
            }
        }
        _ => {}
    }
}

#[test]
fn every_key_is_described_and_no_other_key_is_allowed() {
    let mut wrong = Vec::new();
    walk("", &recipe_schema(), &mut |at, schema| {
        let is_share = at.ends_with("label_shares");
        if let Some(Value::Object(keys)) = schema.get("properties") {
            for (name, key) in keys {
                let is_tag = key.get("const").is_some();
                if key.get("description").is_none() && !is_tag && !is_share {
                    wrong.push(format!("{at}: {name} is not described"));
                }
            }
            if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
                wrong.push(format!("{at}: other keys are allowed"));
            }
        }
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_is_said_that_toml_or_a_reader_would_not_understand() {
    let text = recipe_schema().to_string();
    for word in ["null", "[`", "super::", "0.10000000149011612"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
}

#[test]
fn defaults_enums_and_what_must_be_given_are_the_recipes() {
    let schema = recipe_schema();
    assert_eq!(schema["required"], json!(["data"]));
    assert_eq!(
        schema["$defs"]["DataConfig"]["required"],
        json!(["index", "split"])
    );
    let network = &schema["$defs"]["NetworkChoice"]["properties"];
    assert_eq!(network["name"]["default"], "simple_cnn");
    assert_eq!(network["dropout"]["default"], json!(0.2));
    let names = network["name"]["enum"].as_array().unwrap();
    assert_eq!(names.len(), falx_nn::zoo::names().len());
    let training = &schema["$defs"]["TrainingConfig"]["properties"];
    assert_eq!(training["batch"]["default"], 16);
    assert_eq!(training["clip_norm"]["type"], "number");
    assert_eq!(
        schema["properties"]["input"]["default"]["windows"][0],
        json!([40.0, 80.0])
    );
}

#[test]
fn links_are_taken_out() {
    assert_eq!(
        without_links("in [`LABELS`] and [`Decay`](super::Decay), [0] too"),
        "in `LABELS` and `Decay`, [0] too"
    );
}
