use falx_nn::zoo::{self, NetworkConfig};
use falx_nn::{Graph, Parameters, onnx};

use super::*;

/// The run-times that this machine and this build have.
fn kinds() -> Vec<RuntimeKind> {
    let at_hand = |kind: &RuntimeKind| {
        kind.is_built() && (*kind != RuntimeKind::Ort || falx_fixtures::onnx_runtime())
    };
    RuntimeKind::ALL.into_iter().filter(at_hand).collect()
}

fn network(name: &str) -> (Graph, Parameters) {
    let config = NetworkConfig {
        name: name.to_owned(),
        ..NetworkConfig::default()
    };
    let graph = zoo::build(&config).unwrap().with_probabilities().unwrap();
    let parameters = Parameters::initialise(&graph, 1);
    (graph, parameters)
}

fn images(shape: [usize; 4]) -> Vec<f32> {
    let count = 0..shape.iter().product::<usize>();
    count.map(|i| (i as f32 * 0.618_034).fract()).collect()
}

fn output<'a>(all: &'a [(String, Tensor)], name: &str) -> &'a Tensor {
    let found = all.iter().find(|(output, _)| output == name);
    &found.unwrap_or_else(|| panic!("no {name}")).1
}

/// The largest number of an output, without its sign.
fn largest(all: &[(String, Tensor)], name: &str) -> f32 {
    let numbers = output(all, name).data.iter();
    numbers.map(|number| number.abs()).fold(0.0, f32::max)
}

