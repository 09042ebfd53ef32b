//! A pickle that holds tensors, and nothing else: read, never run.
//!
//! A pickle is a program for a stack machine. This one knows the instructions that `torch.save` writes for a
//! dictionary of tensors, and the few names in [`Global`]. Any other name ends the reading: there is nothing
//! here that could call it. Objects lie in one list and refer to each other by place, so that sharing costs
//! nothing; each instruction makes at most one, so that a pickle's length bounds what it makes.
//!
//! # Source
//! CPython's `Lib/pickletools.py`, which describes every instruction.

mod machine;
mod object;

pub use machine::{Loaded, load};
pub use object::{Global, Handle, Object, StorageKey, TensorView};
