use serde_json::Value;

use super::super::*;
use crate::Gradients;
use crate::optim::{AdamW, Optimizer, OptimizerConfig, Sgd};
use crate::reference::{
    distance, floats, formula, formula_parameters, json, shape, summary_distance, targets,
};
use crate::zoo::{self, NetworkConfig};

struct Case {
    record: Value,
    graph: Graph,
    parameters: Parameters,
    images: Tensor,
    targets: Targets,
}

/// The simple CNN with formula weights, where the shared material is at hand.
fn case() -> Option<Case> {
    let record = json(&falx_fixtures::shared(
        "reference/nets/simple_cnn_128.json",
    )?);
    let graph = zoo::build(&NetworkConfig::default()).unwrap();
    let input = &record["input"];
    Some(Case {
        parameters: formula_parameters(&graph),
        images: formula(input["name"].as_str().unwrap(), &shape(&input["shape"])),
        targets: targets(&record["labels"]),
        graph,
        record,
    })
}

fn gradients_agree(ours: &Gradients, theirs: &Value, tolerance: f64) {
    let theirs = theirs.as_object().unwrap();
    assert_eq!(ours.iter().count(), theirs.len());
    for (name, summary) in theirs {
        let distance = summary_distance(ours.get(name).unwrap(), summary);
        assert!(distance < tolerance, "{name}: {distance}");
    }
}

#[test]
fn evaluation_is_the_references() {
    let Some(case) = case() else { return };
    let logits = flex_engine(0)
        .logits(&case.graph, &case.parameters, &case.images)
        .unwrap();
    let distance = distance(&logits.data, &floats(&case.record["eval"]["logits"]));
    assert!(distance < 5e-7, "{distance}");
}

#[test]
fn gradients_with_running_statistics_are_the_references() {
    let Some(case) = case() else { return };
    let (output, statistics) = step_in(
        Mode::Evaluation,
        &case.graph,
        &case.parameters,
        &case.images,
        &case.targets,
    )
    .unwrap();
    assert!(statistics.is_empty());
    assert!((output.loss - case.record["frozen"]["loss"].as_f64().unwrap()).abs() < 1e-7);
    gradients_agree(&output.gradients, &case.record["frozen"]["gradients"], 3e-6);
}

#[test]
fn a_training_step_is_the_references() {
    let Some(mut case) = case() else { return };
    let output = flex_engine(0)
        .gradients(
            &case.graph,
            &mut case.parameters,
            &case.images,
            &case.targets,
            0,
        )
        .unwrap();
    let train = &case.record["train"];
    assert!((output.loss - train["loss"].as_f64().unwrap()).abs() < 5e-7);
    assert!(distance(&output.logits.data, &floats(&train["logits"])) < 2e-6);
    gradients_agree(&output.gradients, &train["gradients"], 1e-5);
    for (name, summary) in train["running_stats"].as_object().unwrap() {
        let distance = summary_distance(case.parameters.get(name).unwrap(), summary);
        assert!(distance < 1e-6, "{name}: {distance}");
    }
}

#[test]
fn calibrated_evaluation_is_the_references() {
    let Some(mut case) = case() else { return };
    let mode = Mode::Training { seed: 0, step: 0 };
    let (_, statistics) = step_in(
        mode,
        &case.graph,
        &case.parameters,
        &case.images,
        &case.targets,
    )
    .unwrap();
    for (node, statistics, _) in statistics {
        let [mut mean, mut variance] = [
            vec![0.0; statistics.mean.len()],
            vec![0.0; statistics.mean.len()],
        ];
        statistics.follow(&mut mean, &mut variance, 1.0);
        case.parameters
            .get_mut(&format!("{node}.running_mean"))
            .unwrap()
            .data = mean;
        case.parameters
            .get_mut(&format!("{node}.running_var"))
            .unwrap()
            .data = variance;
    }
    let logits = flex_engine(0)
        .logits(&case.graph, &case.parameters, &case.images)
        .unwrap();
    let distance = distance(
        &logits.data,
        &floats(&case.record["eval_calibrated"]["logits"]),
    );
    assert!(distance < 2e-6, "{distance}");
}

fn three_steps(config: &OptimizerConfig, lr: f32, key: &str, loss: f64, logits: f64) {
    let Some(mut case) = case() else { return };
    let (mut engine, record) = (flex_engine(0), &case.record[key]);
    let mut optimizer = Optimizer::new(config, &case.parameters);
    for (step, expected) in floats(&record["losses"]).into_iter().enumerate() {
        let output = engine
            .gradients(
                &case.graph,
                &mut case.parameters,
                &case.images,
                &case.targets,
                step as u64,
            )
            .unwrap();
        assert!(
            (output.loss - expected).abs() < loss,
            "step {step}: {} {expected}",
            output.loss
        );
        optimizer.step(&mut case.parameters, &output.gradients, lr);
    }
    let ours = engine
        .logits(&case.graph, &case.parameters, &case.images)
        .unwrap();
    let distance = distance(&ours.data, &floats(&record["eval_logits"]));
    assert!(distance < logits, "{distance}");
}

#[test]
fn three_sgd_steps_are_the_references() {
    let config = OptimizerConfig::Sgd(Sgd::default());
    three_steps(&config, 0.01, "after_3_sgd_steps", 2e-6, 1e-5);
}

/// Adam's first steps are nearly lr * sign(gradient), so tiny gradients decide: PyTorch itself is .001 off.
#[test]
fn three_adamw_steps_are_the_references() {
    let config = OptimizerConfig::AdamW(AdamW::default());
    three_steps(&config, 1e-3, "after_3_adamw_steps", 1e-3, 4e-3);
}
