use std::path::Path;

use falx_core::Label;
use falx_infer::runtime::RuntimeKind;
use falx_nn::zoo::{NetworkConfig, Pooling, build};
use falx_nn::{Parameters, Tensor};
use proptest::prelude::*;

use super::*;
use crate::network::Layer;
use crate::{ExplainError, Network};

/// A small network of the zoo as it starts.
fn network(name: &str, pooling: Pooling) -> Network {
    let config = NetworkConfig {
        name: name.to_owned(),
        size: 32,
        width: 4,
        dropout: 0.0,
        pooling,
        ..NetworkConfig::default()
    };
    let graph = build(&config).unwrap();
    let parameters = Parameters::initialise(&graph, 3);
    Network::new(&graph, parameters, Path::new("model.onnx")).unwrap()
}

/// Numbers from 0 to 1 that look random.
fn image(count: usize) -> Vec<f32> {
    let wave = |at: usize| ((at as f32 * 12.9898).sin() * 43758.547).fract().abs();
    (0..count).map(wave).collect()
}

/// Two feature maps of 1 × 3 of one image, and the gradient of a label.
fn two_maps() -> [Tensor; 2] {
    let tensor = |data: [f32; 6]| Tensor::new(&[1, 2, 1, 3], data.to_vec()).unwrap();
    [
        tensor([1.0, 2.0, 0.0, 4.0, 0.0, 1.0]),
        tensor([0.5, 1.0, 0.0, -1.0, 0.0, 0.25]),
    ]
}

#[test]
fn grad_cam_weights_maps_by_their_mean_gradient() {
    let [features, gradient] = two_maps();
    // Means: 0.5 and -0.25.
    assert_eq!(grad_cam(&features, &gradient), [vec![0.0, 1.0, 0.0]]);
}

#[test]
fn layer_cam_weights_every_place_by_its_own_gradient() {
    let [features, gradient] = two_maps();
    assert_eq!(layer_cam(&features, &gradient), [vec![0.5, 2.0, 0.25]]);
}

#[test]
fn grad_cam_plus_plus_weights_places_by_what_they_add() {
    let [features, gradient] = two_maps();
    // First map, sum 3: 0.25 / (0.5 + 0.375) · 0.5 + 1 / (2 + 3) · 1; second, sum 5: 0.0625 / (0.125 + 0.078125) · 0.25.
    let (first, second) = (0.25 / 0.875 * 0.5 + 0.2, 0.0625 / 0.203125 * 0.25);
    let expected = [first + 4.0 * second, 2.0 * first, second];
    let found = grad_cam_plus_plus(&features, &gradient);
    for (found, expected) in found[0].iter().zip(expected) {
        assert!(
            (f64::from(*found) - expected).abs() < 1e-6,
            "{found} {expected}"
        );
    }
}

#[test]
fn tensors_that_do_not_belong_together_give_no_maps() {
    let [features, _] = two_maps();
    assert!(grad_cam(&features, &Tensor::filled(&[1, 2, 3, 1], 1.0)).is_empty());
    assert!(layer_cam(&Tensor::filled(&[6], 1.0), &Tensor::filled(&[6], 1.0)).is_empty());
}

/// Where a mean and one linear layer follow, both are the same up to a factor: the number of places.
#[test]
fn cam_by_surgery_is_grad_cam_of_the_last_layer_in_every_run_time() {
    let network = network("resnet18", Pooling::Average);
    let shape = [2, 3, 32, 32];
    let pictures = image(2 * 3 * 32 * 32);
    // A picture of 32 pixels leaves one place at the end: a finer network is asked of larger ones.
    let config = NetworkConfig {
        name: "resnet18".to_owned(),
        size: 96,
        ..NetworkConfig::default()
    };
    let graph = build(&config).unwrap();
    let parameters = Parameters::initialise(&graph, 3);
    let larger = Network::new(&graph, parameters, Path::new("model.onnx")).unwrap();
    let large = image(2 * 3 * 96 * 96);
    let (value, name) = larger.layer(&Layer::Last).unwrap();
    assert_eq!(name, "layer4.1.relu");
    let labels = vec![vec![Label::Subdural]; 2];
    let found = larger
        .gradients(&large, [2, 3, 96, 96], value, &labels)
        .unwrap();
    let by_gradient = grad_cam(&found.value, &found.gradients[0]);
    for kind in [RuntimeKind::Falx, RuntimeKind::Rten] {
        let mut cam = ClassActivation::new(&larger, kind, 1).unwrap();
        let features = cam.features(&large, [2, 3, 96, 96]).unwrap();
        assert_eq!(features.shape, [2, 512, 3, 3]);
        for (image, by_gradient) in features.data.chunks_exact(512 * 9).zip(&by_gradient) {
            let by_weights = cam.map(image, Label::Subdural);
            let most = by_weights.iter().copied().fold(0.0, f32::max);
            assert!(most > 0.0, "a blank map would prove nothing");
            for (a, b) in by_weights.iter().zip(by_gradient) {
                assert!((a - 9.0 * b).abs() < 1e-3 * most, "{kind}: {a} {b}");
            }
        }
    }
    // One place is no map.
    let cam = ClassActivation::new(&network, RuntimeKind::Falx, 1);
    assert!(matches!(cam.err(), Some(ExplainError::NoCam(_))));
    assert!(network.layer(&Layer::Last).is_ok());
    assert!(network.gradients(&pictures, shape, value, &[]).is_ok());
}

