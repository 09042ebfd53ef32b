use super::*;

/// PyTorch's rates, and ours for every schedule we have.
#[test]
fn rates_are_pytorchs() {
    let Some(path) = falx_fixtures::shared("reference/optim/schedules.json") else {
        return;
    };
    let file: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut judged = 0;
    for case in file["cases"].as_array().unwrap() {
        let number = |key: &str| case[key].as_f64().unwrap();
        let count = |key: &str| case[key].as_u64().unwrap();
        let rates = case["lr"].as_array().unwrap();
        let mut total = rates.len() as u64;
        let schedule = match case["name"].as_str().unwrap() {
            "warmup_cosine" => {
                total = count("total");
                Schedule::WarmupCosine {
                    warmup: count("warmup"),
                    minimum: number("min_lr"),
                    start_factor: None,
                }
            }
            "cosine" => {
                total = count("T_max");
                Schedule::WarmupCosine {
                    warmup: 0,
                    minimum: number("eta_min"),
                    start_factor: None,
                }
            }
            "step" => Schedule::Step {
                size: count("step_size"),
                gamma: number("gamma"),
            },
            "exponential" => Schedule::Exponential {
                gamma: number("gamma"),
            },
            "linear_warmup_then_cosine" => {
                total = count("warmup") + count("T_max");
                Schedule::WarmupCosine {
                    warmup: count("warmup"),
                    minimum: number("eta_min"),
                    start_factor: Some(number("start_factor")),
                }
            }
            "multi_step" => Schedule::MultiStep {
                milestones: serde_json::from_value(case["milestones"].clone()).unwrap(),
                gamma: number("gamma"),
            },
            "one_cycle_cos" | "one_cycle_linear" => Schedule::OneCycle(OneCycle {
                rise: number("pct_start"),
                divisor: number("div_factor"),
                final_divisor: number("final_div_factor"),
                shape: if case["anneal_strategy"] == "cos" {
                    Shape::Cosine
                } else {
                    Shape::Linear
                },
                momentum: Some([number("base_momentum"), number("max_momentum")]),
            }),
            name => panic!("no schedule is like {name}"),
        };
        if let Some(momentum) = case.get("momentum") {
            for (step, theirs) in momentum.as_array().unwrap().iter().enumerate() {
                let ours = schedule.momentum(step as u64, total).unwrap();
                assert!((ours - theirs.as_f64().unwrap()).abs() < 1e-12, "{step}");
            }
        }
        for (step, rate) in rates.iter().enumerate() {
            let ours = schedule.rate(number("base_lr"), step as u64, total);
            assert!(
                (ours - rate.as_f64().unwrap()).abs() < 1e-12,
                "{schedule:?} at {step}: {ours} {rate}"
            );
        }
        judged += 1;
    }
    assert_eq!(judged, 8);
}

#[test]
fn short_runs_and_steps_past_the_end_have_a_rate() {
    assert_eq!(warmup_cosine(1.0, 10, 5, 0.1, 9), 1.0);
    assert_eq!(warmup_cosine(1.0, 0, 5, 0.1, 500), 0.1);
    assert_eq!(warmup_cosine(1.0, 0, 0, 0.1, 0), 1.0);
}

#[test]
fn a_cycle_of_few_steps_has_rates() {
    let cycle = Schedule::OneCycle(OneCycle::default());
    for total in 0..5 {
        for step in 0..7 {
            let rate = cycle.rate(1.0, step, total);
            assert!((0.0..=1.0).contains(&rate), "{step} of {total}: {rate}");
        }
    }
    assert_eq!(cycle.momentum(0, 5), None);
}

#[test]
fn recipes_name_their_schedule() {
    let cycle: Schedule = serde_json::from_str(r#"{"name": "one_cycle", "rise": 0.2}"#).unwrap();
    let expected = OneCycle {
        rise: 0.2,
        ..OneCycle::default()
    };
    assert_eq!(cycle, Schedule::OneCycle(expected));
    let warmup = r#"{"name": "warmup_cosine", "warmup": 3, "minimum": 0.0}"#;
    assert!(serde_json::from_str::<Schedule>(warmup).is_ok());
    assert!(serde_json::from_str::<Schedule>(r#"{"name": "one_cycle", "ris": 1}"#).is_err());
}

/// The rates of PyTorch 2.15's `ReduceLROnPlateau(factor=0.5, patience=1, threshold=0.01, min_lr=0.02)` from .1.
#[test]
fn a_plateau_lowers_the_rate_as_pytorch_does() {
    let plateau = Plateau {
        factor: 0.5,
        patience: 1,
        threshold: 0.01,
        minimum: 0.02,
    };
    let mut state = PlateauState::default();
    let losses = [
        1.0, 0.9, 0.895, 0.899, 0.893, 0.85, 0.86, 0.87, 0.86, 0.85, 0.849, 0.9,
    ];
    let rates = [
        0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.025, 0.025, 0.02, 0.02, 0.02,
    ];
    for (loss, expected) in losses.into_iter().zip(rates) {
        plateau.observe(&mut state, loss);
        assert!(
            (plateau.rate(&state, 0.1) - expected).abs() < 1e-12,
            "{loss}"
        );
    }
}
