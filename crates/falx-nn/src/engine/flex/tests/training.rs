//! Options of a step: what is frozen, which statistics count, what is computed twice.

use falx_core::{LABELS, LabelRow};

use super::super::*;
use crate::reference::{formula, formula_parameters};
use crate::*;

/// All kinds of convolution, a shortcut with and without a convolution in it, a maximum with overlap, dropout.
fn network() -> Graph {
    let mut graph = GraphBuilder::new("residual", &[3, 24, 20]);
    let conv = |channels, size, stride, groups| Conv {
        strides: [stride; 2],
        groups,
        ..Conv::same(channels, size)
    };
    let norm = BatchNormalization::default;
    let mut x = graph
        .add("stem.conv", conv(20, 7, 2, 1), &[Value::INPUT])
        .unwrap();
    x = graph.add("stem.bn", norm(), &[x]).unwrap();
    x = graph.add("stem.relu", Relu, &[x]).unwrap();
    let pool = MaxPool {
        kernel: [3, 3],
        strides: [2, 2],
        pads: [1; 4],
        ceil_mode: false,
    };
    x = graph.add("stem.pool", pool, &[x]).unwrap();
    let blocks = [("one", 20, 1, 1), ("two", 36, 2, 4), ("three", 36, 1, 36)];
    for (name, channels, stride, groups) in blocks {
        let name = |part: &str| format!("{name}.{part}");
        let mut y = graph
            .add(&name("conv1"), conv(channels, 3, stride, groups), &[x])
            .unwrap();
        y = graph.add(&name("bn1"), norm(), &[y]).unwrap();
        y = graph.add(&name("relu1"), Relu, &[y]).unwrap();
        y = graph
            .add(&name("conv2"), conv(channels, 3, 1, 1), &[y])
            .unwrap();
        y = graph.add(&name("bn2"), norm(), &[y]).unwrap();
        let mut shortcut = x;
        if stride == 2 {
            shortcut = graph
                .add(&name("down"), conv(channels, 1, 2, 1), &[x])
                .unwrap();
            shortcut = graph.add(&name("down_bn"), norm(), &[shortcut]).unwrap();
        }
        y = graph
            .add(&name("add"), Add::default(), &[y, shortcut])
            .unwrap();
        x = graph.add(&name("relu2"), Relu, &[y]).unwrap();
    }
    x = graph.add("pool", GlobalAveragePool, &[x]).unwrap();
    x = graph.add("flatten", Flatten, &[x]).unwrap();
    x = graph.add("dropout", Dropout { ratio: 0.3 }, &[x]).unwrap();
    let fc = Gemm {
        features: 6,
        bias: true,
    };
    x = graph.add("fc", fc, &[x]).unwrap();
    graph.output("logits", x).finish().unwrap()
}

fn labels() -> Targets {
    let row = |n| LabelRow(LABELS.map(|label| Some((n + label.index()) % 3 == 0)));
    Targets::new((0..5).map(row).collect())
}

fn step(training: &Training) -> (StepOutput, Parameters) {
    let graph = network();
    let mut parameters = formula_parameters(&graph);
    let images = formula("input", &[5, 3, 24, 20]);
    let output = flex_engine(3)
        .step(
            &graph,
            &mut parameters,
            (&images).into(),
            &labels(),
            4,
            training,
        )
        .unwrap();
    (output, parameters)
}

fn modules(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| step(&Training::default()))
    };
    let one = with(1);
    assert!(one == with(2), "two threads");
    assert!(one == with(3), "three threads");
}

#[test]
fn segments_change_nothing() {
    let whole = step(&Training::default());
    for checkpoints in [2, 3, 5, 100] {
        let training = Training {
            checkpoints,
            ..Training::default()
        };
        assert!(step(&training) == whole, "{checkpoints} segments");
    }
}

#[test]
fn frozen_modules_have_no_gradients_and_the_others_keep_theirs() {
    let (whole, moved) = step(&Training::default());
    for checkpoints in [0, 3] {
        let training = Training {
            frozen: modules(&["stem", "one", "three.bn1", "fc"]),
            checkpoints,
            ..Training::default()
        };
        let (output, parameters) = step(&training);
        assert_eq!((output.loss, &output.logits), (whole.loss, &whole.logits));
        let trained = |name: &str| !training.freezes(name);
        let names = output.gradients.iter().map(|(name, _)| name);
        let expected = whole.gradients.iter().map(|(name, _)| name);
        assert!(names.eq(expected.filter(|name| trained(name))));
        for (name, gradient) in output.gradients.iter() {
            assert!(Some(gradient) == whole.gradients.get(name), "{name}");
        }
        // Statistics are the data's, not trained: they are followed all the same.
        assert!(parameters == moved);
    }
}

