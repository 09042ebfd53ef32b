//! Whole networks: the reference's records, the default engine, and refusals.

use falx_core::{LABELS, LabelRow};

use super::{agreement::Start, boxed, on_processor};
use crate::optim::{Optimizer, OptimizerConfig, Sgd};
use crate::reference::{
    Stream, distance, floats, formula, formula_parameters, json, shape, summary_distance, targets,
};
use crate::zoo::{self, NetworkConfig};
use crate::*;

fn network(size: usize, dropout: f32) -> Graph {
    let defaults = NetworkConfig::default();
    zoo::build(&NetworkConfig {
        size,
        dropout,
        ..defaults
    })
    .unwrap()
}

fn labels(batch: usize) -> Targets {
    let row = |n| LabelRow(LABELS.map(|label| Some((n + label.index()) % 3 == 0)));
    Targets::new((0..batch).map(row).collect())
}

/// The largest distance as a share of the largest number.
fn share(ours: &[f32], theirs: &[f32]) -> f64 {
    let theirs: Vec<f64> = theirs.iter().copied().map(f64::from).collect();
    let scale = theirs.iter().map(|x| x.abs()).fold(1e-3, f64::max);
    distance(ours, &theirs) / scale
}

pub fn simple_cnn(start: Start<'_>) {
    let Some(path) = falx_fixtures::shared("reference/nets/simple_cnn_128.json") else {
        return;
    };
    let (record, graph) = (json(&path), network(128, 0.0));
    let mut parameters = formula_parameters(&graph);
    let name = record["input"]["name"].as_str().unwrap();
    let images = formula(name, &shape(&record["input"]["shape"]));
    let (targets, mut engine) = (targets(&record["labels"]), start(3));
    let logits = engine.logits(&graph, &parameters, &images).unwrap();
    let theirs = floats(&record["eval"]["logits"]);
    let apart = distance(&logits.data, &theirs);
    assert!(apart < 5e-7, "{apart}");

    let agree = |gradients: &Gradients, theirs: &serde_json::Value, tolerance: f64| {
        for (name, summary) in theirs.as_object().unwrap() {
            let distance = summary_distance(gradients.get(name).unwrap(), summary);
            assert!(distance < tolerance, "{name}: {distance}");
        }
    };
    let frozen = Training {
        running_statistics: vec![String::new()],
        ..Training::default()
    };
    let input = Input::from(&images);
    let output = engine.step(&graph, &mut parameters, input, &targets, 0, &frozen);
    let output = output.unwrap();
    assert!((output.loss - record["frozen"]["loss"].as_f64().unwrap()).abs() < 1e-6);
    agree(&output.gradients, &record["frozen"]["gradients"], 1e-5);

    let mut optimizer = Optimizer::new(&OptimizerConfig::Sgd(Sgd::default()), &parameters);
    let losses = floats(&record["after_3_sgd_steps"]["losses"]);
    for (step, expected) in (0..).zip(losses) {
        let output = engine.gradients(&graph, &mut parameters, &images, &targets, step);
        let output = output.unwrap();
        assert!((output.loss - expected).abs() < 2e-5);
        if step == 0 {
            let train = &record["train"];
            assert!(distance(&output.logits.data, &floats(&train["logits"])) < 2e-6);
            // A rectifier that rounding switches moves a gradient by so much.
            agree(&output.gradients, &train["gradients"], 1e-3);
            for (name, summary) in train["running_stats"].as_object().unwrap() {
                let distance = summary_distance(parameters.get(name).unwrap(), summary);
                assert!(distance < 5e-6, "{name}: {distance}");
            }
        }
        optimizer.step(&mut parameters, &output.gradients, 0.01);
    }
    let ours = engine.logits(&graph, &parameters, &images).unwrap();
    let theirs = floats(&record["after_3_sgd_steps"]["eval_logits"]);
    assert!(distance(&ours.data, &theirs) < 3e-5);
}

