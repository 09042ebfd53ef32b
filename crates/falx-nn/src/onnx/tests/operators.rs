//! Every operator's file is run by the default run-time and compared with the engine.

use crate::reference::{formula, formula_parameters};
use crate::*;

/// The largest distance between the run-time's and the engine's results, as a share of the largest number.
fn distance(name: &str, operators: Vec<Operator>, input: &[usize]) -> f32 {
    let mut builder = GraphBuilder::new(name, input);
    let mut value = Value::INPUT;
    for (index, operator) in operators.into_iter().enumerate() {
        value = builder
            .add(&format!("op{index}"), operator, &[value])
            .unwrap();
    }
    compare(&builder.output("y", value).finish().unwrap())
}

fn compare(graph: &Graph) -> f32 {
    let name = graph.name();
    let parameters = formula_parameters(graph);
    let bytes = onnx::to_bytes(graph, &parameters).unwrap();
    let model = rten::Model::load(bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    let [from, to] = ["input", "y"].map(|name| model.node_id(name).unwrap());
    let mut largest = 0.0_f32;
    for batch in [1, 3] {
        let shape = [&[batch], graph.input()].concat();
        let mut x = formula("input", &shape);
        // Roots and logarithms need numbers above 0.
        let positive = ["Log", "Sqrt", "Pow 1.7"].contains(&name);
        x.data
            .iter_mut()
            .for_each(|x| *x = if positive { x.abs() + 0.1 } else { 4.0 * *x });
        let ours = flex_engine(0).logits(graph, &parameters, &x).unwrap();
        let value = rten::Value::from_shape(&shape, x.data).unwrap();
        let outputs = model.run(vec![(from, value.into())], &[to], None);
        let outputs = outputs.unwrap_or_else(|error| panic!("{name}: {error}"));
        let theirs = outputs.into_iter().next().unwrap();
        let (shape, theirs) = match ours.shape.len() {
            2 => numbers::<2>(theirs),
            3 => numbers::<3>(theirs),
            _ => numbers::<4>(theirs),
        };
        assert_eq!(shape, ours.shape, "{name}");
        let scale = theirs
            .iter()
            .fold(1.0_f32, |largest, x| largest.max(x.abs()));
        for (a, b) in ours.data.iter().zip(&theirs) {
            assert!((a - b).abs() <= 1e-5 * scale, "{name}: {a} {b}");
            largest = largest.max((a - b).abs() / scale);
        }
    }
    largest
}

fn numbers<const N: usize>(value: rten::Value) -> (Vec<usize>, Vec<f32>) {
    let (shape, data) = value.into_shape_vec::<f32, N>().unwrap();
    (shape.to_vec(), data)
}

fn own(shape: &[usize]) -> Constant {
    Constant {
        shape: shape.to_vec(),
        kind: ParameterKind::Weight,
        initialisation: Initialisation::FanInUniform { fan_in: 2 },
    }
}

#[test]
fn functions_are_the_engines() {
    let functions: [(&str, Operator); 19] = [
        ("Relu", Relu.into()),
        ("ReLU6", Clip::relu6().into()),
        (
            "Clip from below",
            Clip {
                min: Some(-1.0),
                max: None,
            }
            .into(),
        ),
        (
            "Clip from above",
            Clip {
                min: None,
                max: Some(1.5),
            }
            .into(),
        ),
        ("LeakyRelu", LeakyRelu { alpha: 0.2 }.into()),
        ("Sigmoid", Sigmoid.into()),
        ("Tanh", Tanh.into()),
        (
            "HardSigmoid",
            HardSigmoid {
                alpha: 0.2,
                beta: 0.4,
            }
            .into(),
        ),
        ("HardSwish", HardSwish.into()),
        ("SiLU", Swish { alpha: 1.0 }.into()),
        ("Swish", Swish { alpha: 1.7 }.into()),
        ("Gelu", Gelu { tanh: false }.into()),
        ("Gelu by tanh", Gelu { tanh: true }.into()),
        ("Softplus", Softplus.into()),
        ("Exp", Exp.into()),
        ("Log", Log.into()),
        ("Sqrt", Sqrt.into()),
        ("Neg", Neg.into()),
        ("Pow 1.7", Pow { exponent: 1.7 }.into()),
    ];
    for (name, function) in functions {
        println!(
            "{name:<28} {:.1e}",
            distance(name, vec![function], &[3, 5, 7])
        );
    }
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table, one case after the other")]
fn operators_on_images_are_the_engines() {
    let average = |ceil_mode, count_include_pad| AveragePool {
        kernel: [3, 2],
        strides: [2, 2],
        pads: [1, 0, 1, 1],
        ceil_mode,
        count_include_pad,
    };
    let turned = |bias| ConvTranspose {
        channels: 3,
        kernel: [3, 3],
        strides: [2, 2],
        pads: [1, 1, 0, 1],
        output_padding: [1, 0],
        bias,
    };
    let resize = |mode, size| Operator::from(Resize { mode, size });
    let pads = [1, 0, 2, 3];
    let linear = |align_corners| ResizeMode::Linear { align_corners };
    let axes = |axes: &[usize]| axes.to_vec();
    let slice = Slice {
        starts: vec![1, -5],
        ends: vec![9, -1],
        axes: vec![1, 3],
        steps: vec![1, 2],
    };
    let norm = |axis| LayerNormalization {
        axis,
        epsilon: 1e-5,
    };
    let cases: Vec<(&str, Vec<Operator>)> = vec![
        ("Conv", vec![Conv::same(5, 3).into()]),
        (
            "BatchNormalization",
            vec![BatchNormalization::default().into()],
        ),
        ("MaxPool", vec![MaxPool::halving().into()]),
        ("AveragePool", vec![average(false, true).into()]),
        (
            "AveragePool without padding",
            vec![average(false, false).into()],
        ),
        ("AveragePool ceil", vec![average(true, false).into()]),
        ("GlobalMaxPool", vec![GlobalMaxPool.into()]),
        ("GlobalAveragePool", vec![GlobalAveragePool.into()]),
        ("ConvTranspose", vec![turned(true).into()]),
        ("ConvTranspose without bias", vec![turned(false).into()]),
        (
            "Pad constant",
            vec![
                Pad {
                    mode: PadMode::Constant(0.5),
                    pads,
                }
                .into(),
            ],
        ),
        (
            "Pad reflect",
            vec![
                Pad {
                    mode: PadMode::Reflect,
                    pads,
                }
                .into(),
            ],
        ),
        (
            "Resize floor",
            vec![resize(ResizeMode::NearestFloor, [12, 14])],
        ),
        (
            "Resize exact",
            vec![resize(ResizeMode::NearestExact, [12, 14])],
        ),
        ("Resize linear up", vec![resize(linear(false), [11, 15])]),
        ("Resize linear down", vec![resize(linear(false), [4, 3])]),
        ("Resize corners", vec![resize(linear(true), [11, 15])]),
        ("LayerNormalization channels", vec![norm(1).into()]),
        ("LayerNormalization columns", vec![norm(3).into()]),
        ("Softmax channels", vec![Softmax { axis: 1 }.into()]),
        ("LogSoftmax columns", vec![LogSoftmax { axis: 3 }.into()]),
        ("Slice", vec![slice.into()]),
        (
            "Transpose",
            vec![
                Transpose {
                    perm: vec![0, 2, 3, 1],
                }
                .into(),
            ],
        ),
        ("Reshape", vec![Reshape { shape: vec![8, 21] }.into()]),
        (
            "Reshape to images",
            vec![
                Reshape {
                    shape: vec![2, 2, 42],
                }
                .into(),
            ],
        ),
        (
            "Flatten, Gemm",
            vec![
                Flatten.into(),
                Gemm {
                    features: 5,
                    bias: true,
                }
                .into(),
            ],
        ),
        (
            "ReduceMean",
            vec![
                ReduceMean {
                    axes: axes(&[2, 3]),
                    keepdims: false,
                }
                .into(),
            ],
        ),
        (
            "ReduceSum",
            vec![
                ReduceSum {
                    axes: axes(&[1]),
                    keepdims: true,
                }
                .into(),
            ],
        ),
        (
            "ReduceMax",
            vec![
                ReduceMax {
                    axes: axes(&[3]),
                    keepdims: false,
                }
                .into(),
            ],
        ),
        (
            "Add own",
            vec![
                Add {
                    constant: Some(own(&[4, 1, 1])),
                }
                .into(),
            ],
        ),
        (
            "Sub own",
            vec![
                Sub {
                    constant: Some(own(&[7])),
                }
                .into(),
            ],
        ),
        (
            "Mul own",
            vec![
                Mul {
                    constant: Some(own(&[4, 6, 7])),
                }
                .into(),
            ],
        ),
        (
            "Div own",
            vec![
                Div {
                    constant: Some(own(&[1])),
                }
                .into(),
            ],
        ),
        (
            "MatMul own",
            vec![
                MatMul {
                    constant: Some(own(&[4, 7, 2])),
                }
                .into(),
            ],
        ),
    ];
    for (name, operators) in cases {
        println!("{name:<28} {:.1e}", distance(name, operators, &[4, 6, 7]));
    }
    let sequence: [(&str, Operator); 5] = [
        ("LayerNormalization last", norm(2).into()),
        (
            "BatchNormalization sequence",
            BatchNormalization::default().into(),
        ),
        ("Softmax last", Softmax { axis: 2 }.into()),
        (
            "MatMul sequence",
            MatMul {
                constant: Some(own(&[7, 3])),
            }
            .into(),
        ),
        (
            "Transpose sequence",
            Transpose {
                perm: vec![0, 2, 1],
            }
            .into(),
        ),
    ];
    for (name, operator) in sequence {
        println!("{name:<28} {:.1e}", distance(name, vec![operator], &[5, 7]));
    }
}

/// Two values that come from one input: the shape of the second decides what is stretched.
#[test]
fn operators_of_several_values_are_the_engines() {
    let pairs: [(&str, Operator); 7] = [
        ("Add", Add::default().into()),
        ("Sub", Sub::default().into()),
        ("Mul", Mul::default().into()),
        ("Div", Div::default().into()),
        ("Max", Max.into()),
        ("Concat", Concat { axis: 1 }.into()),
        ("Squeeze and excite", Mul::default().into()),
    ];
    for (name, operator) in pairs {
        let mut builder = GraphBuilder::new(name, &[4, 6, 7]);
        let left = builder
            .add("left", Conv::same(4, 3), &[Value::INPUT])
            .unwrap();
        let right = builder.add("right", Softplus, &[Value::INPUT]).unwrap();
        let right = match name {
            "Squeeze and excite" => builder.add("squeeze", GlobalAveragePool, &[right]).unwrap(),
            _ => right,
        };
        let value = builder.add("op", operator, &[left, right]).unwrap();
        let graph = builder.output("y", value).finish().unwrap();
        println!("{name:<28} {:.1e}", compare(&graph));
    }
    let mut builder = GraphBuilder::new("MatMul of values", &[5, 7]);
    let turned = Transpose {
        perm: vec![0, 2, 1],
    };
    let turned = builder.add("turned", turned, &[Value::INPUT]).unwrap();
    let value = builder
        .add("op", MatMul::default(), &[Value::INPUT, turned])
        .unwrap();
    let graph = builder.output("y", value).finish().unwrap();
    println!("{:<28} {:.1e}", graph.name(), compare(&graph));
}
