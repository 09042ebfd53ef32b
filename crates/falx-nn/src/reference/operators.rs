//! The reference's operator cases as graphs: any engine can be held against them.

mod single;

use std::path::Path;

use safetensors::SafeTensors;
use serde_json::Value as Json;

use super::{distance, json, shape};
use crate::*;

/// What an engine makes of a case.
pub struct Outcome {
    /// The output, channels first.
    pub output: Vec<f32>,
    /// The input's gradient, channels first.
    pub input: Vec<f32>,
    /// The parameters' gradients.
    pub gradients: Gradients,
    /// The batch's mean, its variance, and how many numbers each channel has, of the only batch normalisation.
    pub statistics: Option<(Vec<f32>, Vec<f32>, usize)>,
    /// The running statistics after the case.
    pub running: Parameters,
}

/// A graph to run and what goes in.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    pub graph: &'a Graph,
    pub parameters: &'a Parameters,
    pub input: &'a Tensor,
    /// The gradient of the output, channels first.
    pub upstream: &'a Tensor,
    pub training: bool,
}

/// Relative to the largest number of each tensor, or 1.
const TOLERANCE: f64 = 2e-6;

/// Cases that are no graph of one sample after the other: recurrent ones have a test of their own, and a mask cannot be given to
/// `Dropout`, which draws its own.
const ELSEWHERE: [&str; 3] = ["GRU", "LSTM", "Dropout"];

