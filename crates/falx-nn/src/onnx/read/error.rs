//! What keeps a file from becoming a network, each case with its place and its remedy.

use std::path::PathBuf;

use crate::{GraphError, ShapeError};

/// Where in a file a node stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The node's place in the file, counted from 0.
    pub index: usize,
    /// The node's name, or that of its first output where it has none.
    pub node: String,
    /// Its operator's name in ONNX.
    pub operator: String,
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            index,
            node,
            operator,
        } = self;
        write!(f, "node {index} `{node}` ({operator})")
    }
}

/// A file that gives no network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// The bytes are no ONNX model.
    #[error("this is no ONNX model: {0}; give a file that an ONNX exporter wrote")]
    NotOnnx(String),
    /// The file ends before what it announces.
    #[error("the file ends {missing} bytes before what it announces; copy or fetch it again")]
    Truncated {
        /// How many bytes are missing.
        missing: u64,
    },
    /// The file holds more parts than any network has.
    #[error("the file has more than {most} {what}; no network needs that many")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The most that is read.
        most: usize,
    },
    /// Operators of a version that is not known to mean the same.
    #[error(
        "the file uses opset {found}; opsets {oldest} to {newest} are read, so export it with one of these"
    )]
    Opset {
        /// The file's.
        found: i64,
        /// The oldest that is read.
        oldest: i64,
        /// The newest that is read.
        newest: i64,
    },
    /// An operator of another domain than ONNX's own.
    #[error(
        "{place} belongs to the domain `{domain}`; only ONNX's own operators are read, so export without it"
    )]
    Domain {
        /// The node.
        place: Location,
        /// The domain.
        domain: String,
    },
    /// An operator that falx does not have.
    #[error("{0}: falx has no such operator; cut the network before it, or export it otherwise")]
    Operator(Location),
    /// A form of an operator that falx does not have.
    #[error("{place}: {reason}")]
    Form {
        /// The node.
        place: Location,
        /// What is not read and what to do.
        reason: String,
    },
    /// A node that holds graphs of its own, as `If` and `Loop`.
    #[error(
        "{0} holds a graph of its own; networks with branches and loops are not read, so export without them"
    )]
    Subgraph(Location),
    /// A sparse initialiser.
    #[error("`{0}` is a sparse tensor; store it dense")]
    Sparse(String),
    /// Nodes that wait for each other.
    #[error("{0} needs what it gives itself: the graph has a cycle")]
    Cycle(Location),
    /// Two things have one name.
    #[error("`{0}` is given twice; a name must be given once")]
    Duplicate(String),
    /// A node reads what nothing gives.
    #[error("{place} reads `{tensor}`, which nothing gives; the file is damaged or was cut")]
    Missing {
        /// The node.
        place: Location,
        /// The tensor.
        tensor: String,
    },
    /// A tensor whose bytes are not what its shape and type say.
    #[error("the tensor `{tensor}` {reason}")]
    Tensor {
        /// The tensor.
        tensor: String,
        /// What is wrong.
        reason: String,
    },
    /// A tensor's external file is not there.
    #[error("the tensor `{tensor}` lies in {}, which cannot be read: {source}; put it beside the model", path.display())]
    ExternalData {
        /// The tensor.
        tensor: String,
        /// The file it should be in.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// A tensor's external file lies outside the model's folder.
    #[error(
        "the tensor `{tensor}` lies in `{location}`, outside the model's folder; nothing there is read, so put it beside the model"
    )]
    Escape {
        /// The tensor.
        tensor: String,
        /// The path that the file names.
        location: String,
    },
    /// Weights that are not numbers.
    #[error(
        "{place}: the tensor `{tensor}` holds NaN or infinite values; the network was damaged in training"
    )]
    NotFinite {
        /// The node that uses it.
        place: Location,
        /// The tensor, or the parameter that was computed.
        tensor: String,
    },
    /// The input's shape is not known.
    #[error(
        "the input `{input}` has the shape {shape}: say the size that the network is for (`--size`, or `ReadOptions::input` without the batch)"
    )]
    Size {
        /// The input.
        input: String,
        /// Its shape as the file has it.
        shape: String,
    },
    /// The size that was asked for contradicts the file.
    #[error(
        "the input `{input}` has the shape {shape}, which cannot be {asked:?}; ask for a size that fits"
    )]
    Misfit {
        /// The input.
        input: String,
        /// Its shape as the file has it.
        shape: String,
        /// What was asked for.
        asked: Vec<usize>,
    },
    /// The file is for batches of one size alone.
    #[error(
        "the network takes batches of exactly {batch}; export it with a dynamic batch, or with a batch of 1"
    )]
    Batch {
        /// The size.
        batch: i64,
    },
    /// Not one input of numbers.
    #[error("the network takes {} inputs ({}); one is read, so cut the network or make the others constants", inputs.len(), inputs.join(", "))]
    Inputs {
        /// Their names.
        inputs: Vec<String>,
    },
    /// A name that is not in the file.
    #[error("nothing is called `{name}`{}", near(similar))]
    Name {
        /// The name that was asked for.
        name: String,
        /// Names that look alike.
        similar: Vec<String>,
    },
    /// An output that does not depend on the input.
    #[error("the output `{0}` does not depend on the input")]
    ConstantOutput(String),
    /// An operator cannot take the shapes it was given.
    #[error("{place}: {source}")]
    Shape {
        /// The node.
        place: Location,
        /// What is wrong.
        source: ShapeError,
    },
    /// A weight has another shape than its operator needs.
    #[error("{place}: `{tensor}` has the shape {found:?}, but {expected:?} is needed")]
    Weight {
        /// The node.
        place: Location,
        /// The weight.
        tensor: String,
        /// The shape that is needed.
        expected: Box<[usize]>,
        /// The shape it has.
        found: Box<[usize]>,
    },
    /// The nodes do not make a graph.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// The end of a message that names what was perhaps meant.
pub(crate) fn near(similar: &[String]) -> String {
    if similar.is_empty() {
        "; `falx models show` lists the names".to_owned()
    } else {
        format!("; perhaps one of these was meant: {}", similar.join(", "))
    }
}

/// Something that was changed or assumed on the way, and that the user should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note(pub String);

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
