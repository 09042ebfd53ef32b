//! Nodes whose inputs are all known are computed at once: shapes, constants, weights in another form.

use super::array::{Array, Data, Size, broadcast, count, places, spread, steps};
use super::error::ReadError;
use super::quantised;
use super::view::View;

/// How many numbers may still be computed: what a small file says must not fill the memory.
pub struct Budget(pub usize);

impl Budget {
    /// Takes `count` numbers out of it.
    pub fn take(&mut self, view: &View, count: Option<usize>) -> Result<usize, ReadError> {
        let left = count.and_then(|count| self.0.checked_sub(count));
        match (left, count) {
            (Some(left), Some(count)) => {
                self.0 = left;
                Ok(count)
            }
            _ => Err(view.form("its constants are larger than the file accounts for")),
        }
    }
}

/// What the node gives from known inputs; `None` for operators that are not computed ahead.
pub fn evaluate(
    view: &View,
    inputs: &[Option<&Array>],
    budget: &mut Budget,
) -> Result<Option<Array>, ReadError> {
    let needed = |index: usize| {
        let input = inputs.get(index).copied().flatten();
        input.ok_or_else(|| view.form(format!("lacks its input {index}")))
    };
    let given = |index: usize| inputs.get(index).copied().flatten();
    let operator = view.operator();
    let array = match operator {
        "Constant" => Some(view.constant()?),
        "ConstantOfShape" => {
            let value = view.tensor("value")?;
            let value = value.unwrap_or_else(|| Array::scalar(Data::Floats(vec![0.0])));
            Some(expand(view, &value, needed(0)?, true, budget)?)
        }
        "Identity" | "Dropout" => Some(needed(0)?.clone()),
        "Shape" => {
            let input = needed(0)?;
            let mut sizes: Vec<Size> = input
                .shape
                .iter()
                .map(|&length| Size::of(length as i64))
                .collect();
            if let (true, Some(first)) = (input.batched, sizes.first_mut()) {
                *first = Size::BATCH;
            }
            Some(Array::sizes(part_of_shape(view, &sizes)?))
        }
        "Size" => Some(Array::scalar(Data::Sizes(vec![Size::of(
            needed(0)?.len() as i64
        )]))),
        "Cast" => Some(cast(view, needed(0)?, view.int("to", 1))?),
        "CastLike" => {
            let like = match needed(1)?.data {
                Data::Floats(_) => 1,
                Data::Sizes(_) => 7,
                Data::Flags(_) => 9,
            };
            Some(cast(view, needed(0)?, like)?)
        }
        "Expand" => Some(expand(view, needed(0)?, needed(1)?, false, budget)?),
        "Range" => Some(range(view, [needed(0)?, needed(1)?, needed(2)?], budget)?),
        "Where" => Some(choose(view, [needed(0)?, needed(1)?, needed(2)?], budget)?),
        "DequantizeLinear" => {
            budget.take(view, Some(needed(0)?.len()))?;
            Some(quantised::dequantised(
                view,
                needed(0)?,
                needed(1)?,
                given(2),
            )?)
        }
        _ => match super::arithmetic::evaluate(view, inputs, budget)? {
            Some(array) => Some(array),
            None => super::rearrange::evaluate(view, inputs, budget)?,
        },
    };
    if let Some(array) = &array {
        budget.take(view, Some(array.len()))?;
    }
    Ok(array)
}

/// The part of a shape that `Shape` gives from opset 15 on.
pub fn part_of_shape(view: &View, sizes: &[Size]) -> Result<Vec<Size>, ReadError> {
    let rank = sizes.len() as i64;
    let place = |at: i64| (if at < 0 { at.saturating_add(rank) } else { at }).clamp(0, rank);
    let (start, end) = (place(view.int("start", 0)), place(view.int("end", rank)));
    let part = sizes.get(start as usize..(end.max(start)) as usize);
    part.map(<[Size]>::to_vec)
        .ok_or_else(|| view.form("asks for a part of the shape that is not there"))
}

fn cast(view: &View, input: &Array, to: i64) -> Result<Array, ReadError> {
    use super::tensor::element::{
        BFLOAT16, BOOL, DOUBLE, FLOAT, FLOAT16, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32,
        UINT64,
    };
    let refused = || view.form(format!("a cast of a constant to the type {to} is not read"));
    let data = match (i32::try_from(to).unwrap_or(0), &input.data) {
        (FLOAT | FLOAT16 | BFLOAT16 | DOUBLE, Data::Flags(flags)) => Data::Floats(
            flags
                .iter()
                .map(|&flag| f32::from(u8::from(flag)))
                .collect(),
        ),
        (FLOAT | FLOAT16 | BFLOAT16 | DOUBLE, _) => {
            Data::Floats(input.floats().ok_or_else(refused)?)
        }
        (INT64 | INT32 | INT16 | INT8 | UINT8 | UINT16 | UINT32 | UINT64, data) => match data {
            Data::Floats(floats) => {
                Data::Sizes(floats.iter().map(|&x| Size::of(x as i64)).collect())
            }
            Data::Sizes(sizes) => Data::Sizes(sizes.clone()),
            Data::Flags(flags) => {
                Data::Sizes(flags.iter().map(|&flag| Size::of(flag.into())).collect())
            }
        },
        (BOOL, Data::Sizes(_)) => {
            let numbers = input.integers().ok_or_else(refused)?;
            Data::Flags(numbers.into_iter().map(|number| number != 0).collect())
        }
        (BOOL, Data::Floats(floats)) => Data::Flags(floats.iter().map(|&x| x != 0.0).collect()),
        (BOOL, Data::Flags(flags)) => Data::Flags(flags.clone()),
        _ => return Err(refused()),
    };
    Ok(Array {
        data,
        ..input.clone()
    })
}

