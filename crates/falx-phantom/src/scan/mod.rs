//! The scanner: how a head becomes slices.

mod artefact;
mod device;
mod pose;
mod render;

#[cfg(test)]
mod tests;

pub use device::{DEVICES, Storage};
pub use pose::Stack;
pub use render::{RenderedSlice, Scene};
