//! Values in other shapes: the batch must stay in front.

use super::Step;
use crate::onnx::read::array::{Size, count};
use crate::onnx::read::error::ReadError;
use crate::onnx::read::rearrange::{axes, permutation, squeezed, unsqueezed};
use crate::onnx::read::tensor::element::{BFLOAT16, DOUBLE, FLOAT, FLOAT16};
use crate::{Concat, Flatten, LayerNormalization, Operator, Reshape, Transpose, Value};

/// `Identity`, and casts between floating types.
pub fn unchanged(step: &mut Step) -> Result<Value, ReadError> {
    let to = step.view.int("to", FLOAT.into());
    if step.view.operator() == "Cast" && ![FLOAT, FLOAT16, BFLOAT16, DOUBLE].contains(&(to as i32))
    {
        return Err(step.view.form(format!(
            "casts values to the ONNX type {to}, which is not read"
        )));
    }
    step.value(0)
}

/// All that gives the same numbers in another shape.
pub fn reshape(step: &mut Step) -> Result<Value, ReadError> {
    let view = step.view;
    let value = step.value(0)?;
    let own = step.shape(value);
    let whole = [&[1], own.as_slice()].concat();
    let batch_gone = || view.form("leaves no batch in front");
    let target = match view.operator() {
        "Squeeze" => {
            let mut axes = axes(&view, step.optional(1)?.as_ref())?;
            if axes.is_none() {
                let ones = (1..whole.len()).filter(|&axis| whole[axis] == 1);
                axes = Some(ones.map(|axis| axis as i64).collect());
            }
            for &axis in axes.iter().flatten() {
                step.axis(axis, value)?;
            }
            squeezed(&view, &whole, axes.as_deref())?.split_off(1)
        }
        "Unsqueeze" => {
            let axes = axes(&view, step.optional(1)?.as_ref())?;
            let rank = whole.len() + axes.as_ref().map_or(0, Vec::len);
            for &axis in axes.iter().flatten() {
                if view.axis(axis, rank)? == 0 {
                    return Err(batch_gone());
                }
            }
            unsqueezed(&view, &whole, axes.as_deref())?.split_off(1)
        }
        "Flatten" => match view.int("axis", 1) {
            1 => vec![count(&own).ok_or_else(batch_gone)?],
            axis if axis == -(own.len() as i64) => vec![count(&own).ok_or_else(batch_gone)?],
            axis if own.len() == 1 && axis == 2 => return Err(batch_gone()),
            axis => return Err(view.form(format!("flattens from axis {axis} on; 1 is read"))),
        },
        "Expand" => {
            let shape = step.array(1)?;
            let sizes = shape.as_sizes().unwrap_or_default();
            let own = step.lowering.sizes(value);
            let kept = sizes.len() <= own.len()
                && sizes
                    .iter()
                    .rev()
                    .zip(own.iter().rev())
                    .all(|(size, own)| size == own || *size == Size::of(1));
            if kept {
                return Ok(value);
            }
            return Err(view.form("repeats values along an axis, which is not read"));
        }
        _ => {
            let shape = step.array(1)?;
            let sizes = shape
                .as_sizes()
                .ok_or_else(|| view.form("its shape holds no whole numbers"))?;
            target(step, value, sizes)?
        }
    };
    if target == own {
        return Ok(value);
    }
    match target.len() {
        0 => Err(view.form("leaves no dimension but the batch")),
        1 => step.plain(Flatten, &[value]),
        _ => step.plain(Reshape { shape: target }, &[value]),
    }
}

