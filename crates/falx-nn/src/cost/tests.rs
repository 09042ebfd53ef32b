use super::*;
use crate::zoo::{NetworkConfig, build};
use crate::{Conv, ConvTranspose, Gemm, GraphBuilder, MatMul};

#[test]
fn the_simple_cnn_costs_what_its_layers_sum_up_to() {
    let graph = build(&NetworkConfig::default()).unwrap();
    let convolution = |inputs: u64, outputs: u64, side: u64| inputs * outputs * 9 * side * side;
    let expected = convolution(3, 32, 128)
        + convolution(32, 64, 64)
        + convolution(64, 128, 32)
        + convolution(128, 256, 16)
        + 256 * 128
        + 128 * 6;
    let cost = of_graph(&graph);
    assert_eq!(cost.multiply_adds, expected);
    assert_eq!(cost.parameters, 422_566);
    let first = of_nodes(&graph)[0];
    assert_eq!(first.activation_bytes, 32 * 128 * 128 * 4);
}

#[test]
fn each_kind_of_layer_is_counted_by_its_definition() {
    let cost = |input: &[usize], operator: Operator, twice: bool| {
        let mut graph = GraphBuilder::new("one", input);
        let inputs = vec![Value::INPUT; if twice { 2 } else { 1 }];
        let value = graph.add("node", operator, &inputs).unwrap();
        of_graph(&graph.output("out", value).finish().unwrap()).multiply_adds
    };
    // Depthwise: each of 8 channels sees itself alone.
    let depthwise = Conv {
        groups: 8,
        ..Conv::same(8, 3)
    };
    assert_eq!(cost(&[8, 10, 10], depthwise.into(), false), 8 * 9 * 100);
    let linear = Gemm {
        features: 5,
        bias: true,
    };
    assert_eq!(cost(&[7], linear.into(), false), 35);
    let turned = ConvTranspose {
        channels: 4,
        kernel: [2, 2],
        strides: [2, 2],
        pads: [0; 4],
        output_padding: [0; 2],
        bias: false,
    };
    assert_eq!(cost(&[3, 5, 5], turned.into(), false), 3 * 25 * 4 * 4);
    assert_eq!(
        cost(&[2, 6, 6], MatMul::default().into(), true),
        2 * 6 * 6 * 6
    );
}

/// With a thousand classes and one linear layer, as published.
///
/// # Source
/// torchvision's documentation of its weights: `num_params` and `GFLOPS`; Inception V3 without its auxiliary head.
#[test]
fn the_zoo_costs_what_was_published() {
    for (name, size, parameters, giga) in [
        ("resnet18", 224, 11_689_512, 1.814),
        ("resnet34", 224, 21_797_672, 3.664),
        ("resnet50", 224, 25_557_032, 4.089),
        ("resnext50", 224, 25_028_904, 4.23),
        ("densenet121", 224, 7_978_856, 2.834),
        ("efficientnet_b0", 224, 5_288_548, 0.386),
        ("convnext_tiny", 224, 28_589_128, 4.456),
        ("inception_v3", 299, 23_834_568, 5.713),
    ] {
        let graph = build(&NetworkConfig {
            name: name.to_owned(),
            size,
            outputs: 1000,
            head: crate::zoo::Head::Linear,
            ..NetworkConfig::default()
        });
        let cost = of_graph(&graph.unwrap());
        let counted = cost.multiply_adds as f64 / 1e9;
        assert!(
            (counted / giga - 1.0).abs() < 0.03,
            "{name}: {counted} G, published {giga} G"
        );
        assert_eq!(cost.parameters, parameters, "{name}");
    }
}
