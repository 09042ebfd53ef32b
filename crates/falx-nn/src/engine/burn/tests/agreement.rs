//! The zoo's networks, trained by this engine and by the default one.

use falx_core::{LABELS, LabelRow};

use super::{boxed, on_processor};
use crate::reference::{distance, formula, formula_parameters};
use crate::zoo::{self, NetworkConfig, SequenceConfig, SequenceModel};
use crate::*;

/// Starts an engine with a seed.
pub type Start<'a> = &'a dyn Fn(u64) -> Box<dyn Engine>;

/// The largest distance as a share of the largest number.
fn share(ours: &Tensor, theirs: &Tensor) -> f64 {
    assert_eq!(ours.shape, theirs.shape);
    let theirs: Vec<f64> = theirs.data.iter().copied().map(f64::from).collect();
    let scale = theirs.iter().map(|x| x.abs()).fold(1e-3, f64::max);
    distance(&ours.data, &theirs) / scale
}

/// One step of both engines: the largest distances of the logits and of the gradients.
fn apart(
    start: Start<'_>,
    graph: &Graph,
    input: Input<'_>,
    targets: &Targets,
    training: &Training,
) -> [f64; 2] {
    let mut engines = [start(3), flex_engine(3)];
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
pub fn networks(start: Start<'_>, names: &[&str]) {
    let size = 64;
    for &name in names {
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
        let [logits, gradients] = apart(start, &graph, (&images).into(), &targets, &training);
        println!("{name:<20} {logits:.1e} {gradients:.1e}");
        assert!(
            logits < 1e-5 && gradients < 1e-4,
            "{name}: {logits} {gradients}"
        );
    }
}

pub fn sequences(start: Start<'_>) {
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
            let [logits, gradients] = apart(start, &graph, input, &targets, &Training::default());
            println!("{model:?} {lengths:?} {logits:.1e} {gradients:.1e}");
            assert!(
                logits < 1e-5 && gradients < 1e-5,
                "{model:?}: {logits} {gradients}"
            );
        }
    }
}

#[test]
fn networks_are_trained_alike() {
    let names = [
        "resnet18",
        "efficientnet_b0",
        "mobilenet_v3",
        "convnext_tiny",
    ];
    networks(&|seed| boxed(on_processor(seed)), &names);
}

#[test]
fn sequences_of_any_length_are_trained_alike() {
    sequences(&|seed| boxed(on_processor(seed)));
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
    let gradients = |frozen: &[&str]| {
        let training = Training {
            frozen: frozen.iter().map(|&module| module.to_owned()).collect(),
            ..Training::default()
        };
        let mut parameters = formula_parameters(&graph);
        let input = Input::from(&images);
        let output = on_processor(0).step(&graph, &mut parameters, input, &targets, 0, &training);
        output.unwrap().gradients
    };
    let found = gradients(&["layer1", "conv1"]);
    let of = |module: &str| {
        let names = found.iter().filter(|(name, _)| name.starts_with(module));
        names.count()
    };
    assert_eq!([of("layer1."), of("conv1.")], [0, 0]);
    assert!(of("layer2.") > 0 && of("bn1.") > 0);
    assert_eq!(gradients(&[""]).iter().count(), 0);
}
