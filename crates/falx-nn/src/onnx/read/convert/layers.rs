//! Layers with weights that are no convolutions.

use super::Step;
use crate::onnx::read::array::{Array, Data, broadcast, spread};
use crate::onnx::read::error::ReadError;
use crate::onnx::read::evaluate::{stepped, strides};
use crate::{BatchNormalization, Dropout, Gemm, LayerNormalization, MatMul, Value};

/// A matrix with rows and columns exchanged; it stays the initialiser that it was.
fn transposed(step: &Step, matrix: &Array) -> Result<Array, ReadError> {
    let turned = match (matrix.shape.as_slice(), strides(matrix).as_slice()) {
        (&[rows, columns], &[down, across]) => {
            stepped(matrix, &[columns, rows], &[across, down], 0)
        }
        _ => None,
    };
    let turned = turned.ok_or_else(|| step.view.form("has a weight that is no matrix"))?;
    let origin = matrix.origin.clone();
    Ok(Array { origin, ..turned })
}

fn scaled(array: Array, factor: f32) -> Array {
    match array.data {
        Data::Floats(data) if factor != 1.0 => Array {
            data: Data::Floats(data.into_iter().map(|x| x * factor).collect()),
            ..array
        },
        data => Array { data, ..array },
    }
}

pub fn gemm(step: &mut Step) -> Result<Value, ReadError> {
    let view = step.view;
    let (features, weight) = (step.value(0)?, step.taken(1)?);
    if view.flag("transA", false) {
        return Err(view.form("transposes its input, so that the batch is not in front"));
    }
    let weight = if view.flag("transB", false) {
        weight
    } else {
        transposed(step, &weight)?
    };
    let outputs = weight.shape.first().copied().unwrap_or(0);
    let bias = step.optional(2)?;
    let bias = bias.map(|bias| row(step, &bias, outputs)).transpose()?;
    let factor = |name: &str| view.float(name).unwrap_or(1.0);
    let bias = bias
        .filter(|_| factor("beta") != 0.0)
        .map(|bias| scaled(bias, factor("beta")));
    let gemm = Gemm {
        features: outputs,
        bias: bias.is_some(),
    };
    let arrays = std::iter::once(scaled(weight, factor("alpha"))).chain(bias);
    step.add(gemm, &[features], arrays.collect())
}

/// A bias as one number for each of `features`.
fn row(step: &Step, bias: &Array, features: usize) -> Result<Array, ReadError> {
    let misfit = || {
        let shape = &bias.shape;
        step.view.form(format!(
            "has a bias of the shape {shape:?} for {features} features"
        ))
    };
    if bias.shape == [features] {
        return Ok(bias.clone());
    }
    let shape = [1, features];
    if broadcast(&bias.shape, &shape).as_deref() != Some(&shape) || bias.batched {
        return Err(misfit());
    }
    let row = spread(&bias.shape, &shape).and_then(|places| bias.picked(vec![features], &places));
    let origin = bias.origin.clone();
    Ok(Array {
        origin,
        ..row.ok_or_else(misfit)?
    })
}

pub fn mat_mul(step: &mut Step) -> Result<Value, ReadError> {
    let left = step.value(0)?;
    if let Ok(right) = step.value(1) {
        if step.shape(left).len() != step.shape(right).len() || step.shape(left).len() < 2 {
            return Err(step
                .view
                .form("multiplies values of different numbers of dimensions"));
        }
        return step.plain(MatMul { constant: None }, &[left, right]);
    }
    let weight = step.array(1)?;
    if let ([_], [_, features]) = (step.shape(left).as_slice(), weight.shape.as_slice()) {
        let gemm = Gemm {
            features: *features,
            bias: false,
        };
        let weight = transposed(step, &weight)?;
        return step.add(gemm, &[left], vec![weight]);
    }
    let (constant, weight) = super::elementwise::constant(step, left, weight)?;
    step.add(
        MatMul {
            constant: Some(constant),
        },
        &[left],
        vec![weight],
    )
}

pub fn batch_normalization(step: &mut Step) -> Result<Value, ReadError> {
    let view = step.view;
    let values = step.value(0)?;
    if !view.flag("spatial", true) {
        return Err(view.form("normalises every place by itself (`spatial` 0), which is not read"));
    }
    let parts = (1..5)
        .map(|index| step.array(index))
        .collect::<Result<Vec<_>, _>>()?;
    let norm = BatchNormalization {
        epsilon: view.float("epsilon").unwrap_or(1e-5),
        momentum: own_share(view.float("momentum").unwrap_or(0.9)),
    };
    step.add(norm, &[values], parts)
}

/// What ONNX's share of the old statistics leaves the new ones, to the six digits that were written.
fn own_share(old: f32) -> f32 {
    ((1.0 - f64::from(old)) * 1e6).round() as f32 / 1e6
}

pub fn layer_normalization(step: &mut Step) -> Result<Value, ReadError> {
    let values = step.value(0)?;
    let axis = step.axis(step.view.int("axis", -1), values)?;
    let shape = step.shape(values);
    if axis != shape.len() {
        return Err(step
            .view
            .form("only normalisation over the last axis is read"));
    }
    let length = shape.last().copied().unwrap_or(0);
    let (scale, bias) = (step.array(1)?, step.optional(2)?);
    if scale.shape != [length] {
        return Err(step.view.form(format!(
            "has a scale of the shape {:?} for {length} features",
            scale.shape
        )));
    }
    let zeros = || Array::new(vec![length], Data::Floats(vec![0.0; length]));
    let bias = bias
        .or_else(zeros)
        .ok_or_else(|| step.view.form("is too large"))?;
    let epsilon = step.view.float("epsilon").unwrap_or(1e-5);
    step.add(
        LayerNormalization { axis, epsilon },
        &[values],
        vec![scale, bias],
    )
}

pub fn dropout(step: &mut Step) -> Result<Value, ReadError> {
    let values = step.value(0)?;
    let ratio = step.number(1, "ratio")?.unwrap_or(0.5);
    if ratio == 0.0 {
        return Ok(values);
    }
    step.plain(Dropout { ratio }, &[values])
}
