//! `.safetensors`, whatever the width of its numbers.

use safetensors::{Dtype, SafeTensors};

use super::element::Element;
use super::{Format, FormatError, NamedTensors};
use crate::Tensor;

/// A length and the JSON it counts: what such a file begins with.
pub fn is_likely(bytes: &[u8]) -> bool {
    bytes.get(8) == Some(&b'{')
}

/// Reads the tensors in the order in which they lie.
pub fn read(bytes: &[u8]) -> Result<NamedTensors, FormatError> {
    let file = SafeTensors::deserialize(bytes)?;
    let mut named = NamedTensors {
        format: Format::Safetensors,
        tensors: Vec::new(),
        left_out: Vec::new(),
    };
    // The file's own list has no order: that of the bytes is the writer's.
    let mut views: Vec<_> = file.iter().collect();
    views.sort_by_key(|(name, view)| (view.data().as_ptr() as usize, (*name).to_owned()));
    for (name, view) in views {
        let Some(element) = element(view.dtype()) else {
            let kind = format!("{:?}", view.dtype());
            named.left_out.push((name.to_owned(), kind));
            continue;
        };
        let tensor = Tensor {
            shape: view.shape().to_vec(),
            data: element.all(view.data()),
        };
        named.tensors.push((name.to_owned(), tensor));
    }
    Ok(named)
}

fn element(kind: Dtype) -> Option<Element> {
    match kind {
        Dtype::F16 => Some(Element::F16),
        Dtype::BF16 => Some(Element::Bf16),
        Dtype::F32 => Some(Element::F32),
        Dtype::F64 => Some(Element::F64),
        _ => None,
    }
}
