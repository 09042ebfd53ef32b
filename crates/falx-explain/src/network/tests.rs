use std::path::Path;

use falx_core::Label;
use falx_nn::zoo::{NetworkConfig, build};
use falx_nn::{Parameters, Value, flex_engine};

use super::{Layer, Network};
use crate::ExplainError;

fn simple() -> (falx_nn::Graph, Parameters) {
    let config = NetworkConfig {
        size: 64,
        width: 4,
        dropout: 0.0,
        ..NetworkConfig::default()
    };
    let graph = build(&config).unwrap();
    let parameters = Parameters::initialise(&graph, 5);
    (graph, parameters)
}

#[test]
fn layers_are_found_by_place_and_by_name() {
    let (graph, parameters) = simple();
    let network = Network::new(&graph, parameters, Path::new("m.onnx")).unwrap();
    let name = |layer: &str| network.layer(&layer.parse().unwrap()).map(|(_, name)| name);
    assert_eq!(name("last").unwrap(), "blocks.3.pool");
    assert_eq!(name("finer").unwrap(), "blocks.3.relu");
    assert_eq!(name("blocks.1.conv").unwrap(), "blocks.1.conv");
    let error = name("blocks.1.cnv").unwrap_err().to_string();
    assert!(
        error.contains("blocks.1.conv") && error.contains("m.onnx"),
        "{error}"
    );
    assert!(matches!(
        name("fc1").unwrap_err(),
        ExplainError::NotAMap { .. }
    ));
}

#[test]
fn a_file_is_the_same_network_and_an_embedding_is_left_out() {
    let (graph, parameters) = simple();
    let path = Path::new("model.onnx");
    let with_embedding = graph.with_embedding().unwrap();
    let bytes = falx_nn::onnx::to_bytes(&with_embedding, &parameters).unwrap();
    let network = Network::read(bytes, path).unwrap();
    assert_eq!(network.graph().outputs().len(), 1);
    assert_eq!(network.size(), 64);
    let picture: Vec<f32> = (0..3 * 64 * 64).map(|at| (at as f32).sin()).collect();
    let shape = [1, 3, 64, 64];
    let found = network
        .gradients(&picture, shape, Value::INPUT, &[])
        .unwrap();
    let images = falx_nn::Tensor::new(&shape, picture).unwrap();
    let logits = flex_engine(0).logits(&graph, &parameters, &images).unwrap();
    for (a, b) in found.logits.data.iter().zip(&logits.data) {
        assert!((a - b).abs() < 1e-4, "{a} {b}");
    }
    let error = Network::read(b"no network".to_vec(), path).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("model.onnx"), "{error}");
}

#[test]
fn images_with_fewer_labels_have_no_gradient_in_the_rest() {
    let (graph, parameters) = simple();
    let network = Network::new(&graph, parameters, Path::new("m.onnx")).unwrap();
    let (value, _) = network.layer(&Layer::Last).unwrap();
    let pictures: Vec<f32> = (0..2 * 3 * 64 * 64).map(|at| (at as f32).cos()).collect();
    let labels = [vec![Label::Any], vec![Label::Subdural, Label::Any]];
    let found = network
        .gradients(&pictures, [2, 3, 64, 64], value, &labels)
        .unwrap();
    assert_eq!(found.gradients.len(), 2);
    let second = &found.gradients[1].data;
    let (first_image, second_image) = second.split_at(second.len() / 2);
    assert!(first_image.iter().all(|x| *x == 0.0));
    assert!(second_image.iter().any(|x| *x != 0.0));
}

#[test]
fn parameters_are_drawn_anew_from_the_logits_downwards() {
    let (graph, mut parameters) = simple();
    for (_, tensor) in parameters.iter_mut() {
        tensor.data.iter_mut().for_each(|x| *x += 0.5);
    }
    let network = Network::new(&graph, parameters, Path::new("m.onnx")).unwrap();
    let nodes = network.weighted_nodes();
    assert_eq!(nodes.len(), 10, "{nodes:?}");
    let changed = |count: usize| {
        let other = network.randomised(count, 9);
        let all = other.parameters().iter();
        let changed = all.filter(|(name, tensor)| network.parameters().get(name) != Some(tensor));
        changed.map(|(name, _)| name.to_owned()).collect::<Vec<_>>()
    };
    assert!(changed(0).is_empty());
    assert_eq!(changed(1), ["fc2.bias", "fc2.weight"]);
    assert_eq!(
        changed(nodes.len()).len(),
        network.parameters().iter().count()
    );
    assert_eq!(
        network.randomised(3, 9).parameters(),
        network.randomised(3, 9).parameters()
    );
}

#[test]
fn a_network_without_six_outputs_is_refused() {
    let config = NetworkConfig {
        size: 32,
        width: 4,
        outputs: 2,
        ..NetworkConfig::default()
    };
    let graph = build(&config).unwrap();
    let parameters = Parameters::initialise(&graph, 0);
    let error = Network::new(&graph, parameters, Path::new("m.onnx")).unwrap_err();
    assert!(matches!(error, ExplainError::NotSixOutputs(_)), "{error}");
}
