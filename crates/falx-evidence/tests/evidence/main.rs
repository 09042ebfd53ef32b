//! What is written for a study, read back.

mod common;
mod sources;
mod written;
