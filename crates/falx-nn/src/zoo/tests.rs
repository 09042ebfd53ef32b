use super::*;
use crate::ParameterKind;

/// A config of the network called `name` for images it can take.
fn config(name: &str) -> NetworkConfig {
    NetworkConfig {
        name: name.to_owned(),
        size: if name.starts_with("inception") {
            139
        } else {
            64
        },
        ..NetworkConfig::default()
    }
}

fn weights(graph: &Graph) -> usize {
    let weights = graph.parameters().iter();
    weights
        .filter(|spec| spec.kind == ParameterKind::Weight)
        .map(|spec| spec.shape.iter().product::<usize>())
        .sum()
}

/// The published number of weights with 1000 classes: torchvision's documentation, timm's for Inception-ResNet v2 and
/// EfficientNet-Lite0. Two are not published as they are here: of VGG16 the features alone count (Keras'
/// `include_top=False`), and of Inception V3 torchvision counts the auxiliary head of 3,326,696 weights too.
const PUBLISHED: [(&str, usize); 17] = [
    ("vgg16", 14_714_688 + 512 * 1000 + 1000),
    ("inception_v3", 27_161_264 - 3_326_696),
    ("inception_resnet_v2", 55_843_464),
    ("resnet18", 11_689_512),
    ("resnet34", 21_797_672),
    ("resnet50", 25_557_032),
    ("resnext50", 25_028_904),
    ("densenet121", 7_978_856),
    ("efficientnet_b0", 5_288_548),
    ("efficientnet_b1", 7_794_184),
    ("efficientnet_b2", 9_109_994),
    ("efficientnet_b3", 12_233_232),
    ("efficientnet_b4", 19_341_616),
    ("efficientnet_lite0", 4_652_008),
    ("convnext_tiny", 28_589_128),
    ("mobilenet_v3", 5_483_032),
    ("mobilenet_v3_small", 2_542_856),
];

#[test]
fn every_network_has_as_many_weights_as_published() {
    for (name, published) in PUBLISHED {
        let is_mobile = name.starts_with("mobilenet");
        let graph = build(&NetworkConfig {
            outputs: 1000,
            head: if is_mobile { Head::Own } else { Head::Linear },
            ..config(name)
        })
        .unwrap();
        assert_eq!(weights(&graph), published, "{name}");
    }
    // The seed's networks, from the reference's records.
    for (name, count) in [("simple_cnn", 422_566), ("multi_head", 487_974)] {
        assert_eq!(weights(&build(&config(name)).unwrap()), count, "{name}");
    }
    assert_eq!(names().len(), PUBLISHED.len() + 2);
}

#[test]
fn the_page_of_networks_says_what_the_code_builds() {
    let page = include_str!("../../../../docs/networks.md");
    let seeds = [("simple_cnn", 422_566), ("multi_head", 487_974)];
    for (name, count) in PUBLISHED.into_iter().chain(seeds) {
        let line = page
            .lines()
            .find(|line| line.starts_with(&format!("| `{name}` |")));
        let weights = line.and_then(|line| line.split('|').nth(2)).unwrap();
        assert_eq!(weights.trim().replace(',', ""), count.to_string(), "{name}");
    }
}

#[test]
fn any_head_goes_on_any_backbone() {
    for name in names() {
        for head in [Head::Own, Head::Linear, Head::Dense, Head::PerLabel] {
            for pooling in [Pooling::Average, Pooling::Maximum, Pooling::GeneralisedMean] {
                for coherence in [Coherence::None, Coherence::Maximum, Coherence::Product] {
                    let graph = build(&NetworkConfig {
                        head,
                        pooling,
                        coherence,
                        dropout: 0.2,
                        ..config(name)
                    });
                    let graph = graph.unwrap();
                    let (_, logits) = &graph.outputs()[0];
                    assert_eq!(graph.shape(*logits), Some(&[6][..]), "{name} {head:?}");
                }
            }
        }
    }
}

#[test]
fn any_number_of_channels_enters() {
    for name in names() {
        for channels in [1, 9] {
            let graph = build(&NetworkConfig {
                channels,
                ..config(name)
            })
            .unwrap();
            assert_eq!(graph.parameters()[0].shape[1], channels, "{name}");
        }
    }
}

#[test]
fn a_stem_of_other_channels_keeps_its_sum() {
    let colours = crate::reference::formula("stem.weight", &[4, 3, 3, 3]);
    let sums = |weights: &crate::Tensor| -> Vec<f32> {
        let channels = weights.shape[1];
        let filters = weights.data.chunks(channels * 9);
        filters.map(|filter| filter.iter().sum()).collect()
    };
    assert_eq!(adapt_stem(&colours, 3).unwrap(), colours);
    for channels in [1, 2, 4, 5, 9] {
        let adapted = adapt_stem(&colours, channels).unwrap();
        assert_eq!(adapted.shape, [4, channels, 3, 3]);
        for (ours, theirs) in sums(&adapted).iter().zip(sums(&colours)) {
            assert!((ours - theirs).abs() < 1e-5, "{channels}");
        }
    }
    assert_eq!(adapt_stem(&colours, 0), Err(StemError::NoChannels));
    let flat = crate::Tensor::filled(&[4, 3], 0.0);
    assert_eq!(adapt_stem(&flat, 1), Err(StemError::Shape(vec![4, 3])));
}

