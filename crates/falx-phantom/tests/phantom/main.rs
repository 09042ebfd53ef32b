//! The phantom through its public face.

mod anatomy;
mod common;
mod defects;
mod determinism;
mod refusals;
mod validity;
mod written;
