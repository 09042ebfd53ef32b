//! A small version of the coverage simulation: limits wide enough for few samples, narrow enough to find a wrong formula.

#[path = "../examples/coverage/simulation/mod.rs"]
mod simulation;

use simulation::{Promise, World, run};

#[test]
fn intervals_hold_the_truth_about_as_often_as_they_say() {
    let world = World {
        replicates: 400,
        ..World::default()
    };
    let rows = run(&world, 150);
    assert_eq!(rows.len(), 26, "{rows:?}");
    for row in rows {
        // 150 samples of one to six labels: standard errors of 1.8 to 0.7 points.
        let spread = if row.tried > 150 { 0.035 } else { 0.055 };
        let (covered, name) = (row.covered(), row.name);
        match row.promise {
            Promise::Level => assert!((covered - 0.95).abs() < spread, "{name}: {covered}"),
            Promise::AtLeast => assert!(covered > 0.95 - spread, "{name}: {covered}"),
            Promise::TooNarrow => assert!(covered < 0.9, "{name}: {covered}"),
        }
        assert_eq!(row.without, 0, "{name}");
    }
}
