//! The work list against queueing theory, and against itself.

mod files;

use std::path::Path;

use serde_json::Value;

use super::summary::over_replications;
use super::theory::{erlang_c, first_come_wait, interrupting_turnarounds, priority_waits};
use super::*;
use crate::Estimate;

const MINUTE: ReadingTime = ReadingTime::Exponential { mean: 1.0 };

fn golden() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/operating.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn near(a: f64, b: f64, tolerance: f64) {
    assert!(
        (a - b).abs() <= tolerance * b.abs().max(1.0),
        "{a} is not {b}"
    );
}

fn base() -> Assumptions {
    Assumptions {
        detector_minutes: 0.0,
        days: 30.0,
        replications: 60,
        seed: 10,
        ..Assumptions::default()
    }
}

/// The interval's half width, widened to 99.9 %: with some thirty comparisons, 95 % would fail by chance.
fn holds(estimate: &Estimate, theory: f64) {
    let half = (estimate.high.unwrap() - estimate.low.unwrap()) / 2.0 * 1.75;
    assert!(
        (estimate.value - theory).abs() <= half,
        "simulated {} ± {half}, theory {theory}",
        estimate.value
    );
}

/// Runs the simulation and compares every mean that theory knows; gives how many there were.
fn agrees(assumptions: &Assumptions) -> usize {
    let gain = simulate(assumptions).unwrap();
    let mut compared = 0;
    for group in gain.disciplines.iter().flat_map(|d| &d.groups) {
        if let Some(theory) = group.theory_wait {
            holds(&group.wait.mean, theory);
            compared += 1;
        }
        if let Some(theory) = group.theory_turnaround {
            holds(&group.turnaround.mean, theory);
            compared += 1;
        }
    }
    compared
}

#[test]
fn erlang_and_his_chain_agree() {
    for case in golden()["queues"]["erlang_c"].as_array().unwrap() {
        let servers = case["servers"].as_u64().unwrap() as u32;
        let load = case["load"].as_f64().unwrap();
        near(
            erlang_c(servers, load).unwrap(),
            case["wait"].as_f64().unwrap(),
            1e-10,
        );
        let wait = first_come_wait(load, &MINUTE, servers).unwrap();
        near(wait, case["mean_wait"].as_f64().unwrap(), 1e-10);
    }
    // M/M/1: the chance to wait is the load.
    near(erlang_c(1, 0.8).unwrap(), 0.8, 1e-15);
    assert_eq!(erlang_c(2, 2.0), None);
    assert_eq!(erlang_c(0, 0.0), None);
}

#[test]
fn priorities_and_their_chains_agree() {
    let golden = golden();
    let rates = |case: &Value| [0, 1].map(|i| case["rates"][i].as_f64().unwrap());
    let servers = |case: &Value| case["servers"].as_u64().unwrap() as u32;
    for case in golden["queues"]["priority"].as_array().unwrap() {
        let waits = priority_waits(&rates(case), &MINUTE, servers(case)).unwrap();
        for (i, wait) in waits.iter().enumerate() {
            near(*wait, case["wait"][i].as_f64().unwrap(), 1e-8);
        }
    }
    for case in golden["queues"]["preemptive"].as_array().unwrap() {
        let times = interrupting_turnarounds(rates(case), &MINUTE, servers(case)).unwrap();
        for (i, time) in times.iter().enumerate() {
            near(*time, case["turnaround"][i].as_f64().unwrap(), 1e-8);
        }
    }
}

#[test]
fn a_fixed_reading_time_halves_the_wait() {
    // Pollaczek and Khinchine: M/D/1 waits half as long as M/M/1.
    let fixed = first_come_wait(0.8, &ReadingTime::Fixed { mean: 1.0 }, 1).unwrap();
    near(
        fixed,
        first_come_wait(0.8, &MINUTE, 1).unwrap() / 2.0,
        1e-15,
    );
    near(fixed, 2.0, 1e-12);
}

