//! Branches of several kernels side by side.
//!
//! # Source
//! Szegedy et al. 2015, "Rethinking the Inception Architecture"; names of torchvision. The auxiliary head is left out.

use super::NetworkConfig;
use super::branches::{Branches, Layer};
use super::features::{Dense, Features, Own};
use super::layers::{Activation, max_3x3, mean_3x3};
use crate::{GraphBuilder, GraphError, Value};

const fn square(channels: usize, size: usize) -> Layer {
    Layer::new(channels, [size, size])
}

pub fn inception_v3(graph: &mut GraphBuilder, _: &NetworkConfig) -> Result<Features, GraphError> {
    let stem = |graph: &mut GraphBuilder, layer: Layer, name: &str, x| layer.add(graph, name, x);
    let mut x = stem(
        graph,
        square(32, 3).halving(),
        "Conv2d_1a_3x3",
        Value::INPUT,
    )?;
    x = stem(graph, square(32, 3).unpadded(), "Conv2d_2a_3x3", x)?;
    x = stem(graph, square(64, 3), "Conv2d_2b_3x3", x)?;
    x = graph.add("maxpool1", max_3x3(0), &[x])?;
    x = stem(graph, square(80, 1), "Conv2d_3b_1x1", x)?;
    x = stem(graph, square(192, 3).unpadded(), "Conv2d_4a_3x3", x)?;
    x = graph.add("maxpool2", max_3x3(0), &[x])?;
    for (name, pooled) in [("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)] {
        x = fine(graph, name, pooled, x)?;
    }
    x = Branches::new(graph, "Mixed_6a", x)
        .chain(&[("branch3x3", square(384, 3).halving())])?
        .chain(&[
            ("branch3x3dbl_1", square(64, 1)),
            ("branch3x3dbl_2", square(96, 3)),
            ("branch3x3dbl_3", square(96, 3).halving()),
        ])?
        .pool("pool", max_3x3(0), &[])?
        .join()?;
    for (name, inner) in [
        ("Mixed_6b", 128),
        ("Mixed_6c", 160),
        ("Mixed_6d", 160),
        ("Mixed_6e", 192),
    ] {
        x = long(graph, name, inner, x)?;
    }
    x = Branches::new(graph, "Mixed_7a", x)
        .chain(&[
            ("branch3x3_1", square(192, 1)),
            ("branch3x3_2", square(320, 3).halving()),
        ])?
        .chain(&[
            ("branch7x7x3_1", square(192, 1)),
            ("branch7x7x3_2", Layer::new(192, [1, 7])),
            ("branch7x7x3_3", Layer::new(192, [7, 1])),
            ("branch7x7x3_4", square(192, 3).halving()),
        ])?
        .pool("pool", max_3x3(0), &[])?
        .join()?;
    for name in ["Mixed_7b", "Mixed_7c"] {
        x = wide(graph, name, x)?;
    }
    let own = Own::Dense(Dense {
        names: ["fc.0", "fc.2"],
        hidden: 512,
        activation: Activation::Relu,
        two_dropouts: true,
    });
    Ok(Features::new(x, "fc").own(own))
}

fn fine(
    graph: &mut GraphBuilder,
    name: &str,
    pooled: usize,
    x: Value,
) -> Result<Value, GraphError> {
    Branches::new(graph, name, x)
        .chain(&[("branch1x1", square(64, 1))])?
        .chain(&[
            ("branch5x5_1", square(48, 1)),
            ("branch5x5_2", square(64, 5)),
        ])?
        .chain(&[
            ("branch3x3dbl_1", square(64, 1)),
            ("branch3x3dbl_2", square(96, 3)),
            ("branch3x3dbl_3", square(96, 3)),
        ])?
        .pool(
            "pool",
            mean_3x3(true),
            &[("branch_pool", square(pooled, 1))],
        )?
        .join()
}

fn long(graph: &mut GraphBuilder, name: &str, inner: usize, x: Value) -> Result<Value, GraphError> {
    let [row, column] = [[1, 7], [7, 1]].map(|kernel| Layer::new(inner, kernel));
    Branches::new(graph, name, x)
        .chain(&[("branch1x1", square(192, 1))])?
        .chain(&[
            ("branch7x7_1", square(inner, 1)),
            ("branch7x7_2", row),
            ("branch7x7_3", Layer::new(192, [7, 1])),
        ])?
        .chain(&[
            ("branch7x7dbl_1", square(inner, 1)),
            ("branch7x7dbl_2", column),
            ("branch7x7dbl_3", row),
            ("branch7x7dbl_4", column),
            ("branch7x7dbl_5", Layer::new(192, [1, 7])),
        ])?
        .pool("pool", mean_3x3(true), &[("branch_pool", square(192, 1))])?
        .join()
}

fn wide(graph: &mut GraphBuilder, name: &str, x: Value) -> Result<Value, GraphError> {
    let [row, column] = [[1, 3], [3, 1]].map(|kernel| Layer::new(384, kernel));
    Branches::new(graph, name, x)
        .chain(&[("branch1x1", square(320, 1))])?
        .fork(
            &[("branch3x3_1", square(384, 1))],
            [("branch3x3_2a", row), ("branch3x3_2b", column)],
        )?
        .fork(
            &[
                ("branch3x3dbl_1", square(448, 1)),
                ("branch3x3dbl_2", square(384, 3)),
            ],
            [("branch3x3dbl_3a", row), ("branch3x3dbl_3b", column)],
        )?
        .pool("pool", mean_3x3(true), &[("branch_pool", square(192, 1))])?
        .join()
}
