//! Each operator against PyTorch's values, forward and gradient.

use std::path::Path;

use safetensors::SafeTensors;
use serde_json::Value as Json;

use super::super::tape::tensor;
use super::super::*;
use crate::reference::{distance, json, shape};
use crate::*;

/// The cases of one ONNX operator and the numbers beside them.
struct Cases {
    cases: Vec<Json>,
    bytes: Vec<u8>,
}

fn cases(operator: &str) -> Option<Cases> {
    let file = json(&falx_fixtures::shared("reference/ops/ops.json")?);
    let folder = falx_fixtures::shared("reference/ops/ops.safetensors")?;
    let cases = file["cases"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|case| case["op"] == operator);
    Some(Cases {
        cases: cases.cloned().collect(),
        bytes: std::fs::read::<&Path>(&folder).unwrap(),
    })
}

impl Cases {
    fn tensor(&self, case: &Json, name: &str) -> Option<Tensor> {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let view = file
            .tensor(&format!("{}/{name}", case["name"].as_str().unwrap()))
            .ok()?;
        let data = view
            .data()
            .as_chunks()
            .0
            .iter()
            .map(|&word| f32::from_le_bytes(word))
            .collect();
        Some(Tensor::new(view.shape(), data).unwrap())
    }

    fn agree(&self, case: &Json, name: &str, ours: &[f32]) {
        let theirs: Vec<f64> = self
            .tensor(case, name)
            .unwrap()
            .data
            .into_iter()
            .map(f64::from)
            .collect();
        let scale = theirs.iter().map(|x| x.abs()).fold(1.0, f64::max);
        let distance = distance(ours, &theirs);
        assert!(
            distance <= 2e-6 * scale,
            "{}/{name}: {distance}",
            case["name"]
        );
    }
}

/// Channels first again.
fn channels_first(value: &Tensor) -> Vec<f32> {
    let &[batch, height, width, channels] = value.shape.as_slice() else {
        return value.data.clone();
    };
    let at = |n, c, p| value.data[(n * height * width + p) * channels + c];
    let planes = (0..batch).flat_map(move |n| (0..channels).map(move |c| (n, c)));
    planes
        .flat_map(|(n, c)| (0..height * width).map(move |p| at(n, c, p)))
        .collect()
}

struct Outcome {
    output: Vec<f32>,
    input: Vec<f32>,
    gradients: Gradients,
    statistics: Statistics,
}

/// Runs a graph of `operators` one after the other and goes back from `upstream`.
fn outcome(
    x: &Tensor,
    operators: Vec<Operator>,
    parameters: &[(&str, Tensor)],
    upstream: &Tensor,
    mode: Mode,
) -> Outcome {
    let mut full = x.shape.clone();
    full.resize(4, 1);
    let mut builder = GraphBuilder::new("case", &[full[1], full[2], full[3]]);
    let mut value = Value::INPUT;
    for (index, operator) in operators.into_iter().enumerate() {
        value = builder
            .add(&format!("op{index}"), operator, &[value])
            .unwrap();
    }
    let graph = builder.output("y", value).finish().unwrap();
    differentiate(
        &graph,
        &Tensor {
            shape: full,
            data: x.data.clone(),
        },
        parameters,
        upstream,
        mode,
    )
}

fn differentiate(
    graph: &Graph,
    x: &Tensor,
    parameters: &[(&str, Tensor)],
    upstream: &Tensor,
    mode: Mode,
) -> Outcome {
    use burn_backend::ops::FloatTensorOps;
    let parameters = parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    let (shape, data) = layout::channels_last(x);
    let images = Tape::float_set_require_grad(Tape::from_inner(tensor(&shape, data)), true);
    let run = interpret::run(graph, &parameters, (images.clone(), x.shape[0]), mode, true).unwrap();
    let output = interpret::read(&run.output);
    let slopes = if output.shape.len() == 4 {
        layout::channels_last(upstream).1
    } else {
        upstream.data.clone()
    };
    let mut gradients = interpret::backward(run.output, slopes);
    let mut take = |leaf: &Tracked| {
        let gradient = Tape::grad_remove(leaf, &mut gradients).unwrap();
        interpret::read(&Tape::from_inner(gradient))
    };
    Outcome {
        input: channels_first(&take(&images)),
        gradients: run
            .leaves
            .iter()
            .map(|(name, leaf)| (name.clone(), take(leaf)))
            .collect(),
        output: channels_first(&output),
        statistics: run.statistics,
    }
}

fn pair<const N: usize>(value: &Json) -> [usize; N] {
    shape(value).try_into().unwrap()
}

