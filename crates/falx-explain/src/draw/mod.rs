//! Pictures of slices with their heat maps.

mod canvas;
mod colour;
mod layer;
mod montage;
mod overlay;
mod view;

pub use canvas::{Canvas, Picture};
pub use colour::heat;
pub use layer::heat_layer;
pub use montage::{Tile, montage};
pub use overlay::{Caption, overlay};
pub use view::{Side, SliceView};

#[cfg(test)]
mod tests;
