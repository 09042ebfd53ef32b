//! Element-wise arithmetic of known values.

use super::array::{Array, Data, Size, broadcast, count, spread};
use super::error::ReadError;
use super::evaluate::Budget;
use super::view::View;

/// What an element-wise operator gives from known inputs; `None` for other operators.
pub fn evaluate(
    view: &View,
    inputs: &[Option<&Array>],
    budget: &mut Budget,
) -> Result<Option<Array>, ReadError> {
    let operator = view.operator();
    let refused = || view.form("these constants cannot be computed ahead");
    if let Some(apply) = unary(operator) {
        let Some(Some(input)) = inputs.first() else {
            return Err(refused());
        };
        let data = apply(&input.data).ok_or_else(refused)?;
        return Ok(Some(Array {
            data,
            origin: None,
            ..(*input).clone()
        }));
    }
    if !BINARY.contains(&operator) {
        return Ok(None);
    }
    let inputs: Option<Vec<&Array>> = inputs.iter().copied().collect();
    let inputs = inputs.ok_or_else(refused)?;
    let Some((&first, rest)) = inputs.split_first() else {
        return Err(refused());
    };
    let mut result = first.clone();
    for other in rest {
        result = pair(view, operator, &result, other, budget)?;
    }
    result.origin = None;
    Ok(Some(result))
}

/// Operators of two inputs, or of any number in a row.
const BINARY: [&str; 14] = [
    "Add",
    "Sub",
    "Mul",
    "Div",
    "Pow",
    "Max",
    "Min",
    "Mod",
    "Equal",
    "Less",
    "Greater",
    "And",
    "Or",
    "GreaterOrEqual",
];

fn pair(
    view: &View,
    operator: &str,
    a: &Array,
    b: &Array,
    budget: &mut Budget,
) -> Result<Array, ReadError> {
    let shape = broadcast(&a.shape, &b.shape)
        .ok_or_else(|| view.form(format!("{:?} and {:?} do not broadcast", a.shape, b.shape)))?;
    budget.take(view, count(&shape))?;
    let refused = || view.form("these constants cannot be computed ahead");
    let (a_at, b_at) = (spread(&a.shape, &shape), spread(&b.shape, &shape));
    let (Some(a_at), Some(b_at)) = (a_at, b_at) else {
        return Err(refused());
    };
    let at = (&a_at[..], &b_at[..]);
    let data = match (&a.data, &b.data) {
        (Data::Floats(a), Data::Floats(b)) => match operator {
            "Equal" => zip(at, a, b, |a, b| Some(a == b)).map(Data::Flags),
            "Less" => zip(at, a, b, |a, b| Some(a < b)).map(Data::Flags),
            "Greater" => zip(at, a, b, |a, b| Some(a > b)).map(Data::Flags),
            "GreaterOrEqual" => zip(at, a, b, |a, b| Some(a >= b)).map(Data::Flags),
            _ => zip(at, a, b, |a, b| float(operator, a, b)).map(Data::Floats),
        },
        (Data::Sizes(a), Data::Sizes(b)) => match operator {
            "Equal" => zip(at, a, b, equal).map(Data::Flags),
            "Less" => zip(at, a, b, |a, b| Some(a.known()? < b.known()?)).map(Data::Flags),
            "Greater" => zip(at, a, b, |a, b| Some(a.known()? > b.known()?)).map(Data::Flags),
            "GreaterOrEqual" => {
                zip(at, a, b, |a, b| Some(a.known()? >= b.known()?)).map(Data::Flags)
            }
            _ => zip(at, a, b, |a, b| whole(operator, a, b)).map(Data::Sizes),
        },
        (Data::Flags(a), Data::Flags(b)) => match operator {
            "And" => zip(at, a, b, |a, b| Some(a && b)).map(Data::Flags),
            "Or" => zip(at, a, b, |a, b| Some(a || b)).map(Data::Flags),
            "Equal" => zip(at, a, b, |a, b| Some(a == b)).map(Data::Flags),
            _ => None,
        },
        (Data::Floats(a), Data::Sizes(b)) if operator == "Pow" => {
            zip(at, a, b, |a, b| Some(a.powf(b.known()? as f32))).map(Data::Floats)
        }
        _ => None,
    };
    let array = data.and_then(|data| Array::new(shape, data));
    Ok(Array {
        batched: a.batched || b.batched,
        ..array.ok_or_else(refused)?
    })
}

