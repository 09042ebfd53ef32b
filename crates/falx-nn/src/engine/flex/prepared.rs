//! A network prepared to be used many times, never trained: what does not depend on the images is done once.

use std::collections::BTreeMap;

use burn_backend::backend::AutodiffBackend;
use rayon::ThreadPool;

use super::fusion::{Followed, Fused};
use super::interpret::{self, Interpreter, Mode, Setting};
use super::layout::channels_first;
use super::tape::{Tape, Tracked, numbers, release, tensor};
use super::{check, on_tape};
use crate::operators::{ConvKernel, Finish, PreparedConv, buffers};
use crate::passes::{fold_batch_normalization, fold_constants, without_dropout};
use crate::{EngineError, Graph, GraphError, Node, Operator, Parameters, Tensor, Training, Value};

/// A network in the form in which our own kernels run it fastest.
///
/// Batch normalisation is folded into the convolutions, whose weights are laid out once; rectifiers and sums after a
/// convolution are computed while its results are in registers. Results do not depend on the number of threads.
pub struct Prepared {
    graph: Graph,
    /// What the convolutions do not hold already.
    parameters: Parameters,
    convolutions: BTreeMap<usize, PreparedConv>,
    threads: ThreadPool,
}

/// Why a network cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// A parameter of the graph is missing or has another shape.
    #[error(
        "the parameters have no `{name}` of the shape {expected:?}; initialise or load them for this network"
    )]
    Parameter {
        /// The parameter.
        name: String,
        /// The shape the graph wants.
        expected: Vec<usize>,
    },
    /// The changed graph is none, which is a bug.
    #[error("the folded graph is not valid: {0}; please report it")]
    Graph(#[from] GraphError),
    /// A graph without an output.
    #[error("`{0}` has no output; name its logits")]
    NoOutput(String),
    /// The threads cannot be started.
    #[error("{threads} threads cannot be started ({source}); give fewer with --threads")]
    Threads {
        /// How many.
        threads: usize,
        /// What the system said.
        source: rayon::ThreadPoolBuildError,
    },
}

