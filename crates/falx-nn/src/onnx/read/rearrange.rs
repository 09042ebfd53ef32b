//! Known values taken apart, put together and turned.

use super::array::{Array, Data, Size, count};
use super::error::ReadError;
use super::evaluate::{Budget, stepped, strides};
use super::view::View;

/// What an operator that moves numbers gives from known inputs; `None` for other operators.
pub fn evaluate(
    view: &View,
    inputs: &[Option<&Array>],
    budget: &mut Budget,
) -> Result<Option<Array>, ReadError> {
    let given = |index: usize| inputs.get(index).copied().flatten();
    let first = || given(0).ok_or_else(|| view.form("lacks its first input"));
    Ok(Some(match view.operator() {
        "Gather" => gather(view, first()?, given(1), budget)?,
        "Unsqueeze" => {
            let shape = unsqueezed(view, &first()?.shape, axes(view, given(1))?.as_deref())?;
            reshaped(view, first()?, shape)?
        }
        "Squeeze" => {
            let shape = squeezed(view, &first()?.shape, axes(view, given(1))?.as_deref())?;
            reshaped(view, first()?, shape)?
        }
        "Concat" => concat(view, inputs)?,
        "Reshape" => {
            let shape = given(1).and_then(Array::integers);
            let shape = shape.ok_or_else(|| view.form("a constant's new shape must be known"))?;
            let shape = target(view, &first()?.shape, &shape)?;
            reshaped(view, first()?, shape)?
        }
        "Flatten" => {
            let from = &first()?.shape;
            let axis = view.int("axis", 1);
            let axis = if axis == from.len() as i64 {
                from.len()
            } else {
                view.axis(axis, from.len())?
            };
            let (front, back) = from.split_at(axis);
            let shape = [count(front), count(back)];
            match shape {
                [Some(front), Some(back)] => reshaped(view, first()?, vec![front, back])?,
                _ => return Err(view.form("is too large")),
            }
        }
        "Transpose" => {
            let array = first()?;
            let perm = permutation(view, array.shape.len())?;
            let by = strides(array);
            let pick = |from: &[usize]| perm.iter().map(|&axis| from[axis]).collect::<Vec<_>>();
            let by: Vec<isize> = perm.iter().map(|&axis| by[axis]).collect();
            let turned = stepped(array, &pick(&array.shape), &by, 0);
            Array {
                batched: array.batched && perm.first() == Some(&0),
                ..turned.ok_or_else(|| view.form("cannot be turned"))?
            }
        }
        "Slice" => slice(view, inputs)?,
        "ReduceProd" => {
            let (numbers, rank) = (
                first()?.as_sizes().unwrap_or_default(),
                first()?.shape.len(),
            );
            let product = numbers
                .iter()
                .try_fold(Size::of(1), |product, &size| product.times(size));
            let product = product.filter(|_| !numbers.is_empty() && rank == 1);
            let product = product.ok_or_else(|| view.form("only a shape's product is computed"))?;
            let shape = if view.flag("keepdims", true) {
                vec![1]
            } else {
                Vec::new()
            };
            let array = Array::new(shape, Data::Sizes(vec![product]));
            array.ok_or_else(|| view.form("only a shape's product is computed"))?
        }
        _ => return Ok(None),
    }))
}

fn reshaped(view: &View, array: &Array, shape: Vec<usize>) -> Result<Array, ReadError> {
    if array.batched {
        return Err(view.form("a constant along the batch cannot change its shape"));
    }
    let reshaped = array.reshaped(shape);
    reshaped.ok_or_else(|| view.form("the new shape holds another number of values"))
}

/// The axes of an operator that takes them as its second input, and earlier as an attribute.
pub fn axes(view: &View, input: Option<&Array>) -> Result<Option<Vec<i64>>, ReadError> {
    match input {
        Some(axes) => axes
            .integers()
            .map(Some)
            .ok_or_else(|| view.form("its axes must be known whole numbers")),
        None => Ok(view.ints("axes")),
    }
}

/// `shape` without the lengths of 1 at `axes`, or without all of them.
pub fn squeezed(
    view: &View,
    shape: &[usize],
    axes: Option<&[i64]>,
) -> Result<Vec<usize>, ReadError> {
    let gone: Vec<usize> = match axes {
        None => (0..shape.len()).filter(|&axis| shape[axis] == 1).collect(),
        Some(axes) => {
            let axes = axes.iter().map(|&axis| view.axis(axis, shape.len()));
            axes.collect::<Result<_, _>>()?
        }
    };
    if gone.iter().any(|&axis| shape[axis] != 1) {
        return Err(view.form(format!("{shape:?} is longer than 1 along {gone:?}")));
    }
    let kept = (0..shape.len()).filter(|axis| !gone.contains(axis));
    Ok(kept.map(|axis| shape[axis]).collect())
}

