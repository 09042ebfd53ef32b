use std::io::{Read, Write};

use falx_core::LABELS;
use falx_nn::zoo::{self, NetworkConfig};
use falx_nn::{Graph, Parameters};

use super::*;
use crate::networks::{Members, Networks};
use crate::tests::{alone, manifest};
use crate::{
    BundleParts, CalibrationLine, DetectError, Detector, LabelRule, MODEL_CARD, MODEL_ONNX, Mean,
    PredictOptions, average, calibrated,
};

const SIZE: usize = 32;

fn network(seed: u64) -> (Graph, Parameters) {
    let config = NetworkConfig {
        size: SIZE,
        width: 8,
        ..NetworkConfig::default()
    };
    let graph = zoo::build(&config).unwrap();
    let parameters = Parameters::initialise(&graph, seed);
    (graph, parameters)
}

/// A bundle of one network with rules of presence.
fn bundle(folder: &Path, seed: u64, prior: Option<PriorShift>) -> Bundle {
    let (graph, parameters) = network(seed);
    let rule = LabelRule {
        label: Label::Any,
        error_rate: 0.1,
        absent_up_to: 0.4,
        present_from: 0.3,
        positive_patients: 30,
        negative_patients: 30,
    };
    let manifest = BundleManifest {
        prior,
        prevalence: [0.02, 0.1, 0.1, 0.1, 0.1, 0.3],
        decisions: Some(Decisions {
            found_on: "a fold".to_owned(),
            slice: vec![rule],
            study: Vec::new(),
            study_calibration: Vec::new(),
        }),
        ..manifest()
    };
    let parts = BundleParts {
        model_onnx: &onnx::to_bytes(&graph, &parameters).unwrap(),
        sequence_onnx: None,
        model_card: "card",
    };
    Bundle::write(folder, manifest, &parts).unwrap()
}

/// What a bundle gives of two pictures.
fn answers(bundle: &Bundle) -> Vec<[f64; 6]> {
    let options = PredictOptions {
        threads: 1,
        ..PredictOptions::default()
    };
    let pictures: Vec<f32> = (0..2 * 3 * SIZE * SIZE)
        .map(|at| (at as f32 * 0.618).fract())
        .collect();
    let samples = alone(&["x", "y"]);
    let mut members = Members::load(bundle, &options).unwrap();
    let mut networks = Networks::new(&mut members, &samples).unwrap();
    let ids = ["x", "y"]
        .map(falx_core::ImageId::from)
        .into_iter()
        .zip(0..);
    networks.take(&pictures, [2, 3, SIZE, SIZE], ids).unwrap();
    let found = networks.complete().unwrap().into_iter();
    found
        .map(|(_, prediction)| prediction.probabilities.map(Probability::get))
        .collect()
}

fn differ(a: &[[f64; 6]], b: &[[f64; 6]]) -> f64 {
    let pairs = a.as_flattened().iter().zip(b.as_flattened());
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn one_file_is_the_same_bundle_as_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let whole = bundle(&at("whole"), 1, None);
    let packed = pack(&whole, &at("whole.falx"), &Packing::default()).unwrap();
    assert_eq!(packed.manifest(), whole.manifest());
    let opened = Bundle::open(&at("whole.falx")).unwrap();
    assert_eq!(opened.sha256(), whole.sha256());
    assert_eq!(answers(&opened), answers(&whole));

    // The same bytes at any time.
    let bytes = std::fs::read(at("whole.falx")).unwrap();
    std::fs::rename(at("whole.falx"), at("first.falx")).unwrap();
    pack(&whole, &at("whole.falx"), &Packing::default()).unwrap();
    assert!(bytes == std::fs::read(at("whole.falx")).unwrap());
    let error = pack(&whole, &at("whole.falx"), &Packing::default()).unwrap_err();
    assert!(matches!(error, PackError::Exists(_)), "{error}");

    // In memory, as the program itself may hold one.
    let kept = Bundle::of_bytes("kept".as_ref(), bytes.leak()).unwrap();
    assert_eq!(answers(&kept), answers(&whole));

    // Back to a folder, with the card that somebody wrote.
    assert!(opened.read(MODEL_CARD).unwrap() == b"card");
    pack(&opened, &at("again"), &Packing::default()).unwrap();
    assert!(std::fs::read(at("again/model.onnx")).unwrap() == whole.read(MODEL_ONNX).unwrap());
}

