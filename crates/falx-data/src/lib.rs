//! From checked slices to batches: the index of a data set, its audit, its split, and the loader.
//!
//! Knows files, patients and labels; never sees an engine.

pub mod audit;
pub mod augment;
pub mod cache;
pub mod check;
pub mod index;
pub mod input;
pub mod labels;
pub mod loader;
pub mod location;
mod lock;
pub mod mask;
pub mod pixels;
mod records;
pub mod sampler;
pub mod samples;
pub mod source;
pub mod split;
#[cfg(test)]
mod synthetic;
mod table;

pub use table::TableError;
