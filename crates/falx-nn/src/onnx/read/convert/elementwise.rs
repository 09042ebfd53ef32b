//! Arithmetic and functions of single numbers.

use super::Step;
use crate::onnx::read::array::{Array, Data};
use crate::onnx::read::error::ReadError;
use crate::onnx::read::lower::{Draft, Known};
use crate::onnx::read::partial::Partial;
use crate::{
    Add, Clip, Constant, Div, Exp, Gelu, HardSigmoid, HardSwish, Initialisation, LeakyRelu, Log,
    Max, Mul, Neg, Operator, ParameterKind, Pow, Relu, Sigmoid, Softplus, Sqrt, Sub, Swish, Tanh,
    Value,
};

/// `Add`, `Sub`, `Mul`, `Div` and `Erf`: values, constants, and the steps of Gelu.
pub fn arithmetic(step: &mut Step) -> Result<Known, ReadError> {
    let operands: Vec<Known> = step.inputs.iter().flatten().cloned().collect();
    let name = step.view.operator();
    if let Some(partial) = partial(step, name, &operands) {
        return Ok(match partial {
            Ok(partial) => Known::Partial(partial),
            Err(x) => Known::Value(step.plain(Gelu { tanh: false }, &[x])?),
        });
    }
    let value = match operands.as_slice() {
        [Known::Value(a), Known::Value(b)] => both(step, *a, *b)?,
        [Known::Value(a), Known::Array(_)] => with_constant(step, name, *a, step.array(1)?)?,
        [Known::Array(_), Known::Value(b)] => {
            let (b, array) = (*b, step.array(0)?);
            match name {
                "Add" | "Mul" => with_constant(step, name, b, array)?,
                "Sub" => {
                    let negative = step.plain(Neg, &[b])?;
                    with_constant(step, "Add", negative, array)?
                }
                _ => {
                    let inverse = step.plain(Pow { exponent: -1.0 }, &[b])?;
                    match array.only() {
                        Some(1.0) => inverse,
                        _ => with_constant(step, "Mul", inverse, array)?,
                    }
                }
            }
        }
        _ if name == "Erf" => {
            return Err(step
                .view
                .form("is only read as a part of Gelu, 0.5 x (1 + erf(x / sqrt 2))"));
        }
        _ => both(step, step.value(0)?, step.value(1)?)?,
    };
    Ok(Known::Value(value))
}

/// The next step to Gelu, or as an error the x whose Gelu is complete; `None` where this is none.
fn partial(step: &Step, name: &str, operands: &[Known]) -> Option<Result<Partial, Value>> {
    let number = |known: &Known| match known {
        Known::Array(array) => array.only(),
        _ => None,
    };
    let near =
        |known: &Known, wanted: f32| number(known).is_some_and(|x| (x - wanted).abs() < 1e-3);
    if name == "Erf" {
        let Some(Known::Value(scaled)) = operands.first() else {
            return None;
        };
        let [by, over] = [std::f32::consts::FRAC_1_SQRT_2, std::f32::consts::SQRT_2];
        let x = times(step, *scaled, by).or_else(|| divided(step, *scaled, over))?;
        return Some(Ok(Partial::Erf(x)));
    }
    let ([Known::Partial(partial), other] | [other, Known::Partial(partial)]) = operands else {
        return None;
    };
    let is = |x: Value| matches!(other, Known::Value(value) if *value == x);
    Some(match (name, *partial) {
        ("Add", Partial::Erf(x)) if near(other, 1.0) => Ok(Partial::OnePlusErf(x)),
        ("Mul", Partial::OnePlusErf(x)) if is(x) => Ok(Partial::Twice(x)),
        ("Mul", Partial::OnePlusErf(x)) if near(other, 0.5) => Ok(Partial::Half(x)),
        ("Mul", Partial::OnePlusErf(x)) => match other {
            Known::Value(half) if times(step, *half, 0.5) == Some(x) => Err(x),
            _ => return None,
        },
        ("Mul", Partial::Twice(x)) if near(other, 0.5) => Err(x),
        ("Div", Partial::Twice(x)) if near(other, 2.0) => Err(x),
        ("Mul", Partial::Half(x)) if is(x) => Err(x),
        _ => return None,
    })
}

fn draft<'s>(step: &'s Step, value: Value) -> Option<&'s Draft> {
    step.lowering.nodes.get(value.node()?)
}