#[test]
fn sequence_models_give_each_slice_its_logits() {
    for model in [
        SequenceModel::Gru,
        SequenceModel::Lstm,
        SequenceModel::Transformer,
    ] {
        for differences in [false, true] {
            let graph = build_sequence(&SequenceConfig {
                model,
                differences,
                features: 16,
                slices: 5,
                coherence: Coherence::Product,
                ..SequenceConfig::default()
            })
            .unwrap();
            let (_, logits) = &graph.outputs()[0];
            assert_eq!(graph.shape(*logits), Some(&[5, 6][..]), "{model:?}");
        }
    }
    let uneven = build_sequence(&SequenceConfig {
        model: SequenceModel::Transformer,
        heads: 3,
        ..SequenceConfig::default()
    });
    assert_eq!(
        uneven,
        Err(SequenceError::Heads {
            heads: 3,
            hidden: 128
        })
    );
}

#[test]
fn dropout_is_a_node_only_where_it_acts() {
    let dropout = |rate| {
        let config = NetworkConfig {
            dropout: rate,
            ..NetworkConfig::default()
        };
        build(&config).map(|graph| {
            graph
                .nodes()
                .iter()
                .filter(|node| node.operator.name() == "Dropout")
                .count()
        })
    };
    assert_eq!((dropout(0.0), dropout(0.3)), (Ok(0), Ok(1)));
    assert_eq!(dropout(1.0), Err(ZooError::Dropout(1.0)));
}

#[test]
fn what_cannot_be_built_says_why() {
    let unknown = NetworkConfig {
        name: "vgg".into(),
        ..NetworkConfig::default()
    };
    assert!(
        build(&unknown)
            .unwrap_err()
            .to_string()
            .contains("simple_cnn")
    );
    let small = NetworkConfig {
        size: 8,
        ..NetworkConfig::default()
    };
    let message = build(&small).unwrap_err().to_string();
    assert!(
        message.contains("8 x 8") && message.contains("blocks.3.pool"),
        "{message}"
    );
}

/// Logits as they leave a coherent head.
fn coherent_logits(coherence: Coherence, logits: &[f32]) -> Vec<f32> {
    let mut graph = GraphBuilder::new("coherent", &[logits.len()]);
    let value = coherent::add(&mut graph, coherence, crate::Value::INPUT).unwrap();
    let graph = graph.output("logits", value).finish().unwrap();
    let input = crate::Tensor::new(&[1, logits.len()], logits.to_vec()).unwrap();
    let parameters = crate::Parameters::default();
    let logits = crate::flex_engine(0).logits(&graph, &parameters, &input);
    logits.unwrap().data
}

#[test]
fn any_is_never_below_a_subtype() {
    for logits in [
        [-3.0_f32, 2.5, 0.0, -40.0, 1.0],
        [-60.0; 5],
        [80.0, -80.0, 0.0, 1.0, -1.0],
        [-20.0, -21.0, -19.0, -30.0, -18.5],
    ] {
        let ours = coherent_logits(Coherence::Product, &logits);
        assert_eq!(ours[..5], logits);
        assert!(logits.iter().all(|&subtype| ours[5] >= subtype), "{ours:?}");
        // ln(Π(1 + e^x) - 1) in 64 bits.
        let exact: f64 = logits.iter().map(|&x| f64::from(x).exp().ln_1p()).sum();
        let exact = exact.exp_m1().ln();
        assert!(
            (f64::from(ours[5]) - exact).abs() < 2e-6 * exact.abs().max(1.0),
            "{ours:?} {exact}"
        );

        let with_any = [&logits[..], &[-5.0]].concat();
        let ours = coherent_logits(Coherence::Maximum, &with_any);
        let largest = with_any.iter().copied().fold(f32::MIN, f32::max);
        assert_eq!((&ours[..5], ours[5]), (&logits[..], largest));
    }
}

/// Every parameter belongs to the backbone or the head, and to one module of them; the head is what is behind the pooling.
#[test]
fn modules_divide_every_network() {
    for name in names() {
        for head in [Head::Own, Head::Dense, Head::PerLabel] {
            let config = NetworkConfig {
                head,
                ..config(name)
            };
            let graph = build(&config).unwrap();
            let modules = modules(&graph);
            assert!(
                !modules.head.is_empty() && modules.backbone.len() > 1,
                "{name}"
            );
            let (mut below, mut above) = (0, 0);
            for spec in graph.parameters() {
                let within = |modules: &[String]| {
                    let modules = modules.iter();
                    modules
                        .filter(|module| crate::engine::belongs(&spec.name, module))
                        .count()
                };
                let places = [within(&modules.backbone), within(&modules.head)];
                assert!(
                    places == [1, 0] || places == [0, 1],
                    "{name}: {} {places:?}",
                    spec.name
                );
                below += places[0];
                above += places[1];
            }
            assert!(below > 0 && above >= 2, "{name}");
        }
    }
}
