//! What the tests of reading share, and the reference files of other exporters.

use std::path::PathBuf;

use safetensors::SafeTensors;

use super::*;
use crate::onnx::message::{
    Attribute, Dimension, Length, Node, OperatorSet, Shape, TensorData, TensorType, Type, ValueInfo,
};
use crate::{Tensor, flex_engine};

mod damage;
mod meaning;
mod refusals;

fn node(operator: &str, name: &str, inputs: &[&str], output: &str) -> Node {
    Node {
        input: inputs.iter().map(|&input| input.to_owned()).collect(),
        output: vec![output.to_owned()],
        name: Some(name.to_owned()),
        op_type: Some(operator.to_owned()),
        ..Node::default()
    }
}

fn with_attributes(node: Node, attribute: Vec<Attribute>) -> Node {
    Node { attribute, ..node }
}

fn attribute(name: &str, ints: &[i64]) -> Attribute {
    Attribute {
        name: Some(name.to_owned()),
        ints: ints.to_vec(),
        kind: Some(7),
        ..Attribute::default()
    }
}

/// A stored tensor of floats.
fn float(name: &str, dims: &[i64], data: &[f32]) -> TensorData {
    TensorData {
        dims: dims.to_vec(),
        data_type: Some(1),
        name: Some(name.to_owned()),
        raw_data: Some(
            data.iter()
                .flat_map(|x| x.to_le_bytes())
                .collect::<Vec<u8>>()
                .into(),
        ),
        ..TensorData::default()
    }
}

/// A stored row of whole numbers.
fn whole(name: &str, data: &[i64]) -> TensorData {
    TensorData {
        dims: vec![data.len() as i64],
        data_type: Some(7),
        name: Some(name.to_owned()),
        int64_data: data.to_vec(),
        ..TensorData::default()
    }
}

/// An input or output; lengths of 0 are open.
fn dims(name: &str, lengths: &[i64]) -> ValueInfo {
    let dim = |&length: &i64| Dimension {
        length: Some(match length {
            0 => Length::Free("open".to_owned()),
            _ => Length::Fixed(length),
        }),
    };
    let shape = Shape {
        dim: lengths.iter().map(dim).collect(),
    };
    let tensor = TensorType {
        element: Some(1),
        shape: Some(shape),
    };
    ValueInfo {
        name: Some(name.to_owned()),
        kind: Some(Type {
            tensor: Some(tensor),
        }),
    }
}

fn model(opset: i64, input: &[i64], stored: Vec<TensorData>, nodes: Vec<Node>) -> Model {
    let last = nodes.last().and_then(|node| node.output.first().cloned());
    Model {
        ir_version: Some(8),
        graph: Some(GraphMessage {
            node: nodes,
            name: Some("test".to_owned()),
            initializer: stored,
            input: vec![dims("input", input)],
            output: vec![dims(&last.unwrap(), &[])],
            ..GraphMessage::default()
        }),
        opset_import: vec![OperatorSet {
            domain: None,
            version: Some(opset),
        }],
        ..Model::default()
    }
}

/// The smallest network: a convolution of one channel into two, rectified.
fn file() -> Model {
    model(
        17,
        &[0, 1, 4, 4],
        vec![float("conv.weight", &[2, 1, 1, 1], &[0.5, -2.0])],
        vec![
            node("Conv", "conv", &["input", "conv.weight"], "a"),
            node("Relu", "relu", &["a"], "b"),
        ],
    )
}

/// What older exporters make of `x.view(x.size(0), -1)` before a linear layer.
fn arithmetic() -> Model {
    let value = |name: &str, tensor: TensorData| {
        let held = Attribute {
            name: Some("value".to_owned()),
            t: Some(tensor),
            kind: Some(4),
            ..Attribute::default()
        };
        with_attributes(node("Constant", name, &[], name), vec![held])
    };
    let scalar = |name: &str, number: i64| {
        value(
            name,
            TensorData {
                dims: vec![],
                ..whole("", &[number])
            },
        )
    };
    model(
        11,
        &[0, 1, 2, 2],
        vec![
            float(
                "fc.weight",
                &[2, 4],
                &[1.0, 2.0, 3.0, 4.0, -1.0, 0.5, 0.25, 2.0],
            ),
            float("fc.bias", &[2], &[0.5, -0.5]),
        ],
        vec![
            node("Shape", "shape", &["input"], "s"),
            scalar("zero", 0),
            node("Gather", "gather", &["s", "zero"], "batch"),
            with_attributes(
                node("Unsqueeze", "unsqueeze", &["batch"], "front"),
                vec![attribute("axes", &[0])],
            ),
            value("rest", whole("", &[-1])),
            with_attributes(
                node("Concat", "concat", &["front", "rest"], "to"),
                vec![Attribute::int("axis", 0)],
            ),
            node("Reshape", "view", &["input", "to"], "row"),
            with_attributes(
                node("Gemm", "gemm", &["row", "fc.weight", "fc.bias"], "logits"),
                vec![Attribute::int("transB", 1)],
            ),
        ],
    )
}

/// The exporters' files, where the reference material is at hand.
fn reference() -> Option<PathBuf> {
    falx_fixtures::shared("reference/onnx")
}

fn tensor(file: &SafeTensors, name: &str) -> Tensor {
    let view = file.tensor(name).unwrap();
    let (words, _) = view.data().as_chunks();
    let data = words.iter().map(|&word| f32::from_le_bytes(word)).collect();
    Tensor::new(view.shape(), data).unwrap()
}

#[test]
fn files_of_both_exporters_run_and_agree_with_onnx_runtime() {
    let Some(folder) = reference() else {
        return;
    };
    let bytes = std::fs::read(folder.join("expected.safetensors")).unwrap();
    let expected = SafeTensors::deserialize(&bytes).unwrap();
    let images = tensor(&expected, "input");
    let index = crate::reference::json(&folder.join("onnx.json"));
    let cases = index["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 8);
    for case in cases {
        let file = case["file"].as_str().unwrap();
        let imported = read(&folder.join(file), &ReadOptions::default()).unwrap();
        let logits = flex_engine(0)
            .logits(&imported.graph, &imported.parameters, &images)
            .unwrap();
        let stem = file.strip_suffix(".onnx").unwrap();
        let theirs = tensor(&expected, &format!("{stem}/logits"));
        assert_eq!(logits.shape, theirs.shape);
        let theirs: Vec<f64> = theirs.data.into_iter().map(f64::from).collect();
        let distance = crate::reference::distance(&logits.data, &theirs);
        let names: Vec<&str> = imported
            .graph
            .nodes()
            .iter()
            .map(|node| node.name.as_str())
            .collect();
        println!("{file}: {distance:.1e} {names:?} {:?}", imported.notes);
        assert!(distance <= 1e-5, "{file}: {distance}");
    }
}
