use crate::reference::{formula, formula_parameters};
use crate::zoo::{NetworkConfig, build};
use crate::{
    Add, BatchNormalization, Conv, EngineError, Flatten, Gemm, GlobalAveragePool, Graph,
    GraphBuilder, Parameters, PrepareError, Prepared, Relu, Value, flex_engine,
};

/// What a rectifier and a sum follow, a depthwise convolution, and one that two others read.
fn residual() -> Graph {
    let mut graph = GraphBuilder::new("residual", &[3, 20, 20]);
    let mut add = |name: &str, operator: crate::Operator, inputs: &[Value]| {
        graph.add(name, operator, inputs).unwrap()
    };
    let strided = Conv {
        strides: [2, 2],
        ..Conv::same(24, 3)
    };
    let depthwise = Conv {
        groups: 24,
        ..Conv::same(24, 3)
    };
    let a = add("a", strided.into(), &[Value::INPUT]);
    let b = add("a.bn", BatchNormalization::default().into(), &[a]);
    let b = add("a.relu", Relu.into(), &[b]);
    let c = add("depthwise", depthwise.into(), &[b]);
    let c = add("depthwise.bn", BatchNormalization::default().into(), &[c]);
    let c = add("depthwise.relu", Relu.into(), &[c]);
    let d = add("d", Conv::same(24, 1).into(), &[c]);
    let d = add("d.bn", BatchNormalization::default().into(), &[d]);
    let e = add("add", Add::default().into(), &[d, b]);
    let e = add("add.relu", Relu.into(), &[e]);
    let f = add("f", Conv::same(40, 3).into(), &[e]);
    let g = add("g", Conv::same(40, 3).into(), &[e]);
    let g = add("g.add", Add::default().into(), &[f, g]);
    let h = add("pool", GlobalAveragePool.into(), &[g]);
    let h = add("flatten", Flatten.into(), &[h]);
    let linear = Gemm {
        features: 6,
        bias: true,
    };
    let logits = add("fc", linear.into(), &[h]);
    graph
        .output("logits", logits)
        .output("features", h)
        .finish()
        .unwrap()
}

#[test]
fn a_prepared_network_gives_the_engines_logits_for_any_threads() {
    let simple = NetworkConfig {
        size: 48,
        dropout: 0.2,
        ..NetworkConfig::default()
    };
    for graph in [residual(), build(&simple).unwrap()] {
        let parameters = formula_parameters(&graph);
        let shape: Vec<usize> = [3].into_iter().chain(graph.input().to_vec()).collect();
        let images = formula("input", &shape);
        let logits = flex_engine(0).logits(&graph, &parameters, &images).unwrap();
        let run = |threads| {
            let prepared = Prepared::new(&graph, parameters.clone(), threads).unwrap();
            assert_eq!(prepared.threads(), threads);
            prepared.run(&images).unwrap()
        };
        let outputs = run(1);
        assert_eq!(outputs, run(3));
        let names: Vec<&str> = outputs.iter().map(|(name, _)| name.as_str()).collect();
        let meant: Vec<&str> = graph
            .outputs()
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(names, meant);
        assert_eq!(outputs[0].1.shape, logits.shape);
        for (have, meant) in outputs[0].1.data.iter().zip(&logits.data) {
            assert!(
                (have - meant).abs() < 1e-5,
                "{}: {have} {meant}",
                graph.name()
            );
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let graph = residual();
    let error = Prepared::new(&graph, Parameters::default(), 1).err();
    assert!(matches!(error, Some(PrepareError::Parameter { .. })));
    let prepared = Prepared::new(&graph, formula_parameters(&graph), 1).unwrap();
    let images = formula("input", &[1, 3, 20, 21]);
    let error = prepared.run(&images).unwrap_err();
    assert!(matches!(error, EngineError::Images { .. }), "{error}");
}

/// A network that goes wrong says so: a rectifier does not hide what is not a number.
#[test]
fn a_value_that_is_not_a_number_reaches_the_output() {
    let graph = residual();
    let mut parameters = formula_parameters(&graph);
    parameters.get_mut("a.weight").unwrap().data[0] = f32::NAN;
    let prepared = Prepared::new(&graph, parameters.clone(), 1).unwrap();
    let images = formula("input", &[1, 3, 20, 20]);
    assert!(prepared.run(&images).unwrap()[0].1.data[0].is_nan());
}
