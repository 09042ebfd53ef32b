//! Networks that read the embeddings of a series' slices in order and give each slice its logits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::coherent;
use super::config::Coherence;
use super::layers::linear;
use crate::{
    Add, Concat, Constant, Dropout, Gelu, Graph, GraphBuilder, GraphError, Gru, Initialisation,
    LayerNormalization, LengthMask, Lstm, MatMul, Mul, ParameterKind, Reshape, Slice, Softmax, Sub,
    Transpose, Value,
};

/// The constant that is taken from each feature: its mean.
pub const MEAN: &str = "standardise.mean";
/// The constant that each feature is then multiplied by: one by its deviation.
pub const SCALE: &str = "standardise.scale";

/// Which network, and for what series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SequenceConfig {
    /// What reads the slices.
    pub model: SequenceModel,
    /// Slices of the longest series; shorter ones come with their lengths.
    pub slices: usize,
    /// Numbers that describe a slice.
    pub features: usize,
    /// Features of a state in each direction; those of the transformer in all.
    pub hidden: usize,
    /// Layers above each other.
    pub layers: usize,
    /// Heads of the transformer's attention, which share its features.
    pub heads: usize,
    /// How many logits a slice gets.
    pub outputs: usize,
    /// The share of features that training drops before the last layer.
    pub dropout: f32,
    /// Whether each slice also comes with its differences to the slices before and after it.
    pub differences: bool,
    /// Whether features are first brought to a mean of 0 and a deviation of 1, by the constants [`MEAN`] and [`SCALE`] that
    /// whoever trains measures.
    pub standardise: bool,
    /// How `any` keeps to the subtypes.
    pub coherence: Coherence,
}

/// What reads the slices of a series.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SequenceModel {
    /// A gated recurrent unit in both directions.
    #[default]
    Gru,
    /// A long short-term memory in both directions.
    Lstm,
    /// Attention of each slice to all slices.
    Transformer,
}

impl SequenceModel {
    /// Its name in recipes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gru => "gru",
            Self::Lstm => "lstm",
            Self::Transformer => "transformer",
        }
    }
}

impl Default for SequenceConfig {
    fn default() -> Self {
        Self {
            model: SequenceModel::default(),
            slices: 64,
            features: 512,
            hidden: 128,
            layers: 1,
            heads: 4,
            outputs: 6,
            dropout: 0.0,
            differences: false,
            standardise: false,
            coherence: Coherence::default(),
        }
    }
}

/// A network over series that cannot be built.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SequenceError {
    /// Heads that cannot share the features.
    #[error("{heads} heads cannot share {hidden} features evenly; change one of them")]
    Heads {
        /// The heads.
        heads: usize,
        /// The features.
        hidden: usize,
    },
    /// The network does not fit the series.
    #[error("the network over {slices} slices of {features} features cannot be built; {source}")]
    Misfit {
        /// Slices of the longest series.
        slices: usize,
        /// Numbers that describe a slice.
        features: usize,
        /// What is wrong.
        source: GraphError,
    },
}

/// The graph of the network that `config` describes.
///
/// Parameters do not depend on `slices`, but for the transformer's positions.
///
/// # Shape
/// From slices, features to slices, outputs; logits past a series' length are 0.
///
/// # Errors
/// [`SequenceError`] when a number is unusable.
pub fn build_sequence(config: &SequenceConfig) -> Result<Graph, SequenceError> {
    let (heads, hidden) = (config.heads, config.hidden);
    let shared = heads > 0 && hidden.is_multiple_of(heads);
    if config.model == SequenceModel::Transformer && !shared {
        return Err(SequenceError::Heads { heads, hidden });
    }
    graph(config).map_err(|source| SequenceError::Misfit {
        slices: config.slices,
        features: config.features,
        source,
    })
}

fn graph(config: &SequenceConfig) -> Result<Graph, GraphError> {
    let name = config.model.name();
    let mut graph = GraphBuilder::new(name, &[config.slices, config.features]);
    let mut x = Value::INPUT;
    if config.standardise {
        x = standardised(&mut graph, config.features)?;
    }
    if config.differences {
        x = differences(&mut graph, x)?;
    }
    let (hidden, layers, bidirectional) = (config.hidden, config.layers, true);
    x = match config.model {
        SequenceModel::Gru => graph.add(
            name,
            Gru {
                hidden,
                layers,
                bidirectional,
            },
            &[x],
        )?,
        SequenceModel::Lstm => graph.add(
            name,
            Lstm {
                hidden,
                layers,
                bidirectional,
            },
            &[x],
        )?,
        SequenceModel::Transformer => transformer(&mut graph, config, x)?,
    };
    if config.dropout > 0.0 {
        x = graph.add(
            "dropout",
            Dropout {
                ratio: config.dropout,
            },
            &[x],
        )?;
    }
    x = linear(
        &mut graph,
        "fc",
        config.coherence.learned(config.outputs),
        x,
    )?;
    x = coherent::add(&mut graph, config.coherence, x)?;
    x = graph.add(
        "mask",
        LengthMask {
            axis: 1,
            value: 0.0,
        },
        &[x],
    )?;
    graph.output("logits", x).finish()
}

/// The input with each feature at a mean of 0 and a deviation of 1.
fn standardised(graph: &mut GraphBuilder, features: usize) -> Result<Value, GraphError> {
    let constant = |value| {
        Some(Constant {
            shape: vec![features],
            kind: ParameterKind::Constant,
            initialisation: Initialisation::Constant(value),
        })
    };
    let mean = constant(0.0);
    let x = graph.add(MEAN, Sub { constant: mean }, &[Value::INPUT])?;
    let scale = constant(1.0);
    graph.add(SCALE, Mul { constant: scale }, &[x])
}