/// What `Reshape` makes of a value, without the batch.
fn target(step: &Step, value: Value, to: &[Size]) -> Result<Vec<usize>, ReadError> {
    let own = step.lowering.sizes(value);
    let shown: Vec<String> = to
        .iter()
        .map(|size| match size.known() {
            Some(length) => length.to_string(),
            None => format!("{} + {} x batch", size.fixed, size.batches),
        })
        .collect();
    let shape = step.shape(value);
    let misfit = || {
        step.view.form(format!(
            "makes [{}] of batches of {shape:?}; the batch must stay in front by itself",
            shown.join(", ")
        ))
    };
    let keep = !step.view.flag("allowzero", false);
    let mut lengths = Vec::new();
    for (axis, &size) in to.iter().enumerate() {
        lengths.push(match size.known() {
            Some(-1) => None,
            Some(0) if keep => Some(*own.get(axis).ok_or_else(misfit)?),
            _ => Some(size),
        });
    }
    let (first, rest) = lengths.split_first().ok_or_else(misfit)?;
    let whole = count(&shape).ok_or_else(misfit)?;
    let mut target = Vec::new();
    let mut open = None;
    for (axis, length) in rest.iter().enumerate() {
        match length.map(|length| {
            length
                .known()
                .and_then(|length| usize::try_from(length).ok())
        }) {
            Some(Some(length)) => target.push(length),
            Some(None) => return Err(misfit()),
            None => {
                open = Some(axis);
                target.push(1);
            }
        }
    }
    let known = count(&target)
        .filter(|&known| known > 0)
        .ok_or_else(misfit)?;
    match (*first, open) {
        // What is left is the batch where the rest makes one image.
        (None, None) | (Some(Size::BATCH), _) => {}
        (Some(first), _) if first == Size::of(1) && step.lowering.batch_of_one => {}
        _ => return Err(misfit()),
    }
    if let Some(length) = open.and_then(|axis| target.get_mut(axis)) {
        *length = whole / known;
    }
    if count(&target) == Some(whole) {
        Ok(target)
    } else {
        Err(misfit())
    }
}

pub fn transpose(step: &mut Step) -> Result<Value, ReadError> {
    let value = step.value(0)?;
    let shape = step.shape(value);
    let perm = permutation(&step.view, shape.len() + 1)?;
    if perm.first() != Some(&0) {
        return Err(step.view.form("moves the batch from the front"));
    }
    if perm.is_sorted() {
        return Ok(value);
    }
    if value == Value::INPUT
        && perm == TO_CHANNELS_FIRST
        && step.lowering.only_reader(&step.view, 0)
    {
        let &[height, width, channels] = shape.as_slice() else {
            return Err(step.view.form("does not fit its value"));
        };
        step.lowering.input = vec![channels, height, width];
        step.lowering.note("the file takes images channels last; the network read from it takes them channels first");
        return Ok(value);
    }
    if let Some(value) = undone(step, value, &perm) {
        return Ok(value);
    }
    step.plain(Transpose { perm }, &[value])
}

const TO_CHANNELS_FIRST: [usize; 4] = [0, 3, 1, 2];
const TO_CHANNELS_LAST: [usize; 4] = [0, 2, 3, 1];

/// The value that two transpositions leave as it was, or that a normalisation between them gives along channels.
fn undone(step: &mut Step, value: Value, perm: &[usize]) -> Option<Value> {
    let nodes = &step.lowering.nodes;
    let turn = |value: Value| {
        let node = nodes.get(value.node()?)?;
        match &node.operator {
            Operator::Transpose(Transpose { perm }) => {
                Some((perm.clone(), node.inputs.first().copied()?))
            }
            _ => None,
        }
    };
    if let Some((before, source)) = turn(value) {
        let whole = perm.iter().map(|&axis| before.get(axis).copied());
        return whole.eq((0..perm.len()).map(Some)).then_some(source);
    }
    let node = nodes.get(value.node()?)?;
    let Operator::LayerNormalization(norm) = &node.operator else {
        return None;
    };
    let (before, source) = turn(node.inputs.first().copied()?)?;
    if before != TO_CHANNELS_LAST
        || perm != TO_CHANNELS_FIRST
        || !step.lowering.only_reader(&step.view, 0)
    {
        return None;
    }
    let mut node = node.clone();
    node.operator = LayerNormalization { axis: 1, ..*norm }.into();
    node.inputs = vec![source];
    node.shape = step.shape(source);
    step.lowering.nodes.push(node);
    Some(Value::of_node(step.lowering.nodes.len() - 1))
}

pub fn concat(step: &mut Step) -> Result<Value, ReadError> {
    let values: Result<Vec<Value>, _> = (0..step.inputs.len())
        .map(|index| step.value(index))
        .collect();
    let values = values?;
    let first = *values
        .first()
        .ok_or_else(|| step.view.form("has no inputs"))?;
    let axis = step.axis(step.view.int("axis", 1), first)?;
    if values.len() == 1 {
        return Ok(first);
    }
    step.plain(Concat { axis }, &values)
}