/// `shape` with lengths of 1 at the places `axes` of the result.
pub fn unsqueezed(
    view: &View,
    shape: &[usize],
    axes: Option<&[i64]>,
) -> Result<Vec<usize>, ReadError> {
    let axes = axes.filter(|axes| axes.len() <= 16);
    let axes = axes.ok_or_else(|| view.form("lacks its axes, or has too many"))?;
    let rank = shape.len() + axes.len();
    let new: Result<Vec<usize>, _> = axes.iter().map(|&axis| view.axis(axis, rank)).collect();
    let (new, mut old) = (new?, shape.iter());
    let lengths = (0..rank).map(|axis| {
        if new.contains(&axis) {
            Some(1)
        } else {
            old.next().copied()
        }
    });
    let lengths: Option<Vec<usize>> = lengths.collect();
    lengths.ok_or_else(|| view.form("names an axis twice"))
}

/// The order of dimensions that `Transpose` makes of `rank`.
pub fn permutation(view: &View, rank: usize) -> Result<Vec<usize>, ReadError> {
    let perm = match view.sizes("perm")? {
        Some(perm) => perm,
        None => (0..rank).rev().collect(),
    };
    let mut sorted = perm.clone();
    sorted.sort_unstable();
    if sorted.into_iter().eq(0..rank) {
        Ok(perm)
    } else {
        Err(view.form(format!("{perm:?} is no order of {rank} dimensions")))
    }
}

/// What `Reshape` makes of a known shape: 0 keeps a length, -1 takes what is left.
fn target(view: &View, from: &[usize], to: &[i64]) -> Result<Vec<usize>, ReadError> {
    let misfit = || view.form(format!("{from:?} cannot become {to:?}"));
    let keep = !view.flag("allowzero", false);
    let mut lengths = Vec::new();
    for (axis, &length) in to.iter().enumerate() {
        lengths.push(match length {
            -1 => None,
            0 if keep => Some(*from.get(axis).ok_or_else(misfit)?),
            _ => Some(usize::try_from(length).map_err(|_| misfit())?),
        });
    }
    let known: Vec<usize> = lengths.iter().copied().flatten().collect();
    let (whole, known) = (count(from), count(&known));
    let (Some(whole), Some(known)) = (whole, known) else {
        return Err(misfit());
    };
    let rest = whole.checked_div(known).unwrap_or(0);
    Ok(lengths
        .into_iter()
        .map(|length| length.unwrap_or(rest))
        .collect())
}

fn gather(
    view: &View,
    array: &Array,
    indices: Option<&Array>,
    budget: &mut Budget,
) -> Result<Array, ReadError> {
    let indices = indices.ok_or_else(|| view.form("lacks its indices"))?;
    let picks = indices
        .integers()
        .ok_or_else(|| view.form("its indices must be known whole numbers"))?;
    let axis = view.axis(view.int("axis", 0), array.shape.len())?;
    let (front, rest) = array.shape.split_at(axis);
    let (length, back) = rest.split_first().unwrap_or((&1, &[]));
    let shape = [front, &indices.shape, back].concat();
    let whole = budget.take(view, count(&shape))?;
    // An empty result needs no walk along dimensions that may be long.
    let outer = if whole == 0 {
        0
    } else {
        count(front).unwrap_or(0)
    };
    let (inner, mut places) = (count(back).unwrap_or(0), Vec::new());
    for before in 0..outer {
        for &pick in &picks {
            let place = if pick < 0 {
                pick.saturating_add(*length as i64)
            } else {
                pick
            };
            let place = usize::try_from(place).ok().filter(|place| place < length);
            let place = place.ok_or_else(|| {
                view.form(format!(
                    "takes number {pick} of an axis of the length {length}"
                ))
            })?;
            let first = (before * length + place) * inner;
            places.extend(first..first + inner);
        }
    }
    let picked = array.picked(shape, &places);
    picked.ok_or_else(|| view.form("its indices do not fit"))
}