#[test]
fn nothing_is_trained_where_all_is_frozen() {
    let training = Training {
        frozen: modules(&[""]),
        ..Training::default()
    };
    let (output, _) = step(&training);
    assert_eq!(output.gradients.iter().count(), 0);
    assert!(output.loss > 0.0);
}

#[test]
fn running_statistics_count_and_stay_where_they_are_wanted() {
    let graph = network();
    let before = formula_parameters(&graph);
    let training = Training {
        running_statistics: modules(&["stem", "two.down_bn"]),
        ..Training::default()
    };
    let (output, after) = step(&training);
    let is_statistic = |name: &str| name.contains("running");
    for (name, tensor) in after.iter().filter(|(name, _)| is_statistic(name)) {
        let stays = training.keeps_statistics(name.rsplit_once('.').unwrap().0);
        assert_eq!(Some(tensor) == before.get(name), stays, "{name}");
    }
    let (whole, _) = step(&Training::default());
    assert_ne!(output.logits, whole.logits);
}

/// With running statistics everywhere and no dropout a step is what the evaluation mode gives.
#[test]
fn running_statistics_everywhere_are_the_evaluations() {
    let config = zoo::NetworkConfig {
        size: 32,
        ..zoo::NetworkConfig::default()
    };
    let graph = zoo::build(&config).unwrap();
    let mut parameters = formula_parameters(&graph);
    let images = formula("input", &[5, 3, 32, 32]);
    let (expected, _) = step_in(
        Mode::Evaluation,
        &graph,
        &parameters,
        (&images).into(),
        &labels(),
    )
    .unwrap();
    let training = Training {
        running_statistics: modules(&[""]),
        ..Training::default()
    };
    let found = flex_engine(0)
        .step(
            &graph,
            &mut parameters,
            (&images).into(),
            &labels(),
            0,
            &training,
        )
        .unwrap();
    assert!(found == expected);
    assert!(parameters == formula_parameters(&graph));
}

/// A sum whose parts have other readers is not fused; both ways must give the same numbers.
#[test]
fn sums_after_normalisations_change_nothing() {
    let build = |fused: bool| {
        let mut graph = GraphBuilder::new("sum", &[4, 5, 6]);
        let first = graph
            .add("first", Conv::same(4, 1), &[Value::INPUT])
            .unwrap();
        let norm = graph
            .add("bn", BatchNormalization::default(), &[first])
            .unwrap();
        let sum = graph.add("add", Add::default(), &[first, norm]).unwrap();
        let relu = graph.add("relu", Relu, &[sum]).unwrap();
        if !fused {
            graph.add("spy", Sigmoid, &[norm]).unwrap();
        }
        let norm = graph
            .add("bn2", BatchNormalization::default(), &[relu])
            .unwrap();
        let sum = graph.add("add2", Add::default(), &[norm, relu]).unwrap();
        if !fused {
            graph.add("second spy", Sigmoid, &[norm]).unwrap();
        }
        let pool = graph.add("pool", GlobalAveragePool, &[sum]).unwrap();
        let x = graph.add("flatten", Flatten, &[pool]).unwrap();
        let fc = Gemm {
            features: 6,
            bias: false,
        };
        let x = graph.add("fc", fc, &[x]).unwrap();
        graph.output("logits", x).finish().unwrap()
    };
    let images = formula("input", &[5, 4, 5, 6]);
    let [one, other] = [true, false].map(|fused| {
        let graph = build(fused);
        assert_eq!(
            fusion::Fused::at(&graph, 1).steps,
            if fused { 3 } else { 1 }
        );
        let mut parameters = formula_parameters(&graph);
        flex_engine(0)
            .gradients(&graph, &mut parameters, &images, &labels(), 0)
            .unwrap()
    });
    assert_eq!(one.loss, other.loss);
    for (name, gradient) in one.gradients.iter() {
        let other = &other.gradients.get(name).unwrap().data;
        let other: Vec<f64> = other.iter().map(|&x| f64::from(x)).collect();
        let distance = crate::reference::distance(&gradient.data, &other);
        assert!(distance < 1e-7, "{name}: {distance}");
    }
}
