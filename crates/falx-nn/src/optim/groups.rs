//! Parameters that move at a pace of their own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::belongs;

/// A module whose parameters have a rate and a decay of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParameterGroup {
    /// How the parameters' names begin, up to a dot; of several groups the longest one counts.
    pub module: String,
    /// A factor on the learning rate.
    #[serde(default = "one")]
    pub rate: f32,
    /// A factor on the weight decay, beside [`Decay`](super::Decay); 0 for none.
    #[serde(default = "one")]
    pub decay: f32,
}

const fn one() -> f32 {
    1.0
}

impl ParameterGroup {
    /// The group that the parameter called `name` belongs to.
    pub(super) fn of<'a>(groups: &'a [Self], name: &str) -> Option<&'a Self> {
        let groups = groups.iter().filter(|group| belongs(name, &group.module));
        groups.max_by_key(|group| group.module.len())
    }
}

/// Groups whose rates fall by `factor` from each module to the one below it; `modules` go from the input to the output.
///
/// # Source
/// Howard and Ruder 2018, "Universal Language Model Fine-tuning": discriminative fine-tuning.
pub fn layer_wise(modules: &[&str], factor: f32) -> Vec<ParameterGroup> {
    let modules = modules.iter().rev().zip(0..);
    let group = |(module, above): (&&str, i32)| ParameterGroup {
        module: (*module).to_owned(),
        rate: factor.powi(above),
        decay: 1.0,
    };
    modules.map(group).collect()
}
