//! What is made of a series' slices together.

use falx_nn::zoo::{Coherence, SequenceConfig, SequenceModel, build_sequence};
use falx_nn::{EngineKind, Input, Parameters, Tensor, onnx};

use super::*;

const FEATURES: usize = 10;

fn config(model: SequenceModel) -> SequenceConfig {
    SequenceConfig {
        model,
        slices: 7,
        features: FEATURES,
        hidden: 8,
        differences: true,
        standardise: true,
        coherence: Coherence::Maximum,
        ..SequenceConfig::default()
    }
}

fn file() -> &'static std::path::Path {
    SEQUENCE_ONNX.as_ref()
}

fn written(config: &SequenceConfig) -> (falx_nn::Graph, Parameters, Vec<u8>) {
    let graph = build_sequence(config).unwrap();
    let mut parameters = Parameters::initialise(&graph, 5);
    let scale = parameters.get_mut(falx_nn::zoo::SCALE).unwrap();
    scale.data.fill(1.5);
    let onnx = onnx::to_bytes(&graph, &parameters).unwrap();
    (graph, parameters, onnx)
}

/// A series of so many slices.
fn embeddings(slices: usize) -> Vec<f32> {
    let values = (0..slices * FEATURES).map(|at| (at * 37 % 101) as f32 / 50.0 - 1.0);
    values.collect()
}

#[test]
fn a_series_gets_what_the_engine_of_training_gives_it() {
    for model in [
        SequenceModel::Gru,
        SequenceModel::Lstm,
        SequenceModel::Transformer,
    ] {
        let config = config(model);
        let (graph, parameters, onnx) = written(&config);
        let mut used = SeriesModel::load(&onnx, file(), &config, 1).unwrap();
        for slices in [1, 5, 7] {
            let mut padded = embeddings(slices);
            let found = used.probabilities(&padded).unwrap();
            padded.resize(7 * FEATURES, 9.0);
            let values = Tensor::new(&[1, 7, FEATURES], padded).unwrap();
            let mut engine = EngineKind::default().start(0).unwrap();
            let input = Input {
                values: &values,
                lengths: Some(&[slices]),
            };
            let logits = engine.sequence_logits(&graph, &parameters, input).unwrap();
            assert_eq!(found.len(), slices);
            for (p, logit) in found.as_flattened().iter().zip(&logits.data) {
                let expected = Probability::from_logit((*logit).into()).get();
                assert!((p.get() - expected).abs() < 1e-5, "{model:?} {slices}");
            }
        }
        // A recurrent network knows no longest series; a transformer has learnt as many places as it was shown.
        let longer = used.probabilities(&embeddings(9));
        match model {
            SequenceModel::Transformer => {
                let error = longer.unwrap_err().to_string();
                assert!(error.contains("9 slices"), "{error}");
            }
            _ => assert_eq!(longer.unwrap().len(), 9),
        }
    }
}

#[test]
fn a_network_over_series_of_another_kind_is_refused_by_name() {
    let (_, _, onnx) = written(&config(SequenceModel::Gru));
    let other = SeriesModel::load(&onnx, file(), &config(SequenceModel::Lstm), 1).err();
    let error = other.unwrap().to_string();
    assert!(
        error.contains(SEQUENCE_ONNX) && error.contains("lstm"),
        "{error}"
    );
    assert!(SeriesModel::load(b"no network", file(), &config(SequenceModel::Gru), 1).is_err());
}

#[test]
fn neighbours_count_by_their_distance_and_unknown_positions_not_at_all() {
    let rows = [six([0.0; 6]), six([0.5; 6]), six([1.0; 6])];
    let near = smoothed(&rows, &[0.0, 5.0, f32::NAN], 5.0);
    let weight = (-0.5_f64).exp();
    assert!((near[0][0].get() - 0.5 * weight / (1.0 + weight)).abs() < 1e-12);
    assert!((near[1][0].get() - 0.5 / (1.0 + weight)).abs() < 1e-12);
    assert_eq!(near[2], rows[2]);
    assert_eq!(smoothed(&rows[..1], &[3.0], 5.0), rows[..1]);
}

proptest! {
    #[test]
    fn smoothing_keeps_any_above_the_subtypes(
        slices in proptest::collection::vec((0.0..=1.0_f64, proptest::array::uniform5(0.0..=1.0_f64), -100.0..100.0_f32), 1..9),
        mm in 0.1..50.0_f64,
    ) {
        let rows: Vec<_> = slices.iter().map(|(any, shares, _)| {
            six(std::array::from_fn(|at| if at < 5 { any * shares[at] } else { *any }))
        }).collect();
        let positions: Vec<f32> = slices.iter().map(|slice| slice.2).collect();
        for row in smoothed(&rows, &positions, mm) {
            for p in &row[..5] {
                prop_assert!(p.get() <= row[5].get());
            }
        }
    }
}
