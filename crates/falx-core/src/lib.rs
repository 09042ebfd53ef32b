//! The words every room of falx shares: labels in their fixed order, units, ids, predictions, and the
//! small traits by which long work reports and is stopped. No I/O.

/// What every output says of itself once, in its place.
pub const RESEARCH_USE: &str = "Research use; not a medical device.";

mod ids;
mod label;
mod prediction;
mod progress;
pub mod random;
mod units;
mod window;

pub use ids::{ImageId, PatientId};
pub use label::{LABELS, Label, LabelRow, SUBTYPES, TargetRow, UnknownLabel};
pub use prediction::Prediction;
pub use progress::{Interrupt, Progress, Silent};
pub use units::{Hu, Millimetre, NotAProbability, Probability};
pub use window::{InvalidWindow, SEED_WINDOWS, Window};

#[cfg(test)]
mod tests;