fn owns(draft: &Draft, wanted: f32) -> bool {
    match draft.parameters.as_slice() {
        [(_, tensor)] => matches!(*tensor.data.as_slice(), [x] if (x - wanted).abs() < 1e-3),
        _ => false,
    }
}

/// The x where `value` is x times `by`.
fn times(step: &Step, value: Value, by: f32) -> Option<Value> {
    let draft = draft(step, value)?;
    let is = matches!(draft.operator, Operator::Mul(_)) && owns(draft, by);
    is.then(|| draft.inputs.first().copied()).flatten()
}

/// The x where `value` is x divided by `by`.
fn divided(step: &Step, value: Value, by: f32) -> Option<Value> {
    let draft = draft(step, value)?;
    let is = matches!(draft.operator, Operator::Div(_)) && owns(draft, by);
    is.then(|| draft.inputs.first().copied()).flatten()
}

/// Two values; x * sigmoid(x) is Swish, x * hard sigmoid(x) HardSwish.
fn both(step: &mut Step, a: Value, b: Value) -> Result<Value, ReadError> {
    if step.view.operator() == "Mul" {
        for (x, gate) in [(a, b), (b, a)] {
            let gate = draft(step, gate).filter(|gate| gate.inputs == [x]);
            match gate.map(|gate| &gate.operator) {
                Some(Operator::Sigmoid(_)) => return step.plain(Swish { alpha: 1.0 }, &[x]),
                Some(Operator::HardSigmoid(hard))
                    if (hard.alpha - 1.0 / 6.0).abs() < 1e-6 && hard.beta == 0.5 =>
                {
                    return step.plain(HardSwish, &[x]);
                }
                _ => {}
            }
        }
    }
    // ONNX would align the batch of the one with a later dimension of the other.
    if step.shape(a).len() != step.shape(b).len() {
        return Err(step
            .view
            .form("joins values of different numbers of dimensions"));
    }
    match step.view.operator() {
        "Add" => step.plain(Add { constant: None }, &[a, b]),
        "Sub" => step.plain(Sub { constant: None }, &[a, b]),
        "Mul" => step.plain(Mul { constant: None }, &[a, b]),
        _ => step.plain(Div { constant: None }, &[a, b]),
    }
}

/// A value and a constant, which the operator owns.
fn with_constant(
    step: &mut Step,
    name: &str,
    value: Value,
    array: Array,
) -> Result<Value, ReadError> {
    if name == "Add" && step.view.operator() == "Add" && completed(step, value, &array) {
        return Ok(value);
    }
    let (constant, array) = constant(step, value, array)?;
    let constant = Some(constant);
    match name {
        "Add" => step.add(Add { constant }, &[value], vec![array]),
        "Sub" => step.add(Sub { constant }, &[value], vec![array]),
        "Mul" => step.add(Mul { constant }, &[value], vec![array]),
        _ => step.add(Div { constant }, &[value], vec![array]),
    }
}

/// Whether the array became the bias of the linear layer that gives the value and is read here alone.
fn completed(step: &mut Step, value: Value, array: &Array) -> bool {
    let reader = (0..2).any(|index| {
        step.value(index).is_ok_and(|input| input == value)
            && step.lowering.only_reader(&step.view, index)
    });
    let Data::Floats(data) = &array.data else {
        return false;
    };
    let node = value
        .node()
        .and_then(|node| step.lowering.nodes.get_mut(node));
    let Some(Draft {
        operator: Operator::Gemm(gemm),
        name,
        parameters,
        ..
    }) = node
    else {
        return false;
    };
    let row = array.shape == [gemm.features] || array.shape == [1, gemm.features];
    if gemm.bias || !reader || !row || array.batched || !data.iter().all(|x| x.is_finite()) {
        return false;
    }
    gemm.bias = true;
    let tensor = crate::Tensor {
        shape: vec![gemm.features],
        data: data.clone(),
    };
    parameters.push((format!("{name}.bias"), tensor));
    true
}

