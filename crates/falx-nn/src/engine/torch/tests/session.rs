//! Sessions that stay in libtorch beside the default engine's.

use falx_core::{LABELS, LabelRow};

use super::super::TorchEngine;
use super::super::session::TorchSession;
use crate::optim::{
    Adam, AdamW, Decay, Ema, EmaConfig, Optimizer, OptimizerConfig, ParameterGroup, RmsProp, Sgd,
};
use crate::reference::{distance, formula, small_network};
use crate::*;

fn batch(images: usize, first: usize) -> (Tensor, Targets) {
    let row = |n: usize| LabelRow(LABELS.map(|label| Some((n + label.index()).is_multiple_of(3))));
    let values = formula(&format!("images {first}"), &[images, 3, 32, 32]);
    let rows = (first..first + images).map(row);
    (values, Targets::new(rows.collect()))
}

fn configs() -> Vec<OptimizerConfig> {
    // A large epsilon: else a gradient that is 0 but for rounding moves a parameter by the whole rate.
    let (epsilon, weight_decay, decay) = (1e-2, 0.1, Decay::Matrices);
    let sgd = Sgd {
        nesterov: true,
        weight_decay,
        decay,
        ..Sgd::default()
    };
    let rms_prop = RmsProp {
        epsilon,
        weight_decay,
        ..RmsProp::default()
    };
    vec![
        OptimizerConfig::Sgd(sgd),
        OptimizerConfig::Sgd(Sgd {
            momentum: 0.0,
            nesterov: false,
            ..sgd
        }),
        OptimizerConfig::Adam(Adam {
            epsilon,
            weight_decay,
            ..Adam::default()
        }),
        OptimizerConfig::AdamW(AdamW {
            epsilon,
            weight_decay,
            decay,
            ..AdamW::default()
        }),
        OptimizerConfig::RmsProp(rms_prop),
        OptimizerConfig::RmsProp(RmsProp {
            momentum: 0.9,
            centered: true,
            ..rms_prop
        }),
    ]
}

fn start(config: &OptimizerConfig) -> (Graph, TrainingState) {
    let (graph, parameters) = small_network();
    let group = |module: &str, rate, decay| ParameterGroup {
        module: module.to_owned(),
        rate,
        decay,
    };
    let groups = [group("fc1", 0.5, 0.0), group("blocks.2", 2.0, 3.0)];
    let average = EmaConfig {
        decay: 0.9,
        warmup: true,
    };
    let state = TrainingState {
        optimizer: Optimizer::new(config, &parameters).grouped(&groups),
        average: Some(Ema::new(average, parameters.clone())),
        parameters,
    };
    (graph, state)
}

fn training() -> Training {
    Training {
        frozen: vec!["blocks.0".to_owned()],
        running_statistics: vec!["blocks.1".to_owned()],
        ..Training::default()
    }
}

fn motion() -> Motion {
    Motion {
        rate: 0.01,
        momentum: Some(0.8),
        clip_norm: Some(0.3),
    }
}

/// A step on one batch, one on two small ones, and one after the frozen part has thawed.
fn three_steps(session: &mut dyn TrainingSession) -> Vec<f64> {
    let (mut training, motion) = (training(), motion());
    let mut numbers = Vec::new();
    let (images, targets) = batch(6, 0);
    let settings = StepSettings {
        rng_step: 0,
        training: &training,
        motion,
    };
    let report = session.step((&images).into(), &targets, &settings).unwrap();
    numbers.extend([report.loss, report.gradient_norm.unwrap()]);
    for (rng_step, count) in [(1, 2), (2, 4)] {
        let (images, targets) = batch(count, count);
        let share = count as f32 / 6.0;
        let input = Input::from(&images);
        let loss = session.accumulate(input, &targets, rng_step, &training, share);
        numbers.push(loss.unwrap());
    }
    numbers.push(session.move_parameters(&motion).unwrap().unwrap());
    training.frozen.clear();
    let settings = StepSettings {
        rng_step: 3,
        training: &training,
        motion: Motion {
            clip_norm: None,
            ..motion
        },
    };
    let report = session.step((&images).into(), &targets, &settings).unwrap();
    assert_eq!(report.gradient_norm, None);
    numbers.push(report.loss);
    numbers
}

/// The largest distance as a share of the largest number.
fn share(ours: &[f32], theirs: &[f32]) -> f64 {
    let theirs: Vec<f64> = theirs.iter().copied().map(f64::from).collect();
    let scale = theirs.iter().map(|x| x.abs()).fold(1e-3, f64::max);
    distance(ours, &theirs) / scale
}

