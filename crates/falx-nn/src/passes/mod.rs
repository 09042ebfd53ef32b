//! Plain functions from graph to graph: what is needed of one, and one that computes the same with fewer nodes.

mod fold;
mod order;
mod rebuild;

pub use fold::{fold_batch_normalization, fold_constants};
pub use order::output_in_order;
pub(crate) use rebuild::{copied, copied_with, kept, with_input};
pub use rebuild::{needed, without_dropout};

#[cfg(test)]
mod tests;
