//! Each operator against the reference's values, forward and gradient.

use burn_autodiff::Autodiff;
use burn_backend::Backend;
use burn_backend::backend::AutodiffBackend;
use burn_backend::ops::FloatTensorOps;

use super::super::interpret::{self, Moments};
use super::super::{BurnEngine, backward, values};
use super::on_processor;
use crate::engine::flex::{Mode, Setting, follow};
use crate::reference::operators::{Outcome, Run as Case, agree};
use crate::*;

/// Runs a graph and goes back from its output.
#[allow(clippy::needless_pass_by_value, reason = "as the reference calls it")]
pub fn differentiate<B: Backend>(engine: &BurnEngine<B>, case: Case<'_>) -> Outcome {
    let images = Autodiff::<B>::float_set_require_grad(engine.put(case.input), true);
    // Weights are followed in training only; a case in evaluation wants their gradients too.
    let training = Training {
        running_statistics: if case.training {
            Vec::new()
        } else {
            vec![String::new()]
        },
        ..Training::default()
    };
    let setting = Setting {
        graph: case.graph,
        parameters: case.parameters,
        batch: case.input.shape[0],
        lengths: None,
        mode: Mode::Training { seed: 0, step: 0 },
        training: &training,
    };
    let run = interpret::run::<B>(&setting, images.clone(), &engine.device).unwrap();
    let output = values::read_one::<B>(&run.output).unwrap();
    let statistics = Moments::read(&run.moments).unwrap();
    let mut found = backward::<B>(run.output, case.upstream, &engine.device);
    let mut take = |leaf: &values::Tracked<B>| {
        let gradient = Autodiff::<B>::grad_remove(leaf, &mut found)?;
        values::read::<B>(vec![gradient]).unwrap().pop()
    };
    let input = take(&images).unwrap().data;
    let leaves = run.leaves.iter();
    let gradients = leaves.filter_map(|(name, leaf)| Some((name.clone(), take(leaf)?)));
    let gradients = gradients.collect();
    let mut running = case.parameters.clone();
    follow(&statistics, &mut running);
    let first = statistics.into_iter().next();
    Outcome {
        output: output.data,
        input,
        gradients,
        statistics: first.map(|(_, of, _)| (of.mean, of.variance, of.count)),
        running,
    }
}

#[test]
fn operators_are_the_references() {
    let engine = on_processor(0);
    agree(&|case| differentiate(&engine, case));
}

fn one(operator: impl Into<Operator>, input: &[usize]) -> Graph {
    let mut builder = GraphBuilder::new("one", input);
    let value = builder.add("op", operator, &[Value::INPUT]).unwrap();
    builder.output("y", value).finish().unwrap()
}

/// Burn pads both sides of an axis alike when it pools.
pub fn uneven_windows<B: Backend>(engine: &mut BurnEngine<B>) {
    let mut output = |operator: Operator, x: &Tensor| {
        let graph = one(operator, &[1, 3, 1]);
        let logits = engine.logits(&graph, &Parameters::default(), x);
        logits.unwrap().data
    };
    let x = Tensor::new(&[1, 1, 3, 1], vec![1.0, 2.0, 4.0]).unwrap();
    let mut mean = |ceil_mode, count_include_pad| {
        let pool = AveragePool {
            kernel: [2, 1],
            strides: [2, 1],
            pads: [0, 0, 1, 0],
            ceil_mode,
            count_include_pad,
        };
        output(pool.into(), &x)
    };
    assert_eq!(mean(false, true), [1.5, 2.0]);
    assert_eq!(mean(true, true), [1.5, 2.0]);
    assert_eq!(mean(false, false), [1.5, 4.0]);
    let negative = Tensor::new(&[1, 1, 3, 1], vec![-1.0, -2.0, -4.0]).unwrap();
    let pool = MaxPool {
        kernel: [2, 1],
        strides: [2, 1],
        pads: [0, 0, 1, 0],
        ceil_mode: false,
    };
    assert_eq!(output(pool.into(), &negative), [-1.0, -4.0]);
}

/// Among equal values the first takes the gradient; bounds pass none.
pub fn kinks<B: Backend>(engine: &BurnEngine<B>) {
    let slopes = |operator: Operator, input: &[usize], x: Vec<f32>| {
        let shape = [&[1], input].concat();
        let graph = one(operator, input);
        let shape_after = [&[1], graph.nodes()[0].shape.as_slice()].concat();
        let case = Case {
            graph: &graph,
            parameters: &Parameters::default(),
            input: &Tensor::new(&shape, x).unwrap(),
            upstream: &Tensor::filled(&shape_after, 1.0),
            training: false,
        };
        differentiate(engine, case).input
    };
    let equal = vec![3.0, 1.0, 3.0, 3.0];
    let first = [1.0, 0.0, 0.0, 0.0];
    let most = ReduceMax {
        axes: vec![1, 2],
        keepdims: false,
    };
    assert_eq!(slopes(most.into(), &[2, 2], equal.clone()), first);
    assert_eq!(
        slopes(GlobalMaxPool.into(), &[1, 2, 2], equal.clone()),
        first
    );
    let whole = MaxPool {
        kernel: [2, 2],
        ..MaxPool::whole(1)
    };
    assert_eq!(slopes(whole.into(), &[1, 2, 2], equal), first);
    let bounds = Clip {
        min: Some(1.0),
        max: Some(3.0),
    };
    let x = vec![1.0, 2.0, 3.0, 4.0];
    assert_eq!(slopes(bounds.into(), &[4], x), [0.0, 1.0, 0.0, 0.0]);
}

#[test]
fn uneven_windows_are_as_wide_as_the_graph_says() {
    uneven_windows(&mut on_processor(0));
}

#[test]
fn gradients_at_kinks_are_the_graphs() {
    kinks(&on_processor(0));
}