/// A constant operand without the batch, as large as the value at most.
pub fn constant(step: &Step, value: Value, array: Array) -> Result<(Constant, Array), ReadError> {
    let rank = step.shape(value).len();
    let mut shape = array.shape.clone();
    if shape.len() == rank + 1 && shape.first() == Some(&1) {
        shape.remove(0);
    }
    if shape.len() > rank {
        let found = &array.shape;
        return Err(step.view.form(format!(
            "has a constant of the shape {found:?} beside a value of {rank} dimensions and the batch"
        )));
    }
    let Data::Floats(data) = &array.data else {
        return Err(step.view.form("has a constant that does not hold floats"));
    };
    // What a file stores in length was learnt; single numbers and what the input itself is scaled by were not.
    let learnt = array.origin.is_some() && data.len() > 1 && value != Value::INPUT;
    let constant = Constant {
        shape: shape.clone(),
        kind: if learnt {
            ParameterKind::Weight
        } else {
            ParameterKind::Constant
        },
        initialisation: Initialisation::Constant(data.first().copied().unwrap_or(0.0)),
    };
    // The batch's dimension stood in the shape alone.
    Ok((
        constant,
        Array {
            shape,
            batched: false,
            ..array
        },
    ))
}

/// Functions of each number; `None` for other operators.
pub fn function(step: &mut Step) -> Result<Option<Value>, ReadError> {
    let view = step.view;
    let alpha = |default: f32| view.float("alpha").unwrap_or(default);
    let operator: Operator = match view.operator() {
        "Relu" => Relu.into(),
        "Sigmoid" => Sigmoid.into(),
        "Tanh" => Tanh.into(),
        "Exp" => Exp.into(),
        "Log" => Log.into(),
        "Sqrt" => Sqrt.into(),
        "Neg" => Neg.into(),
        "Softplus" => Softplus.into(),
        "HardSwish" => HardSwish.into(),
        "Reciprocal" => Pow { exponent: -1.0 }.into(),
        "LeakyRelu" => LeakyRelu { alpha: alpha(0.01) }.into(),
        "HardSigmoid" => {
            let beta = view.float("beta").unwrap_or(0.5);
            HardSigmoid {
                alpha: alpha(0.2),
                beta,
            }
            .into()
        }
        "Gelu" => match view.word("approximate").unwrap_or("none") {
            "none" => Gelu { tanh: false }.into(),
            "tanh" => Gelu { tanh: true }.into(),
            other => return Err(view.form(format!("the approximation `{other}` is not known"))),
        },
        "PRelu" => match step.array(1)?.only() {
            Some(alpha) => LeakyRelu { alpha }.into(),
            None => return Err(view.form("slopes that differ by channel are not read")),
        },
        "Pow" => match step.array(1)?.only() {
            Some(exponent) => Pow { exponent }.into(),
            None => return Err(view.form("only one known exponent for all numbers is read")),
        },
        "Clip" => {
            // Opset 6 says "no bound" by the largest number.
            let bound = |bound: Option<f32>| bound.filter(|bound| bound.abs() < f32::MAX);
            let (min, max) = (step.number(1, "min")?, step.number(2, "max")?);
            match (bound(min), bound(max)) {
                (None, None) => return step.value(0).map(Some),
                (min, max) => Clip { min, max }.into(),
            }
        }
        "Max" | "Min" => return extreme(step).map(Some),
        "Sum" => {
            let mut sum = step.value(0)?;
            for index in 1..view.node.input.len() {
                sum = step.plain(Add { constant: None }, &[sum, step.value(index)?])?;
            }
            return Ok(Some(sum));
        }
        _ => return Ok(None),
    };
    let value = step.value(0)?;
    step.plain(operator, &[value]).map(Some)
}

/// `Max` of values, or either beside one number, which is a clip.
fn extreme(step: &mut Step) -> Result<Value, ReadError> {
    let is_max = step.view.operator() == "Max";
    let values: Vec<Value> = (0..step.inputs.len())
        .filter_map(|index| step.value(index).ok())
        .collect();
    let mut numbers = Vec::new();
    for known in step.inputs.iter().flatten() {
        if let Known::Array(array) = known {
            let number = array.only();
            numbers.push(
                number.ok_or_else(|| step.view.form("has a constant that is not one number"))?,
            );
        }
    }
    match (values.as_slice(), numbers.as_slice()) {
        (&[value], &[bound]) => {
            let (min, max) = if is_max {
                (Some(bound), None)
            } else {
                (None, Some(bound))
            };
            step.plain(Clip { min, max }, &[value])
        }
        (values, []) if is_max && values.len() == step.inputs.len() => step.plain(Max, values),
        _ => Err(step
            .view
            .form("only a maximum of values, or a bound of one number, is read")),
    }
}
