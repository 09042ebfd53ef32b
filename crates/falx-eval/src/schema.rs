//! The JSON schema of what an evaluation writes.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use crate::Evaluation;

/// A label's name, as a closed list for the schema; `falx_core::Label` itself stays free of it.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its schema is used")]
pub(crate) enum LabelName {
    /// Between the skull and the dura.
    Epidural,
    /// Inside the brain's tissue.
    Intraparenchymal,
    /// Inside the ventricles.
    Intraventricular,
    /// In the sulci, fissures and cisterns.
    Subarachnoid,
    /// Between the dura and the brain.
    Subdural,
    /// Any of the five.
    Any,
}

/// The schema of an [`Evaluation`]'s JSON, as `contract/evaluation.schema.json` holds it. Descriptions are the types' own.
///
/// # Source
/// JSON Schema, draft 2020-12.
pub fn evaluation() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.root_schema_for::<Evaluation>();
    schema.insert("title".to_owned(), "falx evaluation".into());
    schema.to_value()
}

#[cfg(test)]
mod tests;
