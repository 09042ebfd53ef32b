//! The `falx` command.
fn main() {}
