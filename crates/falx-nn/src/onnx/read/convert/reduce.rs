//! Means, sums, maxima and shares along axes.

use super::Step;
use crate::onnx::read::error::ReadError;
use crate::onnx::read::rearrange;
use crate::{
    Flatten, GlobalAveragePool, LogSoftmax, ReduceMax, ReduceMean, ReduceSum, Softmax, Value,
};

pub fn reduce(step: &mut Step) -> Result<Value, ReadError> {
    let value = step.value(0)?;
    let shape = step.shape(value);
    let given =
        rearrange::axes(&step.view, step.optional(1)?.as_ref())?.filter(|axes| !axes.is_empty());
    let Some(given) = given else {
        if step.view.flag("noop_with_empty_axes", false) {
            return Ok(value);
        }
        return Err(step.view.form("takes all numbers of the batch together"));
    };
    let axes: Result<Vec<usize>, _> = given
        .into_iter()
        .map(|axis| step.axis(axis, value))
        .collect();
    let mut axes = axes?;
    axes.sort_unstable();
    axes.dedup();
    let keepdims = step.view.flag("keepdims", true);
    let whole_image = shape.len() == 3 && axes == [2, 3];
    match step.view.operator() {
        // What exporters make of an adaptive pool of size 1.
        "ReduceMean" if whole_image => {
            let mean = step.plain(GlobalAveragePool, &[value])?;
            if keepdims {
                Ok(mean)
            } else {
                step.plain(Flatten, &[mean])
            }
        }
        "ReduceMean" => step.plain(ReduceMean { axes, keepdims }, &[value]),
        "ReduceSum" => step.plain(ReduceSum { axes, keepdims }, &[value]),
        _ => step.plain(ReduceMax { axes, keepdims }, &[value]),
    }
}

pub fn softmax(step: &mut Step) -> Result<Value, ReadError> {
    let value = step.value(0)?;
    let (old, rank) = (step.view.opset < 13, step.shape(value).len());
    let axis = step.axis(step.view.int("axis", if old { 1 } else { -1 }), value)?;
    // Before opset 13 all dimensions from the axis on were taken as one.
    if old
        && step
            .shape(value)
            .iter()
            .skip(axis)
            .any(|&length| length != 1)
    {
        return Err(step.view.form(format!(
            "opset {} takes {rank} dimensions from axis {axis} on as one; export for opset 13",
            step.view.opset
        )));
    }
    match step.view.operator() {
        "Softmax" => step.plain(Softmax { axis }, &[value]),
        _ => step.plain(LogSoftmax { axis }, &[value]),
    }
}
