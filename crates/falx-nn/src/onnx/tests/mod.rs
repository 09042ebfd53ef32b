mod operators;

use super::*;
use crate::flex_engine;
use crate::reference::{formula, formula_parameters};
use crate::zoo::{NetworkConfig, build};

fn network() -> (Graph, Parameters) {
    let graph = build(&NetworkConfig {
        dropout: 0.3,
        ..NetworkConfig::default()
    })
    .unwrap();
    let graph = graph.with_probabilities().unwrap();
    let parameters = formula_parameters(&graph);
    (graph, parameters)
}

/// The default run-time reads the file and agrees with the engine, at any batch size.
#[test]
fn rten_computes_the_engines_logits() {
    let (graph, parameters) = network();
    let model = rten::Model::load(to_bytes(&graph, &parameters).unwrap()).unwrap();
    let [input, logits, probabilities] =
        ["input", "logits", "probabilities"].map(|name| model.node_id(name).unwrap());
    for batch in [1, 3] {
        let images = formula("input", &[batch, 3, 128, 128]);
        let ours = flex_engine(0).logits(&graph, &parameters, &images).unwrap();
        let value = rten::Value::from_shape(&[batch, 3, 128, 128], images.data).unwrap();
        let outputs = model
            .run(vec![(input, value.into())], &[logits, probabilities], None)
            .unwrap();
        let outputs = outputs
            .into_iter()
            .map(|value| value.into_shape_vec::<f32, 2>().unwrap());
        let [(shape, theirs), (_, chances)] =
            <[_; 2]>::try_from(outputs.collect::<Vec<_>>()).unwrap();
        assert_eq!(shape.as_slice(), ours.shape);
        for ((ours, theirs), chance) in ours.data.iter().zip(theirs).zip(chances) {
            assert!((ours - theirs).abs() < 1e-4, "{ours} {theirs}");
            assert!(
                (1.0 / (1.0 + (-ours).exp()) - chance).abs() < 1e-5,
                "{ours} {chance}"
            );
        }
    }
}

#[test]
fn the_file_is_written_whole_and_always_the_same() {
    let (graph, parameters) = network();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    write(&graph, &parameters, &path).unwrap();
    assert_eq!(
        std::fs::read(&path).unwrap(),
        to_bytes(&graph, &parameters).unwrap()
    );
    let nowhere = write(
        &graph,
        &parameters,
        &folder.path().join("no").join("model.onnx"),
    )
    .unwrap_err();
    assert!(nowhere.to_string().contains("model.onnx"), "{nowhere}");
    let none = to_bytes(&graph, &Parameters::default()).unwrap_err();
    assert!(matches!(none, OnnxError::Parameter { .. }));
}
