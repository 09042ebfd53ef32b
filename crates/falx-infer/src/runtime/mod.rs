//! The run-times that execute a network, behind one trait: the same bytes of ONNX, the same images, equal results.

mod falx;
#[cfg(feature = "ort")]
mod ort;
mod rten;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use falx_nn::{Graph, Parameters, Tensor};

/// Where the shared library of ONNX Runtime is found.
pub const ORT_LIBRARY: &str = "ORT_DYLIB_PATH";

/// Which run-time executes a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RuntimeKind {
    /// falx's own kernels, those of training, with the network prepared for use.
    #[default]
    Falx,
    /// rten, which is pure Rust, too.
    Rten,
    /// ONNX Runtime, from its shared library.
    Ort,
}

impl RuntimeKind {
    /// All of them, built or not.
    pub const ALL: [Self; 3] = [Self::Falx, Self::Rten, Self::Ort];

    /// Its name on the command line and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Falx => "falx",
            Self::Rten => "rten",
            Self::Ort => "ort",
        }
    }

    /// Whether this build holds it.
    pub const fn is_built(self) -> bool {
        match self {
            Self::Falx | Self::Rten => true,
            Self::Ort => cfg!(feature = "ort"),
        }
    }
}

impl fmt::Display for RuntimeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for RuntimeKind {
    type Err = RuntimeError;

    fn from_str(name: &str) -> Result<Self, RuntimeError> {
        let kind = Self::ALL.into_iter().find(|kind| kind.name() == name);
        kind.ok_or_else(|| RuntimeError::NoSuchRuntime(name.to_owned()))
    }
}

/// Why a network could not be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// No run-time of that name.
    #[error("no run-time is called `{0}`; they are falx, rten and ort")]
    NoSuchRuntime(String),
    /// This build does not hold the run-time.
    #[error(
        "this falx was built without {0}; build it with --features ort, or use --runtime falx or rten"
    )]
    NotBuilt(RuntimeKind),
    /// The shared library of ONNX Runtime is not there, or is no such library.
    #[error(
        "ONNX Runtime's shared library cannot be loaded: {reason}; set {ORT_LIBRARY} to its path (pip install onnxruntime \
         puts it into onnxruntime/capi), or use --runtime falx or rten"
    )]
    Library {
        /// What the system said.
        reason: String,
    },
    /// The bytes are no ONNX, or hold what the run-time does not know.
    #[error("{runtime} cannot load the network: {reason}")]
    Load {
        /// Which run-time.
        runtime: RuntimeKind,
        /// What it said.
        reason: String,
    },
    /// The images are not what the network takes.
    #[error("the network takes {}, but the batch is {found:?} with {values} values", shape(.expected))]
    Input {
        /// The lengths, where they are fixed.
        expected: Vec<Option<usize>>,
        /// The batch's shape.
        found: [usize; 4],
        /// How many values it holds.
        values: usize,
    },
    /// The run-time gave up.
    #[error("{runtime} failed on a batch of shape {shape:?}: {reason}")]
    Run {
        /// Which run-time.
        runtime: RuntimeKind,
        /// N × C × H × W.
        shape: [usize; 4],
        /// What it said.
        reason: String,
    },
}

fn shape(lengths: &[Option<usize>]) -> String {
    let length = |length: &Option<usize>| length.map_or("any".to_owned(), |x| x.to_string());
    let lengths: Vec<String> = lengths.iter().map(length).collect();
    lengths.join(" x ")
}

/// A network that a run-time has loaded.
pub trait Runtime: Send {
    /// Which run-time.
    fn kind(&self) -> RuntimeKind;

    /// How many threads it computes with.
    fn threads(&self) -> usize;

    /// The lengths of its input, batch first; `None` where any will do.
    fn input(&self) -> &[Option<usize>];

    /// Computes all outputs of images that the network takes.
    ///
    /// # Errors
    /// [`RuntimeError::Run`].
    fn compute(
        &mut self,
        images: &[f32],
        shape: [usize; 4],
    ) -> Result<Vec<(String, Tensor)>, RuntimeError>;

    /// All outputs by name, in the network's order.
    ///
    /// # Shape
    /// `images` is N × C × H × W, row-major; every output begins with N.
    ///
    /// # Errors
    /// [`RuntimeError::Input`] for images that the network does not take, before a run-time can stumble over them;
    /// [`RuntimeError::Run`].
    fn run(
        &mut self,
        images: &[f32],
        shape: [usize; 4],
    ) -> Result<Vec<(String, Tensor)>, RuntimeError> {
        check(self.input(), images, shape)?;
        self.compute(images, shape)
    }
}

/// Loads the bytes of an ONNX file into a run-time that is to compute with `threads` threads.
///
/// # Errors
/// [`RuntimeError`] when the run-time is not there, or cannot load the bytes.
pub fn load(
    kind: RuntimeKind,
    onnx: Vec<u8>,
    threads: usize,
) -> Result<Box<dyn Runtime>, RuntimeError> {
    let threads = threads.max(1);
    match kind {
        RuntimeKind::Falx => Ok(Box::new(falx::Network::load(onnx, threads)?)),
        RuntimeKind::Rten => Ok(Box::new(rten::Network::load(onnx, threads)?)),
        #[cfg(feature = "ort")]
        RuntimeKind::Ort => Ok(Box::new(ort::Network::load(&onnx, threads)?)),
        #[cfg(not(feature = "ort"))]
        RuntimeKind::Ort => Err(RuntimeError::NotBuilt(kind)),
    }
}

/// Prepares a network for falx's own kernels, which are to compute with `threads` threads.
///
/// # Errors
/// [`RuntimeError::Load`] when the parameters do not fit the graph.
pub fn prepare(
    graph: &Graph,
    parameters: Parameters,
    threads: usize,
) -> Result<Box<dyn Runtime>, RuntimeError> {
    let network = falx::Network::new(graph, parameters, threads.max(1))?;
    Ok(Box::new(network))
}

/// Refuses a batch that a network of this `input` does not take.
fn check(input: &[Option<usize>], images: &[f32], shape: [usize; 4]) -> Result<(), RuntimeError> {
    let fits = |(expected, found): (&Option<usize>, usize)| expected.is_none_or(|x| x == found);
    let product = shape
        .iter()
        .try_fold(1_usize, |product, &length| product.checked_mul(length));
    let is_full = product == Some(images.len()) && !images.is_empty();
    if is_full && input.len() == shape.len() && input.iter().zip(shape).all(fits) {
        return Ok(());
    }
    Err(RuntimeError::Input {
        expected: input.to_vec(),
        found: shape,
        values: images.len(),
    })
}