/// The archive with one part changed, all parts deflated, as any zip program may write it.
fn rewritten(from: &Path, to: &Path, changed: &str, change: impl Fn(Vec<u8>) -> Vec<u8>) {
    let mut from = zip::ZipArchive::new(std::fs::File::open(from).unwrap()).unwrap();
    let mut to = zip::ZipWriter::new(std::fs::File::create(to).unwrap());
    for at in 0..from.len() {
        let mut part = from.by_index(at).unwrap();
        let name = part.name().unwrap().into_owned();
        let mut bytes = Vec::new();
        part.read_to_end(&mut bytes).unwrap();
        let bytes = if name == changed {
            change(bytes)
        } else {
            bytes
        };
        let deflated = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated);
        to.start_file(name, deflated).unwrap();
        to.write_all(&bytes).unwrap();
    }
    to.finish().unwrap();
}

#[test]
fn a_damaged_file_is_refused_with_the_part_that_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let whole = bundle(&at("whole"), 1, None);
    pack(&whole, &at("whole.falx"), &Packing::default()).unwrap();
    rewritten(&at("whole.falx"), &at("same.falx"), "", |bytes| bytes);
    assert_eq!(
        answers(&Bundle::open(&at("same.falx")).unwrap()),
        answers(&whole)
    );

    let flip = |mut bytes: Vec<u8>| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        bytes
    };
    for part in [MODEL_ONNX, MODEL_CARD] {
        rewritten(&at("whole.falx"), &at("changed.falx"), part, flip);
        let error = Bundle::open(&at("changed.falx")).unwrap_err();
        let is_named = |path: &PathBuf| *path == at("changed.falx").join(part);
        assert!(
            matches!(&error, BundleError::Checksum { path } if is_named(path)),
            "{error}"
        );
        let error = Detector::load(&at("changed.falx"), PredictOptions::default()).unwrap_err();
        assert!(matches!(error, DetectError::Bundle(_)), "{error}");
    }
    rewritten(
        &at("whole.falx"),
        &at("changed.falx"),
        "bundle.toml",
        |_| b"\xff".to_vec(),
    );
    let error = Bundle::open(&at("changed.falx")).unwrap_err();
    assert!(matches!(error, BundleError::Manifest { .. }), "{error}");

    let bytes = std::fs::read(at("whole.falx")).unwrap();
    for length in [0, 1, 30, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(at("cut.falx"), &bytes[..length]).unwrap();
        let error = Bundle::open(&at("cut.falx")).unwrap_err();
        let is_named = |path: &PathBuf| *path == at("cut.falx");
        assert!(
            matches!(&error, BundleError::NotAnArchive { path, .. } if is_named(path)),
            "{error}"
        );
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(256))]

    /// A changed byte is found, or is none that counts: a date, a permission.
    #[test]
    fn any_changed_byte_is_found_or_changes_nothing(place in 0.0..1.0_f64, change in 1..=255_u8) {
        static WHOLE: std::sync::OnceLock<(BundleManifest, Vec<u8>)> = std::sync::OnceLock::new();
        let folder = tempfile::tempdir().unwrap();
        let (manifest, bytes) = WHOLE.get_or_init(|| {
            let whole = bundle(&folder.path().join("whole"), 1, None);
            pack(&whole, &folder.path().join("whole.falx"), &Packing::default()).unwrap();
            (whole.manifest().clone(), std::fs::read(folder.path().join("whole.falx")).unwrap())
        });
        // Half of the places lie where the archive's own records are.
        let from_end = (place * 1200.0) as usize;
        let at = if change % 2 == 0 { bytes.len() - 1 - from_end } else { (place * bytes.len() as f64) as usize };
        let mut changed = bytes.clone();
        changed[at] ^= change;
        std::fs::write(folder.path().join("changed.falx"), &changed).unwrap();
        if let Ok(opened) = Bundle::open(&folder.path().join("changed.falx")) {
            proptest::prop_assert_eq!(opened.manifest(), manifest);
        }
    }
}

