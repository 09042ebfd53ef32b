//! Parts of values, and values with something around them.

use super::Step;
use crate::onnx::read::array::Array;
use crate::onnx::read::error::ReadError;
use crate::onnx::read::rearrange::{Cut, cuts};
use crate::onnx::read::view::View;
use crate::{Flatten, Pad, PadMode, Reshape, Slice, Value};

pub fn slice(step: &mut Step) -> Result<Value, ReadError> {
    let value = step.value(0)?;
    let shape = step.shape(value);
    let lengths: Vec<Option<usize>> = std::iter::once(None)
        .chain(shape.iter().map(|&length| Some(length)))
        .collect();
    let lists: Vec<Option<Array>> = (1..5)
        .map(|index| step.optional(index))
        .collect::<Result<_, _>>()?;
    let lists: Vec<Option<&Array>> = std::iter::once(None)
        .chain(lists.iter().map(Option::as_ref))
        .collect();
    let mut cuts = cuts(&step.view, &lengths, &lists)?;
    cuts.retain(|cut| lengths.get(cut.axis) != Some(&Some(cut.length)) || cut.step != 1);
    if cuts.is_empty() {
        return Ok(value);
    }
    cut(step, value, &cuts)
}

fn cut(step: &mut Step, value: Value, cuts: &[Cut]) -> Result<Value, ReadError> {
    if cuts.iter().any(|cut| cut.step < 1) {
        return Err(step.view.form("steps backwards, which is not read"));
    }
    let slice = Slice {
        starts: cuts.iter().map(|cut| cut.start).collect(),
        ends: cuts.iter().map(|cut| cut.end).collect(),
        axes: cuts.iter().map(|cut| cut.axis).collect(),
        steps: cuts.iter().map(|cut| cut.step as usize).collect(),
    };
    step.plain(slice, &[value])
}

/// The values of `count` neighbours along an axis.
fn run(
    step: &mut Step,
    value: Value,
    axis: usize,
    start: usize,
    length: usize,
) -> Result<Value, ReadError> {
    let (start, end) = (start as i64, (start + length) as i64);
    cut(
        step,
        value,
        &[Cut {
            axis,
            start,
            end,
            step: 1,
            length,
        }],
    )
}

/// `Gather` of one known place or of neighbours: a slice.
pub fn gather(step: &mut Step) -> Result<Value, ReadError> {
    let (value, indices) = (step.value(0)?, step.array(1)?);
    let axis = step.axis(step.view.int("axis", 0), value)?;
    let shape = step.shape(value);
    let length = shape.get(axis - 1).copied().unwrap_or(0);
    let places: Option<Vec<usize>> = indices
        .integers()
        .unwrap_or_default()
        .into_iter()
        .map(|place| {
            let place = if place < 0 {
                place.saturating_add(length as i64)
            } else {
                place
            };
            usize::try_from(place).ok().filter(|&place| place < length)
        })
        .collect();
    let places = places.filter(|places| !places.is_empty());
    let places =
        places.ok_or_else(|| step.view.form("takes places that its axis does not have"))?;
    let first = *places.first().unwrap_or(&0);
    if indices.shape.len() > 1 || !places.iter().copied().eq(first..first + places.len()) {
        return Err(step
            .view
            .form("only single places and neighbours are taken"));
    }
    let part = if places.len() == length {
        value
    } else {
        run(step, value, axis, first, places.len())?
    };
    if !indices.shape.is_empty() {
        return Ok(part);
    }
    let mut rest = shape;
    rest.remove(axis - 1);
    match rest.len() {
        0 => Err(step.view.form("leaves no dimension but the batch")),
        1 => step.plain(Flatten, &[part]),
        _ => step.plain(Reshape { shape: rest }, &[part]),
    }
}

pub fn split(step: &mut Step) -> Result<Vec<Value>, ReadError> {
    let value = step.value(0)?;
    let view = step.view;
    let axis = step.axis(view.int("axis", 0), value)?;
    let length = step.shape(value).get(axis - 1).copied().unwrap_or(0);
    let parts = match step.optional(1)? {
        Some(parts) => parts.integers(),
        None => view.ints("split"),
    };
    let parts: Option<Vec<usize>> = if let Some(parts) = parts {
        let parts = parts.into_iter();
        parts.map(|part| usize::try_from(part).ok()).collect()
    } else {
        // The last of equal parts may be smaller.
        let count = view.node.output.len().max(1);
        let each = length.div_ceil(count);
        let part = |part: usize| each.min(length.saturating_sub(part * each));
        Some((0..count).map(part).collect())
    };
    let parts = parts.unwrap_or_default();
    if parts
        .iter()
        .try_fold(0_usize, |sum, &part| sum.checked_add(part))
        != Some(length)
        || parts.contains(&0)
    {
        return Err(view.form(format!("cannot make the parts {parts:?} of {length}")));
    }
    let mut start = 0;
    let mut values = Vec::new();
    for part in parts {
        values.push(run(step, value, axis, start, part)?);
        start += part;
    }
    Ok(values)
}

/// The pads, front before back, of every dimension but the batch.
fn pads(step: &Step, view: &View, rank: usize) -> Result<Vec<i64>, ReadError> {
    let given = match step.optional(1)? {
        Some(pads) => pads.integers(),
        None => view.ints("pads"),
    };
    let given = given.ok_or_else(|| view.form("lacks its pads"))?;
    let axes = match step.optional(3)? {
        Some(axes) => axes
            .integers()
            .ok_or_else(|| view.form("its axes must be known"))?,
        None => (0..=rank as i64).collect(),
    };
    if given.len() != 2 * axes.len() {
        return Err(view.form("has not as many pads as axes"));
    }
    let (front, back) = given.split_at(axes.len());
    let mut pads = vec![0; 2 * (rank + 1)];
    for ((axis, front), back) in axes.into_iter().zip(front).zip(back) {
        let axis = view.axis(axis, rank + 1)?;
        pads[axis] = *front;
        pads[axis + rank + 1] = *back;
    }
    if pads.iter().any(|pad| pad.abs() > 1 << 20) {
        return Err(view.form("has pads that no image has"));
    }
    if pads[0] != 0 || pads[rank + 1] != 0 {
        return Err(view.form("pads the batch"));
    }
    Ok(pads)
}

pub fn pad(step: &mut Step) -> Result<Value, ReadError> {
    let value = step.value(0)?;
    let view = step.view;
    let rank = step.shape(value).len();
    let pads = pads(step, &view, rank)?;
    if pads.iter().all(|&pad| pad == 0) {
        return Ok(value);
    }
    let number = step.number(2, "value")?.unwrap_or(0.0);
    let mode = match view.word("mode").unwrap_or("constant") {
        "constant" if number.is_finite() => PadMode::Constant(number),
        "reflect" => PadMode::Reflect,
        other => return Err(view.form(format!("the mode `{other}` with {number} is not read"))),
    };
    let &[0, 0, top, left, 0, 0, bottom, right] = pads.as_slice() else {
        return Err(view.form("pads what is not rows and columns of images"));
    };
    let pads = [top, left, bottom, right].map(usize::try_from);
    let [Ok(top), Ok(left), Ok(bottom), Ok(right)] = pads else {
        return Err(view.form("has negative pads; slice instead"));
    };
    let pads = [top, left, bottom, right];
    step.plain(Pad { mode, pads }, &[value])
}
