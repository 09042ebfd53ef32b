use falx_core::{Label, Probability};
use proptest::prelude::*;

use crate::*;

mod ensemble;
mod series;
mod study;

fn six(p: [f64; 6]) -> [Probability; 6] {
    p.map(|p| Probability::new(p).unwrap())
}

pub(crate) fn manifest() -> BundleManifest {
    BundleManifest {
        format: 0,
        network: "simple_cnn".to_owned(),
        falx_version: "0".to_owned(),
        labels: Vec::new(),
        data_hash: "d".to_owned(),
        shuffled_labels: false,
        licence: "none".to_owned(),
        intended_use: "tests".to_owned(),
        test_time_flip: false,
        input: falx_data::input::InputSpec::default(),
        smooth_mm: None,
        sequence: None,
        calibration: Vec::new(),
        prior: PriorShift::new(0.5, 0.14).ok(),
        prevalence: [0.1; 6],
        training_prevalence: None,
        decisions: None,
        metrics: BundleMetrics {
            measured_on: "nothing".to_owned(),
            weighted_log_loss: 0.3,
            prevalence_baseline: 0.2,
        },
        members: Vec::new(),
        parts: std::collections::BTreeMap::new(),
    }
}

/// Slices of no series.
pub(crate) fn alone(ids: &[&str]) -> falx_data::samples::Samples {
    let slices = ids
        .iter()
        .zip(0..)
        .map(|(id, row)| falx_data::samples::Sample {
            path: "nowhere".into(),
            window: None,
            image_id: falx_core::ImageId::from(*id),
            labels: falx_core::LabelRow::default(),
            row,
        });
    falx_data::samples::Samples::of_list(slices).unwrap()
}

#[test]
fn oversampling_to_one_half_is_undone_by_hand() {
    let shift = PriorShift::new(0.5, 0.2).unwrap();
    let corrected = shift.correct(six([0.0, 0.25, 0.1, 0.0, 0.5, 0.5]));
    // Odds 1 × (.25 / 1) = .25, so any = .2; subtypes keep their share of any.
    assert!((corrected[Label::Any.index()].get() - 0.2).abs() < 1e-12);
    assert!((corrected[Label::Intraparenchymal.index()].get() - 0.1).abs() < 1e-12);
    assert!((corrected[Label::Subdural.index()].get() - 0.2).abs() < 1e-12);
    assert!(PriorShift::new(1.0, 0.2).is_err());
    assert!(PriorShift::new(0.5, f64::NAN).is_err());
}

#[test]
fn subtypes_drawn_more_often_are_undone_among_the_positives() {
    // Training: half positive, of which 40 % are epidural; the data: 20 % positive, of which 10 % are epidural.
    let shown = [0.2, 0.1, 0.05, 0.1, 0.15, 0.5];
    let data = [0.02, 0.04, 0.02, 0.04, 0.06, 0.2];
    let shift = PriorShift::between(shown, data).unwrap();
    let priors = shift.correct(six(shown));
    // What says nothing but the prior shown becomes the prior of the data.
    for (have, expected) in priors.iter().zip(data) {
        assert!((have.get() - expected).abs() < 1e-12, "{have:?} {expected}");
    }
    // By `any` alone the shares among the positives are the same, and nothing else is kept.
    let by_any = PriorShift::between(data.map(|p| p * 2.0), data).unwrap();
    assert_eq!(by_any, PriorShift::new(0.4, 0.2).unwrap());
    let text = toml::to_string(&BundleManifest {
        prior: Some(shift),
        ..manifest()
    });
    let read: BundleManifest = toml::from_str(&text.unwrap()).unwrap();
    assert_eq!(read.prior, Some(shift));
}

proptest! {
    #[test]
    fn a_correction_keeps_any_above_the_subtypes(
        shown in 0.01..0.99_f64, data in 0.01..0.99_f64,
        shares in proptest::array::uniform5(0.01..0.99_f64), of_data in proptest::array::uniform5(0.01..0.99_f64),
        any in 0.0..1.0_f64, subtypes in proptest::array::uniform5(0.0..1.0_f64),
    ) {
        let six_of = |any: f64, shares: [f64; 5]| std::array::from_fn(|at| if at < 5 { any * shares[at] } else { any });
        let shift = PriorShift::between(six_of(shown, shares), six_of(data, of_data)).unwrap();
        let out = shift.correct(six(six_of(any, subtypes)));
        for p in &out[..5] {
            prop_assert!(p.get() <= out[5].get() + 1e-12);
        }
    }
}

#[test]
fn a_bundle_is_opened_as_it_was_written_and_refused_once_changed() {
    let folder = tempfile::tempdir().unwrap();
    let parts = BundleParts {
        model_onnx: b"network",
        sequence_onnx: None,
        model_card: "card",
    };
    let written = Bundle::write(folder.path(), manifest(), &parts).unwrap();
    let opened = Bundle::open(folder.path()).unwrap();
    assert_eq!(opened.manifest(), written.manifest());

    std::fs::write(opened.place(MODEL_ONNX), b"netw0rk").unwrap();
    let error = Bundle::open(folder.path()).unwrap_err();
    assert!(matches!(error, BundleError::Checksum { .. }));
    assert!(error.to_string().contains(MODEL_ONNX));
}