#[test]
fn smaller_weights_give_nearly_the_same_answers() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let whole = bundle(&at("whole"), 1, None);
    let size = |name: &str| std::fs::metadata(at(name)).unwrap().len() as f64;
    pack(&whole, &at("fp32.falx"), &Packing::default()).unwrap();
    for (precision, largest, tolerance) in
        [(Precision::Fp16, 0.55, 1e-3), (Precision::Int8, 0.32, 2e-2)]
    {
        let packing = Packing {
            precision,
            ..Packing::default()
        };
        let name = format!("{}.falx", precision.name());
        let packed = pack(&whole, &at(&name), &packing).unwrap();
        let share = size(&name) / size("fp32.falx");
        assert!(share < largest, "{name}: {share}");
        let difference = differ(&answers(&packed), &answers(&whole));
        assert!(
            difference > 0.0 && difference < tolerance,
            "{name}: {difference}"
        );
    }
}

#[test]
fn probabilities_are_shifted_to_the_prevalence_as_prediction_would() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let goal = Probability::new(0.14).unwrap();
    let packing = Packing {
        prevalence: Some(goal),
        ..Packing::default()
    };
    let oversampled = PriorShift::new(0.5, 0.3).unwrap();
    for (name, prior) in [("plain", None), ("oversampled", Some(oversampled))] {
        let whole = bundle(&at(name), 1, prior);
        let packed = pack(&whole, &at(&format!("{name}.falx")), &packing).unwrap();
        let shift = whole.shift_to(Some(goal)).unwrap().unwrap();
        let expected = answers(&whole).into_iter().map(|row| {
            let row = row.map(|p| Probability::new(p).unwrap());
            shift.correct(row).map(Probability::get)
        });
        let expected: Vec<[f64; 6]> = expected.collect();
        assert!(differ(&answers(&packed), &expected) < 1e-9, "{name}");

        let manifest = packed.manifest();
        assert_eq!(manifest.format, 5);
        assert!((manifest.prevalence[5] - 0.14).abs() < 1e-12);
        assert!((manifest.prevalence[0] - 0.02 * 0.14 / 0.3).abs() < 1e-12);
        assert_eq!(
            manifest.training_prevalence,
            Some(whole.manifest().prevalence)
        );
        // A rule for other probabilities would say something else.
        assert_eq!(manifest.decisions, None);
        let card = String::from_utf8(packed.read(MODEL_CARD).unwrap()).unwrap();
        assert!(
            card.contains("any 30.00 %") && card.contains("any 14.00 %"),
            "{card}"
        );
        assert!(!card.contains("where the data has"), "{card}");
    }
}

#[test]
fn a_line_changes_what_the_network_gives_before_its_prior_is_corrected() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let line = CalibrationLine {
        label: Label::Any,
        slope: 2.0,
        intercept: -1.0,
        positive_patients: 30,
        negative_patients: 60,
    };
    let packing = Packing {
        judged: Some(Judgement {
            metrics: BundleMetrics::unmeasured("a test"),
            calibration: vec![line],
            decisions: None,
            restated: None,
        }),
        ..Packing::default()
    };
    let prior = PriorShift::new(0.5, 0.3).unwrap();
    let own = bundle(&at("own"), 1, Some(prior));
    let packed = pack(&own, &at("packed"), &packing).unwrap();
    assert_eq!(packed.manifest().calibration, [line]);
    let expected: Vec<[f64; 6]> = answers(&own)
        .iter()
        .map(|row| {
            let given = row.map(|p| Probability::new(p).unwrap());
            let better = calibrated(&[line], prior.inverse().correct(given));
            prior.correct(better).map(Probability::get)
        })
        .collect();
    let opened = Bundle::open(&at("packed")).unwrap();
    assert!(differ(&answers(&opened), &expected) < 1e-9);
    assert!(differ(&answers(&own), &expected) > 1e-3);
    let card = String::from_utf8(opened.read(MODEL_CARD).unwrap()).unwrap();
    assert!(
        card.contains("## Calibration") && card.contains("| any | 2.000 | -1.000 | 30 | 60 |"),
        "{card}"
    );

    // Of an ensemble each member has it.
    let joining = |name: &str, seed: u64| crate::Joining {
        origin: name.to_owned(),
        bundle: bundle(&at(name), seed, None),
    };
    let both = average(&at("both"), &[joining("a", 1), joining("b", 2)], None).unwrap();
    let both = pack(&both, &at("both.falx"), &packing).unwrap();
    let members = both.networks();
    assert!(members.iter().all(|member| member.calibration == [line]));
}

