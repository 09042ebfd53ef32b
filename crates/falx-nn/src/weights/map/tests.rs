use super::*;
use crate::zoo::{NetworkConfig, build};

fn network() -> (Graph, Parameters) {
    let graph = build(&NetworkConfig {
        size: 32,
        width: 4,
        ..NetworkConfig::default()
    })
    .unwrap();
    let parameters = Parameters::initialise(&graph, 5);
    (graph, parameters)
}

fn named(parameters: &Parameters, rename: impl Fn(&str) -> String) -> NamedTensors {
    let tensors = parameters.iter();
    NamedTensors {
        format: Format::Pytorch,
        tensors: tensors.map(|(name, t)| (rename(name), t.clone())).collect(),
        left_out: Vec::new(),
    }
}

fn names(singles: &[Single]) -> Vec<&str> {
    singles.iter().map(|single| single.name.as_str()).collect()
}

#[test]
fn equal_names_fit_and_prefixes_do_not_matter() {
    let (graph, parameters) = network();
    let start = Parameters::initialise(&graph, 6);
    assert_ne!(start, parameters);
    for prefix in ["", "module.", "state_dict.model.module."] {
        let file = named(&parameters, |name| format!("{prefix}{name}"));
        let rules = MapRules {
            strict: true,
            ..MapRules::default()
        };
        let mapping = map(&file, &graph, &rules).unwrap();
        assert!(mapping.is_whole());
        assert_eq!(mapping.matched.len(), parameters.iter().count());
        let how = if prefix.is_empty() {
            How::Same
        } else {
            How::Renamed
        };
        assert!(mapping.matched.iter().all(|m| m.how == how));
        assert_eq!(mapping.apply(start.clone()), parameters);
    }
}

#[test]
fn a_name_as_it_stands_goes_before_one_that_was_cut() {
    let (graph, parameters) = network();
    let mut file = named(&parameters, str::to_owned);
    let bias = Tensor::filled(&[6], 9.0);
    file.tensors
        .insert(0, ("module.fc2.bias".into(), bias.clone()));
    file.tensors.push(("model.fc2.bias".into(), bias));
    let mapping = map(&file, &graph, &MapRules::default()).unwrap();
    assert_eq!(mapping.apply(parameters.clone()), parameters);
    assert_eq!(
        names(&mapping.unexpected),
        ["module.fc2.bias", "model.fc2.bias"]
    );
}

#[test]
fn what_does_not_fit_is_named_with_its_reason() {
    let (graph, parameters) = network();
    let mut file = named(&parameters, str::to_owned);
    file.tensors
        .retain(|(name, _)| name != "blocks.1.bn.running_mean");
    file.tensors
        .push(("extra".into(), Tensor::filled(&[1], 0.0)));
    for (name, tensor) in &mut file.tensors {
        if name == "fc2.weight" {
            *tensor = Tensor::filled(&[1000, 128], 0.0);
        }
    }
    let rules = MapRules {
        leave: vec!["fc1".into()],
        ..MapRules::default()
    };
    let mapping = map(&file, &graph, &rules).unwrap();
    assert_eq!(names(&mapping.missing), ["blocks.1.bn.running_mean"]);
    assert_eq!(mapping.misfit[0].found, [1000, 128]);
    assert_eq!(mapping.left, ["fc1.weight", "fc1.bias"]);
    let reasons: Vec<&str> = mapping
        .unexpected
        .iter()
        .map(|s| s.reason.as_str())
        .collect();
    assert_eq!(
        names(&mapping.unexpected),
        ["fc1.bias", "fc1.weight", "extra"]
    );
    assert!(reasons[0].ends_with("on purpose") && reasons[2].contains("no such parameter"));
    let start = Parameters::initialise(&graph, 6);
    let loaded = mapping.apply(start.clone());
    for kept in ["fc1.weight", "fc2.weight", "blocks.1.bn.running_mean"] {
        assert_eq!(loaded.get(kept), start.get(kept), "{kept}");
    }
    assert_eq!(loaded.get("fc2.bias"), parameters.get("fc2.bias"));
    let strict = MapRules {
        strict: true,
        ..rules
    };
    let message = map(&file, &graph, &strict).unwrap_err().to_string();
    for part in [
        "fc2.weight",
        "[1000, 128]",
        "blocks.1.bn.running_mean",
        "extra",
    ] {
        assert!(message.contains(part), "{part} in {message}");
    }
}

#[test]
fn weights_of_another_network_are_refused_as_a_whole() {
    let (graph, parameters) = network();
    let file = named(&parameters, |name| format!("other.{name}"));
    let error = map(&file, &graph, &MapRules::default()).unwrap_err();
    assert!(matches!(error, MapError::Nothing { .. }));
    assert!(error.to_string().contains("other.blocks.0"), "{error}");
    let rules = MapRules {
        rename: vec![("other.blocks".into(), "blocks".into())],
        ..MapRules::default()
    };
    let mapping = map(&file, &graph, &rules).unwrap();
    assert_eq!(mapping.missing.len(), 4);
}