#[test]
fn one_reader_waits_as_theory_says() {
    for reading in [
        ReadingTime::Exponential { mean: 8.0 },
        ReadingTime::Fixed { mean: 8.0 },
        ReadingTime::LogNormal {
            mean: 8.0,
            variation: 0.6,
        },
        ReadingTime::Measured {
            minutes: vec![3.0, 4.0, 6.0, 9.0, 18.0],
        },
    ] {
        let assumptions = Assumptions { reading, ..base() };
        // First come and flagged first, wait and turnaround, of five kinds of study each.
        assert_eq!(agrees(&assumptions), 20);
    }
}

#[test]
fn several_readers_wait_as_theory_says() {
    let assumptions = Assumptions {
        reading: ReadingTime::Exponential { mean: 8.0 },
        readers: 3,
        arrivals_per_hour: 18.0,
        disciplines: vec![Discipline::FlaggedFirst, Discipline::FlaggedInterrupts],
        days: 15.0,
        ..base()
    };
    // The interrupting order has turnarounds only.
    assert_eq!(agrees(&assumptions), 25);
    let unknown = Assumptions {
        reading: ReadingTime::Fixed { mean: 8.0 },
        replications: 2,
        days: 1.0,
        ..assumptions
    };
    assert_eq!(agrees(&unknown), 0);
}

#[test]
fn interruptions_last_as_theory_says() {
    let assumptions = Assumptions {
        disciplines: vec![Discipline::FlaggedInterrupts],
        ..base()
    };
    assert_eq!(agrees(&assumptions), 15);
}

#[test]
fn an_order_by_score_waits_as_theory_says() {
    let assumptions = Assumptions {
        detector: Detector::Studies {
            positive: vec![0.2, 0.6, 0.7, 0.9, 0.9],
            negative: vec![0.1, 0.1, 0.2, 0.3, 0.4, 0.7],
            threshold: 0.5,
        },
        prevalence: 0.2,
        disciplines: vec![Discipline::HighestScore],
        ..base()
    };
    assert_eq!(agrees(&assumptions), 20);
}

#[test]
fn minutes_are_moved_and_not_made() {
    // Conservation: no reader idles while a study waits, and reading times do not depend on the order.
    let gain = simulate(&Assumptions {
        arrivals_per_hour: 6.5,
        ..base()
    })
    .unwrap();
    let flagged = gain.of(Discipline::FlaggedFirst).unwrap();
    let of = |group| flagged.group(group).unwrap().gain.unwrap().mean;
    holds(&of(Group::All), 0.0);
    assert!(of(Group::Positive).low.unwrap() > 0.0);
    assert!(of(Group::Missed).high.unwrap() < 0.0);
    assert!(of(Group::Negative).high.unwrap() < 0.0);
}

#[test]
fn pairing_narrows_the_interval() {
    let gain = simulate(&base()).unwrap();
    let width = |e: Estimate| e.high.unwrap() - e.low.unwrap();
    let all = gain
        .of(Discipline::FlaggedFirst)
        .unwrap()
        .group(Group::All)
        .unwrap();
    assert!(width(all.gain.unwrap().mean) < width(all.turnaround.mean) / 2.0);
}

#[test]
fn a_blind_detector_and_an_endless_delay_gain_nothing() {
    let none = Assumptions {
        detector: Detector::Rates {
            sensitivity: 0.0,
            specificity: 1.0,
        },
        replications: 5,
        ..base()
    };
    let late = Assumptions {
        detector_minutes: 1e9,
        replications: 5,
        ..base()
    };
    let at_once = Assumptions {
        longest_wait_minutes: Some(0.0),
        replications: 5,
        ..base()
    };
    for assumptions in [none, late, at_once] {
        let gain = simulate(&assumptions).unwrap();
        for group in &gain.of(Discipline::FlaggedFirst).unwrap().groups {
            assert_eq!(group.gain.unwrap().mean.value, 0.0);
        }
    }
}

