use std::path::PathBuf;
use std::sync::Arc;

use falx_core::{Interrupt, LABELS, Probability, Silent};
use falx_data::index::{Index, Layout, scan};
use falx_data::input::InputSpec;
use falx_data::loader::{Loader, LoaderOptions};
use falx_nn::zoo::{self, NetworkConfig};
use falx_nn::{Parameters, Tensor, flex_engine, onnx};

use super::manifest;
use crate::*;

const SIZE: usize = 64;

/// A phantom's study, and a bundle that has learnt nothing.
struct Case {
    _folder: tempfile::TempDir,
    index: Index,
    images: PathBuf,
    bundle: PathBuf,
    /// The training engine's probabilities, in the index's order.
    meant: Vec<[f64; 6]>,
}

fn case(network: &str) -> Case {
    let folder = tempfile::tempdir().unwrap();
    let options = falx_phantom::PhantomOptions {
        patients: 1,
        matrix: 128,
        masks: false,
        out: folder.path().join("phantom"),
        ..falx_phantom::PhantomOptions::default()
    };
    let images = falx_phantom::write(&options, &Silent, &Interrupt::default())
        .unwrap()
        .images;
    let sources = [images.clone()];
    let index = scan(&sources, Layout::Auto, &Silent, &Interrupt::default()).unwrap();

    let config = NetworkConfig {
        name: network.to_owned(),
        size: SIZE,
        ..NetworkConfig::default()
    };
    let graph = zoo::build(&config).unwrap();
    let parameters = Parameters::initialise(&graph, 1);
    let input = InputSpec {
        size: SIZE,
        ..InputSpec::default()
    };
    let manifest = BundleManifest {
        network: network.to_owned(),
        input: input.clone(),
        prior: None,
        ..manifest()
    };
    let parts = BundleParts {
        model_onnx: &onnx::to_bytes(&graph, &parameters).unwrap(),
        sequence_onnx: None,
        model_card: "",
    };
    let bundle = folder.path().join("bundle");
    Bundle::write(&bundle, manifest, &parts).unwrap();

    let (samples, _) = samples(&index).unwrap();
    let options = LoaderOptions {
        input,
        ..LoaderOptions::default()
    };
    let mut meant = Vec::new();
    let mut engine = flex_engine(0);
    for batch in Loader::new(Arc::clone(&samples), samples.all(), options).unwrap() {
        let batch = batch.unwrap();
        let images = Tensor {
            shape: batch.shape.to_vec(),
            data: batch.images.to_vec(),
        };
        let logits = engine.logits(&graph, &parameters, &images).unwrap();
        let rows = logits.data.as_chunks::<6>().0.iter();
        meant.extend(rows.map(|row| row.map(|x| Probability::from_logit(x.into()).get())));
    }
    Case {
        _folder: folder,
        index,
        images,
        bundle,
        meant,
    }
}

fn answered(case: &Case, runtime: RuntimeKind, threads: usize) -> Vec<[f64; 6]> {
    let options = PredictOptions {
        runtime,
        threads,
        ..PredictOptions::default()
    };
    let detector = Detector::load(&case.bundle, options).unwrap();
    let [first, again] = [0, 1].map(|_| detector.study(std::slice::from_ref(&case.images)));
    let answer = first.unwrap();
    // The networks that were loaded for the first answer give the second one.
    assert_eq!(answer, again.unwrap());
    let [study] = answer.studies.as_slice() else {
        panic!("{} studies", answer.studies.len());
    };
    let slices = study.series.iter().flat_map(|series| &series.slices);
    slices
        .map(|slice| LABELS.map(|label| slice.findings.get(label).probability))
        .collect()
}

#[test]
fn a_study_is_answered_as_the_training_engine_would_by_every_run_time_and_any_threads() {
    let at_hand = |kind: &RuntimeKind| {
        kind.is_built() && (*kind != RuntimeKind::Ort || falx_fixtures::onnx_runtime())
    };
    for network in ["simple_cnn", "resnet18"] {
        let case = case(network);
        assert!(case.index.rows.len() > 20, "{}", case.index.rows.len());
        for kind in RuntimeKind::ALL.into_iter().filter(at_hand) {
            let have = answered(&case, kind, 2);
            assert_eq!(have.len(), case.meant.len());
            let pairs = have.as_flattened().iter().zip(case.meant.as_flattened());
            let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            eprintln!("{network} by {kind}: at most {worst:.1e}");
            assert!(worst < 1e-4, "{network} by {kind} differs by {worst}");
            if kind == RuntimeKind::Falx {
                for threads in [1, 3] {
                    assert_eq!(answered(&case, kind, threads), have, "{threads} threads");
                }
            }
        }
    }
}

#[test]
fn a_changed_part_is_refused_when_the_detector_loads_it() {
    let case = case("simple_cnn");
    let model = case.bundle.join(MODEL_ONNX);
    let mut bytes = std::fs::read(&model).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&model, bytes).unwrap();
    let is_checksum =
        |error: &BundleError| matches!(error, BundleError::Checksum { path } if *path == model);

    let error = Detector::load(&case.bundle, PredictOptions::default()).unwrap_err();
    assert!(
        matches!(&error, DetectError::Bundle(error) if is_checksum(error)),
        "{error}"
    );
    assert!(is_checksum(&Bundle::open(&case.bundle).unwrap_err()));
}