/// Each slice with what it has more than the slice before it, and what the slice after it has more; 0 at the ends.
fn differences(graph: &mut GraphBuilder, x: Value) -> Result<Value, GraphError> {
    let slice = |start, end| Slice {
        starts: vec![start],
        ends: vec![end],
        axes: vec![1],
        steps: vec![1],
    };
    let first = graph.add("differences.first", slice(0, 1), &[x])?;
    let zero = graph.add("differences.zero", Sub::default(), &[first, first])?;
    // A slice that is alone has no neighbours.
    if graph.shape(x).and_then(<[usize]>::first) == Some(&1) {
        return graph.add("differences", Concat { axis: 2 }, &[x, zero, zero]);
    }
    let later = graph.add("differences.later", slice(1, i64::MAX), &[x])?;
    let earlier = graph.add("differences.earlier", slice(0, -1), &[x])?;
    let steps = graph.add("differences.steps", Sub::default(), &[later, earlier])?;
    let before = graph.add("differences.before", Concat { axis: 1 }, &[zero, steps])?;
    // What comes after the end of a shorter series is no neighbour.
    let mask = LengthMask {
        axis: 1,
        value: 0.0,
    };
    let before = graph.add("differences.mask", mask, &[before])?;
    let moved = graph.add("differences.moved", slice(1, i64::MAX), &[before])?;
    let after = graph.add("differences.after", Concat { axis: 1 }, &[moved, zero])?;
    graph.add("differences", Concat { axis: 2 }, &[x, before, after])
}

/// Layers of attention and of two linear layers, each normalised before.
///
/// # Source
/// Vaswani et al. 2017, "Attention Is All You Need"; Xiong et al. 2020, "On Layer Normalization in the Transformer
/// Architecture", for the order.
fn transformer(
    graph: &mut GraphBuilder,
    config: &SequenceConfig,
    x: Value,
) -> Result<Value, GraphError> {
    let own = |shape: Vec<usize>, kind, initialisation| Constant {
        shape,
        kind,
        initialisation,
    };
    let norm = LayerNormalization {
        axis: 2,
        epsilon: 1e-5,
    };
    let mut x = linear(graph, "embed", config.hidden, x)?;
    let start = Initialisation::FanInUniform {
        fan_in: config.hidden,
    };
    let positions = own(
        vec![config.slices, config.hidden],
        ParameterKind::Weight,
        start,
    );
    x = graph.add(
        "positions",
        Add {
            constant: Some(positions),
        },
        &[x],
    )?;
    for layer in 0..config.layers {
        let name = format!("layers.{layer}");
        let normed = graph.add(&format!("{name}.norm1"), norm, &[x])?;
        let seen = attention(graph, &format!("{name}.self_attn"), config, normed)?;
        x = graph.add(&format!("{name}.add1"), Add::default(), &[x, seen])?;
        let normed = graph.add(&format!("{name}.norm2"), norm, &[x])?;
        let wide = linear(graph, &format!("{name}.linear1"), 4 * config.hidden, normed)?;
        let wide = graph.add(&format!("{name}.gelu"), Gelu { tanh: false }, &[wide])?;
        let narrow = linear(graph, &format!("{name}.linear2"), config.hidden, wide)?;
        x = graph.add(&format!("{name}.add2"), Add::default(), &[x, narrow])?;
    }
    graph.add("norm", norm, &[x])
}

/// Attention of each slice to all slices of its series.
fn attention(
    graph: &mut GraphBuilder,
    name: &str,
    config: &SequenceConfig,
    x: Value,
) -> Result<Value, GraphError> {
    let (slices, heads, hidden) = (config.slices, config.heads, config.hidden);
    let wide = hidden / heads;
    let mut split = |part: &str, perm: Vec<usize>| {
        let part = format!("{name}.{part}");
        let x = linear(graph, &part, hidden, x)?;
        let shape = vec![slices, heads, wide];
        let x = graph.add(&format!("{part}.heads"), Reshape { shape }, &[x])?;
        graph.add(&format!("{part}.transpose"), Transpose { perm }, &[x])
    };
    let queries = split("q_proj", vec![0, 2, 1, 3])?;
    let keys = split("k_proj", vec![0, 2, 3, 1])?;
    let values = split("v_proj", vec![0, 2, 1, 3])?;
    let scale = Constant {
        shape: vec![1],
        kind: ParameterKind::Constant,
        initialisation: Initialisation::Constant((wide as f32).sqrt().recip()),
    };
    let x = graph.add(
        &format!("{name}.scores"),
        MatMul::default(),
        &[queries, keys],
    )?;
    let x = graph.add(
        &format!("{name}.scale"),
        Mul {
            constant: Some(scale),
        },
        &[x],
    )?;
    let mask = LengthMask {
        axis: 3,
        value: -1e9,
    };
    let x = graph.add(&format!("{name}.mask"), mask, &[x])?;
    let x = graph.add(&format!("{name}.softmax"), Softmax { axis: 3 }, &[x])?;
    let x = graph.add(&format!("{name}.seen"), MatMul::default(), &[x, values])?;
    let transpose = Transpose {
        perm: vec![0, 2, 1, 3],
    };
    let x = graph.add(&format!("{name}.transpose"), transpose, &[x])?;
    let shape = vec![slices, hidden];
    let x = graph.add(&format!("{name}.joined"), Reshape { shape }, &[x])?;
    linear(graph, &format!("{name}.out_proj"), hidden, x)
}
