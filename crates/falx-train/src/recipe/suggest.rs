//! What was probably meant by a key or word that a recipe may not have.

/// Names nearer than this are taken for what was meant.
const NEAR: f64 = 0.7;

/// serde's message with the nearest of the names that it says were expected.
pub fn suggested(message: &str) -> String {
    let unknown = ["unknown field `", "unknown variant `"];
    let found = unknown.iter().find_map(|start| message.split_once(start));
    let Some((name, expected)) = found.and_then(|(_, rest)| rest.split_once('`')) else {
        return message.to_owned();
    };
    // Every second part lies between backticks.
    let names = expected.split('`').skip(1).step_by(2);
    let near = names
        .map(|other| (strsim::jaro_winkler(name, other), other))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match near {
        Some((likeness, other)) if likeness > NEAR => {
            format!(
                "{}\n`{name}` is probably meant to be `{other}`",
                message.trim_end()
            )
        }
        _ => message.to_owned(),
    }
}
