//! Checks of the house, run by CI and by hand: `cargo xtask tidy`.

mod rooms;
mod sources;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask tidy     test the invariants of ARCHITECTURE.md";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words != ["tidy"] {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    }
    match tidy::run() {
        Ok(broken) if broken.is_empty() => {
            println!("tidy: every invariant of ARCHITECTURE.md holds");
            ExitCode::SUCCESS
        }
        Ok(broken) => {
            for line in &broken {
                eprintln!("{line}");
            }
            eprintln!("tidy: {} broken", broken.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("tidy could not run: {error:#}");
            ExitCode::from(2)
        }
    }
}
