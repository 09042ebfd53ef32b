//! Batches on their way to a card.

use rayon::prelude::*;
use tch::{Device, Kind, Tensor as Value};

use super::values::{self, signed};
use crate::{EngineError, Tensor};

/// Memory that a card reads by itself; it is used again while the shape stays.
#[derive(Default)]
pub struct Staging {
    pinned: Option<Value>,
}

impl Staging {
    /// A buffer on `device`; four axes lie channels-last in memory.
    ///
    /// The card may still read when this returns: what was put before must have been used.
    pub fn put(&mut self, tensor: &Tensor, device: Device) -> Result<Value, EngineError> {
        if !device.is_cuda() {
            return values::put(tensor, device);
        }
        let shape = signed(&tensor.shape);
        let fits = |pinned: &Value| pinned.size() == shape;
        let pinned = match self.pinned.take().filter(fits) {
            Some(pinned) => pinned,
            None => Value::f_empty(shape.as_slice(), (Kind::Float, Device::Cpu))?
                .f_pin_memory(device)?,
        };
        let pinned = self.pinned.insert(pinned);
        let samples = tensor.shape.first().copied().unwrap_or(1).max(1);
        let rows = pinned.f_view([samples as i64, -1])?;
        let rows: Result<Vec<Value>, _> = (0..samples as i64).map(|at| rows.f_get(at)).collect();
        let numbers = tensor.data.par_chunks((tensor.data.len() / samples).max(1));
        let copied = |(mut row, numbers): (Value, &[f32])| -> Result<(), EngineError> {
            Ok(row.f_copy_(&Value::f_from_slice(numbers)?)?)
        };
        rows?.into_par_iter().zip(numbers).try_for_each(copied)?;
        let value = pinned.f_to_device_(device, Kind::Float, true, false)?;
        values::channels_last(&value)
    }
}