#[test]
fn convolutions_are_the_references() {
    let Some(file) = cases("Conv") else { return };
    assert_eq!(file.cases.len(), 24);
    for case in &file.cases {
        let [x, w, up] = ["X", "W", "upstream.Y"].map(|name| file.tensor(case, name).unwrap());
        let bias = file.tensor(case, "B");
        let attributes = &case["attributes"];
        let conv = Conv {
            channels: w.shape[0],
            kernel: pair(&attributes["kernel_shape"]),
            strides: pair(&attributes["strides"]),
            pads: pair(&attributes["pads"]),
            dilations: pair(&attributes["dilations"]),
            groups: attributes["group"].as_u64().unwrap() as usize,
            bias: bias.is_some(),
        };
        let mut parameters = vec![("op0.weight", w)];
        parameters.extend(bias.map(|bias| ("op0.bias", bias)));
        let ours = outcome(&x, vec![conv.into()], &parameters, &up, Mode::Evaluation);
        file.agree(case, "Y", &ours.output);
        file.agree(case, "grad.X", &ours.input);
        file.agree(
            case,
            "grad.W",
            &ours.gradients.get("op0.weight").unwrap().data,
        );
        if let Some(bias) = ours.gradients.get("op0.bias") {
            file.agree(case, "grad.B", &bias.data);
        }
    }
}

#[test]
fn maxima_are_the_references() {
    let Some(file) = cases("MaxPool") else { return };
    assert_eq!(file.cases.len(), 9);
    for case in &file.cases {
        let [x, up] = ["X", "upstream.Y"].map(|name| file.tensor(case, name).unwrap());
        let attributes = &case["attributes"];
        let pool = MaxPool {
            kernel: pair(&attributes["kernel_shape"]),
            strides: pair(&attributes["strides"]),
            pads: pair(&attributes["pads"]),
            ceil_mode: attributes["ceil_mode"] == 1,
        };
        let ours = outcome(&x, vec![pool.into()], &[], &up, Mode::Evaluation);
        file.agree(case, "Y", &ours.output);
        file.agree(case, "grad.X", &ours.input);
    }
}

#[test]
fn normalisations_are_the_references() {
    let Some(file) = cases("BatchNormalization") else {
        return;
    };
    assert_eq!(file.cases.len(), 8);
    for case in &file.cases {
        let tensor = |name: &str| file.tensor(case, name).unwrap();
        let (x, attributes) = (tensor("X"), &case["attributes"]);
        let training = attributes["training_mode"] == 1;
        let momentum = attributes["momentum"]
            .as_f64()
            .map_or(0.1, |kept| (1.0 - kept) as f32);
        let norm = BatchNormalization {
            epsilon: attributes["epsilon"].as_f64().unwrap() as f32,
            momentum,
        };
        let flat = x.shape.len() == 2;
        let mut operators: Vec<Operator> = vec![norm.into()];
        if flat {
            operators.insert(0, Flatten.into());
        }
        let name = |part: &str| format!("op{}.{part}", usize::from(flat));
        let names = ["weight", "bias", "running_mean", "running_var"].map(name);
        let values = ["scale", "B", "input_mean", "input_var"].map(tensor);
        let parameters: Vec<_> = names.iter().map(String::as_str).zip(values).collect();
        let mode = if training {
            Mode::Training { seed: 0, step: 0 }
        } else {
            Mode::Evaluation
        };
        let ours = outcome(&x, operators, &parameters, &tensor("upstream.Y"), mode);
        file.agree(case, "Y", &ours.output);
        if !training {
            file.agree(case, "grad.X", &ours.input);
            file.agree(
                case,
                "grad.scale",
                &ours.gradients.get(&names[0]).unwrap().data,
            );
            file.agree(case, "grad.B", &ours.gradients.get(&names[1]).unwrap().data);
            continue;
        }
        let (_, statistics, momentum) = &ours.statistics[0];
        let [mut mean, mut variance] = ["input_mean", "input_var"].map(|name| tensor(name).data);
        statistics.follow(&mut mean, &mut variance, *momentum);
        file.agree(case, "running_mean", &mean);
        file.agree(case, "running_var", &variance);
        file.agree(case, "grad.B", &ours.gradients.get(&names[1]).unwrap().data);
        file.agree(
            case,
            "grad.scale",
            &ours.gradients.get(&names[0]).unwrap().data,
        );
        // The reference also sends a gradient through the running variance, which no training does.
        let (channels, up) = (x.shape[1], tensor("upstream.running_var_population").data);
        let pixels = x.data.len() / x.shape[0] / channels;
        let input = ours
            .input
            .iter()
            .zip(&x.data)
            .enumerate()
            .map(|(at, (slope, x))| {
                let c = at / pixels % channels;
                slope + up[c] * momentum * 2.0 * (x - statistics.mean[c]) / statistics.count as f32
            });
        file.agree(case, "grad.X", &input.collect::<Vec<_>>());
    }
}

