//! Gradients with regard to a value within a network: slopes of the logits, at every kind of place.

use super::super::tape::tensor;
use super::super::*;
use crate::reference::{formula, formula_parameters, small_network};
use crate::zoo::{NetworkConfig, build};
use crate::{EngineError, Value};

fn images(graph: &Graph, count: usize) -> Tensor {
    formula("input", &[&[count], graph.input()].concat())
}

/// Every image's logits count as `counts`.
fn slopes(images: usize, counts: [f32; 6]) -> Tensor {
    Tensor::new(&[images, 6], counts.repeat(images)).unwrap()
}

const COUNTS: [f32; 6] = [0.5, -1.0, 2.0, 0.0, 1.0, -0.25];

fn node(graph: &Graph, name: &str) -> Value {
    Value::of_node(
        graph
            .nodes()
            .iter()
            .position(|node| node.name == name)
            .unwrap(),
    )
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(a, b)| f64::from(*a) * f64::from(*b))
        .sum()
}

/// `x` moved by `step` times `direction`.
fn moved(x: &Tensor, direction: &Tensor, step: f32) -> Tensor {
    let pairs = x.data.iter().zip(&direction.data);
    let data = pairs.map(|(x, d)| x + step * d).collect();
    Tensor::new(&x.shape, data).unwrap()
}

#[test]
fn the_images_gradient_is_the_logits_slope() {
    let (graph, parameters) = small_network();
    let x = images(&graph, 2);
    let counts = slopes(2, COUNTS);
    let found = activation_gradients(
        &graph,
        &parameters,
        &x,
        Value::INPUT,
        std::slice::from_ref(&counts),
    )
    .unwrap();
    assert_eq!(found.value, x);
    assert_eq!(found.gradients[0].shape, x.shape);
    let sum = |x: &Tensor| {
        let logits = flex_engine(0).logits(&graph, &parameters, x).unwrap();
        dot(&logits.data, &counts.data)
    };
    // Along the gradient itself the slope is its squared length; a short step stays on one side of most rectifiers.
    let gradient = &found.gradients[0];
    let squared = dot(&gradient.data, &gradient.data);
    let step = 1e-3 / squared.sqrt() as f32;
    let slope = (sum(&moved(&x, gradient, step)) - sum(&moved(&x, gradient, -step)))
        / (2.0 * f64::from(step));
    assert!(
        (slope / squared - 1.0).abs() < 0.01,
        "slope {slope}, gradient {squared}"
    );
}

#[test]
fn a_value_s_change_times_its_gradient_is_the_logits_change() {
    let (graph, parameters) = small_network();
    let x = images(&graph, 1);
    let counts = slopes(1, COUNTS);
    // Along the image's own gradient, where the logits change most; a short step stays on one side of most rectifiers.
    let along = activation_gradients(
        &graph,
        &parameters,
        &x,
        Value::INPUT,
        std::slice::from_ref(&counts),
    );
    let along = along.unwrap().gradients.remove(0);
    let step = 1e-3 / dot(&along.data, &along.data).sqrt() as f32;
    // Alone, among nodes that run as one, behind them, and in the head.
    for name in [
        "blocks.0.conv",
        "blocks.1.bn",
        "blocks.2.relu",
        "blocks.3.pool",
        "fc1",
    ] {
        let at = node(&graph, name);
        let of = |x: &Tensor| {
            activation_gradients(&graph, &parameters, x, at, std::slice::from_ref(&counts)).unwrap()
        };
        let [low, here, high] = [-step, 0.0, step].map(|by| of(&moved(&x, &along, by)));
        let value = dot(&high.value.data, &here.gradients[0].data)
            - dot(&low.value.data, &here.gradients[0].data);
        let logits = dot(&high.logits.data, &counts.data) - dot(&low.logits.data, &counts.data);
        assert!(
            (value / logits - 1.0).abs() < 0.02,
            "{name}: {value} by the gradient, {logits} in fact"
        );
    }
}

