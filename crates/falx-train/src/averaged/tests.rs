use falx_core::TargetRow;
use falx_nn::{
    BatchNormalization, Flatten, Gemm, GlobalAveragePool, GraphBuilder, Value, flex_engine,
};

use super::*;

/// A normalisation of pictures of 2 channels and 2 × 2 pixels, and six logits.
fn graph(momentum: f32) -> Graph {
    let mut graph = GraphBuilder::new("one", &[2, 2, 2]);
    let normalisation = BatchNormalization {
        momentum,
        ..BatchNormalization::default()
    };
    let x = graph.add("bn", normalisation, &[Value::INPUT]).unwrap();
    let x = graph.add("pool", GlobalAveragePool, &[x]).unwrap();
    let x = graph.add("flatten", Flatten, &[x]).unwrap();
    let fc = Gemm {
        features: 6,
        bias: true,
    };
    let x = graph.add("fc", fc, &[x]).unwrap();
    graph.output("logits", x).finish().unwrap()
}

#[test]
fn statistics_are_the_mean_over_batches_whatever_the_momentum() {
    let batches = [
        [0.0_f32, 1.0, 2.0, 5.0],
        [4.0, -1.0, 3.0, 0.5],
        [9.0, 9.5, 7.0, 8.0],
    ];
    // Three slices, each of a constant plus its pixels.
    let images = |own: [f32; 4]| Tensor {
        shape: vec![3, 2, 2, 2],
        data: (0..24)
            .map(|at| own[at % 4] * (1 + at / 8) as f32 + (at / 4 % 2) as f32)
            .collect(),
    };
    let targets = Targets {
        labels: vec![TargetRow([None; 6]); 3],
        weights: vec![0.0; 3],
    };
    for momentum in [0.1, 0.03] {
        let graph = graph(momentum);
        let mut parameters = Parameters::initialise(&graph, 1);
        let before = parameters.get("fc.weight").cloned();
        let mut engine = flex_engine(1);
        let mut statistics = Statistics::new(&graph, &Training::default());
        let (mut means, mut variances) = ([0.0; 2], [0.0; 2]);
        for own in batches {
            let images = images(own);
            statistics
                .learn(
                    engine.as_mut(),
                    &graph,
                    &mut parameters,
                    (&images, &targets),
                )
                .unwrap();
            for channel in 0..2 {
                let of_channel = |at: &usize| at / 4 % 2 == channel;
                let values: Vec<f64> = (0..24)
                    .filter(of_channel)
                    .map(|at| f64::from(images.data[at]))
                    .collect();
                let mean = values.iter().sum::<f64>() / 12.0;
                let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
                means[channel] += mean / 3.0;
                // PyTorch keeps the unbiased variance.
                variances[channel] += squares / 11.0 / 3.0;
            }
        }
        statistics.set(&mut parameters);
        for (name, expected) in [("bn.running_mean", means), ("bn.running_var", variances)] {
            let found = &parameters.get(name).unwrap().data;
            for (found, expected) in found.iter().zip(expected) {
                let relative = (f64::from(*found) - expected).abs() / expected.abs();
                assert!(relative < 1e-5, "{name} {found} {expected}");
            }
        }
        assert_eq!(parameters.get("fc.weight").cloned(), before);
    }
}

#[test]
fn normalisations_that_rest_keep_their_statistics() {
    let rests = Training {
        running_statistics: vec!["bn".to_owned()],
        ..Training::default()
    };
    assert!(normalisations(&graph(0.1), &rests).is_empty());
    assert_eq!(normalisations(&graph(0.1), &Training::default()).len(), 2);
}
