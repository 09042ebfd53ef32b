//! Nothing to call: this crate's manifest names features of dependencies.
//!
//! Cargo builds a dependency anew for every set of its features. `cargo run` (the binary alone), `cargo test --workspace` and the
//! wheel's workspace (`python/`) ask for different sets of a few small crates below everything else; with this crate among the
//! dependencies of the binary and of the wheel all three ask for the same, and what one has built serves the others. To see what
//! differs, compare `cargo build --unit-graph` of both; cargo-hakari calls such a crate by this name.
