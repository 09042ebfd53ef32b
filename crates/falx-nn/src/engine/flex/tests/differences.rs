//! What holds for each operator on shapes of any size: gradients are slopes, and threads do not matter.

use super::operators::differentiate;
use crate::reference::operators::{Outcome, Run};
use crate::reference::{Stream, formula};
use crate::*;

fn own(shape: &[usize]) -> Constant {
    Constant {
        shape: shape.to_vec(),
        kind: ParameterKind::Weight,
        initialisation: Initialisation::FanInUniform { fan_in: 1 },
    }
}

/// A graph of every operator on images of `shape`.
#[allow(clippy::too_many_lines, reason = "a table, one case after the other")]
fn graphs(shape: [usize; 3]) -> Vec<Graph> {
    let [channels, height, width] = shape;
    let average = |ceil_mode, count_include_pad| AveragePool {
        kernel: [3, 2],
        strides: [2, 1],
        pads: [1, 0, 1, 1],
        ceil_mode,
        count_include_pad,
    };
    let turned = ConvTranspose {
        channels: 3,
        kernel: [3, 2],
        strides: [2, 1],
        pads: [1, 0, 0, 1],
        output_padding: [1, 0],
        bias: true,
    };
    let resize = |mode, size| Operator::from(Resize { mode, size });
    let (up, pads, axes) = ([2 * height - 1, width + 3], [1, 2, 2, 0], vec![1, 3]);
    let slice = Slice {
        starts: vec![1, -3],
        ends: vec![99, -1],
        axes: vec![2, 3],
        steps: vec![2, 1],
    };
    let norm = |axis| {
        Operator::from(LayerNormalization {
            axis,
            epsilon: 1e-3,
        })
    };
    let linear = |align_corners| ResizeMode::Linear { align_corners };
    let single: Vec<Operator> = vec![
        Relu.into(),
        Clip::relu6().into(),
        LeakyRelu { alpha: 0.2 }.into(),
        Sigmoid.into(),
        Tanh.into(),
        HardSigmoid {
            alpha: 0.2,
            beta: 0.5,
        }
        .into(),
        HardSwish.into(),
        Swish { alpha: 1.3 }.into(),
        Gelu { tanh: false }.into(),
        Gelu { tanh: true }.into(),
        Softplus.into(),
        Exp.into(),
        Neg.into(),
        Pow { exponent: 2.0 }.into(),
        Conv::same(3, 3).into(),
        turned.into(),
        BatchNormalization::default().into(),
        norm(1),
        norm(3),
        MaxPool::halving().into(),
        average(false, true).into(),
        average(true, false).into(),
        GlobalAveragePool.into(),
        GlobalMaxPool.into(),
        Flatten.into(),
        Reshape {
            shape: vec![height, channels * width],
        }
        .into(),
        Transpose {
            perm: vec![0, 3, 1, 2],
        }
        .into(),
        slice.into(),
        Pad {
            mode: PadMode::Constant(0.5),
            pads,
        }
        .into(),
        Pad {
            mode: PadMode::Reflect,
            pads,
        }
        .into(),
        resize(ResizeMode::NearestFloor, up),
        resize(ResizeMode::NearestExact, up),
        resize(linear(false), up),
        resize(linear(true), [height - 1, 2]),
        resize(ResizeMode::Cubic { coefficient: -0.75 }, up),
        Softmax { axis: 1 }.into(),
        LogSoftmax { axis: 3 }.into(),
        ReduceMean {
            axes: axes.clone(),
            keepdims: false,
        }
        .into(),
        ReduceSum {
            axes: axes.clone(),
            keepdims: true,
        }
        .into(),
        ReduceMax {
            axes: vec![2],
            keepdims: false,
        }
        .into(),
        Add {
            constant: Some(own(&[channels, 1, 1])),
        }
        .into(),
        Sub {
            constant: Some(own(&[width])),
        }
        .into(),
        Mul {
            constant: Some(own(&shape)),
        }
        .into(),
        MatMul {
            constant: Some(own(&[width, 3])),
        }
        .into(),
    ];
    let mut graphs: Vec<Graph> = single
        .into_iter()
        .map(|operator| {
            let mut builder = GraphBuilder::new(operator.name(), &shape);
            let value = builder.add("op", operator, &[Value::INPUT]).unwrap();
            builder.output("y", value).finish().unwrap()
        })
        .collect();
    // Two values from one input; what is divided by, and what roots and logarithms are taken of, is above 0.
    let pairs: [Operator; 6] = [
        Add::default().into(),
        Sub::default().into(),
        Mul::default().into(),
        Div::default().into(),
        Max.into(),
        Concat { axis: 1 }.into(),
    ];
    for (operator, squeezed) in pairs
        .into_iter()
        .flat_map(|op| [(op.clone(), false), (op, true)])
    {
        if squeezed && !matches!(operator, Operator::Mul(_) | Operator::Add(_)) {
            continue;
        }
        let mut builder = GraphBuilder::new(operator.name(), &shape);
        let mut right = builder.add("right", Exp, &[Value::INPUT]).unwrap();
        if squeezed {
            right = builder
                .add("squeezed", GlobalAveragePool, &[right])
                .unwrap();
        }
        let value = builder.add("op", operator, &[Value::INPUT, right]).unwrap();
        graphs.push(builder.output("y", value).finish().unwrap());
    }
    for operator in [
        Operator::from(Log),
        Sqrt.into(),
        Pow { exponent: 1.7 }.into(),
    ] {
        let mut builder = GraphBuilder::new(operator.name(), &shape);
        let positive = builder.add("positive", Exp, &[Value::INPUT]).unwrap();
        let value = builder.add("op", operator, &[positive]).unwrap();
        graphs.push(builder.output("y", value).finish().unwrap());
    }
    // Sequences of channels and places.
    let mut builder = GraphBuilder::new("BatchNormalization", &[channels, width]);
    let norm = BatchNormalization::default();
    let value = builder.add("op", norm, &[Value::INPUT]).unwrap();
    graphs.push(builder.output("y", value).finish().unwrap());
    let mut builder = GraphBuilder::new("MatMul of values", &shape);
    let perm = vec![0, 1, 3, 2];
    let right = builder
        .add("right", Transpose { perm }, &[Value::INPUT])
        .unwrap();
    let value = builder
        .add("op", MatMul::default(), &[Value::INPUT, right])
        .unwrap();
    graphs.push(builder.output("y", value).finish().unwrap());
    graphs
}

