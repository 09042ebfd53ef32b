//! How the trained network is used.

use serde::{Deserialize, Serialize};

/// How the trained network is used: by the run itself, and by whoever is given its bundle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PredictionConfig {
    /// A prediction is the mean of the probabilities of a picture and of its left–right mirror, in validation, too.
    pub flip: bool,
}

impl PredictionConfig {
    /// True where nothing is asked for: the recipe then says nothing of it, as before there was a choice.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