#[test]
fn delay_costs_and_a_longest_wait_protects() {
    let positive = |a: &Assumptions, group| {
        let gain = simulate(a).unwrap();
        let flagged = gain.of(Discipline::FlaggedFirst).unwrap();
        flagged.group(group).unwrap().turnaround
    };
    let at_once = base();
    let slow = Assumptions {
        detector_minutes: 15.0,
        ..base()
    };
    assert!(
        positive(&slow, Group::Positive).mean.value
            > positive(&at_once, Group::Positive).mean.value + 1.0
    );
    let limited = Assumptions {
        longest_wait_minutes: Some(45.0),
        ..base()
    };
    assert!(
        positive(&limited, Group::Missed).percentile_95.value
            < positive(&at_once, Group::Missed).percentile_95.value
    );
}

#[test]
fn a_profile_of_the_day_keeps_the_average_and_lengthens_the_wait() {
    let mut hours = vec![0.4; 24];
    hours[8..18].fill(1.4);
    let even = simulate(&base()).unwrap();
    let busy = simulate(&Assumptions { hours, ..base() }).unwrap();
    let all = |g: &WorklistGain| {
        let first = g.of(Discipline::FirstInFirstOut).unwrap();
        first.group(Group::All).unwrap().clone()
    };
    let (a, b) = (all(&even), all(&busy));
    assert!((a.studies as f64 / b.studies as f64 - 1.0).abs() < 0.02);
    assert!(b.wait.mean.low.unwrap() > a.wait.mean.high.unwrap());
    assert_eq!(b.theory_wait, None);
}

type Change = fn(&mut Assumptions);

#[test]
fn too_much_work_is_refused_with_what_to_change() {
    let error = simulate(&Assumptions {
        arrivals_per_hour: 20.0,
        ..base()
    })
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "20 studies an hour of 8 minutes keep 1 reader(s) busy 267 % of the time: the list would grow without end. Give at least 3 readers, or at most 7.12 arrivals an hour"
    );
    let wrong: [(Change, &str); 6] = [
        (|a| a.prevalence = 1.5, "prevalence"),
        (
            |a| a.reading = ReadingTime::Fixed { mean: f64::NAN },
            "reading",
        ),
        (|a| a.hours = vec![1.0; 12], "24"),
        (|a| a.disciplines = vec![Discipline::HighestScore], "scores"),
        (|a| a.replications = 0, "replications"),
        (|a| a.days = 1e9, "fewer days"),
    ];
    for (change, word) in wrong {
        let mut assumptions = base();
        change(&mut assumptions);
        let message = simulate(&assumptions).unwrap_err().to_string();
        assert!(message.contains(word), "{message}");
    }
}

#[test]
fn threads_change_nothing_and_the_seed_does() {
    let small = Assumptions {
        days: 3.0,
        replications: 6,
        ..base()
    };
    let run = |threads: usize, a: &Assumptions| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        serde_json::to_string(&pool.install(|| simulate(a)).unwrap()).unwrap()
    };
    assert_eq!(run(1, &small), run(2, &small));
    let other = Assumptions {
        seed: 11,
        ..small.clone()
    };
    assert_ne!(run(1, &small), run(1, &other));
}

#[test]
fn an_interval_over_replications_is_students() {
    // Mean 3, standard error √(2.5/5); t with 4 degrees of freedom: 2.7764451.
    let e = over_replications(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
    near(e.value, 3.0, 1e-15);
    near(
        e.high.unwrap(),
        3.0 + 2.7764451051977987 * 0.5_f64.sqrt(),
        1e-9,
    );
    let one = over_replications(&[1.0]).unwrap();
    assert_eq!((one.low, one.high), (None, None));
    assert_eq!(over_replications(&[]), None);
}

#[test]
fn a_work_list_reads_as_a_table() {
    let gain = simulate(&Assumptions {
        days: 10.0,
        replications: 10,
        ..base()
    })
    .unwrap();
    insta::assert_snapshot!(gain.to_text());
}
