//! Each operator against the reference's values, forward and gradient.

use super::super::interpret::{self, Mode, Setting};
use super::super::numbers::Numbers;
use super::super::values;
use crate::reference::operators::{Outcome, Run as Case, agree};
use crate::*;

/// Runs a graph and goes back from its output.
fn differentiate(case: Case<'_>) -> Outcome {
    let device = tch::Device::Cpu;
    let images = values::put(case.input, device).unwrap();
    let images = images.set_requires_grad(true);
    let mode = if case.training {
        Mode::Training { seed: 0, step: 0 }
    } else {
        Mode::Evaluation
    };
    let training = Training::default();
    let numbers = Numbers::put(case.graph, case.parameters, device).unwrap();
    numbers.want(case.graph, &training).unwrap();
    let setting = Setting {
        graph: case.graph,
        numbers: &numbers,
        lengths: None,
        mode,
        training: &training,
        device,
        mixed_precision: false,
    };
    let run = interpret::run(&setting, images.shallow_clone()).unwrap();
    let output = values::read(&run).unwrap();
    let upstream = Tensor::new(&output.shape, case.upstream.data.clone()).unwrap();
    let upstream = values::flat(&upstream, device).unwrap();
    let gradients = numbers.gradients(&run, &upstream).unwrap();
    let mut running = case.parameters.clone();
    for (name, statistic) in &numbers.statistics {
        running.get_mut(name).unwrap().data = values::numbers(statistic).unwrap();
    }
    let has_own = case.training && !numbers.statistics.is_empty();
    Outcome {
        output: output.data,
        input: values::numbers(&images.grad()).unwrap(),
        gradients,
        statistics: has_own.then(|| statistics(case.input)),
        running,
    }
}

/// Mean, variance and count of each channel, which libtorch keeps to itself.
fn statistics(x: &Tensor) -> (Vec<f32>, Vec<f32>, usize) {
    let (batch, channels) = (x.shape[0], x.shape[1]);
    let (pixels, count) = (x.data.len() / batch / channels, x.data.len() / channels);
    let mean_of = |of: &dyn Fn(usize, f64) -> f64| {
        let mut means = vec![0.0_f64; channels];
        for (at, value) in x.data.iter().enumerate() {
            let channel = at / pixels % channels;
            means[channel] += of(channel, f64::from(*value)) / count as f64;
        }
        means
    };
    let means = mean_of(&|_, value| value);
    let variances = mean_of(&|channel, value| (value - means[channel]).powi(2));
    let single = |values: Vec<f64>| values.into_iter().map(|x| x as f32).collect();
    (single(means.clone()), single(variances), count)
}

#[test]
fn operators_are_the_references() {
    agree(&differentiate);
}

fn one(operator: impl Into<Operator>, input: &[usize]) -> Graph {
    let mut builder = GraphBuilder::new("one", input);
    let value = builder.add("op", operator, &[Value::INPUT]).unwrap();
    builder.output("y", value).finish().unwrap()
}

fn output(graph: &Graph, x: &Tensor) -> Tensor {
    let mut engine = torch_engine(0, TorchConfig::default()).unwrap();
    engine.logits(graph, &Parameters::default(), x).unwrap()
}

/// libtorch knows only paddings that are alike on both sides and at most half the kernel.
#[test]
fn uneven_windows_are_as_wide_as_the_graph_says() {
    let x = Tensor::new(&[1, 1, 3, 1], vec![1.0, 2.0, 4.0]).unwrap();
    let pool = |ceil_mode, count_include_pad| AveragePool {
        kernel: [2, 1],
        strides: [2, 1],
        pads: [0, 0, 1, 0],
        ceil_mode,
        count_include_pad,
    };
    let mean = |ceil, counted| output(&one(pool(ceil, counted), &[1, 3, 1]), &x).data;
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
    assert_eq!(output(&one(pool, &[1, 3, 1]), &negative).data, [-1.0, -4.0]);
}

/// Among equal values the first takes the gradient; bounds pass none.
#[test]
fn gradients_at_kinks_are_the_graphs() {
    let slopes = |operator: Operator, input: &[usize], x: Vec<f32>| {
        let shape = [&[1], input].concat();
        let graph = one(operator, input);
        let shape_after = [&[1], graph.nodes()[0].shape.as_slice()].concat();
        let run = Case {
            graph: &graph,
            parameters: &Parameters::default(),
            input: &Tensor::new(&shape, x).unwrap(),
            upstream: &Tensor::filled(&shape_after, 1.0),
            training: false,
        };
        differentiate(run).input
    };
    let equal = vec![3.0, 1.0, 3.0, 3.0];
    let most = ReduceMax {
        axes: vec![1, 2],
        keepdims: false,
    };
    assert_eq!(
        slopes(most.into(), &[2, 2], equal.clone()),
        [1.0, 0.0, 0.0, 0.0]
    );
    assert_eq!(
        slopes(GlobalMaxPool.into(), &[1, 2, 2], equal),
        [1.0, 0.0, 0.0, 0.0]
    );
    let bounds = Clip {
        min: Some(1.0),
        max: Some(3.0),
    };
    let x = vec![1.0, 2.0, 3.0, 4.0];
    assert_eq!(slopes(bounds.into(), &[4], x), [0.0, 1.0, 0.0, 0.0]);
}

#[test]
fn another_cubic_kernel_is_refused() {
    let mode = ResizeMode::Cubic { coefficient: -0.5 };
    let graph = one(Resize { mode, size: [4, 4] }, &[1, 2, 2]);
    let mut engine = torch_engine(0, TorchConfig::default()).unwrap();
    let x = Tensor::filled(&[1, 1, 2, 2], 1.0);
    let refused = engine.logits(&graph, &Parameters::default(), &x);
    assert!(matches!(refused, Err(EngineError::Unsupported { .. })));
}
