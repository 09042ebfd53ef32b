//! How a step trains: what stays as it is, and what is computed twice to save memory.

use serde::{Deserialize, Serialize};

use crate::loss::Loss;

/// Options of a training step; the default trains everything on the batch's own statistics and keeps all values.
///
/// A module is named as its parameters begin: `layer1` means `layer1.0.conv1.weight` but not `layer10.weight`, and the
/// empty name means the whole network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Training {
    /// Modules whose weights stay: no gradient is computed for them, nor for what lies only below them.
    pub frozen: Vec<String>,
    /// Modules whose batch normalisations use their running statistics and do not move them.
    pub running_statistics: Vec<String>,
    /// Into how many segments the network is cut whose values are computed again on the way back; 0 and 1 keep all values.
    ///
    /// The gradients are the same to the last bit. There are fewer where the network has fewer places that a single
    /// value passes.
    pub checkpoints: usize,
    /// The loss; recipes describe it by a [`LossConfig`](crate::loss::LossConfig) of its own.
    #[serde(skip)]
    pub loss: Loss,
}

impl Training {
    /// Whether the weight called `name` stays as it is.
    pub fn freezes(&self, name: &str) -> bool {
        self.frozen.iter().any(|module| belongs(name, module))
    }

    /// Whether the batch normalisation called `name` uses its running statistics.
    pub fn keeps_statistics(&self, name: &str) -> bool {
        let mut modules = self.running_statistics.iter();
        modules.any(|module| belongs(name, module))
    }
}

/// Whether the parameter or module called `name` is `module` or lies in it.
pub(crate) fn belongs(name: &str, module: &str) -> bool {
    match name.strip_prefix(module) {
        Some(rest) => module.is_empty() || rest.is_empty() || rest.starts_with('.'),
        None => false,
    }
}
