use super::*;
use crate::reference::{formula, formula_parameters};
use crate::zoo::{NetworkConfig, build};
use crate::{
    Add, BatchNormalization, Conv, GlobalAveragePool, Graph, GraphBuilder, Operator, Parameters,
    Relu, Value, flex_engine,
};

fn kinds(graph: &Graph) -> Vec<&'static str> {
    let nodes = graph.nodes().iter();
    nodes.map(|node| node.operator.name()).collect()
}

/// The largest difference of a logit after the pass.
fn moved(graph: &Graph, parameters: &Parameters) -> f32 {
    let (folded, fewer) = fold_batch_normalization(graph, parameters).unwrap();
    let shape: Vec<usize> = [2].into_iter().chain(graph.input().to_vec()).collect();
    let images = formula("input", &shape);
    let mut engine = flex_engine(0);
    let before = engine.logits(graph, parameters, &images).unwrap();
    let after = engine.logits(&folded, &fewer, &images).unwrap();
    assert_eq!(before.shape, after.shape);
    let pairs = before.data.iter().zip(&after.data);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn a_networks_normalisations_and_dropout_go_and_its_logits_stay() {
    let graph = build(&NetworkConfig {
        dropout: 0.3,
        size: 64,
        ..NetworkConfig::default()
    })
    .unwrap();
    let parameters = formula_parameters(&graph);
    let (folded, fewer) = fold_batch_normalization(&graph, &parameters).unwrap();
    assert!(
        !kinds(&folded)
            .iter()
            .any(|kind| ["BatchNormalization", "Dropout"].contains(kind))
    );
    assert!(fewer.get("blocks.0.bn.weight").is_none());
    assert_eq!(
        fewer.get("blocks.0.conv.bias").map(|bias| bias.data.len()),
        Some(32)
    );
    assert_eq!(folded.outputs()[0].0, "logits");
    let moved = moved(&graph, &parameters);
    assert!(moved < 1e-5, "{moved}");
}

/// A convolution that something else reads keeps its values, and a normalisation of something else stays.
#[test]
fn what_is_read_twice_is_not_folded() {
    let mut graph = GraphBuilder::new("twice", [3, 8, 8]);
    let biased = Conv {
        bias: true,
        ..Conv::same(4, 3)
    };
    let a = graph.add("a", biased, &[Value::INPUT]).unwrap();
    let b = graph.add("b", BatchNormalization::default(), &[a]).unwrap();
    let c = graph.add("c", Add, &[a, b]).unwrap();
    let d = graph.add("d", biased, &[c]).unwrap();
    let e = graph.add("e", BatchNormalization::default(), &[d]).unwrap();
    let f = graph.add("f", Relu, &[e]).unwrap();
    let g = graph.add("g", BatchNormalization::default(), &[f]).unwrap();
    let h = graph.add("h", GlobalAveragePool, &[g]).unwrap();
    let graph = graph.output("logits", h).finish().unwrap();
    let parameters = formula_parameters(&graph);
    let (folded, _) = fold_batch_normalization(&graph, &parameters).unwrap();
    let names: Vec<&str> = folded.nodes().iter().map(|node| &*node.name).collect();
    assert_eq!(names, ["a", "b", "c", "d", "f", "g", "h"]);
    assert!(matches!(
        folded.nodes()[1].operator,
        Operator::BatchNormalization(_)
    ));
    let moved = moved(&graph, &parameters);
    assert!(moved < 1e-5, "{moved}");
}

#[test]
fn parameters_of_another_network_are_named() {
    let graph = build(&NetworkConfig::default()).unwrap();
    let error = fold_batch_normalization(&graph, &Parameters::default()).unwrap_err();
    assert!(
        error.to_string().contains("blocks.0.conv.weight"),
        "{error}"
    );
}
