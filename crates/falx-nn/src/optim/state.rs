//! An optimiser's memory as bytes, so that training can go on where it stopped.

use std::collections::BTreeMap;

use safetensors::{Dtype, SafeTensorError, SafeTensors, serialize, tensor::TensorView};

use super::{Memory, Optimizer, OptimizerConfig};

/// A state that cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Not a safetensors file.
    #[error("this optimiser state cannot be read: {0}")]
    Format(#[from] SafeTensorError),
    /// A part that does not fit the network or the optimiser.
    #[error("this optimiser state has no usable `{0}`; it belongs to another network or optimiser")]
    Misfit(String),
}

const STEPS: &str = "steps";
const PARTS: [&str; 3] = ["first", "second", "third"];

impl Optimizer {
    /// The state as bytes; equal states give equal bytes.
    ///
    /// # Errors
    /// [`StateError::Format`] when the format cannot hold it.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StateError> {
        let mut parts = vec![(
            STEPS.to_owned(),
            Dtype::U64,
            1,
            self.steps.to_le_bytes().to_vec(),
        )];
        for (name, memory) in &self.memory {
            for (part, values) in PARTS.iter().zip(memory).filter(|(_, m)| !m.is_empty()) {
                let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
                parts.push((format!("{part}:{name}"), Dtype::F32, values.len(), bytes));
            }
        }
        let views = parts.iter().map(|(name, dtype, length, bytes)| {
            TensorView::new(*dtype, vec![*length], bytes).map(|view| (name, view))
        });
        let views: Vec<_> = views.collect::<Result<_, _>>()?;
        Ok(serialize(views, None)?)
    }

    /// The optimiser of `config` with the state in `bytes`, for `parameters`.
    ///
    /// # Errors
    /// [`StateError`] when the bytes are no state, or one of other parameters or another optimiser.
    pub fn from_bytes(
        config: &OptimizerConfig,
        parameters: &crate::Parameters,
        bytes: &[u8],
    ) -> Result<Self, StateError> {
        let file = SafeTensors::deserialize(bytes)?;
        let misfit = |name: &str| StateError::Misfit(name.to_owned());
        let steps = file.tensor(STEPS).map_err(|_| misfit(STEPS))?;
        let steps = steps
            .data()
            .try_into()
            .map(u64::from_le_bytes)
            .map_err(|_| misfit(STEPS))?;
        let blank = Self::new(config, parameters);
        let read = |(name, blank): (String, Memory)| {
            let mut memory = blank;
            for (part, values) in PARTS.iter().zip(&mut memory) {
                if values.is_empty() {
                    continue;
                }
                let key = format!("{part}:{name}");
                let view = file.tensor(&key).map_err(|_| misfit(&key))?;
                if view.dtype() != Dtype::F32 || view.shape() != [values.len()] {
                    return Err(misfit(&key));
                }
                let (words, _) = view.data().as_chunks();
                *values = words.iter().map(|&word| f32::from_le_bytes(word)).collect();
            }
            Ok((name, memory))
        };
        let memory: BTreeMap<_, _> = blank
            .memory
            .into_iter()
            .map(read)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            config: *config,
            groups: Vec::new(),
            steps,
            memory,
        })
    }
}
