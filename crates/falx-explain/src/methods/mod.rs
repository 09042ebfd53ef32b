//! The methods, each a plain function, and the choice between them.

mod attribution;
mod cam;
mod gradient_cam;
mod integrated;
mod occlusion;
mod segments;
mod xrai;

use std::fmt;
use std::str::FromStr;

pub use attribution::{attribution, tissue};
pub use cam::ClassActivation;
pub use gradient_cam::{grad_cam, grad_cam_plus_plus, layer_cam};
pub use integrated::integrated_gradients;
pub use occlusion::{Patch, occlusion};
pub use xrai::xrai;

/// How a heat map is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// Maps of features, each weighted by its mean gradient.
    GradCam,
    /// The same with every place's gradient weighted by how much it adds.
    GradCamPlusPlus,
    /// Maps of features, each place weighted by its own gradient.
    LayerCam,
    /// Maps of features, weighted as the head weights them: no gradient, but a head of pooling and one linear layer.
    Cam,
    /// Gradients of the picture, summed on the way from tissue without a finding: what points best, by measurement
    /// (docs/explain.md).
    #[default]
    IntegratedGradients,
    /// Areas of the picture, ranked by the integrated gradients of their pixels.
    Xrai,
    /// How much the label's logit falls when a part of the picture is covered; any run-time can do it.
    Occlusion,
}

/// No method has that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no method is called `{name}`; they are {}", names())]
pub struct UnknownMethod {
    /// The name.
    pub name: String,
}

fn names() -> String {
    let names: Vec<&str> = Method::ALL.iter().map(|method| method.name()).collect();
    names.join(", ")
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::GradCam,
        Self::GradCamPlusPlus,
        Self::LayerCam,
        Self::Cam,
        Self::IntegratedGradients,
        Self::Xrai,
        Self::Occlusion,
    ];

    /// Its name on the command line and in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GradCam => "grad-cam",
            Self::GradCamPlusPlus => "grad-cam++",
            Self::LayerCam => "layer-cam",
            Self::Cam => "cam",
            Self::IntegratedGradients => "integrated-gradients",
            Self::Xrai => "xrai",
            Self::Occlusion => "occlusion",
        }
    }

    /// Its name in a sentence.
    pub const fn title(self) -> &'static str {
        match self {
            Self::GradCam => "Grad-CAM",
            Self::GradCamPlusPlus => "Grad-CAM++",
            Self::LayerCam => "LayerCAM",
            Self::Cam => "CAM",
            Self::IntegratedGradients => "integrated gradients",
            Self::Xrai => "XRAI",
            Self::Occlusion => "occlusion",
        }
    }

    /// Whether it looks at a map within the network.
    pub const fn has_layer(self) -> bool {
        matches!(self, Self::GradCam | Self::GradCamPlusPlus | Self::LayerCam)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(name: &str) -> Result<Self, UnknownMethod> {
        let method = Self::ALL.into_iter().find(|method| method.name() == name);
        method.ok_or_else(|| UnknownMethod {
            name: name.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