struct Setting {
    graph: Graph,
    parameters: Parameters,
    input: Tensor,
    upstream: Tensor,
    training: bool,
}

impl Setting {
    fn new(graph: Graph, batch: usize, training: bool) -> Self {
        let output = graph.shape(graph.outputs()[0].1).unwrap();
        let upstream = formula("upstream", &[&[batch], output].concat());
        let mut input = formula("input", &[&[batch], graph.input()].concat());
        input.data.iter_mut().for_each(|x| *x *= 2.0);
        Self {
            parameters: Parameters::initialise(&graph, 5),
            input,
            upstream,
            training,
            graph,
        }
    }

    fn run(&self, input: &Tensor, parameters: &Parameters) -> Outcome {
        differentiate(Run {
            graph: &self.graph,
            parameters,
            input,
            upstream: &self.upstream,
            training: self.training,
        })
    }

    /// The results times their upstream gradient, a step of `by` along a direction from the start.
    fn moved(&self, by: f32) -> f64 {
        let along = |name: &str, tensor: &Tensor| {
            let directions = direction(name, tensor.data.len());
            let data = tensor.data.iter().zip(directions);
            let data = data.map(|(x, d)| x + by * d).collect();
            Tensor::new(&tensor.shape, data).unwrap()
        };
        let of = |(name, tensor): (&str, &Tensor)| {
            let tensor = if name.contains("running") {
                tensor.clone()
            } else {
                along(name, tensor)
            };
            (name.to_owned(), tensor)
        };
        let parameters = self.parameters.iter().map(of).collect();
        let output = self.run(&along("", &self.input), &parameters).output;
        dot(&output, &self.upstream.data)
    }
}

fn direction(name: &str, length: usize) -> Vec<f32> {
    let mut stream = Stream::new(&format!("direction {name}"));
    (0..length)
        .map(|_| 2.0 * stream.unit() as f32 - 1.0)
        .collect()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| f64::from(*a) * f64::from(*b))
        .sum()
}

/// Along a direction through input and parameters at once, the difference quotient is the gradient's part.
#[test]
fn gradients_are_difference_quotients() {
    const STEP: f32 = 1e-3;
    let mut stream = Stream::new("shapes");
    for _ in 0..3 {
        let shape = [0; 3].map(|_| 3 + (stream.unit() * 4.0) as usize);
        for graph in graphs(shape) {
            let training = graph.name() == "BatchNormalization";
            let setting = Setting::new(graph, 2, training);
            let outcome = setting.run(&setting.input, &setting.parameters);
            let mut ours = dot(&outcome.input, &direction("", outcome.input.len()));
            for (name, gradient) in outcome.gradients.iter() {
                ours += dot(&gradient.data, &direction(name, gradient.data.len()));
            }
            let theirs = (setting.moved(STEP) - setting.moved(-STEP)) / f64::from(2.0 * STEP);
            // Kinks between both ends and the rounding of single precision.
            let size = dot(&outcome.input, &outcome.input).sqrt();
            let distance = (ours - theirs).abs() / size.max(1.0);
            let name = setting.graph.name();
            println!("{name:<20} {shape:?} {distance:.1e}");
            assert!(distance < 2e-3, "{name} {shape:?}: {ours} {theirs}");
        }
    }
}

#[test]
fn any_number_of_threads_gives_each_operator_the_same_bytes() {
    let pool = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
    };
    let pools = [1, 2, 3].map(pool);
    for graph in graphs([7, 43, 33]) {
        let training = graph.name() == "BatchNormalization";
        let setting = Setting::new(graph, 3, training);
        let [one, two, three] = pools
            .each_ref()
            .map(|pool| pool.install(|| setting.run(&setting.input, &setting.parameters)));
        let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        for other in [two, three] {
            let name = setting.graph.name();
            assert!(bits(&one.output) == bits(&other.output), "{name}: output");
            assert!(
                bits(&one.input) == bits(&other.input),
                "{name}: input's gradient"
            );
            assert!(
                one.gradients == other.gradients,
                "{name}: parameters' gradients"
            );
        }
    }
}