#[test]
fn rules_of_other_predictions_are_left_out_of_a_bundle_that_smooths() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let own = bundle(&at("own"), 1, None);
    let packing = Packing {
        smooth_mm: Some(5.0),
        ..Packing::default()
    };
    let packed = pack(&own, &at("packed"), &packing).unwrap();
    let manifest = packed.manifest();
    assert_eq!(
        (manifest.smooth_mm, &manifest.decisions),
        (Some(5.0), &None)
    );
    let said = &manifest.metrics.measured_on;
    assert!(
        said.ends_with("before predictions were smoothed along the series"),
        "{said}"
    );
    let again = pack(&packed, &at("again"), &packing).unwrap();
    assert_eq!(again.manifest(), manifest);
}

#[test]
fn an_ensemble_is_packed_member_by_member_and_judged_anew() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let joining = |name: &str, seed: u64| crate::Joining {
        origin: name.to_owned(),
        bundle: bundle(&at(name), seed, None),
    };
    let both = average(&at("both"), &[joining("a", 1), joining("b", 2)], None).unwrap();
    let decisions = Decisions {
        found_on: "held out".to_owned(),
        slice: Vec::new(),
        study: Vec::new(),
        study_calibration: Vec::new(),
    };
    let judged = Judgement {
        metrics: BundleMetrics {
            measured_on: "held-out slices".to_owned(),
            weighted_log_loss: 0.2,
            prevalence_baseline: 0.4,
        },
        calibration: Vec::new(),
        decisions: Some(decisions.clone()),
        restated: Some(Restated {
            prevalence: 0.14,
            before: 0.3,
            after: 0.1875,
            no_skill: 0.2311,
        }),
    };
    let packing = Packing {
        precision: Precision::Int8,
        prevalence: Some(Probability::new(0.14).unwrap()),
        smooth_mm: None,
        judged: Some(judged),
        licence: Some("research".to_owned()),
        card: Some("## What it misses\n".to_owned()),
    };
    let packed = pack(&both, &at("both.falx"), &packing).unwrap();
    let opened = Bundle::open(&at("both.falx")).unwrap();
    assert_eq!(opened.manifest(), packed.manifest());
    assert_eq!(opened.networks().len(), 2);
    assert_eq!(opened.manifest().decisions, Some(decisions));
    assert_eq!(opened.manifest().licence, "research");
    let card = String::from_utf8(opened.read(MODEL_CARD).unwrap()).unwrap();
    for words in [
        "## At the prevalence of 14.00 %",
        "0.1875",
        "held-out slices",
        "## What it misses",
    ] {
        assert!(card.contains(words), "{card}");
    }
    // The mean of shifted probabilities, not the shifted mean.
    let alone = |name: &str| {
        let packing = Packing {
            prevalence: packing.prevalence,
            ..Packing::default()
        };
        let own = Bundle::open(&at(name)).unwrap();
        let packed = pack(&own, &at(&format!("{name}.falx")), &packing).unwrap();
        answers(&packed)
    };
    let mut mean = Mean::default();
    for rows in [alone("a"), alone("b")] {
        let rows: Vec<_> = rows
            .into_iter()
            .map(|row| row.map(|p| Probability::new(p).unwrap()))
            .collect();
        mean.add(&rows);
    }
    let mean: Vec<[f64; 6]> = mean
        .rows()
        .iter()
        .map(|row| row.map(Probability::get))
        .collect();
    assert!(differ(&answers(&opened), &mean) < 2e-2);
    assert_eq!(LABELS.len(), opened.manifest().labels.len());
}