/// `apply` to the numbers of both at their places; `None` where one of them has no answer.
fn zip<A: Copy, B: Copy, C>(
    at: (&[usize], &[usize]),
    a: &[A],
    b: &[B],
    apply: impl Fn(A, B) -> Option<C>,
) -> Option<Vec<C>> {
    let places = at.0.iter().zip(at.1);
    places
        .map(|(&x, &y)| apply(*a.get(x)?, *b.get(y)?))
        .collect()
}

fn float(operator: &str, a: f32, b: f32) -> Option<f32> {
    Some(match operator {
        "Add" => a + b,
        "Sub" => a - b,
        "Mul" => a * b,
        "Div" => a / b,
        "Pow" => a.powf(b),
        "Max" => a.max(b),
        "Min" => a.min(b),
        _ => return None,
    })
}

fn whole(operator: &str, a: Size, b: Size) -> Option<Size> {
    match operator {
        "Add" => a.plus(b),
        "Sub" => a.minus(b),
        "Mul" => a.times(b),
        "Div" => a.over(b),
        "Pow" => {
            let exponent = u32::try_from(b.known()?).ok()?;
            a.known()?.checked_pow(exponent).map(Size::of)
        }
        "Max" => Some(Size::of(a.known()?.max(b.known()?))),
        "Min" => Some(Size::of(a.known()?.min(b.known()?))),
        // ONNX's has the divisor's sign.
        "Mod" => {
            let (a, b) = (a.known()?, b.known()?);
            let rest = a.checked_rem(b)?;
            let other_side = rest != 0 && (rest < 0) != (b < 0);
            Some(Size::of(if other_side {
                rest.checked_add(b)?
            } else {
                rest
            }))
        }
        _ => None,
    }
}

/// Whether two numbers are equal for every batch; `None` where the batch decides.
fn equal(a: Size, b: Size) -> Option<bool> {
    let difference = a.minus(b)?;
    // A batch has at least one image.
    match difference.known() {
        Some(difference) => Some(difference == 0),
        None if difference.batches > 0 && difference.fixed.checked_add(difference.batches)? > 0 => {
            Some(false)
        }
        None if difference.batches < 0 && difference.fixed.checked_add(difference.batches)? < 0 => {
            Some(false)
        }
        None => None,
    }
}

type Unary = fn(&Data) -> Option<Data>;

fn unary(operator: &str) -> Option<Unary> {
    fn floats(data: &Data, apply: fn(f32) -> f32) -> Option<Data> {
        match data {
            Data::Floats(data) => Some(Data::Floats(data.iter().map(|&x| apply(x)).collect())),
            _ => None,
        }
    }
    fn either(data: &Data, apply: fn(f32) -> f32, whole: fn(i64) -> Option<i64>) -> Option<Data> {
        match data {
            Data::Sizes(sizes) => {
                let each = |size: &Size| whole(size.known()?).map(Size::of);
                sizes
                    .iter()
                    .map(each)
                    .collect::<Option<_>>()
                    .map(Data::Sizes)
            }
            other => floats(other, apply),
        }
    }
    Some(match operator {
        "Neg" => |data| either(data, |x| -x, i64::checked_neg),
        "Abs" => |data| either(data, f32::abs, i64::checked_abs),
        "Sqrt" => |data| floats(data, f32::sqrt),
        "Reciprocal" => |data| floats(data, f32::recip),
        "Exp" => |data| floats(data, f32::exp),
        "Log" => |data| floats(data, f32::ln),
        "Floor" => |data| floats(data, f32::floor),
        "Ceil" => |data| floats(data, f32::ceil),
        "Not" => |data| match data {
            Data::Flags(flags) => Some(Data::Flags(flags.iter().map(|&flag| !flag).collect())),
            _ => None,
        },
        _ => return None,
    })
}
