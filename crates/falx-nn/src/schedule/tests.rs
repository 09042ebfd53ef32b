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
                }
            }
            "cosine" => {
                total = count("T_max");
                Schedule::WarmupCosine {
                    warmup: 0,
                    minimum: number("eta_min"),
                }
            }
            "step" => Schedule::Step {
                size: count("step_size"),
                gamma: number("gamma"),
            },
            "exponential" => Schedule::Exponential {
                gamma: number("gamma"),
            },
            _ => continue,
        };
        for (step, rate) in rates.iter().enumerate() {
            let ours = schedule.rate(number("base_lr"), step as u64, total);
            assert!(
                (ours - rate.as_f64().unwrap()).abs() < 1e-12,
                "{schedule:?} at {step}: {ours} {rate}"
            );
        }
        judged += 1;
    }
    assert_eq!(judged, 4);
}

#[test]
fn short_runs_and_steps_past_the_end_have_a_rate() {
    assert_eq!(warmup_cosine(1.0, 10, 5, 0.1, 9), 1.0);
    assert_eq!(warmup_cosine(1.0, 0, 5, 0.1, 500), 0.1);
    assert_eq!(warmup_cosine(1.0, 0, 0, 0.1, 0), 1.0);
}
