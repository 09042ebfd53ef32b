//! The network of a bundle, run by rten.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use falx_core::{LABELS, Probability};
use rten::{RunOptions, ThreadPool, ValueView};

/// A loaded network.
pub struct Model {
    network: rten::Model,
    options: RunOptions,
    path: PathBuf,
}

/// Why a network could not be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file cannot be read or is no ONNX that the run-time understands.
    #[error(
        "{path}: not a network that falx can run: {reason}; export it again with `falx train` or `falx models export`"
    )]
    Load {
        /// The ONNX file.
        path: PathBuf,
        /// What the run-time said.
        reason: String,
    },
    /// The network does not accept the input, or gives something else than six logits a slice.
    #[error(
        "{path}: the network failed on an input of shape {shape:?}: {reason}; does the bundle's input fit the network?"
    )]
    Run {
        /// The ONNX file.
        path: PathBuf,
        /// N × C × H × W.
        shape: [usize; 4],
        /// What the run-time said.
        reason: String,
    },
}

impl Model {
    /// Loads an ONNX file to be run on `threads` threads.
    ///
    /// # Errors
    /// [`ModelError::Load`] when the file cannot be read or understood.
    pub fn load(path: &Path, threads: usize) -> Result<Self, ModelError> {
        let network = rten::Model::load_file(path).map_err(|error| ModelError::Load {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        let pool = Arc::new(ThreadPool::with_num_threads(threads));
        let options = RunOptions::default().with_thread_pool(Some(pool));
        Ok(Self {
            network,
            options,
            path: path.to_owned(),
        })
    }

    /// The six probabilities of each slice of a batch, as the network gives them (no correction of the prior).
    ///
    /// # Shape
    /// `images` is N × C × H × W, row-major; the result has N rows.
    ///
    /// # Errors
    /// [`ModelError::Run`] when the network rejects the input or does not give six finite logits a slice.
    pub fn probabilities(
        &self,
        images: &[f32],
        shape: [usize; 4],
    ) -> Result<Vec<[Probability; 6]>, ModelError> {
        let failed = |reason: String| ModelError::Run {
            path: self.path.clone(),
            shape,
            reason,
        };
        let input = ValueView::from_shape(shape, images).map_err(|e| failed(e.to_string()))?;
        let output = self
            .network
            .run_one(input.into(), Some(self.options.clone()))
            .map_err(|e| failed(e.to_string()))?;
        let (found, logits) = output
            .into_shape_vec::<f32, 2>()
            .map_err(|e| failed(e.to_string()))?;
        if found != [shape[0], LABELS.len()] {
            return Err(failed(format!("it gave logits of shape {found:?}")));
        }
        if logits.iter().any(|logit| !logit.is_finite()) {
            return Err(failed("it gave a logit that is not finite".to_owned()));
        }
        Ok(logits
            .as_chunks::<6>()
            .0
            .iter()
            .map(|row| row.map(|logit| Probability::from_logit(logit.into())))
            .collect())
    }
}