fn concat(view: &View, inputs: &[Option<&Array>]) -> Result<Array, ReadError> {
    let inputs: Option<Vec<&Array>> = inputs.iter().copied().collect();
    let inputs = inputs.unwrap_or_default();
    let misfit = || view.form("the inputs do not fit each other");
    let first = inputs.first().ok_or_else(misfit)?;
    let axis = view.axis(view.int("axis", 0), first.shape.len())?;
    let mut shape = first.shape.clone();
    shape[axis] = 0;
    for input in &inputs {
        let mut other = input.shape.clone();
        let length = other
            .get_mut(axis)
            .map(|length| std::mem::replace(length, shape[axis]));
        if other != shape || input.batched {
            return Err(misfit());
        }
        shape[axis] = shape[axis]
            .checked_add(length.unwrap_or(0))
            .ok_or_else(misfit)?;
    }
    // As in `gather`.
    let empty = count(&shape).is_none_or(|count| count == 0);
    let outer = if empty {
        0
    } else {
        count(&shape[..axis]).unwrap_or(0)
    };
    let run = |array: &Array| count(&array.shape[axis..]).unwrap_or(0);
    let floats: Option<Vec<_>> = inputs
        .iter()
        .map(|input| match &input.data {
            Data::Floats(data) => Some((&data[..], run(input))),
            _ => None,
        })
        .collect();
    let sizes: Option<Vec<_>> = inputs
        .iter()
        .map(|input| Some((input.as_sizes()?, run(input))))
        .collect();
    let data = match (floats, sizes) {
        (Some(parts), _) => join(&parts, outer).map(Data::Floats),
        (_, Some(parts)) => join(&parts, outer).map(Data::Sizes),
        _ => None,
    };
    data.and_then(|data| Array::new(shape, data))
        .ok_or_else(misfit)
}

/// The parts one after the other, in runs of each that belong together.
fn join<T: Copy>(parts: &[(&[T], usize)], outer: usize) -> Option<Vec<T>> {
    let mut joined = Vec::new();
    for before in 0..outer {
        for (part, run) in parts {
            joined.extend_from_slice(part.get(before * run..(before + 1) * run)?);
        }
    }
    Some(joined)
}

/// Where a slice begins, ends and how it steps along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The axis, batch included.
    pub axis: usize,
    /// The first place.
    pub start: i64,
    /// The place before which it ends; -1 before the first where it steps back.
    pub end: i64,
    /// The step.
    pub step: i64,
    /// How many places there are.
    pub length: usize,
}

/// The cuts of `Slice` on a value of `shape`; an axis that grows with the batch has the length `None`.
pub fn cuts(
    view: &View,
    shape: &[Option<usize>],
    inputs: &[Option<&Array>],
) -> Result<Vec<Cut>, ReadError> {
    let list = |index: usize, name: &str| match inputs.get(index).copied().flatten() {
        Some(array) => array
            .integers()
            .map(Some)
            .ok_or_else(|| view.form(format!("its `{name}` must be known whole numbers"))),
        None => Ok(view.ints(name)),
    };
    let lacks = || view.form("has no starts or ends, or not as many as axes");
    let (starts, ends) = (list(1, "starts")?, list(2, "ends")?);
    let (starts, ends) = (starts.ok_or_else(lacks)?, ends.ok_or_else(lacks)?);
    let axes = list(3, "axes")?.unwrap_or_else(|| (0..starts.len() as i64).collect());
    let steps = list(4, "steps")?.unwrap_or_else(|| vec![1; starts.len()]);
    if [&ends, &axes, &steps]
        .iter()
        .any(|list| list.len() != starts.len())
    {
        return Err(lacks());
    }
    let mut cuts = Vec::new();
    for (((start, end), axis), step) in starts.into_iter().zip(ends).zip(axes).zip(steps) {
        let axis = view.axis(axis, shape.len())?;
        let Some(length) = shape[axis] else {
            if start == 0 && step == 1 && end >= i64::from(i32::MAX) {
                continue;
            }
            return Err(view.form("takes a part of the batch, which is not read"));
        };
        let length = length as i64;
        if step == 0 {
            return Err(view.form("steps by 0"));
        }
        let (low, high) = if step > 0 {
            (0, length)
        } else {
            (-1, length - 1)
        };
        let place = |at: i64| {
            (if at < 0 {
                at.saturating_add(length)
            } else {
                at
            })
            .clamp(low, high)
        };
        let (start, end) = (place(start), place(end));
        let span = if step > 0 { end - start } else { start - end };
        let length = span.max(0).unsigned_abs().div_ceil(step.unsigned_abs()) as usize;
        cuts.push(Cut {
            axis,
            start,
            end,
            step,
            length,
        });
    }
    Ok(cuts)
}

fn slice(view: &View, inputs: &[Option<&Array>]) -> Result<Array, ReadError> {
    let misfit = || view.form("does not fit the constant");
    let array = inputs.first().copied().flatten().ok_or_else(misfit)?;
    let lengths: Vec<Option<usize>> = array.shape.iter().map(|&length| Some(length)).collect();
    let (mut shape, mut by, mut first) = (array.shape.clone(), strides(array), 0);
    for cut in cuts(view, &lengths, inputs)? {
        shape[cut.axis] = cut.length;
        if cut.length > 0 {
            first += by[cut.axis] * cut.start as isize;
        }
        by[cut.axis] = by[cut.axis]
            .checked_mul(cut.step as isize)
            .ok_or_else(misfit)?;
    }
    stepped(array, &shape, &by, first).ok_or_else(misfit)
}
