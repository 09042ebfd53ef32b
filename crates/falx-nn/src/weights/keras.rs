//! Keras' `.h5`: layers in order, each with its weights, in TensorFlow's layout.
//!
//! Names become `<layer>.<weight>` as PyTorch would call the weight (`weight`, `bias`, `running_mean`, …), and the
//! layout PyTorch's: kernels of height, width, inputs, outputs turn into outputs, inputs, height, width.
//!
//! # Source
//! Keras 2, `keras/engine/saving.py`: `layer_names` and `weight_names`.

use hdf5_reader::Hdf5File;
use hdf5_reader::error::Error;
use hdf5_reader::group::Group;

use super::{Format, FormatError, NamedTensors};
use crate::Tensor;

/// Reads the file's weights, whether it holds them alone or a whole model.
pub fn read(bytes: &[u8]) -> Result<NamedTensors, FormatError> {
    let broken = |error: Error| FormatError::Keras(error.to_string());
    let file = Hdf5File::from_bytes(bytes).map_err(broken)?;
    let root = file.root_group().map_err(broken)?;
    // A whole model keeps its weights one floor deeper.
    let root = root.group("model_weights").unwrap_or(root);
    let layers = names(&root, "layer_names").ok_or_else(|| {
        FormatError::Keras(
            "it has no list of layers; save the weights with Keras 2, or convert them: model.save_weights(\"weights.h5\")"
                .to_owned(),
        )
    })?;
    let mut tensors = Vec::new();
    let mut left = bytes.len();
    for layer in layers {
        let group = root.group(&layer).map_err(broken)?;
        for weight in names(&group, "weight_names").unwrap_or_default() {
            let mut within = group.clone();
            let mut parts: Vec<&str> = weight.split('/').filter(|part| !part.is_empty()).collect();
            let last = parts.pop().unwrap_or_default();
            for part in parts {
                within = within.group(part).map_err(broken)?;
            }
            let data = within.dataset(last).map_err(broken)?;
            let shape: Option<Vec<usize>> = data
                .shape()
                .iter()
                .map(|&length| usize::try_from(length).ok())
                .collect();
            let name = format!("{layer}.{}", ours(last));
            let count = shape.as_ref().and_then(|shape| {
                shape
                    .iter()
                    .try_fold(1usize, |count, &length| count.checked_mul(length))
            });
            let fits = count.and_then(|count| left.checked_sub(count));
            let (Some(shape), Some(count), Some(rest)) = (shape, count, fits) else {
                return Err(FormatError::tensor(
                    &name,
                    "claims more numbers than the file holds",
                ));
            };
            left = rest;
            let mut values = vec![0.0f32; count];
            data.read_into(&mut values).map_err(|error| {
                FormatError::tensor(&name, format!("cannot be read as 32-bit floats: {error}"))
            })?;
            tensors.push((
                name,
                turned(Tensor {
                    shape,
                    data: values,
                }),
            ));
        }
    }
    Ok(NamedTensors {
        format: Format::Keras,
        tensors,
        left_out: Vec::new(),
    })
}

fn names(group: &Group, attribute: &str) -> Option<Vec<String>> {
    group.attribute(attribute).ok()?.read_strings().ok()
}

/// PyTorch's name of a weight: Keras writes `kernel:0`, `beta:0`, in old files `block1_conv1_W_1:0`.
pub fn ours(weight: &str) -> &str {
    let weight = weight.split(':').next().unwrap_or(weight);
    let is = |name: &str| weight == name || weight.ends_with(&format!("_{name}"));
    match weight {
        _ if is("kernel") || is("W") || is("W_1") => "weight",
        _ if is("gamma") => "weight",
        _ if is("bias") || is("b") || is("b_1") || is("beta") => "bias",
        _ if is("moving_mean") || is("running_mean") => "running_mean",
        _ if is("moving_variance") || is("running_std") => "running_var",
        _ => weight,
    }
}

/// TensorFlow's layout made PyTorch's: H, W, I, O to O, I, H, W; inputs, outputs to outputs, inputs.
pub fn turned(tensor: Tensor) -> Tensor {
    let (taps, inputs, outputs, shape) = match *tensor.shape.as_slice() {
        [height, width, inputs, outputs] => (
            height * width,
            inputs,
            outputs,
            vec![outputs, inputs, height, width],
        ),
        [inputs, outputs] => (1, inputs, outputs, vec![outputs, inputs]),
        _ => return tensor,
    };
    let mut data = Vec::with_capacity(tensor.data.len());
    for output in 0..outputs {
        for input in 0..inputs {
            let places = (0..taps).map(|tap| (tap * inputs + input) * outputs + output);
            data.extend(places.filter_map(|place| tensor.data.get(place)));
        }
    }
    Tensor { shape, data }
}
