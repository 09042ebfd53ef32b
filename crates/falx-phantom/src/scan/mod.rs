//! The scanner: how a head becomes slices.

mod artefact;
mod device;
mod pose;
mod render;

pub use device::{DEVICES, Device, Storage};
pub use pose::{Pose, Stack};
pub use render::{RenderedSlice, Scene};
