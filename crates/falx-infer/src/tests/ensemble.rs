//! Bundles of several networks.

use falx_core::ImageId;

use super::*;

fn prediction(id: &str, p: [f64; 6]) -> falx_core::Prediction {
    falx_core::Prediction {
        image_id: ImageId::from(id),
        probabilities: six(p),
    }
}

/// A bundle of one network in a folder of its own.
fn single(folder: &std::path::Path, network: &[u8], manifest: BundleManifest) -> Joining {
    let parts = BundleParts {
        model_onnx: network,
        sequence_onnx: None,
        model_card: "card",
    };
    Joining {
        origin: folder.file_name().unwrap().to_string_lossy().into_owned(),
        bundle: Bundle::write(folder, manifest, &parts).unwrap(),
    }
}

#[test]
fn a_bundle_of_one_network_says_nothing_of_what_came_later() {
    let folder = tempfile::tempdir().unwrap();
    single(folder.path(), b"one", manifest());
    let text = std::fs::read_to_string(folder.path().join("bundle.toml")).unwrap();
    assert!(text.starts_with("format = 1\n"), "{text}");
    assert!(
        !text.contains("members") && !text.contains("flip"),
        "{text}"
    );
}

#[test]
fn an_ensemble_holds_every_network_with_its_own_prior_and_notices_a_changed_byte() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let without = BundleManifest {
        prior: None,
        prevalence: [0.3; 6],
        ..manifest()
    };
    let a = single(&at("a"), b"one", manifest());
    let b = single(&at("b"), b"two", without);
    let made = average(&at("both"), &[a.clone(), b.clone()], None).unwrap();
    let opened = Bundle::open(&at("both")).unwrap();
    assert_eq!(opened.manifest(), made.manifest());
    let written = std::fs::read_to_string(at("both/bundle.toml")).unwrap();
    assert!(written.starts_with("format = 2\n"), "{written}");
    let networks = opened.networks();
    let network = |file: &str, prior| BundleNetwork {
        model: file.to_owned(),
        calibration: Vec::new(),
        prior,
        sequence: None,
    };
    assert_eq!(networks[0], network("model.onnx", manifest().prior));
    assert_eq!(networks[1], network("model-1.onnx", None));
    assert!((opened.manifest().prevalence[0] - 0.2).abs() < 1e-12);
    let card = std::fs::read_to_string(at("both").join(MODEL_CARD)).unwrap();
    assert!(
        card.contains("Ensemble of 2 networks") && card.contains("model-1.onnx"),
        "{card}"
    );

    // An ensemble joins with each of its networks.
    let c = single(&at("c"), b"three", manifest());
    let whole = Joining {
        origin: "both".to_owned(),
        bundle: opened,
    };
    let all = average(&at("all"), &[whole, c], None).unwrap();
    let origins: Vec<&str> = all
        .manifest()
        .members
        .iter()
        .map(|m| m.origin.as_str())
        .collect();
    assert_eq!(origins, ["both/a", "both/b", "c"]);
    // Shares of .1, .3 and .1.
    assert!((all.manifest().prevalence[0] - 0.5 / 3.0).abs() < 1e-12);

    std::fs::write(at("both/model-1.onnx"), b"twp").unwrap();
    let error = Bundle::open(&at("both")).unwrap_err();
    assert!(matches!(&error, BundleError::Checksum { path } if path.ends_with("model-1.onnx")));
}

#[test]
fn what_cannot_be_averaged_is_refused_by_its_difference() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let a = single(&at("a"), b"one", manifest());
    let mut smaller = manifest();
    smaller.input.size = 64;
    let b = single(&at("b"), b"two", smaller);
    let refused = |joining: &[Joining]| {
        let error = average(&at("out"), joining, None).unwrap_err();
        assert!(!at("out").exists());
        error.to_string()
    };
    let size = manifest().input.size;
    let message = refused(&[a.clone(), b]);
    assert!(
        message.contains(&format!("input.size is {size}")) && message.contains("64"),
        "{message}"
    );
    let flips = BundleManifest {
        test_time_flip: true,
        ..manifest()
    };
    let c = single(&at("c"), b"three", flips);
    assert!(refused(&[a.clone(), c]).contains("test_time_flip"));
    assert!(refused(std::slice::from_ref(&a)).contains("at least two"));
    assert!(refused(&[a.clone(), a.clone()]).contains("twice"));
    let d = single(&at("d"), b"four", manifest());
    let error = average(&at("d"), &[a, d], None).unwrap_err();
    assert!(matches!(error, EnsembleError::Exists(_)));
}