/// Dropout of features and of images' channels-last values falls on the same places in both engines.
pub fn dropout(start: Start<'_>) {
    let mut builder = GraphBuilder::new("dropped", &[3, 16, 16]);
    let conv = builder
        .add("conv", Conv::same(8, 3), &[Value::INPUT])
        .unwrap();
    let norm = builder
        .add("bn", BatchNormalization::default(), &[conv])
        .unwrap();
    let relu = builder.add("relu", Relu, &[norm]).unwrap();
    let drop = builder
        .add("drop", Dropout { ratio: 0.3 }, &[relu])
        .unwrap();
    let flat = builder.add("flat", Flatten, &[drop]).unwrap();
    let gemm = Gemm {
        features: 6,
        bias: true,
    };
    let logits = builder.add("fc", gemm, &[flat]).unwrap();
    let dropped = builder.output("logits", logits).finish().unwrap();
    for (graph, strict) in [
        (dropped, true),
        (network(48, 0.5), false),
        (network(64, 0.0), false),
    ] {
        let images = formula("input", &[&[5], graph.input()].concat());
        let begin = Parameters::initialise(&graph, 4);
        let run = |mut engine: Box<dyn Engine>, images: &Tensor| {
            let mut parameters = begin.clone();
            let output = engine.gradients(&graph, &mut parameters, images, &labels(5), 9);
            let logits = engine.logits(&graph, &parameters, images).unwrap();
            (output.unwrap(), parameters, logits)
        };
        let ours = run(start(3), &images);
        let theirs = run(flex_engine(3), &images);
        // How far the default engine's own gradients move when the images move by a rounding: batch normalisation of few
        // pixels amplifies it, and a rectifier may switch.
        let moved = [1, 2, 3].map(|seed: u64| {
            let (mut images, mut stream) = (images.clone(), Stream::new(&format!("{seed}")));
            for x in &mut images.data {
                *x *= 1.0 + (stream.unit() as f32 - 0.5) * 4.0 * f32::EPSILON;
            }
            run(flex_engine(3), &images).0.gradients
        });
        assert!((ours.0.loss - theirs.0.loss).abs() < 1e-6);
        assert!(share(&ours.0.logits.data, &theirs.0.logits.data) < 1e-5);
        assert!(share(&ours.2.data, &theirs.2.data) < 1e-5);
        for (name, gradient) in theirs.0.gradients.iter() {
            let from = |other: &Gradients| share(&other.get(name).unwrap().data, &gradient.data);
            let own = moved.iter().map(from).fold(0.0, f64::max);
            let (apart, allowed) = (
                from(&ours.0.gradients),
                if strict { 0.0 } else { 5.0 * own },
            );
            println!("{:<12} {name:<24} {apart:.1e} {own:.1e}", graph.name());
            assert!(apart < 1e-5 + allowed, "{name}: {apart} {own}");
        }
        for (name, tensor) in theirs.1.iter() {
            let share = share(&ours.1.get(name).unwrap().data, &tensor.data);
            assert!(share < 1e-5, "{name}: {share}");
        }
    }
}

#[test]
fn the_simple_cnn_is_the_references() {
    simple_cnn(&|seed| boxed(on_processor(seed)));
}

#[test]
fn both_engines_agree() {
    dropout(&|seed| boxed(on_processor(seed)));
}

#[test]
fn what_does_not_fit_is_refused() {
    let (graph, mut engine) = (network(16, 0.0), on_processor(3));
    let parameters = Parameters::initialise(&graph, 1);
    let small = formula("input", &[2, 3, 8, 8]);
    let refused = engine.logits(&graph, &parameters, &small);
    assert!(matches!(refused, Err(EngineError::Images { .. })));
    let images = formula("input", &[1, 3, 16, 16]);
    let refused = engine.logits(&graph, &Parameters::default(), &images);
    assert!(matches!(refused, Err(EngineError::Parameter { .. })));
    let mut parameters = parameters;
    let refused = engine.gradients(&graph, &mut parameters, &images, &labels(2), 0);
    assert!(matches!(refused, Err(EngineError::Loss(_))));
    let mut builder = GraphBuilder::new("one", &[3, 1, 1]);
    let norm = BatchNormalization::default();
    let norm = builder.add("bn", norm, &[Value::INPUT]).unwrap();
    let graph = builder.output("y", norm).finish().unwrap();
    let mut parameters = Parameters::initialise(&graph, 1);
    let one = formula("input", &[1, 3, 1, 1]);
    let refused = engine.gradients(&graph, &mut parameters, &one, &labels(1), 0);
    assert!(matches!(refused, Err(EngineError::OneValue { .. })));
}
