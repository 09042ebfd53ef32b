//! What is made of files: the same graph from our own, the same numbers from any opset's form.

use prost::Message;

use super::{arithmetic, attribute, float, model, node, whole, with_attributes};
use crate::onnx::message::{Attribute, Node, TensorData};
use crate::onnx::read::*;
use crate::onnx::to_bytes;
use crate::reference::formula_parameters;
use crate::zoo::{NetworkConfig, build};
use crate::{Operator, ParameterKind, Tensor, flex_engine};

fn imported(model: &Model) -> Imported {
    read_bytes(model.encode_to_vec(), &ReadOptions::default()).unwrap()
}

fn logits(imported: &Imported, input: &Tensor) -> Vec<f32> {
    let mut engine = flex_engine(0);
    let logits = engine.logits(&imported.graph, &imported.parameters, input);
    logits.unwrap().data
}

fn operators(imported: &Imported) -> Vec<&'static str> {
    imported
        .graph
        .nodes()
        .iter()
        .map(|node| node.operator.name())
        .collect()
}

#[test]
fn our_own_files_come_back_as_they_were() {
    let config = NetworkConfig {
        size: 32,
        width: 4,
        ..NetworkConfig::default()
    };
    let graph = build(&config).unwrap().with_probabilities().unwrap();
    let parameters = formula_parameters(&graph);
    let bytes = to_bytes(&graph, &parameters).unwrap();
    let back = read_bytes(&bytes, &ReadOptions::default()).unwrap();
    assert_eq!(back.graph, graph);
    assert_eq!(back.parameters, parameters);
    assert_eq!(back.notes, []);
    assert_eq!(to_bytes(&back.graph, &back.parameters).unwrap(), bytes);
}

#[test]
fn arithmetic_with_an_unknown_batch_becomes_a_flatten() {
    let imported = imported(&arithmetic());
    assert_eq!(operators(&imported), ["Flatten", "Gemm"]);
    assert_eq!(imported.graph.nodes()[1].name, "fc");
    let input = Tensor::new(&[2, 1, 2, 2], vec![1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0]).unwrap();
    assert_eq!(logits(&imported, &input), [1.5, -1.5, 6.5, 2.0]);
}

/// A network of one operator on rows of four features, in the form of `opset`.
fn one(opset: i64, stored: Vec<TensorData>, node: Node) -> Imported {
    imported(&model(opset, &[0, 4], stored, vec![node]))
}

#[test]
fn attributes_and_inputs_mean_the_same_in_their_opsets() {
    let real = |name: &str, value: f32| Attribute::float(name, value);
    let old = one(
        9,
        vec![],
        with_attributes(
            node("Clip", "clip", &["input"], "y"),
            vec![real("min", 0.0), real("max", 6.0)],
        ),
    );
    let bounds = vec![float("low", &[], &[0.0]), float("high", &[], &[6.0])];
    let new = one(
        13,
        bounds,
        node("Clip", "clip", &["input", "low", "high"], "y"),
    );
    assert_eq!(old.graph, new.graph);
    let old = one(
        9,
        vec![],
        with_attributes(
            node("Dropout", "drop", &["input"], "y"),
            vec![real("ratio", 0.25)],
        ),
    );
    let new = one(
        13,
        vec![float("r", &[], &[0.25])],
        node("Dropout", "drop", &["input", "r"], "y"),
    );
    assert_eq!(old.graph, new.graph);
    assert_eq!(operators(&new), ["Dropout"]);
    let lists = [("starts", [1]), ("ends", [3]), ("axes", [1])];
    let attributes = lists.map(|(name, list)| attribute(name, &list)).to_vec();
    let old = one(
        9,
        vec![],
        with_attributes(node("Slice", "cut", &["input"], "y"), attributes),
    );
    let stored = lists.map(|(name, list)| whole(name, &list)).to_vec();
    let new = one(
        13,
        stored,
        node("Slice", "cut", &["input", "starts", "ends", "axes"], "y"),
    );
    assert_eq!(old.graph, new.graph);
    let image = |opset: i64, stored: Vec<TensorData>, node: Node| {
        imported(&model(opset, &[0, 2, 3, 3], stored, vec![node]))
    };
    let reduce = |inputs: &[&str], attributes: &[i64]| {
        let mut given = vec![Attribute::int("keepdims", 0)];
        given.extend((!attributes.is_empty()).then(|| attribute("axes", attributes)));
        with_attributes(node("ReduceMean", "mean", inputs, "y"), given)
    };
    let old = image(13, vec![], reduce(&["input"], &[2, 3]));
    let new = image(
        18,
        vec![whole("axes", &[-1, -2])],
        reduce(&["input", "axes"], &[]),
    );
    assert_eq!(old.graph, new.graph);
    assert_eq!(operators(&new), ["GlobalAveragePool", "Flatten"]);
    let sizes = vec![float("none", &[0], &[]), whole("sizes", &[1, 2, 6, 6])];
    let resize = |inputs: &[&str]| {
        let word = |name: &str, word: &str| Attribute {
            name: Some(name.to_owned()),
            s: Some(word.into()),
            ..Attribute::default()
        };
        let words = [
            ("mode", "nearest"),
            ("coordinate_transformation_mode", "asymmetric"),
            ("nearest_mode", "floor"),
        ];
        with_attributes(
            node("Resize", "up", inputs, "y"),
            words.map(|(name, value)| word(name, value)).to_vec(),
        )
    };
    let by_size = image(13, sizes, resize(&["input", "", "none", "sizes"]));
    let by_scale = image(
        13,
        vec![float("scales", &[4], &[1.0, 1.0, 2.0, 2.0])],
        resize(&["input", "", "scales"]),
    );
    assert_eq!(by_size.graph, by_scale.graph);
}