#[test]
fn a_dense_head_or_a_pooled_maximum_has_no_cam() {
    for network in [
        network("simple_cnn", Pooling::Average),
        network("resnet18", Pooling::Maximum),
    ] {
        let error = ClassActivation::new(&network, RuntimeKind::Falx, 1).err();
        let error = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("grad-cam"), "{error}");
    }
}

#[test]
fn integrated_gradients_sum_up_to_the_logits_difference() {
    let network = network("simple_cnn", Pooling::Average);
    let picture = image(3 * 32 * 32);
    let labels = [Label::Epidural, Label::Any];
    let black = vec![-0.25; picture.len()];
    let found =
        integrated_gradients(&network, &picture, &black, [3, 32, 32], &labels, 200).unwrap();
    let logits = |picture: &[f32]| {
        let value = falx_nn::Value::INPUT;
        let found = network.gradients(picture, [1, 3, 32, 32], value, &[]);
        found.unwrap().logits.data
    };
    let (here, nothing) = (logits(&picture), logits(&black));
    for (label, found) in labels.into_iter().zip(&found) {
        let sum: f64 = found.iter().copied().map(f64::from).sum();
        let difference = f64::from(here[label.index()] - nothing[label.index()]);
        assert!(
            (sum - difference).abs() < 0.01 * difference.abs().max(0.05),
            "{label}: {sum} instead of {difference}"
        );
    }
    // One step alone is far off: the tolerance above can fail.
    let coarse = integrated_gradients(&network, &picture, &black, [3, 32, 32], &labels, 1).unwrap();
    assert_ne!(coarse[0], found[0]);
}

/// What is no brighter than tissue adds nothing, wherever the picture is moved; what is brighter does.
#[test]
fn attribution_is_of_what_is_brighter_than_tissue() {
    let network = network("simple_cnn", Pooling::Average);
    let side = 32;
    let bright = |at: usize| (10..14).contains(&(at / side)) && (6..11).contains(&(at % side));
    let plane = (0..side * side).map(|at| if bright(at) { 0.9 } else { 0.4 });
    let picture: Vec<f32> = (0..3).flat_map(|_| plane.clone()).collect();
    let of = |picture: &[f32]| {
        let labels = [Label::Any];
        let found = attribution(&network, picture, [3, side, side], &labels, [0.0, 1.0]);
        found.unwrap().remove(0)
    };
    for (at, adds) in of(&picture).into_iter().enumerate() {
        assert_eq!(adds != 0.0, bright(at), "{at}: {adds}");
    }
    assert!(
        of(&vec![0.4; picture.len()])
            .iter()
            .all(|adds| *adds == 0.0)
    );
}

/// A network that sums one square of the first channel: covering it, and it alone, matters.
#[test]
fn occlusion_finds_the_part_that_a_logit_is_made_of() {
    let (rows, cols) = (24, 32);
    let inside = |row: usize, col: usize| (8..14).contains(&row) && (20..26).contains(&col);
    let mut picture = vec![0.0; 2 * rows * cols];
    for row in 0..rows {
        for col in 0..cols {
            if inside(row, col) {
                picture[row * cols + col] = 1.0;
            }
        }
    }
    let mut calls = 0;
    let logits = |pictures: &[f32], shape: [usize; 4]| {
        calls += shape[0];
        let rows_of = pictures.chunks_exact(2 * rows * cols).flat_map(|picture| {
            let places = (0..rows * cols).filter(|at| inside(at / cols, at % cols));
            let sum: f32 = places.map(|at| picture[at]).sum();
            [0.0, 0.0, 0.0, 0.0, -sum, sum]
        });
        Ok::<_, ()>(Tensor::new(&[shape[0], 6], rows_of.collect()).unwrap())
    };
    let patch = Patch { side: 6, step: 3 };
    let found = occlusion(&picture, [2, rows, cols], patch, logits).unwrap();
    let any = &found[Label::Any.index()];
    let best = any.iter().copied().fold(0.0, f32::max);
    let place = any.iter().position(|x| *x == best).unwrap();
    assert!(inside(place / cols, place % cols), "{place}");
    assert!(any.iter().enumerate().all(|(at, fall)| {
        let (row, col) = (at / cols, at % cols);
        let near = (2..20).contains(&row) && (14..32).contains(&col);
        near || *fall == 0.0
    }));
    // A finding that speaks against a label makes its logit rise.
    assert_eq!(found[Label::Subdural.index()][place], -best);
    assert!(found[0].iter().all(|fall| *fall == 0.0));
    // Every third row and column, the last ones among them, and the picture as it is.
    assert_eq!(calls, 1 + 7 * 10);
}

#[test]
fn names_are_read_back() {
    for method in Method::ALL {
        assert_eq!(method.name().parse(), Ok(method));
    }
    let error = "gradcam".parse::<Method>().unwrap_err().to_string();
    assert!(
        error.contains("gradcam") && error.contains("grad-cam++"),
        "{error}"
    );
}

proptest! {
    #[test]
    fn maps_are_never_negative(
        features in proptest::collection::vec(-3.0_f32..3.0, 24),
        gradient in proptest::collection::vec(-3.0_f32..3.0, 24),
    ) {
        let [features, gradient] =
            [features, gradient].map(|data| Tensor::new(&[2, 3, 2, 2], data).unwrap());
        for method in [grad_cam, grad_cam_plus_plus, layer_cam] {
            let maps = method(&features, &gradient);
            prop_assert_eq!(maps.len(), 2);
            prop_assert!(maps.iter().flatten().all(|x| *x >= 0.0 && x.is_finite()));
        }
    }
}
