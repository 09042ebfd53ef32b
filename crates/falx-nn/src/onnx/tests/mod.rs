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

/// How far the default run-time is from the engine, for two samples.
fn distance_of_rten(graph: &Graph) -> f32 {
    let parameters = Parameters::initialise(graph, 1);
    let model = rten::Model::load(to_bytes(graph, &parameters).unwrap()).unwrap();
    let [input, logits] = ["input", "logits"].map(|name| model.node_id(name).unwrap());
    let shape = [&[2], graph.input()].concat();
    let values = formula("input", &shape);
    let ours = flex_engine(0).logits(graph, &parameters, &values).unwrap();
    let value = if let [batch, channels, height, width] = shape[..] {
        rten::Value::from_shape(&[batch, channels, height, width], values.data).unwrap()
    } else {
        rten::Value::from_shape(&[shape[0], shape[1], shape[2]], values.data).unwrap()
    };
    let mut outputs = model
        .run(vec![(input, value.into())], &[logits], None)
        .unwrap();
    let theirs = outputs.remove(0);
    let theirs = if ours.shape.len() == 2 {
        theirs.into_shape_vec::<f32, 2>().unwrap().1
    } else {
        theirs.into_shape_vec::<f32, 3>().unwrap().1
    };
    assert_eq!(ours.data.len(), theirs.len());
    let distances = ours.data.iter().zip(&theirs).map(|(a, b)| (a - b).abs());
    // Fresh weights can give large logits, which have as many digits as small ones.
    let scale = theirs.iter().map(|x| x.abs()).fold(1.0, f32::max);
    // A distance that is no number must not count as small.
    distances.fold(0.0, |worst, x| if x <= worst { worst } else { x }) / scale
}

#[test]
fn rten_computes_every_network() {
    for name in crate::zoo::names() {
        let graph = build(&NetworkConfig {
            name: (*name).to_owned(),
            size: if name.starts_with("inception") {
                139
            } else {
                64
            },
            ..NetworkConfig::default()
        });
        let distance = distance_of_rten(&graph.unwrap());
        println!("{name:24} {distance:.1e} from rten");
        assert!(distance < 1e-4, "{name}: {distance}");
    }
}

#[test]
fn rten_computes_coherent_heads_and_series() {
    use crate::zoo::{Coherence, Pooling, SequenceConfig, SequenceModel, build_sequence};
    let mut graphs = Vec::new();
    for coherence in [Coherence::Maximum, Coherence::Product] {
        let config = NetworkConfig {
            coherence,
            pooling: Pooling::GeneralisedMean,
            ..NetworkConfig::default()
        };
        graphs.push(build(&config).unwrap());
    }
    for model in [
        SequenceModel::Gru,
        SequenceModel::Lstm,
        SequenceModel::Transformer,
    ] {
        let config = SequenceConfig {
            model,
            slices: 7,
            features: 12,
            hidden: 8,
            layers: 2,
            differences: true,
            ..SequenceConfig::default()
        };
        graphs.push(build_sequence(&config).unwrap());
    }
    for graph in graphs {
        let distance = distance_of_rten(&graph);
        println!("{:24} {distance:.1e} from rten", graph.name());
        assert!(distance < 1e-4, "{}: {distance}", graph.name());
    }
}