#[test]
fn order_pairs_what_names_cannot() {
    let (graph, parameters) = network();
    // Keras lists layers in an order of its own; the numbers are those in which they were made.
    let mut file = named(&parameters, |name| {
        let block = name
            .strip_prefix("blocks.")
            .and_then(|rest| rest.split_once('.'));
        match block.and_then(|(number, rest)| Some((number, rest.split_once('.')?))) {
            Some((number, ("conv", leaf))) => {
                format!("conv2d_{}.{leaf}", number.parse::<u32>().unwrap() + 8)
            }
            Some((number, (_, leaf))) => format!("batch_normalization_{number}.{leaf}"),
            None => name.to_owned(),
        }
    });
    file.tensors.reverse();
    let rules = MapRules {
        strict: true,
        pairing: Pairing::Order,
        ..MapRules::default()
    };
    let mapping = map(&file, &graph, &rules).unwrap();
    assert_eq!(mapping.apply(Parameters::initialise(&graph, 6)), parameters);
    file.format = Format::Keras;
    file.tensors
        .retain(|(name, _)| !(name.starts_with("batch") && name.ends_with("weight")));
    let rules = MapRules {
        strict: true,
        ..MapRules::default()
    };
    let mapping = map(&file, &graph, &rules).unwrap();
    assert_eq!(mapping.missing.len(), 4);
    assert!(mapping.missing[0].reason.contains("stays 1"));
}

#[test]
fn a_linear_layer_gives_nothing_to_a_normalisation_of_its_width() {
    use crate::{BatchNormalization, Conv, Flatten, Gemm, GlobalAveragePool, GraphBuilder, Value};
    let mut graph = GraphBuilder::new("widths", &[3, 8, 8]);
    let conv = Conv::same(4, 3);
    let x = graph.add("conv", conv, &[Value::INPUT]).unwrap();
    let x = graph
        .add("bn", BatchNormalization::default(), &[x])
        .unwrap();
    let x = graph.add("pool", GlobalAveragePool, &[x]).unwrap();
    let x = graph.add("flatten", Flatten, &[x]).unwrap();
    let fc = Gemm {
        features: 6,
        bias: true,
    };
    let x = graph.add("fc", fc, &[x]).unwrap();
    let graph = graph.output("logits", x).finish().unwrap();
    let tensor =
        |name: &str, shape: &[usize], value| (name.to_owned(), Tensor::filled(shape, value));
    let file = NamedTensors {
        format: Format::Tfjs,
        tensors: vec![
            tensor("batch_normalization_3.bias", &[4], 3.0),
            tensor("batch_normalization_3.running_mean", &[4], 3.5),
            tensor("batch_normalization_3.running_var", &[4], 3.75),
            tensor("conv2d_7.weight", &[4, 3, 3, 3], 7.0),
            tensor("dense_1.weight", &[4, 9], 1.0),
            tensor("dense_1.bias", &[4], 1.5),
            tensor("dense_2.weight", &[6, 9], 2.0),
            tensor("dense_2.bias", &[6], 2.5),
        ],
        left_out: Vec::new(),
    };
    let mapping = map(&file, &graph, &MapRules::default()).unwrap();
    let pairs: Vec<_> = mapping
        .tensors()
        .map(|(name, tensor)| (name, tensor.data[0]))
        .collect();
    // The linear layer has another width, so that its bias is not taken without its weights.
    assert_eq!(
        pairs,
        [
            ("bn.bias", 3.0),
            ("bn.running_mean", 3.5),
            ("bn.running_var", 3.75),
            ("conv.weight", 7.0)
        ]
    );
    assert_eq!(mapping.unexpected.len(), 4);
}

#[test]
fn colours_become_channels_that_sum_up_to_them() {
    let (_, parameters) = network();
    let file = named(&parameters, str::to_owned);
    let colours = &parameters.get("blocks.0.conv.weight").unwrap().data[..27];
    let grey: f32 = colours.iter().sum();
    for channels in [1, 2, 3, 5, 9] {
        let config = NetworkConfig {
            channels,
            size: 32,
            width: 4,
            ..NetworkConfig::default()
        };
        let graph = build(&config).unwrap();
        for pairing in [Pairing::Name, Pairing::Order] {
            let rules = MapRules {
                pairing,
                ..MapRules::default()
            };
            let mapping = map(&file, &graph, &rules).unwrap();
            assert!(mapping.misfit.is_empty() && mapping.missing.is_empty());
            let loaded = mapping.apply(Parameters::initialise(&graph, 1));
            let stem = loaded.get("blocks.0.conv.weight").unwrap();
            let sum: f32 = stem.data[..9 * channels].iter().sum();
            assert!((sum - grey).abs() < 1e-5, "{channels}: {sum} {grey}");
            if channels != 3 {
                let how = How::Channels {
                    from: 3,
                    to: channels,
                };
                assert_eq!(mapping.matched[0].how, how);
            }
        }
    }
}

#[test]
fn what_is_no_number_is_refused_by_name_where_it_would_be_used() {
    let (graph, parameters) = network();
    for value in [f32::NAN, f32::INFINITY] {
        let mut file = named(&parameters, str::to_owned);
        let bias = file
            .tensors
            .iter_mut()
            .find(|(name, _)| name == "fc1.bias")
            .unwrap();
        bias.1.data[7] = value;
        let error = map(&file, &graph, &MapRules::default())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("fc1.bias") && error.contains("place 7"),
            "{error}"
        );
        let rules = MapRules {
            leave: vec!["fc1".into()],
            ..MapRules::default()
        };
        assert!(map(&file, &graph, &rules).is_ok());
    }
}
