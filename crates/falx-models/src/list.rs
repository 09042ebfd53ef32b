//! The table of the zoo.

use std::fmt::Write as _;

use falx_nn::cost;
use falx_nn::zoo::{self, NetworkConfig};
use serde::Serialize;

use crate::{ModelsError, PRETRAINED};

/// A network of the zoo.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// Channels, height and width of the input that the figures are for.
    pub input: Vec<usize>,
    /// Numbers that training changes.
    pub parameters: u64,
    /// Multiply-adds an image.
    pub multiply_adds: u64,
    /// Whose weights fit it as they are.
    pub weights: String,
}

/// The zoo.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Zoo {
    /// Its networks.
    pub networks: Vec<Entry>,
}

/// The side of the images that a network was published with, and whose weights have its names.
const ORIGINS: [(&str, usize, &str); 12] = [
    ("simple_cnn", 128, ""),
    ("multi_head", 128, ""),
    ("inception_v3", 299, "torchvision, Keras"),
    ("inception_resnet_v2", 299, "timm, Keras"),
    ("vgg16", 224, "torchvision, Keras"),
    ("efficientnet_b1", 240, "torchvision"),
    ("efficientnet_b2", 260, "torchvision"),
    ("efficientnet_b3", 300, "torchvision"),
    ("efficientnet_b4", 380, "torchvision"),
    ("efficientnet_lite0", 224, ""),
    ("mobilenet_v3_small", 224, "torchvision"),
    ("", 224, "torchvision"),
];

/// The side of the images that `name` was published with, and whose weights have its names.
fn origin(name: &str) -> (usize, &'static str) {
    let found = ORIGINS.iter().find(|(start, _, _)| name.starts_with(start));
    found.map_or((224, ""), |&(_, size, origin)| (size, origin))
}

/// The side of the images that the network was published with.
pub fn published_size(name: &str) -> usize {
    origin(name).0
}

/// The figures of every network, with six outputs, at the size that it was published with.
///
/// # Errors
/// [`ModelsError::Zoo`] when a network cannot be built, which is a bug.
pub fn list() -> Result<Zoo, ModelsError> {
    let entry = |&name: &&'static str| {
        let (size, origin) = origin(name);
        let config = NetworkConfig {
            name: name.to_owned(),
            size,
            ..NetworkConfig::default()
        };
        let graph = zoo::build(&config)?;
        let cost = cost::of_graph(&graph);
        let fetched = PRETRAINED.iter().any(|known| known.network == name);
        let weights = match (fetched, origin) {
            (true, "") => "fetch-pretrained".to_owned(),
            (true, origin) => format!("fetch-pretrained, {origin}"),
            (false, origin) => origin.to_owned(),
        };
        Ok(Entry {
            name,
            input: graph.input().to_vec(),
            parameters: cost.parameters,
            multiply_adds: cost.multiply_adds,
            weights,
        })
    };
    let networks = zoo::names()
        .iter()
        .map(entry)
        .collect::<Result<_, ModelsError>>()?;
    Ok(Zoo { networks })
}

impl Zoo {
    /// The table in words.
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{:20} {:>14} {:>12} {:>14}  weights from",
            "network", "input", "parameters", "multiply-adds"
        );
        for entry in &self.networks {
            let _ = write!(
                text,
                "\n{:20} {:>14} {:>12} {:>14}  {}",
                entry.name,
                lengths(&entry.input),
                thousands(entry.parameters),
                giga(entry.multiply_adds),
                if entry.weights.is_empty() {
                    "training"
                } else {
                    &entry.weights
                },
            );
        }
        text.push_str("\n\nfalx models show NAME lists a network's layers; --size, --channels, --outputs change it.");
        text
    }
}

/// `3 × 224 × 224`.
pub(crate) fn lengths(shape: &[usize]) -> String {
    let lengths: Vec<String> = shape.iter().map(ToString::to_string).collect();
    lengths.join(" × ")
}

/// `11,689,512`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1.81 G`.
pub(crate) fn giga(number: u64) -> String {
    let number = number as f64;
    match number {
        n if n >= 1e9 => format!("{:.2} G", n / 1e9),
        n if n >= 1e6 => format!("{:.1} M", n / 1e6),
        n if n >= 1e3 => format!("{:.1} k", n / 1e3),
        n => format!("{n}"),
    }
}
