//! The zoo's networks, trained by this engine and by the default one.

use falx_core::{LABELS, LabelRow};

use crate::reference::{distance, formula, formula_parameters};
use crate::zoo::{self, NetworkConfig, SequenceConfig, SequenceModel};
use crate::*;

/// The largest distance as a share of the largest number.
fn share(ours: &Tensor, theirs: &Tensor) -> f64 {
    assert_eq!(ours.shape, theirs.shape);
    let theirs: Vec<f64> = theirs.data.iter().copied().map(f64::from).collect();
    let scale = theirs.iter().map(|x| x.abs()).fold(1e-3, f64::max);
    distance(&ours.data, &theirs) / scale
}

/// One step of both engines: the largest distances of the logits and of the gradients.
fn apart(graph: &Graph, input: Input<'_>, targets: &Targets, training: &Training) -> [f64; 2] {
    let mut engines = [
        torch_engine(3, TorchConfig::default()).unwrap(),
        flex_engine(3),
    ];
    let [ours, theirs] = engines.each_mut().map(|engine| {
        let mut parameters = formula_parameters(graph);
        let output = engine.step(graph, &mut parameters, input, targets, 9, training);
        output.unwrap()
    });
    assert_eq!(
        ours.gradients.iter().count(),
        theirs.gradients.iter().count()
    );
    let gradients = theirs.gradients.iter();
    let worst = gradients.map(|(name, theirs)| share(ours.gradients.get(name).unwrap(), theirs));
    [
        share(&ours.logits, &theirs.logits),
        worst.fold(0.0, f64::max),
    ]
}

/// With running statistics: normalisation of so few pixels by their own statistics would amplify rounding.
#[test]
fn networks_are_trained_alike() {
    for (name, size) in [
        ("resnet18", 64),
        ("efficientnet_b0", 64),
        ("mobilenet_v3", 64),
        ("convnext_tiny", 64),
    ] {
        let graph = zoo::build(&NetworkConfig {
            name: name.to_owned(),
            size,
            dropout: 0.2,
            ..NetworkConfig::default()
        })
        .unwrap();
        let images = formula("input", &[2, 3, size, size]);
        let row = |n| LabelRow(LABELS.map(|label| Some((n + label.index()) % 3 == 0)));
        let targets = Targets::new((0..2).map(row).collect());
        let training = Training {
            running_statistics: vec![String::new()],
            ..Training::default()
        };
        let [logits, gradients] = apart(&graph, (&images).into(), &targets, &training);
        println!("{name:<20} {logits:.1e} {gradients:.1e}");
        assert!(
            logits < 1e-5 && gradients < 1e-4,
            "{name}: {logits} {gradients}"
        );
    }
}

#[test]
fn sequences_of_any_length_are_trained_alike() {
    for model in [
        SequenceModel::Gru,
        SequenceModel::Lstm,
        SequenceModel::Transformer,
    ] {
        let graph = zoo::build_sequence(&SequenceConfig {
            model,
            slices: 7,
            features: 12,
            hidden: 8,
            layers: 2,
            ..SequenceConfig::default()
        })
        .unwrap();
        let values = formula("input", &[3, 7, 12]);
        let lengths = [4, 7, 5];
        let row = |series: usize, slice: usize| {
            let known = slice < lengths[series];
            LabelRow(LABELS.map(|label| known.then_some((slice + label.index()).is_multiple_of(3))))
        };
        let rows = (0..3).flat_map(|series| (0..7).map(move |slice| row(series, slice)));
        let targets = Targets::new(rows.collect());
        for lengths in [None, Some(lengths.as_slice())] {
            let input = Input {
                values: &values,
                lengths,
            };
            let [logits, gradients] = apart(&graph, input, &targets, &Training::default());
            println!("{model:?} {lengths:?} {logits:.1e} {gradients:.1e}");
            assert!(
                logits < 1e-5 && gradients < 1e-5,
                "{model:?}: {logits} {gradients}"
            );
        }
    }
}

#[test]
fn frozen_modules_get_no_gradient() {
    let graph = zoo::build(&NetworkConfig {
        name: "resnet18".to_owned(),
        size: 64,
        ..NetworkConfig::default()
    })
    .unwrap();
    let images = formula("input", &[2, 3, 64, 64]);
    let targets = Targets::new(vec![LabelRow([Some(true); 6]); 2]);
    let training = Training {
        frozen: vec!["layer1".to_owned(), "conv1".to_owned()],
        ..Training::default()
    };
    let mut engine = torch_engine(0, TorchConfig::default()).unwrap();
    let mut parameters = formula_parameters(&graph);
    let input = Input::from(&images);
    let output = engine.step(&graph, &mut parameters, input, &targets, 0, &training);
    let gradients = output.unwrap().gradients;
    let of = |module: &str| {
        gradients
            .iter()
            .filter(|(name, _)| name.starts_with(module))
            .count()
    };
    assert_eq!([of("layer1."), of("conv1.")], [0, 0]);
    assert!(of("layer2.") > 0 && of("bn1.") > 0);
}
