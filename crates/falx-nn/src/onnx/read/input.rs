//! The network's input: which of the file's, and of which shape.

use super::ReadOptions;
use super::error::ReadError;
use super::tensor::element::{BFLOAT16, DOUBLE, FLOAT, FLOAT16};
use super::view::View;
use crate::onnx::message::{Length, ValueInfo};

/// The input that the wanted tensors depend on.
pub struct Input<'a> {
    pub name: &'a str,
    /// Without the batch.
    pub shape: Vec<usize>,
    /// Whether the file is for a batch of 1.
    pub batch_of_one: bool,
}

/// Images and sequences are smaller; larger sizes only overflow.
const LONGEST: usize = 1 << 24;

/// The only input that `order` reads.
///
/// # Errors
/// [`ReadError`] when several inputs are read, or sizes are not known.
pub fn input<'a>(
    inputs: &[&'a ValueInfo],
    order: &[View],
    wanted: &[&str],
    options: &ReadOptions,
) -> Result<Input<'a>, ReadError> {
    let read: std::collections::BTreeSet<&str> = order
        .iter()
        .flat_map(|view| &view.node.input)
        .map(String::as_str)
        .collect();
    let is_read =
        |input: &&&ValueInfo| read.contains(input.name()) || wanted.contains(&input.name());
    let read: Vec<&&ValueInfo> = inputs.iter().filter(is_read).collect();
    let &[input] = read.as_slice() else {
        let inputs = read.iter().map(|input| input.name().to_owned()).collect();
        return Err(ReadError::Inputs { inputs });
    };
    let name = input.name();
    let tensor = input.kind.as_ref().and_then(|kind| kind.tensor.as_ref());
    let element = tensor.and_then(|tensor| tensor.element).unwrap_or(FLOAT);
    if ![FLOAT, FLOAT16, BFLOAT16, DOUBLE].contains(&element) {
        return Err(ReadError::Tensor {
            tensor: name.to_owned(),
            reason: format!(
                "is the input and takes elements of the ONNX type {element}; export the network for 32-bit floats"
            ),
        });
    }
    let lengths: Option<Vec<Option<i64>>> =
        tensor
            .and_then(|tensor| tensor.shape.as_ref())
            .map(|shape| {
                let length = |length: &Option<Length>| match length {
                    Some(Length::Fixed(length)) => Some(*length).filter(|&length| length > 0),
                    _ => None,
                };
                shape.dim.iter().map(|dim| length(&dim.length)).collect()
            });
    let shown = shown(input);
    let unknown = || ReadError::Size {
        input: name.to_owned(),
        shape: shown.clone(),
    };
    let misfit = |asked: &[usize]| ReadError::Misfit {
        input: name.to_owned(),
        shape: shown.clone(),
        asked: asked.to_vec(),
    };
    let (batch, rest) = match lengths.as_deref() {
        Some([batch, rest @ ..]) => (*batch, Some(rest)),
        Some([]) => return Err(misfit(&[])),
        None => (None, None),
    };
    if let Some(batch) = batch.filter(|&batch| batch != 1) {
        return Err(ReadError::Batch { batch });
    }
    let shape = match (rest, &options.input) {
        (None, None) => return Err(unknown()),
        (None, Some(asked)) => asked.clone(),
        (Some(rest), asked) => {
            if let Some(asked) = asked
                && asked.len() != rest.len()
            {
                return Err(misfit(asked));
            }
            let mut shape = Vec::new();
            for (axis, length) in rest.iter().enumerate() {
                let length = length.map(|length| usize::try_from(length).unwrap_or(usize::MAX));
                let asked = asked
                    .as_ref()
                    .map(|asked| (asked, asked.get(axis).copied()));
                shape.push(match (length, asked) {
                    (Some(length), None) => length,
                    (Some(length), Some((_, Some(asked)))) if length == asked => length,
                    (None, Some((_, Some(asked)))) => asked,
                    (_, Some((asked, _))) => return Err(misfit(asked)),
                    (None, None) => return Err(unknown()),
                });
            }
            shape
        }
    };
    let fits = !shape.is_empty()
        && shape.len() <= 8
        && shape.iter().all(|&length| (1..=LONGEST).contains(&length))
        && super::array::count(&shape).is_some_and(|count| count <= 1 << 32);
    if fits {
        let batch_of_one = batch.is_some();
        Ok(Input {
            name,
            shape,
            batch_of_one,
        })
    } else {
        Err(misfit(&shape))
    }
}

/// The shape as the file has it.
fn shown(input: &ValueInfo) -> String {
    let tensor = input.kind.as_ref().and_then(|kind| kind.tensor.as_ref());
    let Some(shape) = tensor.and_then(|tensor| tensor.shape.as_ref()) else {
        return "(unknown)".to_owned();
    };
    let length = |length: &Option<Length>| match length {
        Some(Length::Fixed(length)) => length.to_string(),
        Some(Length::Free(name)) if !name.is_empty() => name.clone(),
        _ => "?".to_owned(),
    };
    let lengths: Vec<String> = shape.dim.iter().map(|dim| length(&dim.length)).collect();
    format!("[{}]", lengths.join(", "))
}
