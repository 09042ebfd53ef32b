//! Changes of a graph that leave what it computes in evaluation as it is.

mod fold;

pub use fold::{PassError, fold_batch_normalization};

#[cfg(test)]
mod tests;