/// Where a shortcut passes a value by, a bias behind it must have the sum of the value's gradient over all places.
#[test]
fn a_value_that_a_shortcut_passes_has_its_bias_s_gradient() {
    let config = NetworkConfig {
        name: "resnet18".to_owned(),
        size: 32,
        ..NetworkConfig::default()
    };
    let graph = build(&config).unwrap();
    let parameters = formula_parameters(&graph);
    let x = images(&graph, 2);
    let counts = slopes(2, COUNTS);
    let (shape, data) = layout::channels_last(&x);
    let whole = interpret::run(
        &graph,
        &parameters,
        (Tape::from_inner(tensor(&shape, data)), 2),
        Mode::Evaluation,
        true,
    )
    .unwrap();
    let mut gradients = interpret::backward(whole.output, counts.data.clone());
    for name in ["layer1.0.bn1", "layer2.0.bn2", "layer4.1.bn2"] {
        let leaf = &whole.leaves[&format!("{name}.bias")];
        let bias = Tape::grad_remove(leaf, &mut gradients).unwrap();
        let bias = interpret::read(&Tape::from_inner(bias)).data;
        let at = node(&graph, name);
        let found =
            activation_gradients(&graph, &parameters, &x, at, std::slice::from_ref(&counts))
                .unwrap();
        let gradient = &found.gradients[0];
        let [_, channels, height, width] = gradient.shape[..] else {
            panic!("{:?}", gradient.shape);
        };
        let scale = bias.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        for (channel, bias) in bias.iter().enumerate() {
            let planes = gradient.data.chunks_exact(height * width);
            let sum: f32 = planes.skip(channel).step_by(channels).flatten().sum();
            assert!(
                (sum - bias).abs() <= 1e-4 * scale,
                "{name}, channel {channel}: {sum} instead of {bias}"
            );
        }
    }
}

#[test]
fn several_sums_are_each_alone_and_images_do_not_touch_each_other() {
    let (graph, parameters) = small_network();
    let x = images(&graph, 3);
    let at = node(&graph, "blocks.3.pool");
    let one = |label: usize| {
        let mut counts = [0.0; 6];
        counts[label] = 1.0;
        counts
    };
    let both = [slopes(3, one(1)), slopes(3, one(5))];
    let together = activation_gradients(&graph, &parameters, &x, at, &both).unwrap();
    for (slopes, gradient) in both.iter().zip(&together.gradients) {
        let alone = activation_gradients(&graph, &parameters, &x, at, std::slice::from_ref(slopes))
            .unwrap();
        assert_eq!(&alone.gradients[0], gradient);
        assert_eq!(alone.logits, together.logits);
    }
    let plane = x.data.len() / 3;
    let last = Tensor::new(
        &[&[1], graph.input()].concat(),
        x.data[2 * plane..].to_vec(),
    )
    .unwrap();
    let alone = activation_gradients(&graph, &parameters, &last, at, &[slopes(1, one(1))]).unwrap();
    let part = alone.gradients[0].data.len();
    let in_batch = &together.gradients[0].data[2 * part..];
    let far = alone.gradients[0].data.iter().zip(in_batch);
    assert!(far.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) < 1e-6);
    // Nothing asked, nothing differentiated: the value and the logits alone.
    let plain = activation_gradients(&graph, &parameters, &x, at, &[]).unwrap();
    assert_eq!(
        (plain.logits, plain.value),
        (together.logits, together.value)
    );
    assert!(plain.gradients.is_empty());
}

#[test]
fn what_does_not_fit_is_refused() {
    let (graph, parameters) = small_network();
    let x = images(&graph, 2);
    let wrong = Tensor::filled(&[2, 5], 1.0);
    let error = activation_gradients(&graph, &parameters, &x, Value::INPUT, &[wrong]).unwrap_err();
    assert!(matches!(error, EngineError::Slopes { .. }), "{error}");
    let nowhere = Value::of_node(graph.nodes().len());
    let error = activation_gradients(&graph, &parameters, &x, nowhere, &[]).unwrap_err();
    assert!(matches!(error, EngineError::NoValue(_)), "{error}");
    let probabilities = graph.with_probabilities().unwrap();
    let behind = node(&probabilities, "probabilities");
    let error = activation_gradients(&probabilities, &parameters, &x, behind, &[]).unwrap_err();
    assert!(matches!(error, EngineError::NoValue(_)), "{error}");
}
