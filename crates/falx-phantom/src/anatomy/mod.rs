//! The head without its scanner: which tissue lies where, in HU.

mod base;
mod brain;
mod cranium;
mod dura;
mod patient;
mod surgery;
pub mod sutures;
mod ventricles;

pub use brain::field;
pub use cranium::cavity;
pub use patient::{Build, Surgery};
