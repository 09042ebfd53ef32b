use super::*;
use crate::reference::{formula, formula_parameters, small_network};
use crate::zoo::{NetworkConfig, build};
use crate::{Conv, Graph, GraphBuilder, Operator, Parameters, Tensor, Value, flex_engine};

fn distance(before: (&Graph, &Parameters), after: (&Graph, &Parameters)) -> f32 {
    let input = [&[3], before.0.input()].concat();
    let images = formula("input", &input);
    let logits = |(graph, parameters): (&Graph, &Parameters)| -> Tensor {
        flex_engine(0).logits(graph, parameters, &images).unwrap()
    };
    let (before, after) = (logits(before), logits(after));
    assert_eq!(before.shape, after.shape);
    let pairs = before.data.iter().zip(&after.data);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn batch_normalisation_lies_in_the_convolution_before_it() {
    let (graph, parameters) = small_network();
    let (folded, weights) = fold_batch_normalization(&graph, parameters.clone()).unwrap();
    let norms = |graph: &Graph| {
        let nodes = graph.nodes().iter();
        nodes
            .filter(|node| matches!(node.operator, Operator::BatchNormalization(_)))
            .count()
    };
    assert_eq!((norms(&graph), norms(&folded)), (4, 0));
    let distance = distance((&graph, &parameters), (&folded, &weights));
    println!("folded: {distance:.1e}");
    assert!(distance <= 1e-5, "{distance}");
    assert!(weights.get("blocks.0.bn.running_mean").is_none());
}

/// A normalisation whose input another node reads must stay.
#[test]
fn what_is_read_twice_is_not_folded() {
    let mut graph = GraphBuilder::new("fork", &[3, 8, 8]);
    let conv = graph
        .add("conv", Conv::same(4, 3), &[Value::INPUT])
        .unwrap();
    let norm = graph
        .add("bn", crate::BatchNormalization::default(), &[conv])
        .unwrap();
    let sum = graph
        .add("sum", crate::Add::default(), &[conv, norm])
        .unwrap();
    let pool = graph.add("pool", crate::GlobalAveragePool, &[sum]).unwrap();
    let row = graph.add("flatten", crate::Flatten, &[pool]).unwrap();
    let graph = graph.output("logits", row).finish().unwrap();
    let parameters = formula_parameters(&graph);
    let (folded, weights) = fold_batch_normalization(&graph, parameters.clone()).unwrap();
    assert_eq!(folded, graph);
    assert_eq!(weights, parameters);
}

#[test]
fn dropout_goes_and_the_numbers_stay() {
    let (graph, parameters) = small_network();
    let without = without_dropout(&graph).unwrap();
    assert_eq!(without.nodes().len() + 1, graph.nodes().len());
    assert_eq!(
        distance((&graph, &parameters), (&without, &parameters)),
        0.0
    );
}

/// Factors and summands of channels go into the convolution, those of rows stay.
#[test]
fn constants_lie_in_the_layer_before_them() {
    let own = |shape: &[usize]| {
        Some(crate::Constant {
            shape: shape.to_vec(),
            kind: crate::ParameterKind::Constant,
            initialisation: crate::Initialisation::Constant(1.0),
        })
    };
    let mut graph = GraphBuilder::new("scaled", &[3, 8, 8]);
    let x = graph
        .add("conv", Conv::same(4, 3), &[Value::INPUT])
        .unwrap();
    let x = graph
        .add(
            "scale",
            crate::Mul {
                constant: own(&[4, 1, 1]),
            },
            &[x],
        )
        .unwrap();
    let x = graph
        .add(
            "shift",
            crate::Sub {
                constant: own(&[1]),
            },
            &[x],
        )
        .unwrap();
    let x = graph
        .add(
            "rows",
            crate::Mul {
                constant: own(&[8, 1]),
            },
            &[x],
        )
        .unwrap();
    let x = graph.add("pool", crate::GlobalAveragePool, &[x]).unwrap();
    let x = graph.add("flatten", crate::Flatten, &[x]).unwrap();
    let x = graph
        .add(
            "half",
            crate::Div {
                constant: own(&[1]),
            },
            &[x],
        )
        .unwrap();
    let graph = graph.output("logits", x).finish().unwrap();
    let parameters = formula_parameters(&graph);
    let (folded, weights) = fold_constants(&graph, parameters.clone()).unwrap();
    let names: Vec<&str> = folded
        .nodes()
        .iter()
        .map(|node| node.name.as_str())
        .collect();
    assert_eq!(names, ["conv", "rows", "pool", "flatten", "half"]);
    let distance = distance((&graph, &parameters), (&folded, &weights));
    assert!(distance <= 1e-5, "{distance}");
}

#[test]
fn outputs_come_in_another_order_and_alone() {
    let config = NetworkConfig {
        size: 32,
        ..NetworkConfig::default()
    };
    let graph = build(&config).unwrap().with_probabilities().unwrap();
    let parameters = formula_parameters(&graph);
    let images = formula("images", &[2, 3, 32, 32]);
    let logits = |graph: &Graph, parameters: &Parameters| {
        let found = flex_engine(0).logits(graph, parameters, &images).unwrap();
        found.data
    };
    let meant = logits(&graph, &parameters);
    let order = [5, 0, 1, 2, 4, 3];
    let (ordered, weights) = output_in_order(&graph, &parameters, "scores", &order).unwrap();
    assert_eq!(ordered.outputs().len(), 1);
    assert_eq!(ordered.outputs()[0].0, "scores");
    for (found, meant) in logits(&ordered, &weights).chunks(6).zip(meant.chunks(6)) {
        assert_eq!(found, order.map(|at| meant[at]));
    }
    let (same, weights) =
        output_in_order(&graph, &parameters, "scores", &[0, 1, 2, 3, 4, 5]).unwrap();
    assert_eq!(same.nodes().len() + 1, graph.nodes().len());
    assert_eq!(logits(&same, &weights), meant);
    for order in [&[1, 0][..], &[0, 1, 2, 3, 4, 4], &[0, 1, 2, 3, 4, 6]] {
        assert!(output_in_order(&graph, &parameters, "scores", order).is_err());
    }
}
