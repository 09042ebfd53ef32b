//! What a backbone gives, and the head that the network is published with.

use super::layers::Activation;
use crate::Value;

/// The last map of features, and how the layers behind it are called.
pub struct Features {
    /// Channels, height, width.
    pub map: Value,
    /// The name of a plain linear layer.
    pub classifier: &'static str,
    /// The name of a normalisation of the pooled features, where the network has one.
    pub norm: Option<&'static str>,
    /// The network's own head.
    pub own: Own,
}

/// A network's own head behind its pooling.
#[derive(Clone, Copy)]
pub enum Own {
    /// One linear layer.
    Linear,
    /// Two, with an activation between them.
    Dense(Dense),
    /// Two for each label.
    PerLabel {
        /// The features between both.
        hidden: usize,
    },
}

/// Two linear layers.
#[derive(Clone, Copy)]
pub struct Dense {
    /// Their names.
    pub names: [&'static str; 2],
    /// The features between them.
    pub hidden: usize,
    /// What is between them.
    pub activation: Activation,
    /// Whether dropout also comes before the first.
    pub two_dropouts: bool,
}

impl Features {
    /// Features whose own head is a linear layer called `classifier`.
    pub const fn new(map: Value, classifier: &'static str) -> Self {
        Self {
            map,
            classifier,
            norm: None,
            own: Own::Linear,
        }
    }

    /// With a normalisation of the pooled features.
    pub const fn normalised(self, name: &'static str) -> Self {
        Self {
            norm: Some(name),
            ..self
        }
    }

    /// With another head of its own.
    pub const fn own(self, own: Own) -> Self {
        Self { own, ..self }
    }
}
