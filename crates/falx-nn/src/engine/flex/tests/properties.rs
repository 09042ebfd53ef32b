//! What holds for any network: threads do not matter, fused kernels change nothing, learning works.

use falx_core::{LABELS, LabelRow};

use super::super::*;
use crate::optim::{AdamW, Optimizer, OptimizerConfig};
use crate::reference::formula;
use crate::zoo::{self, NetworkConfig};
use crate::*;

fn network(size: usize, dropout: f32) -> Graph {
    zoo::build(&NetworkConfig {
        size,
        dropout,
        ..NetworkConfig::default()
    })
    .unwrap()
}

fn labels(batch: usize) -> Targets {
    Targets::new(
        (0..batch)
            .map(|n| LabelRow(LABELS.map(|label| Some((n + label.index()) % 3 == 0))))
            .collect(),
    )
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let graph = network(48, 0.5);
    let images = formula("input", &[5, 3, 48, 48]);
    let steps = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let mut parameters = Parameters::initialise(&graph, 7);
            let (mut engine, config) = (flex_engine(7), OptimizerConfig::default());
            let mut optimizer = Optimizer::new(&config, &parameters);
            let mut outputs = Vec::new();
            for step in 0..2 {
                let output = engine
                    .gradients(&graph, &mut parameters, &images, &labels(5), step)
                    .unwrap();
                optimizer.step(&mut parameters, &output.gradients, 1e-3);
                outputs.push(output);
            }
            (outputs, weights::save(&parameters).unwrap())
        })
    };
    let one = steps(1);
    assert!(one == steps(2), "two threads");
    assert!(one == steps(3), "three threads");
}

/// A normalisation with another reader is not fused; both ways must give the same numbers, also at ties.
#[test]
fn fused_kernels_change_nothing() {
    let build = |fused: bool| {
        let mut graph = GraphBuilder::new("fusion", &[4, 8, 6]);
        let norm = graph
            .add("bn", BatchNormalization::default(), &[Value::INPUT])
            .unwrap();
        let relu = graph.add("relu", Relu, &[norm]).unwrap();
        let pool = graph.add("pool", MaxPool::halving(), &[relu]).unwrap();
        if fused {
            return graph.output("y", pool).finish().unwrap();
        }
        graph.add("spy", Sigmoid, &[norm]).unwrap();
        graph.add("second spy", Sigmoid, &[relu]).unwrap();
        graph.output("y", pool).finish().unwrap()
    };
    fusing_changes_nothing(&build, [4, 3], &["bn.weight", "bn.bias"]);
}

/// As above, for Swish, with more pixels than one block has.
#[test]
fn a_fused_swish_changes_nothing() {
    let build = |fused: bool| {
        let mut graph = GraphBuilder::new("fusion", &[5, 40, 30]);
        let conv = graph
            .add("conv", Conv::same(5, 1), &[Value::INPUT])
            .unwrap();
        let norm = graph
            .add("bn", BatchNormalization::default(), &[conv])
            .unwrap();
        let swish = graph.add("swish", Swish { alpha: 1.0 }, &[norm]).unwrap();
        if !fused {
            graph.add("spy", Sigmoid, &[norm]).unwrap();
        }
        graph.output("y", swish).finish().unwrap()
    };
    assert_eq!(
        [true, false].map(|fused| fusion::Fused::at(&build(fused), 1).steps),
        [2, 1]
    );
    fusing_changes_nothing(&build, [40, 30], &["bn.weight", "bn.bias", "conv.weight"]);
}

