//! What `falx models` does: the zoo in tables and drawings, weights in and out, weights from registries.
//!
//! This is the only room that may ask the network for anything, and it does so in [`fetch`] alone.

#![allow(clippy::doc_markdown, reason = "PyTorch is a name, not code")]

mod convert;
mod error;
mod fetch;
mod files;
mod import;
mod list;
mod nsfwjs;
mod pretrained;
mod show;
mod svg;
mod tensors;

pub use error::ModelsError;
pub use fetch::{FetchOptions, Fetched, fetch, fetched};
pub use files::{Form, Written, copy, export, put, write};
pub use import::{
    BackboneOptions, ImportOptions, Imported, ImportedBackbone, import_backbone, import_weights,
};
pub use list::{Entry, Zoo, list, published_size};
pub use pretrained::{PRETRAINED, Pretrained};
pub use show::{Layer, Shown, show};
pub use svg::svg;
pub use tensors::{Listed, TensorEntry, tensors};

use falx_nn::Graph;
use falx_nn::zoo::{self, NetworkConfig};

/// The graph of a network of the zoo.
///
/// # Errors
/// [`ModelsError::UnknownName`] with the name that was probably meant, or [`ModelsError::Zoo`].
pub fn network(config: &NetworkConfig) -> Result<Graph, ModelsError> {
    if zoo::names().contains(&config.name.as_str()) {
        return Ok(zoo::build(config)?);
    }
    let names = zoo::names().iter().copied();
    Err(ModelsError::unknown(&config.name, names))
}
