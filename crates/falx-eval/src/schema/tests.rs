use std::path::Path;

use falx_core::LABELS;

use super::*;

/// The contract is what the types say. `FALX_UPDATE=1 cargo test -p falx-eval schema` writes it anew.
#[test]
fn the_committed_schema_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contract/evaluation.schema.json");
    let current = format!("{}\n", serde_json::to_string_pretty(&evaluation()).unwrap());
    if std::env::var_os("FALX_UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    assert!(
        committed == current,
        "contract/evaluation.schema.json is not what the types say; FALX_UPDATE=1 cargo test -p falx-eval schema writes it anew"
    );
}

#[test]
fn labels_are_a_closed_list() {
    let schema = evaluation();
    let names: Vec<String> = schema["$defs"]["LabelName"]["oneOf"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["const"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, LABELS.map(|label| label.name().to_owned()));
}

/// Every field is described, so that the contract can be read alone.
#[test]
fn every_field_is_described() {
    fn walk(at: &str, value: &Value, bare: &mut Vec<String>) {
        if let Some(properties) = value.get("properties").and_then(Value::as_object) {
            for (name, property) in properties {
                if property.get("description").is_none() {
                    bare.push(format!("{at}.{name}"));
                }
            }
        }
        if let Some(object) = value.as_object() {
            for (name, inner) in object {
                walk(&format!("{at}.{name}"), inner, bare);
            }
        }
    }
    let mut bare = Vec::new();
    walk("", &evaluation(), &mut bare);
    assert!(bare.is_empty(), "{bare:?}");
}
