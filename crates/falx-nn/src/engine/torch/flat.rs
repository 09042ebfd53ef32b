//! Numbers of many parameters one after the other in one buffer, so that one operation moves them all.

use tch::{Device, Kind, Tensor as Value};

use super::values::{self, signed};
use crate::EngineError;

/// Buffers begin at multiples of so many numbers: kernels read 16 bytes at once.
const ALIGNED: i64 = 8;

/// Where a parameter lies.
pub struct Place {
    pub name: String,
    pub shape: Vec<usize>,
    pub start: i64,
    pub count: i64,
}

/// Where each of many parameters lies in a buffer; weights of four axes lie channels-last.
pub struct Layout {
    pub places: Vec<Place>,
}

/// The numbers of a value in the order in which they lie in a buffer.
pub fn in_order(value: &Value) -> Result<Value, EngineError> {
    Ok(if value.dim() == 4 {
        value.f_permute([0, 2, 3, 1])?.f_reshape(-1)?
    } else {
        value.f_reshape(-1)?
    })
}

impl Place {
    /// The number after the last, the gap before the next parameter included.
    pub fn end(&self) -> i64 {
        self.start + (self.count as u64).next_multiple_of(ALIGNED as u64) as i64
    }

    /// This parameter in a buffer.
    pub fn view(&self, whole: &Value) -> Result<Value, EngineError> {
        let numbers = whole.f_narrow(0, self.start, self.count)?;
        let shape = signed(&self.shape);
        Ok(match *shape {
            [outputs, inputs, rows, columns] => numbers
                .f_view([outputs, rows, columns, inputs])?
                .f_permute([0, 3, 1, 2])?,
            _ => numbers.f_view(shape.as_slice())?,
        })
    }
}

impl Layout {
    /// Parameters in this order.
    pub fn new<'a>(parameters: impl Iterator<Item = (&'a str, &'a [usize])>) -> Self {
        let mut places: Vec<Place> = Vec::new();
        for (name, shape) in parameters {
            places.push(Place {
                name: name.to_owned(),
                shape: shape.to_vec(),
                start: places.last().map_or(0, Place::end),
                count: shape.iter().product::<usize>() as i64,
            });
        }
        Self { places }
    }

    /// A buffer on `device` with what `numbers` gives for each place, in row-major order.
    pub fn put<'a>(
        &self,
        device: Device,
        numbers: impl Fn(&Place) -> Result<&'a [f32], EngineError>,
    ) -> Result<Value, EngineError> {
        let mut parts = Vec::new();
        for place in &self.places {
            let value = Value::f_from_slice(numbers(place)?)?;
            parts.push((place, in_order(&value.f_reshape(signed(&place.shape))?)?));
        }
        Ok(Self::joined(&parts, Device::Cpu)?.f_to_device(device)?)
    }

    /// The ordered numbers of neighbouring places as one value, gaps included.
    pub fn joined(parts: &[(&Place, Value)], device: Device) -> Result<Value, EngineError> {
        let gap = Value::f_zeros([ALIGNED], (Kind::Float, device))?;
        let mut pieces = Vec::new();
        for (place, value) in parts {
            pieces.push(value.shallow_clone());
            let missing = place.end() - place.start - place.count;
            if missing > 0 {
                pieces.push(gap.f_narrow(0, 0, missing)?);
            }
        }
        if pieces.is_empty() {
            return Ok(Value::f_zeros([0], (Kind::Float, device))?);
        }
        Ok(Value::f_cat(&pieces, 0)?)
    }

    /// Gives `take` the numbers of each place in row-major order.
    pub fn read(
        &self,
        whole: &Value,
        mut take: impl FnMut(&Place, Vec<f32>),
    ) -> Result<(), EngineError> {
        let whole = whole.f_detach()?.f_to_device(Device::Cpu)?;
        for place in &self.places {
            take(place, values::numbers(&place.view(&whole)?)?);
        }
        Ok(())
    }
}