/// Results, and gradients of `parameters`, of a graph that is fused and one that is not; results have `rows` x `columns`.
fn fusing_changes_nothing(
    build: &dyn Fn(bool) -> Graph,
    [rows, columns]: [usize; 2],
    parameters: &[&str],
) {
    let whole: Vec<usize> = [&[3], build(true).input()].concat();
    let mut images = formula("input", &whole);
    images.data.iter_mut().for_each(|x| *x = (*x * 2.0).round());
    let [fused, alone] = [true, false].map(|fused| {
        let graph = build(fused);
        let values = crate::reference::formula_parameters(&graph);
        let mode = Mode::Training { seed: 0, step: 0 };
        let run = interpret::run(&graph, &values, (on_tape(&images), 3), mode, true).unwrap();
        let slopes = formula("slopes", &[3 * whole[1] * rows * columns]).data;
        let output = interpret::read(&run.output);
        let mut gradients = interpret::backward(run.output, slopes);
        let mut read = |name: &&str| {
            let gradient = Tape::grad_remove(&run.leaves[*name], &mut gradients).unwrap();
            tape::numbers(&gradient.to_contiguous()).to_vec()
        };
        (output, parameters.iter().map(&mut read).collect::<Vec<_>>())
    });
    assert_eq!(fused.0, alone.0);
    for (a, b) in fused.1.iter().flatten().zip(alone.1.iter().flatten()) {
        assert!((a - b).abs() < 1e-5, "{a} {b}");
    }
}

/// A bright square in one half of the image or the other: far below what knowing nothing costs, on unseen images.
#[test]
fn a_simple_task_is_learnt() {
    let (graph, mut engine) = (network(32, 0.1), flex_engine(5));
    let batch = |step: u64| {
        let mut images = formula(&format!("noise {step}"), &[16, 3, 32, 32]);
        let mut rows = Vec::new();
        for (n, image) in images.data.chunks_mut(3 * 32 * 32).enumerate() {
            let bright = n % 2 == 0;
            for (place, x) in image.iter_mut().enumerate() {
                let (y, column) = (place / 32 % 32, place % 32);
                let inside = (8..20).contains(&y) && (6..18).contains(&column);
                *x = 0.3 * *x + f32::from(u8::from(bright && inside));
            }
            rows.push(LabelRow([Some(bright); 6]));
        }
        (images, Targets::new(rows))
    };
    let mut parameters = Parameters::initialise(&graph, 5);
    let mut optimizer = Optimizer::new(&OptimizerConfig::AdamW(AdamW::default()), &parameters);
    for step in 0..40 {
        let (images, targets) = batch(step);
        let output = engine
            .gradients(&graph, &mut parameters, &images, &targets, step)
            .unwrap();
        optimizer.step(&mut parameters, &output.gradients, 2e-3);
    }
    let (images, targets) = batch(1000);
    let logits = engine.logits(&graph, &parameters, &images).unwrap();
    let loss = loss::Loss::default()
        .evaluate(&logits, &targets)
        .unwrap()
        .value;
    assert!(loss < 0.1, "knowing nothing costs .693, this {loss}");
}

#[test]
fn dropout_follows_seed_and_step() {
    let graph = network(16, 0.5);
    let images = formula("input", &[2, 3, 16, 16]);
    let logits = |seed, step| {
        let mut parameters = Parameters::initialise(&graph, 1);
        flex_engine(seed)
            .gradients(&graph, &mut parameters, &images, &labels(2), step)
            .unwrap()
            .logits
    };
    assert_eq!(logits(1, 1), logits(1, 1));
    assert_ne!(logits(1, 1), logits(1, 2));
    assert_ne!(logits(1, 1), logits(2, 1));
}

#[test]
fn what_does_not_fit_is_refused() {
    let graph = network(16, 0.0);
    let mut parameters = Parameters::initialise(&graph, 1);
    let mut engine = flex_engine(0);
    let small = formula("input", &[2, 3, 8, 8]);
    assert!(matches!(
        engine.logits(&graph, &parameters, &small),
        Err(EngineError::Images { .. })
    ));
    let nothing = Tensor::filled(&[0, 3, 16, 16], 0.0);
    assert!(matches!(
        engine.logits(&graph, &parameters, &nothing),
        Err(EngineError::Images { .. })
    ));
    let images = formula("input", &[1, 3, 16, 16]);
    let none = engine.logits(&graph, &Parameters::default(), &images);
    assert!(matches!(none, Err(EngineError::Parameter { .. })));
    let two = engine.gradients(&graph, &mut parameters, &images, &labels(2), 0);
    assert!(matches!(two, Err(EngineError::Loss(_))));
}