/// Holds an engine against every case and prints the largest error of each.
pub fn agree(run: &dyn Fn(Run<'_>) -> Outcome) {
    let Some(path) = falx_fixtures::shared("reference/ops/ops.json") else {
        return;
    };
    let file = json(&path);
    let bytes = std::fs::read::<&Path>(&path.with_extension("safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 109);
    for json in cases {
        let (name, operator) = (json["name"].as_str().unwrap(), json["op"].as_str().unwrap());
        if ELSEWHERE.contains(&operator) {
            continue;
        }
        let case = Case {
            json,
            name,
            tensors: &tensors,
        };
        println!("{name:<36} {:.1e}", case.judge(operator, run));
    }
}

struct Case<'a> {
    json: &'a Json,
    name: &'a str,
    tensors: &'a SafeTensors<'a>,
}

/// A graph being built for a case: values that have a batch come side by side as one row of features.
struct Build {
    graph: GraphBuilder,
    parameters: Vec<(String, Tensor)>,
    /// The name, start, and length of each value in the row.
    parts: Vec<(String, usize, usize)>,
    input: Tensor,
}

impl Case<'_> {
    fn tensor(&self, name: &str) -> Option<Tensor> {
        let view = self.tensors.tensor(&format!("{}/{name}", self.name)).ok()?;
        let words = view.data().as_chunks().0.iter();
        let data = words.map(|&word| f32::from_le_bytes(word)).collect();
        Some(Tensor::new(view.shape(), data).unwrap())
    }

    fn numbers<const N: usize>(&self, key: &str) -> [usize; N] {
        shape(&self.json["attributes"][key]).try_into().unwrap()
    }

    fn number(&self, key: &str) -> f32 {
        self.json["attributes"][key].as_f64().unwrap() as f32
    }

    fn axis(&self, rank: usize) -> usize {
        let axis = self.json["attributes"]["axis"].as_i64().unwrap();
        if axis < 0 {
            (axis + rank as i64) as usize
        } else {
            axis as usize
        }
    }

    /// The values of `names`, which have a batch in front; and what reads each.
    fn build(&self, names: &[&str]) -> (Build, Vec<Value>) {
        let tensors: Vec<Tensor> = names
            .iter()
            .map(|name| self.tensor(name).unwrap())
            .collect();
        let only = names.len() == 1;
        let batch = tensors[0].shape[0];
        let sizes: Vec<usize> = tensors.iter().map(|t| t.data.len() / batch).collect();
        let input = if only {
            tensors[0].clone()
        } else {
            let row = |n: usize| {
                let parts = tensors.iter().zip(&sizes);
                parts.flat_map(move |(t, &size)| t.data[n * size..][..size].to_vec())
            };
            let data = (0..batch).flat_map(row).collect();
            Tensor::new(&[batch, sizes.iter().sum()], data).unwrap()
        };
        let mut build = Build {
            graph: GraphBuilder::new(self.name, &input.shape[1..]),
            parameters: Vec::new(),
            parts: Vec::new(),
            input,
        };
        let (mut start, mut values) = (0, Vec::new());
        for ((name, tensor), size) in names.iter().zip(&tensors).zip(sizes) {
            build.parts.push(((*name).to_owned(), start, size));
            let mut value = Value::INPUT;
            if !only {
                let slice = Slice {
                    starts: vec![start as i64],
                    ends: vec![(start + size) as i64],
                    axes: vec![1],
                    steps: vec![1],
                };
                value = build
                    .graph
                    .add(&format!("{name} part"), slice, &[value])
                    .unwrap();
                let shape = tensor.shape[1..].to_vec();
                value = build
                    .graph
                    .add(&format!("{name} shape"), Reshape { shape }, &[value])
                    .unwrap();
            }
            values.push(value);
            start += size;
        }
        (build, values)
    }

    /// An operand that the operator called `op` owns.
    fn own(&self, build: &mut Build, node: &str, name: &str) -> Option<Constant> {
        let tensor = self.tensor(name)?;
        let constant = Constant {
            shape: tensor.shape.clone(),
            kind: ParameterKind::Weight,
            initialisation: Initialisation::Constant(0.0),
        };
        build.parameters.push((node.to_owned(), tensor));
        Some(constant)
    }

    fn judge(&self, operator: &str, run: &dyn Fn(Run<'_>) -> Outcome) -> f64 {
        // The reference's names of the parameters, and ours.
        let mut owned: Vec<(&str, &str)> = Vec::new();
        let (mut build, output) = match operator {
            "Add" | "Mul" | "MatMul" => self.pair(operator, &mut owned),
            "Gemm" if self.json["attributes"].get("transA").is_some() => {
                self.turned_gemm(&mut owned)
            }
            "Concat" => {
                let (mut build, values) = self.build(&["x0", "x1", "x2"]);
                let axis = self.axis(4);
                let value = build.graph.add("op", Concat { axis }, &values).unwrap();
                (build, value)
            }
            _ => {
                let x = if operator == "Gemm" { "A" } else { "X" };
                let (mut build, values) = self.build(&[x]);
                let names: &[_] = match operator {
                    "Conv" | "ConvTranspose" => &[("W", "op.weight"), ("B", "op.bias")],
                    "Gemm" => &[("B", "op.weight"), ("C", "op.bias")],
                    "LayerNormalization" => &[("Scale", "op.weight"), ("B", "op.bias")],
                    "BatchNormalization" => &[
                        ("scale", "op.weight"),
                        ("B", "op.bias"),
                        ("input_mean", "op.running_mean"),
                        ("input_var", "op.running_var"),
                    ],
                    _ => &[],
                };
                for &(theirs, ours) in names {
                    if let Some(tensor) = self.tensor(theirs) {
                        build.parameters.push((ours.to_owned(), tensor));
                        owned.push((theirs, ours));
                    }
                }
                let one = self.one(operator);
                let value = build.graph.add("op", one, &values).unwrap();
                (build, value)
            }
        };
        let graph = std::mem::replace(&mut build.graph, GraphBuilder::new("", &[]));
        let graph = graph.output("y", output).finish().unwrap();
        let parameters: Parameters = build.parameters.iter().cloned().collect();
        let outcome = run(Run {
            graph: &graph,
            parameters: &parameters,
            input: &build.input,
            upstream: &self.tensor("upstream.Y").unwrap(),
            training: self.json["attributes"]["training_mode"] == 1,
        });
        self.compare(&build, outcome, &owned)
    }

    fn compare(&self, build: &Build, mut outcome: Outcome, owned: &[(&str, &str)]) -> f64 {
        let mut largest = self.distance("Y", &outcome.output);
        if let Some((mean, _, count)) = &outcome.statistics {
            for part in ["running_mean", "running_var"] {
                let ours = outcome.running.get(&format!("op.{part}")).unwrap();
                largest = largest.max(self.distance(part, &ours.data));
            }
            // The reference also sends a gradient through the running variance, which no training does.
            let (channels, kept) = (build.input.shape[1], 1.0 - self.number("momentum"));
            let pixels = build.input.data.len() / build.input.shape[0] / channels;
            let up = self.tensor("upstream.running_var_population").unwrap().data;
            let numbers = outcome.input.iter_mut().zip(&build.input.data).enumerate();
            for (at, (slope, x)) in numbers {
                let c = at / pixels % channels;
                *slope += up[c] * kept * 2.0 * (x - mean[c]) / *count as f32;
            }
        }
        let batch = build.input.shape[0];
        let row = outcome.input.len() / batch;
        for (name, start, size) in &build.parts {
            let part = outcome
                .input
                .chunks(row)
                .flat_map(|row| &row[*start..][..*size]);
            let part: Vec<f32> = part.copied().collect();
            largest = largest.max(self.distance(&format!("grad.{name}"), &part));
        }
        for (theirs, ours) in owned {
            if let Some(gradient) = outcome.gradients.get(ours) {
                largest = largest.max(self.distance(&format!("grad.{theirs}"), &gradient.data));
            } else {
                assert!(
                    ours.contains("running"),
                    "{}: no gradient of {ours}",
                    self.name
                );
            }
        }
        largest
    }

    fn distance(&self, name: &str, ours: &[f32]) -> f64 {
        let mut theirs: Vec<f64> = match self.tensor(name) {
            Some(tensor) => tensor.data.into_iter().map(f64::from).collect(),
            None => panic!("{}: the reference has no {name}", self.name),
        };
        let mut ours = ours.to_vec();
        // The turned matrix went in as rows.
        if self.name == "gemm_alpha_beta" && name == "grad.A" {
            theirs = transposed(&theirs, 3);
        }
        // Where both are infinite or very large they must be the same.
        let scale = theirs.iter().map(|x| x.abs()).fold(1.0, f64::max);
        for x in ours.iter_mut().filter(|x| x.is_nan()) {
            *x = f32::INFINITY;
        }
        let distance = distance(&ours, &theirs) / scale;
        assert!(distance <= TOLERANCE, "{}/{name}: {distance}", self.name);
        distance
    }

    fn pair<'b>(&self, operator: &str, owned: &mut Vec<(&'b str, &'b str)>) -> (Build, Value) {
        let [a, b] = ["A", "B"].map(|name| self.tensor(name).unwrap());
        let both =
            a.shape[0] == b.shape[0] && a.shape.len() == b.shape.len() && operator != "MatMul";
        let (mut build, values) = self.build(if both { &["A", "B"] } else { &["A"] });
        let constant = if both {
            None
        } else {
            owned.push(("B", "op"));
            self.own(&mut build, "op", "B")
        };
        let operator: Operator = match operator {
            "Add" => Add { constant }.into(),
            "Mul" => Mul { constant }.into(),
            _ => MatMul { constant }.into(),
        };
        let value = build.graph.add("op", operator, &values).unwrap();
        (build, value)
    }

    /// `alpha A' B + beta C`, where `A'` is what has the batch in front.
    fn turned_gemm<'b>(&self, owned: &mut Vec<(&'b str, &'b str)>) -> (Build, Value) {
        let a = self.tensor("A").unwrap();
        let turned =
            Tensor::new(&[a.shape[1], a.shape[0]], transposed(&a.data, a.shape[1])).unwrap();
        let c = self.tensor("C").unwrap();
        let width = turned.shape[1] + c.shape[1];
        let rows = turned
            .data
            .chunks(turned.shape[1])
            .zip(c.data.chunks(c.shape[1]));
        let data = rows.flat_map(|(a, c)| [a, c].concat()).collect();
        let mut build = Build {
            graph: GraphBuilder::new(self.name, &[width]),
            parameters: Vec::new(),
            parts: vec![
                ("A".to_owned(), 0, turned.shape[1]),
                ("C".to_owned(), turned.shape[1], c.shape[1]),
            ],
            input: Tensor::new(&[turned.shape[0], width], data).unwrap(),
        };
        let values: Vec<Value> = build
            .parts
            .clone()
            .into_iter()
            .map(|(name, start, size)| {
                let slice = Slice {
                    starts: vec![start as i64],
                    ends: vec![(start + size) as i64],
                    axes: vec![1],
                    steps: vec![1],
                };
                build
                    .graph
                    .add(&format!("{name} part"), slice, &[Value::INPUT])
                    .unwrap()
            })
            .collect();
        let constant = self.own(&mut build, "product", "B");
        owned.push(("B", "product"));
        let product = build
            .graph
            .add("product", MatMul { constant }, &values[..1])
            .unwrap();
        let mut scaled = |name: &str, key: &str, value: Value| {
            let constant = Some(Constant {
                shape: vec![1],
                kind: ParameterKind::Constant,
                initialisation: Initialisation::Constant(0.0),
            });
            build
                .parameters
                .push((name.to_owned(), Tensor::filled(&[1], self.number(key))));
            build.graph.add(name, Mul { constant }, &[value]).unwrap()
        };
        let left = scaled("alpha", "alpha", product);
        let right = scaled("beta", "beta", values[1]);
        let sum = build
            .graph
            .add("sum", Add::default(), &[left, right])
            .unwrap();
        (build, sum)
    }
}

fn transposed<T: Copy>(values: &[T], columns: usize) -> Vec<T> {
    let rows = values.len() / columns;
    let places = (0..columns).flat_map(|column| (0..rows).map(move |row| row * columns + column));
    places.map(|at| values[at]).collect()
}