#[test]
fn what_is_no_bundle_is_named() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(
        Bundle::open(folder.path()),
        Err(BundleError::NotABundle(_))
    ));
    std::fs::write(
        folder.path().join("bundle.toml"),
        "format = 1\nnonsense = 2\n",
    )
    .unwrap();
    assert!(matches!(
        Bundle::open(folder.path()),
        Err(BundleError::Manifest { .. })
    ));
}

#[test]
fn a_file_that_is_no_network_is_refused_by_name() {
    for kind in [RuntimeKind::Falx, RuntimeKind::Rten] {
        let bytes = b"not a network".to_vec();
        let error = Model::load(bytes, MODEL_ONNX.as_ref(), kind, 1)
            .err()
            .unwrap();
        assert!(matches!(error, ModelError::Load { .. }), "{error}");
        assert!(error.to_string().contains(MODEL_ONNX));
    }
}

/// A network of one linear layer that gives `outputs` numbers under a name.
fn linear(name: &str, outputs: usize, weight: f32) -> Vec<u8> {
    use falx_nn::{Flatten, Gemm, GlobalAveragePool, GraphBuilder, Parameters, Tensor, Value};
    let mut graph = GraphBuilder::new("linear", &[3, 8, 8]);
    let x = graph
        .add("pool", GlobalAveragePool, &[Value::INPUT])
        .unwrap();
    let x = graph.add("flatten", Flatten, &[x]).unwrap();
    let fc = Gemm {
        features: outputs,
        bias: true,
    };
    let x = graph.add("fc", fc, &[x]).unwrap();
    let graph = graph.output(name, x).finish().unwrap();
    let filled = |shape: &[usize], value| Tensor::filled(shape, value);
    let parameters: Parameters = [
        ("fc.weight".to_owned(), filled(&[outputs, 3], weight)),
        ("fc.bias".to_owned(), filled(&[outputs], 0.25)),
    ]
    .into_iter()
    .collect();
    falx_nn::onnx::to_bytes(&graph, &parameters).unwrap()
}

fn answer(onnx: &[u8], kind: RuntimeKind) -> Result<Vec<[Probability; 6]>, ModelError> {
    let mut model = Model::load(onnx.to_vec(), MODEL_ONNX.as_ref(), kind, 1)?;
    model.probabilities(&[1.0; 2 * 3 * 64], [2, 3, 8, 8])
}

#[test]
fn outputs_are_found_by_name_and_must_be_six_probabilities_a_slice() {
    for kind in [RuntimeKind::Falx, RuntimeKind::Rten] {
        let rows = answer(&linear("logits", 6, 0.25), kind).unwrap();
        let expected = 1.0 / (1.0 + (-1.0_f64).exp());
        assert_eq!(rows.len(), 2);
        assert!(
            rows.as_flattened()
                .iter()
                .all(|p| (p.get() - expected).abs() < 1e-6)
        );
        let rows = answer(&linear("probabilities", 6, 0.25), kind).unwrap();
        assert!(
            rows.as_flattened()
                .iter()
                .all(|p| (p.get() - 1.0).abs() < 1e-6)
        );

        let error = answer(&linear("scores", 6, 0.25), kind).unwrap_err();
        assert!(matches!(&error, ModelError::Outputs { found, .. } if found == &["scores"]));
        assert!(error.to_string().contains("`logits`"), "{error}");
        let error = answer(&linear("logits", 5, 0.25), kind).unwrap_err();
        assert!(matches!(&error, ModelError::Shape { found, .. } if found == &[2, 5]));
        let no_probability =
            |error: &ModelError| matches!(error, ModelError::Value { slice: 1, .. });
        let error = answer(&linear("probabilities", 6, 0.5), kind).unwrap_err();
        assert!(no_probability(&error), "{error}");
        // Our own importer knows a damaged network when it loads it; rten's shows by what it gives.
        for (name, weight) in [
            ("logits", f32::NAN),
            ("logits", f32::INFINITY),
            ("probabilities", f32::NAN),
        ] {
            let error = answer(&linear(name, 6, weight), kind).unwrap_err();
            if kind == RuntimeKind::Falx {
                assert!(matches!(error, ModelError::Load { .. }), "{error}");
                assert!(
                    error.to_string().contains("`fc.weight` holds NaN"),
                    "{error}"
                );
            } else {
                assert!(no_probability(&error), "{error}");
            }
        }
    }
}

#[test]
fn the_card_says_when_a_model_has_no_skill() {
    assert!(model_card(&manifest()).contains("not better than no skill"));
}

proptest! {
    #[test]
    fn corrections_stay_probabilities_keep_the_order_of_any_and_go_back(
        p in proptest::array::uniform6(0.0..=1.0f64),
        q in 0.0..=1.0f64,
        shown in 0.01..0.99f64,
        data in 0.01..0.99f64,
    ) {
        let there = PriorShift::new(shown, data).unwrap();
        let back = PriorShift::new(data, shown).unwrap();
        let any = Label::Any.index();
        let corrected = there.correct(six(p));
        prop_assert!((back.correct(corrected)[any].get() - p[any]).abs() < 1e-6);
        let mut other = p;
        other[any] = q;
        let other = there.correct(six(other))[any];
        prop_assert_eq!(p[any] < q, corrected[any] < other || (p[any] < q && (q - p[any]) < 1e-12));
    }
}