/// The largest distance of any part of two states.
fn apart(ours: &TrainingState, theirs: &TrainingState) -> f64 {
    assert_eq!(ours.optimizer.steps(), theirs.optimizer.steps());
    let mut worst = 0.0_f64;
    let mut note = |name: &str, ours: &[f32], theirs: &[f32]| {
        let share = share(ours, theirs);
        if share > 1e-4 {
            println!("{name}: {share:.1e}");
        }
        worst = worst.max(share);
    };
    for weights in [Weights::Current, Weights::Averaged] {
        let [ours, theirs] = [ours, theirs].map(|state| state.weights(weights));
        for (name, tensor) in theirs.iter() {
            note(name, &ours.get(name).unwrap().data, &tensor.data);
        }
    }
    for (name, _) in theirs.parameters.iter() {
        let [ours, theirs] = [ours, theirs].map(|state| state.optimizer.memory(name).unwrap());
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert_eq!(ours.len(), theirs.len());
            note(name, ours, theirs);
        }
    }
    worst
}

/// On the processor, there with the card's way of moving parameters, and on a card where there is one.
#[test]
fn sessions_of_both_engines_agree() {
    let card = (tch::Cuda::device_count() > 0).then_some(tch::Device::Cuda(0));
    for config in configs() {
        let (graph, state) = start(&config);
        let mut theirs = flex_engine(3).session(&graph, state.clone()).unwrap();
        let expected = three_steps(&mut *theirs);
        let (images, _) = batch(3, 1);
        let logits = [Weights::Current, Weights::Averaged]
            .map(|weights| theirs.logits((&images).into(), weights).unwrap());
        let theirs = theirs.into_state().unwrap();
        let on_processor = [false, true].map(|at_once| (tch::Device::Cpu, at_once, 2e-3));
        // A card rounds the factors of convolutions to three digits.
        let on_card = card.map(|card| (card, true, 5e-2));
        for (device, at_once, tolerance) in on_processor.into_iter().chain(on_card) {
            let engine = TorchEngine {
                seed: 3,
                device,
                mixed_precision: false,
            };
            let mut session = TorchSession::new(engine, &graph, state.clone()).unwrap();
            session.at_once = at_once;
            for (ours, theirs) in three_steps(&mut session).iter().zip(&expected) {
                let apart = (ours - theirs).abs();
                assert!(apart < tolerance * theirs, "{ours} {theirs}");
            }
            for (weights, theirs) in [Weights::Current, Weights::Averaged].iter().zip(&logits) {
                let ours = session.logits((&images).into(), *weights).unwrap();
                assert!(share(&ours.data, &theirs.data) < tolerance);
            }
            let ours = Box::new(session).into_state().unwrap();
            let apart = apart(&ours, &theirs);
            println!("{device:?} {at_once} {config:?} {apart:.1e}");
            assert!(apart < tolerance, "{config:?} {apart}");
        }
    }
}

#[test]
fn a_state_goes_in_and_out_bit_by_bit() {
    for config in configs() {
        let (graph, state) = start(&config);
        let session = |state| {
            let engine = torch_engine(3, TorchConfig::default()).unwrap();
            engine.session(&graph, state).unwrap()
        };
        let mut first = session(state.clone());
        assert_eq!(*first.state().unwrap(), state);
        three_steps(&mut *first);
        let middle = first.state().unwrap().into_owned();
        let mut second = session(middle.clone());
        assert_eq!(*second.state().unwrap(), middle);
        // One goes on, and the other begins where it stood.
        let after = [&mut first, &mut second].map(|session| {
            three_steps(&mut **session);
            session.state().unwrap().into_owned()
        });
        assert!(apart(&after[0], &after[1]) < 1e-6);
    }
}

#[test]
fn a_loss_that_is_not_finite_moves_nothing() {
    let (graph, mut state) = start(&OptimizerConfig::default());
    state.parameters.get_mut("fc2.bias").unwrap().data[2] = f32::INFINITY;
    let engine = torch_engine(3, TorchConfig::default()).unwrap();
    let mut session = engine.session(&graph, state.clone()).unwrap();
    let (images, targets) = batch(4, 0);
    let training = Training::default();
    let settings = StepSettings {
        rng_step: 0,
        training: &training,
        motion: motion(),
    };
    let report = session.step((&images).into(), &targets, &settings).unwrap();
    assert!(!report.loss.is_finite());
    assert_eq!(session.move_parameters(&motion()).unwrap(), None);
    assert_eq!(*session.state().unwrap(), state);
    // Neither does a batch that is refused.
    let small = formula("small", &[4, 3, 8, 8]);
    assert!(session.step((&small).into(), &targets, &settings).is_err());
    assert_eq!(session.into_state().unwrap(), state);
}

#[test]
fn parameters_of_another_network_are_refused() {
    let (graph, mut state) = start(&OptimizerConfig::default());
    state.parameters.get_mut("fc2.bias").unwrap().shape = vec![7];
    let engine = torch_engine(3, TorchConfig::default()).unwrap();
    let refused = engine.session(&graph, state).err();
    assert!(matches!(refused, Some(EngineError::Parameter { .. })));
}