/// `Expand`, or with `exact` `ConstantOfShape`: the array in a shape whose first length may be the batch.
fn expand(
    view: &View,
    array: &Array,
    shape: &Array,
    exact: bool,
    budget: &mut Budget,
) -> Result<Array, ReadError> {
    let sizes = shape
        .as_sizes()
        .ok_or_else(|| view.form("its shape holds no whole numbers"))?;
    let batched = sizes.first() == Some(&Size::BATCH);
    let mut target = Vec::new();
    for (axis, size) in sizes.iter().enumerate() {
        let length = if axis == 0 && batched {
            Some(1)
        } else {
            size.known().and_then(|length| usize::try_from(length).ok())
        };
        target.push(length.ok_or_else(|| {
            view.form("its shape has the batch elsewhere than in front, or a negative length")
        })?);
    }
    let full = if exact {
        Some(target)
    } else {
        broadcast(&array.shape, &target)
    };
    let full = full.ok_or_else(|| view.form("the shape does not fit the array"))?;
    // One number in place of one array of it is no different to any reader but `Shape`.
    if batched && full.first() != Some(&1) {
        return Err(view.form("repeats along the batch what is not one thing"));
    }
    budget.take(view, count(&full))?;
    let from: &[usize] = if exact { &[] } else { &array.shape };
    let picked = spread(from, &full).and_then(|places| array.picked(full, &places));
    let picked = picked.ok_or_else(|| view.form("the shape does not fit the array"))?;
    Ok(Array {
        batched: batched || array.batched,
        ..picked
    })
}

fn range(view: &View, ends: [&Array; 3], budget: &mut Budget) -> Result<Array, ReadError> {
    let numbers = ends.map(|end| match end.len() {
        1 => end.integers().and_then(|ints| ints.first().copied()),
        _ => None,
    });
    let [Some(start), Some(limit), Some(step)] = numbers else {
        return Err(view.form("only ranges of known whole numbers are computed"));
    };
    let length = match (i128::from(limit) - i128::from(start), i128::from(step)) {
        (_, 0) => return Err(view.form("steps by 0")),
        (span, step) if (span > 0) == (step > 0) => {
            span.unsigned_abs().div_ceil(step.unsigned_abs())
        }
        _ => 0,
    };
    let length = budget.take(view, usize::try_from(length).ok())?;
    let number = |at: usize| Size::of(start.wrapping_add(step.wrapping_mul(at as i64)));
    Ok(Array::sizes((0..length).map(number).collect()))
}

fn choose(view: &View, inputs: [&Array; 3], budget: &mut Budget) -> Result<Array, ReadError> {
    let [condition, yes, no] = inputs;
    let misfit = || view.form("the shapes or types do not fit each other");
    let shape = broadcast(&condition.shape, &yes.shape)
        .and_then(|shape| broadcast(&shape, &no.shape))
        .ok_or_else(misfit)?;
    budget.take(view, count(&shape))?;
    let at = inputs.map(|input| spread(&input.shape, &shape));
    let [Some(condition_at), Some(yes_at), Some(no_at)] = at else {
        return Err(misfit());
    };
    let Data::Flags(flags) = &condition.data else {
        return Err(misfit());
    };
    let at = [&condition_at[..], &yes_at, &no_at];
    let data = match (&yes.data, &no.data) {
        (Data::Floats(yes), Data::Floats(no)) => pick(flags, at, yes, no).map(Data::Floats),
        (Data::Sizes(yes), Data::Sizes(no)) => pick(flags, at, yes, no).map(Data::Sizes),
        (Data::Flags(yes), Data::Flags(no)) => pick(flags, at, yes, no).map(Data::Flags),
        _ => None,
    };
    let array = data.and_then(|data| Array::new(shape, data));
    let batched = inputs.iter().any(|input| input.batched);
    Ok(Array {
        batched,
        ..array.ok_or_else(misfit)?
    })
}

/// Of each pair of numbers the one that its flag chooses, each at its place.
fn pick<T: Copy>(flags: &[bool], at: [&[usize]; 3], yes: &[T], no: &[T]) -> Option<Vec<T>> {
    let places = at[0].iter().zip(at[1]).zip(at[2]);
    let one = |((&condition, &y), &n): ((&usize, &usize), &usize)| {
        if *flags.get(condition)? {
            yes.get(y).copied()
        } else {
            no.get(n).copied()
        }
    };
    places.map(one).collect()
}

/// The array's numbers at evenly stepped places.
pub fn stepped(array: &Array, shape: &[usize], by: &[isize], start: isize) -> Option<Array> {
    places(shape, by, start).and_then(|places| array.picked(shape.to_vec(), &places))
}

/// The steps of an array's buffer.
pub fn strides(array: &Array) -> Vec<isize> {
    steps(&array.shape)
        .into_iter()
        .map(|step| step as isize)
        .collect()
}
