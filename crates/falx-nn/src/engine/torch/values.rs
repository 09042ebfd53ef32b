//! Plain buffers as libtorch's tensors, and back.

use tch::{Device, Kind, Tensor as Value};

use crate::{EngineError, Tensor};

/// A shape as libtorch counts.
pub fn signed(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|&length| length as i64).collect()
}

/// A buffer on `device`, in row-major order.
pub fn flat(tensor: &Tensor, device: Device) -> Result<Value, EngineError> {
    let value = Value::f_from_slice(&tensor.data)?;
    let value = value.f_reshape(signed(&tensor.shape))?;
    Ok(value.f_to_device(device)?)
}

/// A buffer on `device`; four axes lie channels-last in memory.
pub fn put(tensor: &Tensor, device: Device) -> Result<Value, EngineError> {
    channels_last(&flat(tensor, device)?)
}

/// A value of which four axes lie channels-last in memory.
pub fn channels_last(value: &Value) -> Result<Value, EngineError> {
    if value.dim() != 4 {
        return Ok(value.shallow_clone());
    }
    let last = value.f_permute([0, 2, 3, 1])?.f_contiguous()?;
    Ok(last.f_permute([0, 3, 1, 2])?)
}

/// The numbers of a value in row-major order.
pub fn numbers(value: &Value) -> Result<Vec<f32>, EngineError> {
    let value = value.f_detach()?.f_to_device(Device::Cpu)?;
    let value = value.f_to_kind(Kind::Float)?.f_contiguous()?;
    let mut data = vec![0.0_f32; value.numel()];
    let count = data.len();
    value.f_copy_data(&mut data, count)?;
    Ok(data)
}

/// The numbers of a value with their shape.
pub fn read(value: &Value) -> Result<Tensor, EngineError> {
    let shape = value.size().into_iter().map(|length| length as usize);
    Ok(Tensor {
        shape: shape.collect(),
        data: numbers(value)?,
    })
}