/// 0.5 x (1 + erf(x / sqrt 2)) in each of the orders that exporters write.
#[test]
fn the_steps_of_gelu_become_one_operator() {
    let stored = || {
        vec![
            float("root", &[], &[std::f32::consts::SQRT_2]),
            float("one", &[], &[1.0]),
            float("half", &[], &[0.5]),
        ]
    };
    let start = || {
        vec![
            node("Div", "div", &["input", "root"], "scaled"),
            node("Erf", "erf", &["scaled"], "erf"),
            node("Add", "add", &["erf", "one"], "sum"),
        ]
    };
    let ends = [
        vec![
            node("Mul", "m1", &["input", "sum"], "p"),
            node("Mul", "m2", &["p", "half"], "y"),
        ],
        vec![
            node("Mul", "m1", &["input", "half"], "p"),
            node("Mul", "m2", &["p", "sum"], "y"),
        ],
        vec![
            node("Mul", "m1", &["half", "sum"], "p"),
            node("Mul", "m2", &["input", "p"], "y"),
        ],
    ];
    for end in ends {
        let imported = imported(&model(13, &[0, 4], stored(), [start(), end].concat()));
        assert_eq!(operators(&imported), ["Gelu"]);
    }
    let alone = model(13, &[0, 4], stored(), start());
    assert!(read_bytes(alone.encode_to_vec(), &ReadOptions::default()).is_err());
}

#[test]
fn channels_last_files_of_tensorflow_are_turned() {
    let perm = |name: &str, input: &str, output: &str, perm: &[i64]| {
        with_attributes(
            node("Transpose", name, &[input], output),
            vec![attribute("perm", perm)],
        )
    };
    let file = model(
        13,
        &[0, 5, 5, 2],
        vec![
            float(
                "model/conv/kernel",
                &[3, 2, 1, 1],
                &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            ),
            float(
                "model/dense/kernel",
                &[3, 2],
                &[1.0, 0.0, 0.0, 1.0, 1.0, -1.0],
            ),
            float("model/dense/bias", &[2], &[0.5, 0.25]),
            whole("axes", &[2, 3]),
        ],
        vec![
            perm("t1", "input", "nchw", &[0, 3, 1, 2]),
            node(
                "Conv",
                "model/conv/Conv2D",
                &["nchw", "model/conv/kernel"],
                "c",
            ),
            perm("t2", "c", "nhwc", &[0, 2, 3, 1]),
            perm("t3", "nhwc", "again", &[0, 3, 1, 2]),
            node("GlobalAveragePool", "pool", &["again"], "mean"),
            node("Squeeze", "squeeze", &["mean", "axes"], "row"),
            node(
                "MatMul",
                "model/dense/MatMul",
                &["row", "model/dense/kernel"],
                "product",
            ),
            node(
                "Add",
                "model/dense/BiasAdd",
                &["product", "model/dense/bias"],
                "logits",
            ),
        ],
    );
    let imported = imported(&file);
    assert_eq!(
        operators(&imported),
        ["Conv", "GlobalAveragePool", "Flatten", "Gemm"]
    );
    assert_eq!(imported.graph.input(), [2, 5, 5]);
    assert!(
        imported
            .notes
            .iter()
            .any(|note| note.0.contains("channels last"))
    );
    let names: Vec<&str> = imported
        .graph
        .nodes()
        .iter()
        .map(|node| node.name.as_str())
        .collect();
    assert_eq!(names, ["model.conv", "pool", "squeeze", "model.dense"]);
    let mut images = Tensor::filled(&[1, 2, 5, 5], 1.0);
    images.data[25..].fill(-1.0);
    // The channels are -1 each; the linear layer's columns sum to 2 and 0.
    assert_eq!(logits(&imported, &images), [-1.5, 0.25]);
}

