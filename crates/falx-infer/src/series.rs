//! What is made of a series' slices together: a network over their embeddings, and smoothing of their probabilities.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use falx_core::Probability;
use falx_nn::onnx::stored_parameters;
use falx_nn::zoo::{SequenceConfig, build_sequence};
use falx_nn::{Graph, Parameters, Prepared, Tensor};

use crate::ModelError;

/// How many lengths of series are kept ready; a data set has some dozens, a clinic few.
const READY: usize = 64;
/// The transformer's parameters that have a row for each place in a series.
const POSITIONS: &str = "positions";

/// A network over series, which falx's own kernels run whatever runs the network of slices.
pub struct SeriesModel {
    path: PathBuf,
    config: SequenceConfig,
    parameters: Parameters,
    threads: usize,
    ready: BTreeMap<usize, Prepared>,
}

impl SeriesModel {
    /// Loads the bytes of the ONNX file, which errors call `path`, of the network that `config` describes.
    ///
    /// # Errors
    /// [`ModelError`] when the file is of another network.
    pub fn load(
        onnx: &[u8],
        path: &Path,
        config: &SequenceConfig,
        threads: usize,
    ) -> Result<Self, ModelError> {
        let other = |reason: String| ModelError::Series {
            path: path.to_owned(),
            reason,
        };
        let graph = build_sequence(config).map_err(|error| other(error.to_string()))?;
        let parameters = stored_parameters(onnx, &graph);
        Ok(Self {
            path: path.to_owned(),
            config: config.clone(),
            parameters: parameters.map_err(|error| other(error.to_string()))?,
            threads: threads.max(1),
            ready: BTreeMap::new(),
        })
    }

    /// How many numbers describe a slice.
    pub const fn features(&self) -> usize {
        self.config.features
    }

    /// The six probabilities of each slice of one series.
    ///
    /// # Shape
    /// `embeddings` has a row of [`SeriesModel::features`] numbers for each slice, in the series' order; so has the result, of
    /// six.
    ///
    /// # Errors
    /// [`ModelError::Series`] when the series is longer than the network can take, or the network gives what is no
    /// probability.
    pub fn probabilities(
        &mut self,
        embeddings: &[f32],
    ) -> Result<Vec<[Probability; 6]>, ModelError> {
        let features = self.config.features.max(1);
        let slices = embeddings.len() / features;
        let input = Tensor {
            shape: vec![1, slices, features],
            data: embeddings.to_vec(),
        };
        let path = self.path.clone();
        let failed = |reason: String| ModelError::Series {
            path: path.clone(),
            reason,
        };
        if slices == 0 {
            return Ok(Vec::new());
        }
        let outputs = self.ready(slices)?.run(&input);
        let outputs = outputs.map_err(|error| failed(error.to_string()))?;
        let logits = outputs.into_iter().next().map(|(_, logits)| logits.data);
        let logits = logits.unwrap_or_default();
        if let Some(bad) = logits.iter().find(|logit| !logit.is_finite()) {
            return Err(failed(format!(
                "it gives {bad} for a series of {slices} slices; were the weights damaged?"
            )));
        }
        let rows = logits.as_chunks::<6>().0.iter();
        Ok(rows
            .map(|row| row.map(|logit| Probability::from_logit(logit.into())))
            .collect())
    }

    /// The network for series of so many slices.
    fn ready(&mut self, slices: usize) -> Result<&Prepared, ModelError> {
        let prepared = match self.ready.remove(&slices) {
            Some(prepared) => prepared,
            None => self.prepare(slices)?,
        };
        if self.ready.len() >= READY {
            self.ready.clear();
        }
        Ok(self.ready.entry(slices).or_insert(prepared))
    }

    fn prepare(&self, slices: usize) -> Result<Prepared, ModelError> {
        let failed = |reason: String| ModelError::Series {
            path: self.path.clone(),
            reason,
        };
        let graph = build_sequence(&SequenceConfig {
            slices,
            ..self.config.clone()
        });
        let graph = graph.map_err(|error| failed(error.to_string()))?;
        let parameters = self.of_length(&graph).ok_or_else(|| {
            failed(format!(
                "it knows {} places in a series, but a series has {slices} slices; use a recurrent network for longer ones",
                self.config.slices
            ))
        })?;
        Prepared::new(&graph, parameters, self.threads).map_err(|error| failed(error.to_string()))
    }

    /// The parameters as a graph for shorter series wants them; `None` where it is for longer ones than they know.
    fn of_length(&self, graph: &Graph) -> Option<Parameters> {
        let mut parameters = self.parameters.clone();
        let wanted = graph.parameters().iter().find(|p| p.name == POSITIONS);
        if let (Some(wanted), Some(positions)) = (wanted, parameters.get_mut(POSITIONS)) {
            let count = wanted.shape.iter().product();
            positions.data.get(..count)?;
            positions.data.truncate(count);
            positions.shape.clone_from(&wanted.shape);
        }
        Some(parameters)
    }
}

/// The rows of one series, each the mean of all by a Gaussian of their distances along the slice normal.
///
/// `any` stays at least as likely as every subtype. A slice whose position is not known stays as it is.
///
/// # Units
/// Positions and the Gaussian's standard deviation in mm.
pub fn smoothed(rows: &[[Probability; 6]], positions: &[f32], mm: f64) -> Vec<[Probability; 6]> {
    let smooth = |own: &[Probability; 6], at: f32| {
        let mut sums = [0.0; 6];
        let mut whole = 0.0;
        for (row, &other) in rows.iter().zip(positions) {
            let distance = f64::from(other - at) / mm;
            let weight = (-0.5 * distance * distance).exp();
            if weight.is_finite() {
                whole += weight;
                for (sum, p) in sums.iter_mut().zip(row) {
                    *sum += weight * p.get();
                }
            }
        }
        if whole > 0.0 {
            sums.map(|sum| Probability::new((sum / whole).clamp(0.0, 1.0)).unwrap_or_default())
        } else {
            *own
        }
    };
    rows.iter()
        .zip(positions)
        .map(|(own, &at)| smooth(own, at))
        .collect()
}
