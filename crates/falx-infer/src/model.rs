//! The network of a bundle, from a batch to six probabilities a slice.

use std::path::{Path, PathBuf};

use falx_core::{LABELS, Probability};
use falx_nn::{EMBEDDING, Tensor};

use crate::BundleError;
use crate::runtime::{self, Runtime, RuntimeError, RuntimeKind};

const LOGITS: &str = "logits";
const PROBABILITIES: &str = "probabilities";

/// A loaded network.
pub struct Model {
    runtime: Box<dyn Runtime>,
    path: PathBuf,
}

/// Why a network could not be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] BundleError),
    /// The run-time is not there, or does not understand the file.
    #[error(
        "{path}: not a network that falx can run: {source}; export it again with `falx train` or `falx models export`"
    )]
    Load {
        /// The ONNX file.
        path: PathBuf,
        /// What the run-time said.
        source: RuntimeError,
    },
    /// The run-time is not there.
    #[error(transparent)]
    Runtime(RuntimeError),
    /// The network does not accept the input, or fails on it.
    #[error("{path}: {source}; does the bundle's input fit the network?")]
    Run {
        /// The ONNX file.
        path: PathBuf,
        /// What the run-time said.
        source: RuntimeError,
    },
    /// The network gives neither logits nor probabilities.
    #[error(
        "{path}: the network has no output `{LOGITS}` or `{PROBABILITIES}`, but only {}; name one so when exporting it",
        .found.join(", ")
    )]
    Outputs {
        /// The ONNX file.
        path: PathBuf,
        /// The outputs it has.
        found: Vec<String>,
    },
    /// The output is not six numbers a slice.
    #[error(
        "{path}: `{output}` has the shape {found:?}, where {slices} x 6 is wanted; is it a network for the six labels?"
    )]
    Shape {
        /// The ONNX file.
        path: PathBuf,
        /// Which output.
        output: &'static str,
        /// Its shape.
        found: Vec<usize>,
        /// Slices of the batch.
        slices: usize,
    },
    /// The network gives no embeddings, which a network over series reads.
    #[error(
        "{path}: the network has no output `{EMBEDDING}` of {wanted} numbers a slice, which the network over series reads; train \
         both again"
    )]
    NoEmbedding {
        /// The ONNX file.
        path: PathBuf,
        /// How many numbers describe a slice.
        wanted: usize,
    },
    /// The network over series cannot be loaded or run.
    #[error("{path}: the network over series: {reason}")]
    Series {
        /// The ONNX file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The network gives a value that is no probability.
    #[error(
        "{path}: `{output}` of slice {slice} of the batch is {value}; were the weights damaged, or did training diverge?"
    )]
    Value {
        /// The ONNX file.
        path: PathBuf,
        /// Which output.
        output: &'static str,
        /// Which slice of the batch, from 1.
        slice: usize,
        /// The value.
        value: f32,
    },
}

impl Model {
    /// Loads the bytes of an ONNX file, which errors call `path`, to be run by `kind` on `threads` threads.
    ///
    /// # Errors
    /// [`ModelError`] when the bytes cannot be understood, or the run-time is not there.
    pub fn load(
        onnx: Vec<u8>,
        path: &Path,
        kind: RuntimeKind,
        threads: usize,
    ) -> Result<Self, ModelError> {
        let runtime = runtime::load(kind, onnx, threads).map_err(|source| match source {
            RuntimeError::Load { .. } => ModelError::Load {
                path: path.to_owned(),
                source,
            },
            other => ModelError::Runtime(other),
        })?;
        Ok(Self::new(runtime, path))
    }

    /// A network that is loaded already; `path` is named in errors.
    pub(crate) fn new(runtime: Box<dyn Runtime>, path: &Path) -> Self {
        Self {
            runtime,
            path: path.to_owned(),
        }
    }

    /// The six probabilities of each slice of a batch, as the network gives them (no correction of the prior).
    ///
    /// # Shape
    /// `images` is N × C × H × W, row-major; the result has N rows.
    ///
    /// # Errors
    /// [`ModelError`] when the network rejects the input or does not give six finite numbers a slice.
    pub fn probabilities(
        &mut self,
        images: &[f32],
        shape: [usize; 4],
    ) -> Result<Vec<[Probability; 6]>, ModelError> {
        let outputs = self.run(images, shape)?;
        let named = |name: &str| outputs.iter().find(|(output, _)| output == name);
        if let Some((_, logits)) = named(LOGITS) {
            return self.rows(LOGITS, logits, shape[0], |logit| {
                logit
                    .is_finite()
                    .then(|| Probability::from_logit(logit.into()))
            });
        }
        if let Some((_, probabilities)) = named(PROBABILITIES) {
            return self.rows(PROBABILITIES, probabilities, shape[0], |probability| {
                Probability::new(probability.into()).ok()
            });
        }
        Err(ModelError::Outputs {
            path: self.path.clone(),
            found: outputs.into_iter().map(|(name, _)| name).collect(),
        })
    }

    /// What is known of each slice of a batch: a row of `features` numbers.
    ///
    /// # Errors
    /// [`ModelError`] when the network rejects the input, or has no such output.
    pub(crate) fn embeddings(
        &mut self,
        images: &[f32],
        shape: [usize; 4],
        features: usize,
    ) -> Result<Vec<f32>, ModelError> {
        let outputs = self.run(images, shape)?;
        let embedding = outputs.into_iter().find(|(output, _)| output == EMBEDDING);
        match embedding {
            Some((_, tensor)) if tensor.shape == [shape[0], features] => Ok(tensor.data),
            _ => Err(ModelError::NoEmbedding {
                path: self.path.clone(),
                wanted: features,
            }),
        }
    }

    fn run(
        &mut self,
        images: &[f32],
        shape: [usize; 4],
    ) -> Result<Vec<(String, Tensor)>, ModelError> {
        let outputs = self.runtime.run(images, shape);
        outputs.map_err(|source| ModelError::Run {
            path: self.path.clone(),
            source,
        })
    }

    fn rows(
        &self,
        output: &'static str,
        tensor: &Tensor,
        slices: usize,
        probability: fn(f32) -> Option<Probability>,
    ) -> Result<Vec<[Probability; 6]>, ModelError> {
        if tensor.shape != [slices, LABELS.len()] {
            return Err(ModelError::Shape {
                path: self.path.clone(),
                output,
                found: tensor.shape.clone(),
                slices,
            });
        }
        let mut rows = Vec::with_capacity(slices);
        for (index, values) in tensor.data.as_chunks::<6>().0.iter().enumerate() {
            let mut row = [Probability::default(); 6];
            for (place, &value) in row.iter_mut().zip(values) {
                *place = probability(value).ok_or_else(|| ModelError::Value {
                    path: self.path.clone(),
                    output,
                    slice: index + 1,
                    value,
                })?;
            }
            rows.push(row);
        }
        Ok(rows)
    }
}
