//! Where a network looked: heat maps of its labels, drawn on the slices, and judged by masks.
//!
//! `slices → pictures as the network sees them (batches.rs) → a method (methods/) → HeatMap → the slice's own pixels → PNG, montage,
//! page (draw/, study.rs) or scores (judge/)`. Methods are plain functions; [`Explainer`] applies one to the networks of a bundle.

#![allow(
    clippy::doc_markdown,
    reason = "LayerCAM and PyTorch are names, not code"
)]

mod baseline;
mod batches;
pub mod draw;
mod error;
mod explain;
mod explainer;
mod files;
mod heat_map;
pub mod judge;
pub mod methods;
mod network;
mod region;
mod series;
mod study;

pub use baseline::{Baseline, brightest, centre};
pub use error::ExplainError;
pub use explain::{
    ExplainOptions, Explained, ExplainedMap, ExplainedSeries, ExplainedSlice, explain,
};
pub use explainer::{Explainer, MapOptions};
pub use heat_map::{HeatMap, peak};
pub use methods::{Method, UnknownMethod};
pub use network::{Layer, Network};
pub use region::{inside_skull, pixel_mm};
