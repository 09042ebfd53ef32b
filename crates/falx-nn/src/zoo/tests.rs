use super::*;

#[test]
fn the_simple_cnn_has_pytorchs_names_and_size() {
    let graph = build(&NetworkConfig::default()).unwrap();
    let weights = graph
        .parameters()
        .iter()
        .filter(|spec| spec.kind == crate::ParameterKind::Weight);
    assert_eq!(
        weights
            .map(|spec| spec.shape.iter().product::<usize>())
            .sum::<usize>(),
        422_566
    );
    for name in [
        "blocks.0.conv.weight",
        "blocks.3.bn.running_var",
        "fc1.bias",
        "fc2.weight",
    ] {
        assert!(
            graph.parameters().iter().any(|spec| spec.name == name),
            "{name}"
        );
    }
    let (_, logits) = &graph.outputs()[0];
    assert_eq!(graph.shape(*logits), Some([6].as_slice()));
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
