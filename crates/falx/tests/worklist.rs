//! `falx worklist-sim` from the outside.

mod common;

use common::{json, run, stderr};
use predicates::str::contains;

/// Small enough to take no time.
const SMALL: &str = "worklist-sim --days 4 --replications 4 --seed 3";

#[test]
fn flags_are_worth_minutes_and_theory_stands_beside() {
    let line = format!("{SMALL} --detector-minutes 0 --reading exponential --json");
    let gain = json(&run(&line, &[]).success());
    let orders = gain["disciplines"].as_array().unwrap();
    assert_eq!(orders[0]["discipline"], "first_in_first_out");
    assert_eq!(orders[1]["discipline"], "flagged_first");
    // M/M/1 at a load of 0.8 with readings of 8 minutes: 0.8 ÷ 0.2 × 8 = 32 minutes.
    let theory = orders[0]["groups"][0]["theory_wait"].as_f64().unwrap();
    assert!((theory - 32.0).abs() < 1e-9);
    let haemorrhage = &orders[1]["groups"][1];
    assert_eq!(haemorrhage["group"], "positive");
    assert!(haemorrhage["gain"]["mean"]["value"].as_f64().unwrap() > 0.0);
    run(SMALL, &[])
        .success()
        .stdout(contains("first in, first out"));
}

#[test]
fn threads_change_nothing() {
    let of = |threads: &str| json(&run(&format!("{SMALL} --json --threads {threads}"), &[]));
    assert_eq!(of("1"), of("2"));
}

#[test]
fn scores_of_real_studies_make_an_order() {
    let folder = tempfile::tempdir().unwrap();
    let [table, times] = ["study.csv", "times.txt"].map(|name| folder.path().join(name));
    std::fs::write(&table, "score,truth\n0.9,1\n0.4,1\n0.6,0\n0.3,0\n0.1,0\n").unwrap();
    std::fs::write(&times, "4\n7\n\n12.5\n").unwrap();
    let line = format!(
        "{SMALL} --json --predictions {{}} --threshold 0.5 --order highest-score --reading-times {{}}"
    );
    let gain = json(&run(&line, &[&table, &times]).success());
    assert_eq!(gain["assumed"]["scored_studies"], 5);
    assert_eq!(gain["assumed"]["prevalence"], 0.4);
    assert_eq!(gain["assumed"]["sensitivity"], 0.5);
    assert_eq!(gain["disciplines"][1]["discipline"], "highest_score");
}

#[test]
fn what_cannot_be_simulated_says_what_to_change() {
    let overload = run("worklist-sim --arrivals-per-hour 20", &[]).code(3);
    assert!(stderr(&overload).contains("Give at least 3 readers"));
    let scores = run("worklist-sim --order highest-score", &[]).code(3);
    assert!(stderr(&scores).contains("needs the scores of real studies"));
    run("worklist-sim --readers 0", &[]).code(2);
    run("worklist-sim --hours 1,2,3", &[]).code(3);
    let folder = tempfile::tempdir().unwrap();
    let [table, times, missing] =
        ["study.csv", "times.txt", "none.json"].map(|n| folder.path().join(n));
    std::fs::write(&table, "score,truth\nhigh,1\n").unwrap();
    std::fs::write(&times, "eight\n").unwrap();
    let bad = run("worklist-sim --predictions {}", &[&table]).code(3);
    assert!(stderr(&bad).contains("line 2 has `high` as score"));
    let bad = run("worklist-sim --reading-times {}", &[&times]).code(3);
    assert!(stderr(&bad).contains("line 1 is no number"));
    run("worklist-sim --from {}", &[&missing]).code(3);
    run("worklist-sim --from {}", &[&table]).code(3);
}
