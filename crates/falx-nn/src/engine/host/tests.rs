use falx_core::{LABELS, LabelRow};

use crate::optim::{AdamW, Ema, EmaConfig, Optimizer, OptimizerConfig};
use crate::reference::formula;
use crate::zoo::{self, NetworkConfig};
use crate::*;

fn graph() -> Graph {
    zoo::build(&NetworkConfig {
        size: 16,
        dropout: 0.3,
        ..NetworkConfig::default()
    })
    .unwrap()
}

fn batch(images: usize, first: usize) -> (Tensor, Targets) {
    let row = |n: usize| {
        LabelRow(LABELS.map(|label| Some((n + first + label.index()).is_multiple_of(3))))
    };
    let values = formula(&format!("images {first}"), &[images, 3, 16, 16]);
    (values, Targets::new((0..images).map(row).collect()))
}

fn start(graph: &Graph) -> TrainingState {
    let parameters = Parameters::initialise(graph, 4);
    let config = EmaConfig {
        decay: 0.9,
        warmup: true,
    };
    TrainingState {
        optimizer: Optimizer::new(&OptimizerConfig::AdamW(AdamW::default()), &parameters),
        average: Some(Ema::new(config, parameters.clone())),
        parameters,
    }
}

const MOTION: Motion = Motion {
    rate: 0.01,
    momentum: Some(0.8),
    clip_norm: Some(0.5),
};

fn settings(training: &Training, rng_step: u64) -> StepSettings<'_> {
    StepSettings {
        rng_step,
        training,
        motion: MOTION,
    }
}

/// The loop that a session stands for.
fn by_hand(graph: &Graph, steps: u64) -> (TrainingState, Vec<StepReport>) {
    let (mut state, mut engine) = (start(graph), flex_engine(3));
    let step = |step: u64| {
        let (images, targets) = batch(4, step as usize);
        let parameters = &mut state.parameters;
        let mut output = engine
            .gradients(graph, parameters, &images, &targets, step)
            .unwrap();
        let norm = output.gradients.clip(0.5);
        state.optimizer.set_momentum(0.8);
        state.optimizer.step(parameters, &output.gradients, 0.01);
        let average = state.average.as_mut().unwrap();
        average.follow(parameters, step);
        StepReport {
            loss: output.loss,
            gradient_norm: Some(norm),
        }
    };
    let reports = (0..steps).map(step).collect();
    (state, reports)
}

/// Every bit, also when training stops in the middle and goes on from its state.
#[test]
fn a_session_is_the_loop_that_it_stands_for() {
    let (graph, training) = (graph(), Training::default());
    let (expected, reports) = by_hand(&graph, 4);
    let mut session = flex_engine(3).session(&graph, start(&graph)).unwrap();
    for (step, expected) in (0..).zip(&reports) {
        if step == 2 {
            let state = session.state().unwrap().into_owned();
            assert_eq!(state.optimizer.steps(), 2);
            session = flex_engine(3).session(&graph, state).unwrap();
        }
        let (images, targets) = batch(4, step as usize);
        let report = session.step((&images).into(), &targets, &settings(&training, step));
        assert_eq!(report.unwrap(), *expected);
    }
    let (images, _) = batch(2, 9);
    let mut engine = flex_engine(3);
    for weights in [Weights::Current, Weights::Averaged] {
        let logits = engine.logits(&graph, expected.weights(weights), &images);
        let ours = session.logits((&images).into(), weights).unwrap();
        assert_eq!(ours, logits.unwrap());
    }
    assert_eq!(session.into_state().unwrap(), expected);
}

#[test]
fn a_loss_that_is_not_finite_moves_nothing() {
    let (graph, training) = (graph(), Training::default());
    let mut start = start(&graph);
    start.parameters.get_mut("fc2.bias").unwrap().data[2] = f32::INFINITY;
    let mut session = flex_engine(3).session(&graph, start.clone()).unwrap();
    let (images, targets) = batch(4, 0);
    let report = session.step((&images).into(), &targets, &settings(&training, 0));
    let report = report.unwrap();
    assert!(!report.loss.is_finite());
    assert_eq!(report.gradient_norm, None);
    assert_eq!(session.move_parameters(&MOTION).unwrap(), None);
    assert_eq!(*session.state().unwrap(), start);
}

/// Without statistics and dropout of its own a batch in two parts has the gradients of the whole.
#[test]
fn small_batches_add_up_to_a_large_one() {
    let graph = graph();
    let training = Training {
        running_statistics: vec![String::new()],
        ..Training::default()
    };
    let mut parts = flex_engine(3).session(&graph, start(&graph)).unwrap();
    let mut engine = flex_engine(3);
    let mut whole = Gradients::default();
    for (first, images, share) in [(0, 1, 0.25), (5, 3, 0.75)] {
        let (images, targets) = batch(images, first);
        let input = Input::from(&images);
        let loss = parts.accumulate(input, &targets, first as u64, &training, share);
        let mut parameters = start(&graph).parameters;
        let parameters = &mut parameters;
        let output = engine.step(&graph, parameters, input, &targets, first as u64, &training);
        let output = output.unwrap();
        assert_eq!(loss.unwrap(), output.loss);
        whole.add(&output.gradients, share);
    }
    let norm = parts.move_parameters(&MOTION).unwrap().unwrap();
    assert!((norm - whole.norm()).abs() < 1e-6 * norm, "{norm}");
    let mut expected = start(&graph);
    whole.clip(0.5);
    expected.optimizer.set_momentum(0.8);
    expected
        .optimizer
        .step(&mut expected.parameters, &whole, 0.01);
    for (name, tensor) in parts.state().unwrap().parameters.iter() {
        let theirs = &expected.parameters.get(name).unwrap().data;
        let theirs: Vec<f64> = theirs.iter().copied().map(f64::from).collect();
        assert!(
            crate::reference::distance(&tensor.data, &theirs) < 1e-6,
            "{name}"
        );
    }
}
