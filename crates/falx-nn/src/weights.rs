//! Weights in and out: parameters as safetensors for checkpoints and exchange, and the files of other programs.
//!
//! [`read`] gives the tensors of a file by name, [`map`] pairs them with a network's parameters and says what did not
//! fit, [`Mapping::apply`] makes them parameters.

mod element;
mod error;
mod keras;
mod map;
mod named;
mod pickle;
mod pytorch;
mod safetensors_file;

pub use error::{FormatError, ReadError};
pub use keras::{ours as keras_name, turned as turned_from_tensorflow};
pub use map::{How, MapError, MapRules, Mapping, Match, Misfit, Pairing, Single, map};
pub use named::{Format, NamedTensors, parse, read};

use safetensors::{Dtype, SafeTensorError, SafeTensors, serialize, tensor::TensorView};

use crate::{Graph, Parameters, Tensor};

/// Weights that cannot be written or do not belong to a network.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// Not a safetensors file.
    #[error("these weights cannot be read: {0}; they must be a safetensors file")]
    Format(#[from] SafeTensorError),
    /// A parameter of the network is not there.
    #[error("the weights have no `{name}`; they belong to another network than `{network}`")]
    Missing {
        /// The parameter.
        name: String,
        /// The network.
        network: String,
    },
    /// A parameter has another shape or type.
    #[error("`{name}` is {found}, but this network wants 32-bit floats of the shape {expected:?}")]
    Misfit {
        /// The parameter.
        name: String,
        /// What the file holds.
        found: String,
        /// The shape the network wants.
        expected: Vec<usize>,
    },
}

/// `parameters` as a safetensors file; equal parameters give equal bytes.
///
/// # Errors
/// [`WeightsError::Format`] when the format cannot hold them.
pub fn save(parameters: &Parameters) -> Result<Vec<u8>, WeightsError> {
    let bytes: Vec<(&str, &Tensor, Vec<u8>)> = parameters
        .iter()
        .map(|(name, tensor)| {
            (
                name,
                tensor,
                tensor.data.iter().flat_map(|x| x.to_le_bytes()).collect(),
            )
        })
        .collect();
    let views = bytes.iter().map(|(name, tensor, bytes)| {
        TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).map(|view| (*name, view))
    });
    let views: Vec<_> = views.collect::<Result<_, _>>()?;
    Ok(serialize(views, None)?)
}

/// The parameters of `graph` from a safetensors file; others in the file are left aside.
///
/// # Errors
/// [`WeightsError`] when the bytes are no such file, or a parameter is missing or has another shape.
pub fn load(bytes: &[u8], graph: &Graph) -> Result<Parameters, WeightsError> {
    let file = SafeTensors::deserialize(bytes)?;
    let read = |spec: &crate::ParameterSpec| {
        let view = file.tensor(&spec.name).map_err(|_| WeightsError::Missing {
            name: spec.name.clone(),
            network: graph.name().to_owned(),
        })?;
        if view.dtype() != Dtype::F32 || view.shape() != spec.shape {
            return Err(WeightsError::Misfit {
                name: spec.name.clone(),
                found: format!("{:?} of the shape {:?}", view.dtype(), view.shape()),
                expected: spec.shape.clone(),
            });
        }
        let (words, _) = view.data().as_chunks();
        let data = words.iter().map(|&word| f32::from_le_bytes(word)).collect();
        let shape = spec.shape.clone();
        Ok((spec.name.clone(), Tensor { shape, data }))
    };
    graph.parameters().iter().map(read).collect()
}

#[cfg(test)]
mod tests;
