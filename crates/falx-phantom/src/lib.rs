//! Head CT phantoms with the five subtypes of haemorrhage, written as DICOM.
//!
//! A phantom is an analytic head in millimetres and HU (signed distances, no voxels), seen by one of five
//! made-up scanners: slices of finite thickness at a gantry tilt, blur, correlated noise and artefacts. Every
//! number follows from the seed, whatever the number of threads and the clock.
//!
//! # Which slice is positive
//! A voxel belongs to a haemorrhage when at least half of its volume does and the blood can be seen there: it changes
//! the voxel by at least 10 HU (an eighth of the brain window), and the voxel is not white with bone in the subdural
//! window. A slice is labelled with a subtype when its voxels of that subtype cover at least [`VISIBLE_AREA_MM2`];
//! `any` is the union of the five. The masks are the truth, the labels follow from them.

mod anatomy;
mod defects;
mod dicom;
mod draw;
mod findings;
mod head;
mod ids;
mod nifti;
mod noise;
mod options;
mod restack;
mod scan;
mod shape;
mod table;
mod write;

pub use head::{Head, head};
pub use options::{Layout, PhantomError, PhantomOptions, PhantomSummary, UnknownLayout};
pub use restack::restack;
pub use scan::RenderedSlice;
pub use write::write;

/// The area that a subtype must cover in a slice for the slice to carry its label, in mm².
pub const VISIBLE_AREA_MM2: f64 = 20.0;
