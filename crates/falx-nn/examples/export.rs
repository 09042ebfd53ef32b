//! Writes untrained networks with fresh weights as ONNX, for a comparison with other run-times.
//!
//! `export FILE` writes a simple CNN and prints its logits. `export --zoo FOLDER` writes every network with `logits.json`,
//! which holds the input's shape and the logits of each. Inputs hold the fractional parts of 0, .618034, 2 * .618034, ...

use std::collections::BTreeMap;
use std::path::Path;

use falx_nn::zoo::{
    Coherence, NetworkConfig, Pooling, SequenceConfig, SequenceModel, build, build_sequence, names,
};
use falx_nn::{Graph, Parameters, Tensor, flex_engine, onnx};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--zoo", folder] => zoo(Path::new(folder)),
        [file] => {
            let graph = build(&NetworkConfig::default())?.with_probabilities()?;
            println!("{:?}", export(&graph, Path::new(file))?.1.data);
            Ok(())
        }
        _ => Err("name the file to write, or --zoo and a folder".into()),
    }
}

fn zoo(folder: &Path) -> Result<(), Failure> {
    let mut graphs = Vec::new();
    for name in names() {
        let size = if name.starts_with("inception") {
            139
        } else {
            64
        };
        let name = (*name).to_owned();
        graphs.push((
            name.clone(),
            build(&NetworkConfig {
                name,
                size,
                ..NetworkConfig::default()
            })?,
        ));
    }
    for coherence in [Coherence::Maximum, Coherence::Product] {
        let pooling = Pooling::GeneralisedMean;
        let config = NetworkConfig {
            coherence,
            pooling,
            ..NetworkConfig::default()
        };
        graphs.push((format!("coherent_{coherence:?}"), build(&config)?));
    }
    for model in [
        SequenceModel::Gru,
        SequenceModel::Lstm,
        SequenceModel::Transformer,
    ] {
        let config = SequenceConfig {
            model,
            slices: 12,
            features: 32,
            hidden: 16,
            layers: 2,
            differences: true,
            ..SequenceConfig::default()
        };
        graphs.push((format!("sequence_{model:?}"), build_sequence(&config)?));
    }
    let mut results = BTreeMap::new();
    for (name, graph) in graphs {
        let (input, logits) = export(&graph, &folder.join(format!("{name}.onnx")))?;
        results.insert(name, (input, logits.data));
    }
    std::fs::write(folder.join("logits.json"), serde_json::to_string(&results)?)?;
    Ok(())
}

/// Writes one network and gives the shape of its input and the logits of two samples.
fn export(graph: &Graph, path: &Path) -> Result<(Vec<usize>, Tensor), Failure> {
    let parameters = Parameters::initialise(graph, 1);
    onnx::write(graph, &parameters, path)?;
    let shape = [&[2], graph.input()].concat();
    let values = 0..shape.iter().product::<usize>();
    let values = values.map(|i| (i as f32 * 0.618_034).fract()).collect();
    let input = Tensor::new(&shape, values)?;
    let logits = flex_engine(0).logits(graph, &parameters, &input)?;
    Ok((shape, logits))
}