impl Prepared {
    /// Prepares `graph` with `parameters` for `threads` threads.
    ///
    /// # Errors
    /// [`PrepareError`] when the parameters do not fit, or the graph has no output.
    pub fn new(
        graph: &Graph,
        parameters: Parameters,
        threads: usize,
    ) -> Result<Self, PrepareError> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.max(1));
        let pool = pool
            .thread_name(|index| format!("falx-nn {index}"))
            .build()
            .map_err(|source| PrepareError::Threads { threads, source })?;
        for spec in graph.parameters() {
            let tensor = parameters.get(&spec.name);
            if tensor.is_none_or(|tensor| tensor.shape != spec.shape) {
                return Err(PrepareError::Parameter {
                    name: spec.name.clone(),
                    expected: spec.shape.clone(),
                });
            }
        }
        let graph = without_dropout(graph)?;
        let (graph, parameters) = pool.install(|| {
            let (graph, parameters) = fold_batch_normalization(&graph, parameters)?;
            fold_constants(&graph, parameters)
        })?;
        if graph.outputs().is_empty() {
            return Err(PrepareError::NoOutput(graph.name().to_owned()));
        }
        let mut convolutions = BTreeMap::new();
        for (index, node) in graph.nodes().iter().enumerate() {
            let prepared = pool.install(|| convolution(&graph, &parameters, index, node));
            if let Some(prepared) = prepared {
                convolutions.insert(index, prepared);
            }
        }
        // The laid out weights are all that is needed of a convolution.
        let is_laid_out = |name: &str| {
            let node = name.rsplit_once('.').map_or(name, |(node, _)| node);
            let mut laid_out = convolutions.keys().filter_map(|&at| graph.nodes().get(at));
            laid_out.any(|at| at.name == node)
        };
        let parameters = parameters
            .into_iter()
            .filter(|(name, _)| !is_laid_out(name))
            .collect();
        Ok(Self {
            graph,
            parameters,
            convolutions,
            threads: pool,
        })
    }

    /// The graph as it is run.
    pub const fn graph(&self) -> &Graph {
        &self.graph
    }

    /// How many threads compute.
    pub fn threads(&self) -> usize {
        self.threads.current_num_threads()
    }

    /// All outputs by name, in the graph's order.
    ///
    /// # Shape
    /// `images` is N and the graph's input; an output is N and its shape.
    ///
    /// # Errors
    /// [`EngineError`] when the images do not fit the graph.
    pub fn run(&self, images: &Tensor) -> Result<Vec<(String, Tensor)>, EngineError> {
        let batch = check(&self.graph, images.into())?;
        self.threads.install(|| {
            let outputs = self.values(on_tape(images), batch)?;
            buffers::next_step();
            Ok(outputs)
        })
    }

    fn values(&self, images: Tracked, batch: usize) -> Result<Vec<(String, Tensor)>, EngineError> {
        let (graph, nodes) = (&self.graph, self.graph.nodes());
        let training = Training::default();
        let setting = Setting {
            graph,
            parameters: &self.parameters,
            batch,
            lengths: None,
            mode: Mode::Evaluation,
            training: &training,
        };
        let mut values = BTreeMap::from([(Value::INPUT, images)]);
        let mut index = 0;
        while index < nodes.len() {
            let (value, steps) = self.node(&setting, index, &values)?;
            index += steps;
            values.insert(Value::of_node(index - 1), value);
            let later = nodes.get(index..).unwrap_or_default();
            let needed = |value: &Value| {
                graph.outputs().iter().any(|(_, output)| output == value)
                    || later.iter().any(|node| node.inputs.contains(value))
            };
            for (_, value) in values.extract_if(.., |value, _| !needed(value)) {
                release(Tape::inner(value));
            }
        }
        let output = |(name, value): &(String, Value)| {
            let found = values.get(value);
            let found = found.ok_or_else(|| EngineError::NoOutput(graph.name().to_owned()))?;
            Ok((name.clone(), channels_first(interpret::read(found))))
        };
        graph.outputs().iter().map(output).collect()
    }

    /// What the node at `index` gives with those that run as one with it, and how many these are.
    fn node(
        &self,
        setting: &Setting<'_>,
        index: usize,
        values: &BTreeMap<Value, Tracked>,
    ) -> Result<(Tracked, usize), EngineError> {
        let graph = &self.graph;
        let Some(node) = graph.nodes().get(index) else {
            return Err(EngineError::NoOutput(graph.name().to_owned()));
        };
        let mut read: Vec<&Tracked> = node.inputs.iter().filter_map(|at| values.get(at)).collect();
        if let Some(convolution) = self.convolutions.get(&index) {
            let followed = if convolution.finishes() {
                Followed::by(graph, index)
            } else {
                Followed::ALONE
            };
            let add = followed.add.and_then(|value| values.get(&value));
            let shape = setting.tape_shape(Value::of_node(index + followed.steps - 1));
            let value = convolve(convolution, &read, add, followed.relu, &shape);
            return Ok((value, followed.steps));
        }
        let fused = Fused::at(graph, index);
        read.extend(fused.other.and_then(|value| values.get(&value)));
        let value = Interpreter::evaluating(setting, index)?.node(index, node, &read, fused)?;
        Ok((value, fused.steps))
    }
}

/// The laid out weights of the node at `index`, where it is a convolution.
fn convolution(
    graph: &Graph,
    parameters: &Parameters,
    index: usize,
    node: &Node,
) -> Option<PreparedConv> {
    let Operator::Conv(conv) = &node.operator else {
        return None;
    };
    let image = |value: Value| match graph.shape(value) {
        Some(&[channels, height, width]) => Some([channels, height, width]),
        _ => None,
    };
    let input = image(*node.inputs.first()?)?;
    let kernel = ConvKernel::new(conv, input, image(Value::of_node(index))?);
    let part = |part: &str| parameters.get(&format!("{}.{part}", node.name));
    let bias = part("bias").map(|bias| bias.data.as_slice());
    Some(PreparedConv::new(&kernel, &part("weight")?.data, bias))
}

fn convolve(
    convolution: &PreparedConv,
    inputs: &[&Tracked],
    add: Option<&Tracked>,
    relu: bool,
    shape: &[usize],
) -> Tracked {
    let images = inputs
        .first()
        .map(|value| value.primitive().to_contiguous());
    let add = add.map(|value| value.primitive().to_contiguous());
    let finish = Finish {
        add: add.as_ref().map(numbers),
        relu,
    };
    let images = images.as_ref().map(numbers).unwrap_or_default();
    Tape::from_inner(tensor(shape, convolution.forward(images, finish)))
}
