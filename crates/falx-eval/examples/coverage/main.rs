//! Do 95 % intervals hold the truth in 95 of 100 samples?
//!
//!     cargo run --release -p falx-eval --example coverage [samples]
//!
//! Draws samples of patients with several slices each from a world whose true scores are known, and counts how often each
//! method's interval holds the truth. Exit code 1 where a method misses its promise. Fewer patients follow for comparison:
//! there intervals are known to be too narrow, and that is shown, not judged.

mod simulation;

use std::process::ExitCode;

use falx_eval::interval::LEVEL;
use simulation::{Promise, Row, World, run};

fn main() -> ExitCode {
    let samples = std::env::args().nth(1).and_then(|n| n.parse().ok());
    let samples: u64 = samples.unwrap_or(4000);
    let mut missed = false;
    for (patients, judged) in [(300, true), (100, false), (40, false)] {
        let world = World {
            patients,
            ..World::default()
        };
        // What is not judged need not be known as well.
        let samples = if judged { samples } else { samples / 4 };
        let judging = if judged { "" } else { ", for comparison" };
        println!("{patients} patients, {samples} samples of six labels{judging}");
        for row in run(&world, samples) {
            let share = 100.0 * row.covered();
            let kept = kept(&row);
            let verdict = match (judged, kept) {
                (false, _) => "",
                (true, true) => "as promised",
                (true, false) => "MISSED",
            };
            missed |= judged && !kept;
            let promise = match row.promise {
                Promise::Level => "95 ± 1.5",
                Promise::AtLeast => "at least 93.5",
                Promise::TooNarrow => "below 90: it ignores patients",
            };
            println!(
                "  {:<44}{share:6.2} %   {promise:<30} {verdict}{}",
                row.name,
                match row.without {
                    0 => String::new(),
                    n => format!(" ({n} without an interval)"),
                }
            );
        }
    }
    if missed {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    }
}

/// Whether a promise was kept; an interval that is not given holds nothing.
fn kept(row: &Row) -> bool {
    let covered = row.covered();
    match row.promise {
        Promise::Level => (covered - LEVEL).abs() <= 0.015,
        Promise::AtLeast => covered >= LEVEL - 0.015,
        Promise::TooNarrow => covered < 0.9,
    }
}
