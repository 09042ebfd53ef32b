//! The shared reference values (see its README): formula weights, records of networks and operators.

pub mod operators;

use std::path::Path;

use falx_core::LabelRow;
use serde_json::Value;

use crate::zoo::{NetworkConfig, build};
use crate::{Graph, ParameterKind, ParameterSpec, Parameters, Targets, Tensor};

/// SplitMix64 from the FNV-1a hash of a tensor's name.
pub struct Stream(u64);

impl Stream {
    pub fn new(name: &str) -> Self {
        let hash = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        Self(name.bytes().fold(0xCBF2_9CE4_8422_2325, hash))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// In [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 * 2_f64.powi(-53)
    }
}

/// A small simple CNN with the formula's weights.
pub fn small_network() -> (Graph, Parameters) {
    let config = NetworkConfig {
        size: 32,
        width: 4,
        dropout: 0.2,
        ..NetworkConfig::default()
    };
    let graph = build(&config).unwrap();
    let parameters = formula_parameters(&graph);
    (graph, parameters)
}

/// The tensor the formula gives for a name.
pub fn formula(name: &str, shape: &[usize]) -> Tensor {
    let part = name.rsplit('.').next().unwrap();
    let fan_in: usize = shape[1..].iter().product();
    let mut stream = Stream::new(name);
    let mut value = || {
        let u = stream.unit();
        let v = 2.0 * u - 1.0;
        let part = if part.starts_with("bias") {
            "bias"
        } else {
            part
        };
        match (part, shape.len()) {
            ("running_var", _) => 1.0 + 0.2 * u,
            ("bias" | "running_mean", _) => 0.05 * v,
            ("weight", 1) => 1.0 + 0.1 * v,
            (name, 2..) if name.starts_with("weight") => v * ((6.0 / fan_in as f64).sqrt() * 0.7),
            _ => v,
        }
    };
    let mut tensor = Tensor::filled(shape, 0.0);
    tensor.data.iter_mut().for_each(|x| *x = value() as f32);
    tensor
}

pub fn formula_parameters(graph: &Graph) -> Parameters {
    // Constants are no tensors of PyTorch's: they keep their value.
    let constants = Parameters::initialise(graph, 0);
    let value = |spec: &ParameterSpec| match spec.kind {
        ParameterKind::Constant => constants.get(&spec.name).cloned().unwrap(),
        _ => formula(&spec.name, &spec.shape),
    };
    let specs = graph.parameters().iter();
    specs.map(|spec| (spec.name.clone(), value(spec))).collect()
}

pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

pub fn floats(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(floats).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

pub fn shape(value: &Value) -> Vec<usize> {
    floats(value).iter().map(|&x| x as usize).collect()
}

pub fn targets(labels: &Value) -> Targets {
    let row = |row: &Value| {
        let row = floats(row);
        LabelRow(std::array::from_fn(|c| Some(row[c] == 1.0)))
    };
    Targets::new(labels.as_array().unwrap().iter().map(row).collect())
}

/// The largest distance of two lists.
pub fn distance(ours: &[f32], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter()
        .zip(theirs)
        .map(|(a, b)| (f64::from(*a) - b).abs())
        .fold(0.0, f64::max)
}

/// How far a tensor is from its summary, as a share of the norm.
pub fn summary_distance(ours: &Tensor, summary: &Value) -> f64 {
    assert_eq!(ours.shape, shape(&summary["shape"]));
    let (norm, sum) = (
        summary["norm"].as_f64().unwrap(),
        summary["sum"].as_f64().unwrap(),
    );
    let values = || ours.data.iter().map(|&x| f64::from(x));
    let ours_norm = values().map(|x| x * x).sum::<f64>().sqrt();
    let picked: Vec<f32> = shape(&summary["at"])
        .into_iter()
        .map(|at| ours.data[at])
        .collect();
    let root = (ours.data.len() as f64).sqrt();
    let distances = [
        (ours_norm - norm).abs(),
        (values().sum::<f64>() - sum).abs() / root,
        distance(&picked, &floats(&summary["values"])),
    ];
    distances.into_iter().fold(0.0, f64::max) / norm
}

#[test]
fn the_formula_gives_the_readmes_worked_values() {
    assert_eq!(formula("conv1.weight", &[64, 3, 7, 7]).data[0], 0.012749129);
    assert_eq!(formula("input", &[2, 3, 128, 128]).data[5], 0.516632497);
    assert_eq!(formula("bn1.running_var", &[64]).data[1], 1.15735066);
    assert_eq!(formula("fc.bias", &[6]).data[2], -0.0219936911);
}