#[test]
fn element_wise_operators_are_the_references() {
    for operator in [
        Operator::from(Relu),
        Operator::from(Sigmoid),
        Flatten.into(),
        GlobalAveragePool.into(),
    ] {
        let Some(file) = cases(operator.name()) else {
            return;
        };
        assert!(!file.cases.is_empty());
        for case in &file.cases {
            let [mut x, up] = ["X", "upstream.Y"].map(|name| file.tensor(case, name).unwrap());
            if x.shape.len() == 1 {
                x.shape.insert(0, 1);
            }
            let up = Tensor {
                shape: if up.shape.len() == 1 {
                    vec![1, up.data.len(), 1, 1]
                } else {
                    up.shape
                },
                data: up.data,
            };
            let ours = outcome(&x, vec![operator.clone()], &[], &up, Mode::Evaluation);
            file.agree(case, "Y", &ours.output);
            file.agree(case, "grad.X", &ours.input);
        }
    }
}

#[test]
fn linear_layers_are_the_references() {
    let Some(file) = cases("Gemm") else { return };
    for case in file
        .cases
        .iter()
        .filter(|case| case["attributes"] == serde_json::json!({"transB": 1}))
    {
        let [x, w, up] = ["A", "B", "upstream.Y"].map(|name| file.tensor(case, name).unwrap());
        let bias = file.tensor(case, "C");
        let gemm = Gemm {
            features: w.shape[0],
            bias: bias.is_some(),
        };
        let mut parameters = vec![("op1.weight", w)];
        parameters.extend(bias.map(|bias| ("op1.bias", bias)));
        let ours = outcome(
            &x,
            vec![Flatten.into(), gemm.into()],
            &parameters,
            &up,
            Mode::Evaluation,
        );
        file.agree(case, "Y", &ours.output);
        file.agree(case, "grad.A", &ours.input);
        file.agree(
            case,
            "grad.B",
            &ours.gradients.get("op1.weight").unwrap().data,
        );
        if let Some(bias) = ours.gradients.get("op1.bias") {
            file.agree(case, "grad.C", &bias.data);
        }
    }
}

/// The two summands come as one image, from which two 1 x 1 convolutions pick their channels.
#[test]
fn sums_are_the_references() {
    let Some(file) = cases("Add") else { return };
    let case = file
        .cases
        .iter()
        .find(|case| case["name"] == "add")
        .unwrap();
    let [a, b, up] = ["A", "B", "upstream.Y"].map(|name| file.tensor(case, name).unwrap());
    let [batch, channels, height, width] = a.shape.clone().try_into().unwrap();
    let size = channels * height * width;
    let joined = a
        .data
        .chunks(size)
        .zip(b.data.chunks(size))
        .flat_map(|(a, b)| [a, b]);
    let x = Tensor::new(
        &[batch, 2 * channels, height, width],
        joined.flatten().copied().collect(),
    )
    .unwrap();
    let pick = |first: usize| {
        let mut weights = Tensor::filled(&[channels, 2 * channels, 1, 1], 0.0);
        (0..channels).for_each(|c| weights.data[c * 2 * channels + first + c] = 1.0);
        weights
    };
    let mut builder = GraphBuilder::new("sum", &[2 * channels, height, width]);
    let left = builder
        .add("left", Conv::same(channels, 1), &[Value::INPUT])
        .unwrap();
    let right = builder
        .add("right", Conv::same(channels, 1), &[Value::INPUT])
        .unwrap();
    let sum = builder.add("sum", Add::default(), &[left, right]).unwrap();
    let graph = builder.output("y", sum).finish().unwrap();
    let parameters = [("left.weight", pick(0)), ("right.weight", pick(channels))];
    let ours = differentiate(&graph, &x, &parameters, &up, Mode::Evaluation);
    file.agree(case, "Y", &ours.output);
    let part = |first: usize| {
        ours.input
            .chunks(2 * size)
            .flat_map(|image| image[first..first + size].to_vec())
            .collect::<Vec<_>>()
    };
    file.agree(case, "grad.A", &part(0));
    file.agree(case, "grad.B", &part(size));
}