#[test]
fn manifests_that_contradict_themselves_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let a = single(&at("a"), b"one", manifest());
    let b = single(&at("b"), b"two", manifest());
    average(&at("both"), &[a, b], None).unwrap();
    let path = at("both/bundle.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    for (from, to, reason) in [
        ("format = 2", "format = 7", "format 7"),
        ("format = 2", "format = 1", "no keys"),
        (
            "file = \"model-1.onnx\"",
            "file = \"../a/model.onnx\"",
            "model-1.onnx",
        ),
    ] {
        assert!(text.contains(from), "{text}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let error = Bundle::open(&at("both")).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn the_mean_of_predictions_is_of_the_same_slices() {
    let a = vec![prediction("x", [0.0, 0.1, 0.2, 0.3, 0.4, 1.0])];
    let b = vec![prediction("x", [1.0, 0.3, 0.2, 0.1, 0.0, 1.0])];
    let mean = mean_of_predictions(&[a.clone(), b]).unwrap();
    let expected = [0.5, 0.2, 0.2, 0.2, 0.2, 1.0];
    for (p, expected) in mean[0].probabilities.iter().zip(expected) {
        assert!((p.get() - expected).abs() < 1e-15, "{p:?}");
    }
    assert_eq!(mean_of_predictions(std::slice::from_ref(&a)).unwrap(), a);
    assert!(mean_of_predictions(&[a, vec![prediction("y", [0.5; 6])]]).is_none());
    assert!(mean_of_predictions(&[]).is_none());
}

#[test]
fn a_mirror_exchanges_left_and_right_of_every_row() {
    assert_eq!(
        mirrored(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3),
        [3.0, 2.0, 1.0, 6.0, 5.0, 4.0]
    );
}

proptest! {
    #[test]
    fn a_mean_keeps_any_above_the_subtypes(
        models in proptest::collection::vec((0.0..=1.0_f64, proptest::array::uniform5(0.0..=1.0_f64)), 1..9),
    ) {
        let models: Vec<_> = models.iter().map(|(any, shares)| {
            let p = std::array::from_fn(|at| if at < 5 { any * shares[at] } else { *any });
            vec![prediction("x", p)]
        }).collect();
        let mean = mean_of_predictions(&models).unwrap();
        for p in &mean[0].probabilities[..5] {
            prop_assert!(p.get() <= mean[0].probabilities[5].get());
        }
    }
}

/// A network whose logits depend on where a picture is bright.
fn lopsided(slope: f32) -> Vec<u8> {
    use falx_nn::{Flatten, Gemm, GraphBuilder, Parameters, Tensor, Value};
    let mut graph = GraphBuilder::new("lopsided", &[3, 8, 8]);
    let x = graph.add("flatten", Flatten, &[Value::INPUT]).unwrap();
    let fc = Gemm {
        features: 6,
        bias: true,
    };
    let x = graph.add("fc", fc, &[x]).unwrap();
    let graph = graph.output("logits", x).finish().unwrap();
    let mut weight = Tensor::filled(&[6, 192], 0.0);
    for (at, value) in weight.data.iter_mut().enumerate() {
        *value = slope * (at % 8) as f32 * (1 + at / 192) as f32;
    }
    let parameters: Parameters = [
        ("fc.weight".to_owned(), weight),
        ("fc.bias".to_owned(), Tensor::filled(&[6], -1.0)),
    ]
    .into_iter()
    .collect();
    falx_nn::onnx::to_bytes(&graph, &parameters).unwrap()
}

#[test]
fn an_ensemble_with_flips_is_the_mean_over_networks_and_mirrors_of_corrected_probabilities() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let without = BundleManifest {
        prior: None,
        ..manifest()
    };
    let a = single(&at("a"), &lopsided(0.002), manifest());
    let b = single(&at("b"), &lopsided(-0.003), without);
    let both = average(&at("both"), &[a, b], None).unwrap();
    let shape = [2, 3, 8, 8];
    let images: Vec<f32> = (0..384).map(|x| (x % 13) as f32 / 13.0).collect();
    for flip in [false, true] {
        let options = PredictOptions {
            flip,
            threads: 1,
            ..PredictOptions::default()
        };
        let samples = alone(&["x", "y"]);
        let mut members = crate::networks::Members::load(&both, &options).unwrap();
        let mut reader = crate::networks::Networks::new(&mut members, &samples).unwrap();
        let ids = ["x", "y"].map(ImageId::from).into_iter().zip(0..);
        reader.take(&images, shape, ids).unwrap();
        let found: Vec<_> = reader.complete().unwrap();
        let found: Vec<_> = found.into_iter().map(|(_, p)| p.probabilities).collect();
        let mut expected = [[0.0; 6]; 2];
        let views = if flip { 2.0 } else { 1.0 };
        for BundleNetwork { model, prior, .. } in both.networks() {
            let (onnx, path) = (both.read(&model).unwrap(), both.place(&model));
            let mut model = Model::load(onnx, &path, RuntimeKind::default(), 1).unwrap();
            for view in [images.clone(), mirrored(&images, 8)]
                .iter()
                .take(views as usize)
            {
                for (sums, row) in expected
                    .iter_mut()
                    .zip(model.probabilities(view, shape).unwrap())
                {
                    let row = prior.map_or(row, |prior| prior.correct(row));
                    for (sum, p) in sums.iter_mut().zip(row) {
                        *sum += p.get() / (2.0 * views);
                    }
                }
            }
        }
        for (p, expected) in found.as_flattened().iter().zip(expected.as_flattened()) {
            assert!((p.get() - expected).abs() < 1e-12, "{p:?} {expected}");
        }
    }
}
