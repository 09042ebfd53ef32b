//! Plain buffers as values on Burn's tape, and back.

use burn_autodiff::Autodiff;
use burn_backend::backend::AutodiffBackend;
use burn_backend::ops::{FloatTensorOps, TransactionPrimitive};
use burn_backend::tensor::{BoolTensor, Device, FloatTensor};
use burn_backend::{
    Backend, BoolDType, Scalar, Shape, TensorData, TensorMetadata, get_or_init_device_settings,
    read_sync,
};

use crate::{EngineError, Tensor};

/// A value on the tape.
pub type Tracked<B> = FloatTensor<Autodiff<B>>;

/// Numbers in row-major order, on `device`.
pub fn put<B: Backend>(shape: &[usize], data: Vec<f32>, device: &Device<B>) -> Tracked<B> {
    let data = TensorData::new(data, Shape::from(shape.to_vec()));
    Autodiff::<B>::from_inner(B::float_from_data(data, device))
}

/// The numbers of many values with their shapes, in one go: each wait for a card costs time.
pub fn read<B: Backend>(values: Vec<FloatTensor<B>>) -> Result<Vec<Tensor>, EngineError> {
    let failed = |error: &dyn std::fmt::Display| EngineError::Library(error.to_string());
    let all = TransactionPrimitive::<B>::new(values, Vec::new(), Vec::new(), Vec::new());
    let all = read_sync(B::tr_execute(all)).map_err(|error| failed(&error))?;
    let tensor = |data: TensorData| {
        Ok(Tensor {
            shape: data.shape().to_vec(),
            data: data.try_into_vec().map_err(|error| failed(&error))?,
        })
    };
    all.read_floats.into_iter().map(tensor).collect()
}

/// The numbers of one value.
pub fn read_one<B: Backend>(value: &Tracked<B>) -> Result<Tensor, EngineError> {
    let value = Autodiff::<B>::inner(value.clone());
    let mut tensors = read::<B>(vec![value])?;
    let nothing = || EngineError::Library("it gave back nothing".to_owned());
    tensors.pop().ok_or_else(nothing)
}

/// The lengths of a value's axes, the batch first.
pub fn shape<B: Backend>(value: &Tracked<B>) -> Vec<usize> {
    value.shape().to_vec()
}

/// The same numbers in another shape.
pub fn reshaped<B: Backend>(value: Tracked<B>, shape: &[usize]) -> Tracked<B> {
    Autodiff::<B>::float_reshape(value, Shape::from(shape.to_vec()))
}

/// A value with axes of length 1 before its own.
pub fn of_rank<B: Backend>(value: Tracked<B>, rank: usize) -> Tracked<B> {
    let own = shape::<B>(&value);
    let mut wide = vec![1; rank.saturating_sub(own.len())];
    wide.extend(own);
    reshaped::<B>(value, &wide)
}

/// The channels of images last.
pub fn channels_last<B: Backend>(value: Tracked<B>) -> Tracked<B> {
    Autodiff::<B>::float_permute(value, &[0, 2, 3, 1])
}

/// The last axis of images first, after the batch.
pub fn channels_first<B: Backend>(value: Tracked<B>) -> Tracked<B> {
    Autodiff::<B>::float_permute(value, &[0, 3, 1, 2])
}

/// Whether something that led to `value` wants a gradient.
pub fn is_tracked<B: Backend>(value: &Tracked<B>) -> bool {
    Autodiff::<B>::float_is_require_grad(value) || value.is_tracked()
}

/// `value`, where `chosen` does not say that it is `number`: there it has no gradient.
pub fn filled<B: Backend>(value: Tracked<B>, chosen: BoolTensor<B>, number: f32) -> Tracked<B> {
    Autodiff::<B>::float_mask_fill(value, chosen, number.into())
}

/// A number as Burn takes it.
pub fn scalar(number: f32) -> Scalar {
    Scalar::Float(number.into())
}

/// How truth is stored where `value` lies.
pub fn truth<B: Backend>(value: &Tracked<B>) -> BoolDType {
    get_or_init_device_settings::<B>(&value.device()).bool_dtype
}
