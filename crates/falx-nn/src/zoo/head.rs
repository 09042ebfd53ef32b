//! From a map of features to logits.

use super::NetworkConfig;
use super::config::{Head, Pooling};
use super::features::{Dense, Features, Own};
use super::layers::{Activation, linear};
use super::{coherent, convnext};
use crate::{
    Clip, Concat, Dropout, Flatten, GlobalAveragePool, GraphBuilder, GraphError, MaxPool, Pow,
    Value,
};

/// The exponent of the generalised mean.
const EXPONENT: f32 = 3.0;

/// Adds the head that `config` asks for and returns the logits.
pub fn add(
    graph: &mut GraphBuilder,
    features: &Features,
    config: &NetworkConfig,
) -> Result<Value, GraphError> {
    let mut x = pool(graph, features.map, config.pooling)?;
    if let Some(name) = features.norm {
        x = graph.add(name, convnext::NORM, &[x])?;
    }
    x = graph.add("flatten", Flatten, &[x])?;
    // The subtypes' logits decide `any` alone where it is made of them.
    let outputs = config.coherence.learned(config.outputs);
    let classifier = features.classifier;
    let logits = match (config.head, features.own) {
        (Head::Own, Own::Linear) | (Head::Linear, _) => {
            x = dropout(graph, "dropout", config.dropout, x)?;
            linear(graph, classifier, outputs, x)?
        }
        (Head::Own, Own::Dense(dense)) => {
            let Dense {
                names,
                hidden,
                activation,
                two_dropouts,
            } = dense;
            let rates = [
                if two_dropouts { config.dropout } else { 0.0 },
                config.dropout,
            ];
            stacked(graph, names, [hidden, outputs], activation, rates, x)?
        }
        (Head::Dense, _) => {
            let names = [format!("{classifier}.0"), format!("{classifier}.2")];
            let hidden = quarter(graph, x);
            let rates = [config.dropout; 2];
            stacked(
                graph,
                names.each_ref().map(String::as_str),
                [hidden, outputs],
                Activation::Relu,
                rates,
                x,
            )?
        }
        (Head::Own, Own::PerLabel { hidden }) => {
            per_label(graph, [hidden, outputs], config.dropout, x)?
        }
        (Head::PerLabel, _) => {
            let hidden = quarter(graph, x);
            per_label(graph, [hidden, outputs], config.dropout, x)?
        }
    };
    coherent::add(graph, config.coherence, logits)
}

/// As many features as the seed's dense layer has: a quarter of those before it.
fn quarter(graph: &GraphBuilder, x: Value) -> usize {
    let features = graph.shape(x).and_then(|shape| shape.first());
    features.map_or(1, |features| features.div_ceil(4))
}

/// What is known of an image: a row of features is so already.
fn pool(graph: &mut GraphBuilder, map: Value, pooling: Pooling) -> Result<Value, GraphError> {
    if graph.shape(map).is_some_and(|shape| shape.len() == 1) {
        return Ok(map);
    }
    match pooling {
        Pooling::Average => graph.add("pool", GlobalAveragePool, &[map]),
        Pooling::Maximum => {
            let side = graph.shape(map).and_then(|shape| shape.last().copied());
            graph.add("pool", MaxPool::whole(side.unwrap_or(1)), &[map])
        }
        Pooling::GeneralisedMean => {
            let clip = Clip {
                min: Some(1e-6),
                max: None,
            };
            let x = graph.add("pool.clip", clip, &[map])?;
            let x = graph.add("pool.power", Pow { exponent: EXPONENT }, &[x])?;
            let x = graph.add("pool", GlobalAveragePool, &[x])?;
            graph.add(
                "pool.root",
                Pow {
                    exponent: EXPONENT.recip(),
                },
                &[x],
            )
        }
    }
}

fn dropout(
    graph: &mut GraphBuilder,
    name: &str,
    ratio: f32,
    x: Value,
) -> Result<Value, GraphError> {
    if ratio > 0.0 {
        graph.add(name, Dropout { ratio }, &[x])
    } else {
        Ok(x)
    }
}

fn stacked(
    graph: &mut GraphBuilder,
    names: [&str; 2],
    [hidden, outputs]: [usize; 2],
    activation: Activation,
    rates: [f32; 2],
    x: Value,
) -> Result<Value, GraphError> {
    let x = dropout(graph, &format!("{}.dropout", names[0]), rates[0], x)?;
    let x = linear(graph, names[0], hidden, x)?;
    let x = activation.add(graph, names[0], x)?;
    let x = dropout(graph, &format!("{}.dropout", names[1]), rates[1], x)?;
    linear(graph, names[1], outputs, x)
}

fn per_label(
    graph: &mut GraphBuilder,
    [hidden, outputs]: [usize; 2],
    rate: f32,
    x: Value,
) -> Result<Value, GraphError> {
    let mut logits = Vec::new();
    for label in 0..outputs {
        let names = [format!("heads.{label}.0"), format!("heads.{label}.2")];
        let names = names.each_ref().map(String::as_str);
        logits.push(stacked(
            graph,
            names,
            [hidden, 1],
            Activation::Relu,
            [0.0, rate],
            x,
        )?);
    }
    graph.add("heads", Concat { axis: 1 }, &logits)
}