/// The largest distance of two outputs that belong together.
fn distance(ours: &[(String, Tensor)], theirs: &[(String, Tensor)], name: &str) -> f32 {
    let [ours, theirs] = [ours, theirs].map(|all| output(all, name));
    assert_eq!(ours.shape, theirs.shape);
    let pairs = ours.data.iter().zip(&theirs.data);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn all_run_times_give_the_engines_probabilities_for_every_network() {
    for name in zoo::names() {
        let (graph, parameters) = network(name);
        let shape = [2, 3, 128, 128];
        let images = images(shape);
        let mut prepared = prepare(&graph, parameters.clone(), 2).unwrap();
        let meant = prepared.run(&images, shape).unwrap();
        let bytes = onnx::to_bytes(&graph, &parameters).unwrap();
        for kind in kinds() {
            let mut runtime = load(kind, bytes.clone(), 2).unwrap();
            assert_eq!((runtime.kind(), runtime.threads()), (kind, 2));
            assert_eq!(runtime.input(), [None, Some(3), Some(128), Some(128)]);
            let have = runtime.run(&images, shape).unwrap();
            // Fresh weights give some networks logits in the hundreds, whose probabilities say little.
            let size = largest(&meant, "logits");
            let worst = distance(&have, &meant, "logits") / size;
            eprintln!("{name}: {kind} differs by at most {worst:.1e} of {size:.1e}");
            assert!(worst < 1e-5, "{name}: {kind} differs by {worst}");
            let worst = distance(&have, &meant, "probabilities");
            assert!(worst < 1e-4, "{name}: {kind} differs by {worst}");
            // Any batch: the first image by itself gives the first row.
            let one = runtime.run(&images[..images.len() / 2], [1, 3, 128, 128]);
            let one = one.unwrap().remove(0).1.data;
            for (alone, beside) in one.iter().zip(&have[0].1.data) {
                let difference = (alone - beside).abs() / size;
                assert!(difference < 1e-5, "{name}: {alone} {beside}");
            }
        }
    }
}

#[test]
fn images_of_another_shape_are_refused_before_they_are_run() {
    let (graph, parameters) = network("simple_cnn");
    let bytes = onnx::to_bytes(&graph, &parameters).unwrap();
    for kind in kinds() {
        let mut runtime = load(kind, bytes.clone(), 1).unwrap();
        for (shape, values) in [
            ([1, 1, 128, 128], 128 * 128),
            ([1, 3, 64, 64], 3 * 64 * 64),
            ([0, 3, 128, 128], 0),
            ([2, 3, 128, 128], 3 * 128 * 128),
            ([usize::MAX, 3, 128, 128], 3 * 128 * 128),
        ] {
            let error = runtime.run(&vec![0.0; values], shape).unwrap_err();
            assert!(matches!(error, RuntimeError::Input { .. }), "{error}");
            assert!(error.to_string().contains("any x 3 x 128 x 128"), "{error}");
        }
    }
}

#[test]
fn damaged_bytes_are_refused_and_nothing_panics() {
    let config = NetworkConfig {
        width: 4,
        size: 32,
        ..NetworkConfig::default()
    };
    let graph = zoo::build(&config).unwrap();
    let parameters = Parameters::initialise(&graph, 1);
    let bytes = onnx::to_bytes(&graph, &parameters).unwrap();
    for kind in kinds() {
        for end in [0, 1, 10, bytes.len() / 3, bytes.len() - 1] {
            let error = load(kind, bytes[..end].to_vec(), 1).err();
            assert!(
                matches!(error, Some(RuntimeError::Load { runtime, .. }) if runtime == kind),
                "{kind}, cut at {end}"
            );
        }
        // What is still a network may run; what is none must be refused.
        for place in (0..bytes.len()).step_by(bytes.len() / 150) {
            let mut damaged = bytes.clone();
            damaged[place] ^= 0xA5;
            if let Ok(mut runtime) = load(kind, damaged, 1) {
                let shape = [1, 3, 32, 32];
                let _ = runtime.run(&images(shape), shape);
            }
        }
    }
}

#[test]
fn run_times_have_names_and_others_are_refused() {
    for kind in RuntimeKind::ALL {
        assert_eq!(kind.name().parse::<RuntimeKind>().unwrap(), kind);
    }
    let error = "tensorflow".parse::<RuntimeKind>().unwrap_err();
    assert!(error.to_string().contains("rten"), "{error}");
}

#[cfg(not(feature = "ort"))]
#[test]
fn a_build_without_onnx_runtime_says_so() {
    let error = load(RuntimeKind::Ort, Vec::new(), 1).err().unwrap();
    assert!(matches!(error, RuntimeError::NotBuilt(_)));
    assert!(error.to_string().contains("--features ort"), "{error}");
}

/// Smaller files run everywhere, and differ by what their names promise.
#[test]
fn smaller_weights_are_widened_by_every_run_time() {
    let (graph, parameters) = network("simple_cnn");
    let shape = [4, 3, 128, 128];
    let images = images(shape);
    let whole = onnx::to_bytes(&graph, &parameters).unwrap();
    let run = |kind: RuntimeKind, bytes: &[u8]| {
        let mut runtime = load(kind, bytes.to_vec(), 1).unwrap();
        runtime.run(&images, shape).unwrap()
    };
    for (precision, share, allowed) in [
        (onnx::Precision::Fp16, 0.52, 2e-3),
        (onnx::Precision::Int8, 0.28, 5e-2),
    ] {
        let bytes = onnx::to_bytes_with(&graph, &parameters, precision).unwrap();
        assert!((bytes.len() as f64) < share * whole.len() as f64);
        let first = run(RuntimeKind::Falx, &bytes);
        for kind in kinds() {
            let have = run(kind, &bytes);
            let apart = distance(&have, &first, "probabilities");
            assert!(apart < 1e-4, "{kind}: {apart}");
            let lost = distance(&have, &run(kind, &whole), "logits");
            eprintln!(
                "{} by {kind}: the largest difference of a logit is {lost:.1e}",
                precision.name()
            );
            assert!(lost > 0.0 && lost < allowed, "{kind}: {lost}");
        }
    }
}

#[test]
fn weights_that_do_not_fit_a_precision_are_named() {
    let (graph, mut parameters) = network("simple_cnn");
    parameters.get_mut("fc1.weight").unwrap().data[0] = 1e6;
    let error = onnx::to_bytes_with(&graph, &parameters, onnx::Precision::Fp16).unwrap_err();
    assert!(error.to_string().contains("fc1.weight"), "{error}");
    parameters.get_mut("fc1.weight").unwrap().data[0] = f32::NAN;
    let error = onnx::to_bytes_with(&graph, &parameters, onnx::Precision::Int8).unwrap_err();
    assert!(error.to_string().contains("int8"), "{error}");
}
