//! What a session keeps on the device from step to step.

use tch::{Device, Tensor as Value};

use super::flat::{Layout, Place};
use super::numbers::fitting;
use crate::engine::TrainingState;
use crate::{EngineError, ParameterSpec, Parameters};

/// The numbers of one kind of parameters, and their average where one is kept.
pub struct Held {
    pub layout: Layout,
    pub whole: Value,
    pub average: Option<Value>,
}

impl Held {
    /// What `specs` tell of, as it is in `state`.
    pub fn new<'a>(
        state: &TrainingState,
        specs: impl Iterator<Item = &'a ParameterSpec>,
        device: Device,
    ) -> Result<Self, EngineError> {
        let specs: Vec<&ParameterSpec> = specs.collect();
        let layout = Layout::new(specs.iter().map(|spec| (&*spec.name, &*spec.shape)));
        let put = |parameters: &Parameters| {
            for spec in &specs {
                fitting(spec, parameters)?;
            }
            let of = |place: &Place| parameters.get(&place.name).map(|tensor| &*tensor.data);
            layout.put(device, |place| Ok(of(place).unwrap_or_default()))
        };
        let average = state.average.as_ref();
        Ok(Self {
            whole: put(&state.parameters)?,
            average: average
                .map(|average| put(average.parameters()))
                .transpose()?,
            layout,
        })
    }

    /// Each parameter by name, as a place in a buffer of this layout.
    pub fn views(
        &self,
        whole: &Value,
    ) -> impl Iterator<Item = Result<(String, Value), EngineError>> {
        let places = self.layout.places.iter();
        // Each view counts its own changes: a normalisation must not see the statistics of the next one move.
        places.map(move |place| Ok((place.name.clone(), place.view(whole)?.f_data()?)))
    }

    /// Copies the numbers into parameters.
    pub fn read(&self, whole: &Value, parameters: &mut Parameters) -> Result<(), EngineError> {
        self.layout.read(whole, |place, data| {
            if let Some(tensor) = parameters.get_mut(&place.name) {
                tensor.data = data;
            }
        })
    }
}

/// What the optimiser remembers of the weights, in their layout.
pub fn memory(
    layout: &Layout,
    state: &TrainingState,
    device: Device,
) -> Result<[Option<Value>; 3], EngineError> {
    let part = |part: usize| {
        let of = |place: &Place| {
            let memory = state.optimizer.memory(&place.name);
            memory.map_or(&[][..], |memory| memory[part].as_slice())
        };
        if layout.places.iter().all(|place| of(place).is_empty()) {
            return Ok(None);
        }
        let numbers = |place: &Place| {
            let numbers = of(place);
            let fits = numbers.len() as i64 == place.count;
            fits.then_some(numbers)
                .ok_or_else(|| EngineError::Parameter {
                    name: place.name.clone(),
                    expected: place.shape.clone(),
                })
        };
        layout.put(device, numbers).map(Some)
    };
    Ok([part(0)?, part(1)?, part(2)?])
}
