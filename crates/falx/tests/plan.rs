//! `falx plan` on a small phantom: the fields are there, the numbers add up, and nothing is written.

mod common;

use common::{Study, files, json, run};
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;
use serde_json::Value;

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn a_plan_adds_up_says_what_was_measured_and_writes_nothing() {
    let study = Study::indexed();
    let recipe = study.recipe(3);
    let before = files(study.folder.path());
    let line = "plan {} --steps 2 --threads 2 --slices 100000";
    let planned = json(&run(&format!("{line} --json -q"), &[&recipe]).success());
    run(&format!("{line} -q"), &[&recipe]).success().stdout(
        contains("measured")
            .and(contains("extrapolated"))
            .and(contains("What limits"))
            .and(contains("100,000 slices")),
    );
    assert!(
        files(study.folder.path()) == before,
        "a plan wrote something"
    );

    assert_eq!(planned["speeds"]["loader"]["origin"], "measured");
    let stage = &planned["speeds"]["stages"][0];
    assert_eq!(stage["training"]["origin"], "measured");
    assert_eq!(planned["measured"]["has_cache"], false);
    let per_second = number(&stage["training"]["value"]);
    let forecasts = planned["forecasts"].as_array().unwrap();
    assert_eq!(forecasts.len(), 2);
    for forecast in forecasts {
        let (epochs, steps) = (number(&forecast["epochs"]), number(&forecast["steps"]));
        assert_eq!(epochs, 3.0);
        assert_eq!(steps, epochs * number(&forecast["steps_per_epoch"]));
        let step = number(&forecast["stages"][0]["step_seconds"]["value"]);
        assert!((step * per_second - 16.0).abs() < 1e-6, "{step}");
        let training = number(&forecast["training_seconds"]["value"]);
        assert!((training - steps * step).abs() < 1e-6 * training);
        let whole = number(&forecast["whole_seconds"]["value"]);
        let validation = number(&forecast["validation_seconds"]["value"]);
        assert!(whole >= training + epochs * validation);
        assert_eq!(forecast["whole_seconds"]["origin"], "extrapolated");
    }
    assert_eq!(forecasts[0]["is_counted"], true);
    let size = &forecasts[1]["size"];
    let all = ["training", "validation", "test"].map(|part| number(&size[part]));
    assert_eq!(all.iter().sum::<f64>(), 100_000.0);
    assert!(number(&forecasts[1]["file_bytes"]["value"]) > 0.0);
    assert!(number(&forecasts[1]["cache_bytes"]["value"]) > 0.0);
}

#[test]
fn another_machine_is_read_from_a_file_and_a_bad_file_is_refused() {
    let study = Study::indexed();
    let recipe = study.recipe(1);
    let machine = study.path("machine.toml");
    let line = "plan {} --steps 2 --machine {} --json -q";
    std::fs::write(
        &machine,
        "threads = 64\nloader_slices_per_second = 5000\nstep_slices_per_second = 2000\nmemory_gib = 0.001\n",
    )
    .unwrap();
    let planned = json(&run(line, &[&recipe, &machine]).success());
    let stage = &planned["speeds"]["stages"][0];
    assert_eq!(planned["speeds"]["loader"]["origin"], "given");
    assert_eq!(stage["step"]["origin"], "given");
    assert_eq!(stage["training"]["origin"], "extrapolated");
    assert_eq!(number(&stage["training"]["value"]), 2000.0);
    assert_eq!(planned["limit"], "computing");
    if planned["measured"]["peak_mib"].is_number() {
        let remedies = planned["remedies"].to_string();
        assert!(remedies.contains("smaller training.batch"), "{remedies}");
    }
    for (text, said) in [
        ("speed = 3\n", "speed"),
        ("threads = 0\n", "above 0"),
        ("threads\n", "machine.toml"),
    ] {
        std::fs::write(&machine, text).unwrap();
        run("plan {} --machine {}", &[&recipe, &machine])
            .code(3)
            .stderr(contains(said).and(contains("machine.toml")));
    }
    run("plan {} --machine {}", &[&recipe, &study.path("none.toml")])
        .code(3)
        .stderr(contains("none.toml"));
}