#[test]
fn weights_of_every_type_become_floats() {
    let numbers = [1.0_f32, -2.0, 0.5, 0.0];
    let raw = |kind: i32, bytes: Vec<u8>| TensorData {
        data_type: Some(kind),
        raw_data: Some(bytes.into()),
        ..float("fc.weight", &[1, 4], &[])
    };
    let halves: [u16; 4] = [0x3C00, 0xC000, 0x3800, 0];
    let gemm = || {
        with_attributes(
            node("Gemm", "fc", &["input", "fc.weight"], "y"),
            vec![Attribute::int("transB", 1)],
        )
    };
    let stored = [
        raw(1, numbers.iter().flat_map(|x| x.to_le_bytes()).collect()),
        raw(10, halves.iter().flat_map(|x| x.to_le_bytes()).collect()),
        raw(
            16,
            numbers
                .iter()
                .flat_map(|x| x.to_le_bytes()[2..].to_vec())
                .collect(),
        ),
        raw(
            11,
            numbers
                .iter()
                .flat_map(|&x| f64::from(x).to_le_bytes())
                .collect(),
        ),
        TensorData {
            raw_data: None,
            float_data: numbers.to_vec(),
            ..raw(1, vec![])
        },
        TensorData {
            raw_data: None,
            int32_data: halves.map(i32::from).to_vec(),
            ..raw(10, vec![])
        },
    ];
    for tensor in stored {
        let imported = one(17, vec![tensor], gemm());
        assert_eq!(imported.parameters.get("fc.weight").unwrap().data, numbers);
    }
    let bytes = TensorData {
        name: Some("q".to_owned()),
        ..raw(3, vec![2, 252, 1, 0])
    };
    let nodes = vec![
        node("DequantizeLinear", "dq", &["q", "scale"], "fc.weight"),
        gemm(),
    ];
    let quantised = imported(&model(
        13,
        &[0, 4],
        vec![bytes, float("scale", &[], &[0.5])],
        nodes,
    ));
    assert_eq!(quantised.parameters.get("fc.weight").unwrap().data, numbers);
}

#[test]
fn what_is_learnt_and_what_is_not_is_told_apart() {
    let nodes = vec![
        node("Sub", "mean", &["input", "pixel_mean"], "a"),
        node("Mul", "layer", &["a", "block.layer_scale"], "b"),
        node("Mul", "half", &["b", "number"], "c"),
    ];
    let row = [1.0, 2.0, 3.0, 4.0];
    let stored = vec![
        float("pixel_mean", &[4], &row),
        float("block.layer_scale", &[4], &row),
        float("number", &[], &[0.5]),
    ];
    let imported = imported(&model(13, &[0, 4], stored, nodes));
    let kinds: Vec<(&str, ParameterKind)> = imported
        .graph
        .parameters()
        .iter()
        .map(|spec| (spec.name.as_str(), spec.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            ("mean", ParameterKind::Constant),
            ("block.layer_scale", ParameterKind::Weight),
            ("half", ParameterKind::Constant),
        ]
    );
    assert!(matches!(
        imported.graph.nodes()[0].operator,
        Operator::Sub(_)
    ));
}
