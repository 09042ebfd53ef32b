//! What a file of weights holds.

use std::fmt::Write as _;
use std::path::Path;

use falx_nn::weights::{self, Format};
use serde::Serialize;

use crate::ModelsError;
use crate::list::{lengths, thousands};

/// A tensor of a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TensorEntry {
    /// Its name.
    pub name: String,
    /// The length of each dimension.
    pub shape: Vec<usize>,
    /// Its smallest number, of those that are finite.
    pub min: Option<f32>,
    /// Its largest.
    pub max: Option<f32>,
    /// How many of its numbers are infinite or none.
    pub not_finite: usize,
}

/// What a file of weights holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listed {
    /// Its kind.
    pub format: Format,
    /// Its tensors, in its order.
    pub tensors: Vec<TensorEntry>,
    /// Tensors of whole numbers, with their type.
    pub left_out: Vec<(String, String)>,
}

/// Reads what a file of weights holds.
///
/// # Errors
/// [`ModelsError::Read`] when it is none.
pub fn tensors(path: &Path) -> Result<Listed, ModelsError> {
    let named = weights::read(path)?;
    let entry = |(name, tensor): (String, falx_nn::Tensor)| {
        let finite = || tensor.data.iter().copied().filter(|x| x.is_finite());
        TensorEntry {
            name,
            min: finite().reduce(f32::min),
            max: finite().reduce(f32::max),
            not_finite: tensor.data.len() - finite().count(),
            shape: tensor.shape,
        }
    };
    Ok(Listed {
        format: named.format,
        tensors: named.tensors.into_iter().map(entry).collect(),
        left_out: named.left_out,
    })
}

impl Listed {
    /// The table in words.
    pub fn to_text(&self) -> String {
        let names = self
            .tensors
            .iter()
            .map(|tensor| tensor.name.chars().count());
        let width = names.max().unwrap_or(0).clamp(10, 60);
        let mut text = format!(
            "{:width$} {:>20} {:>12} {:>12}",
            "tensor", "shape", "smallest", "largest"
        );
        let mut total = 0;
        for tensor in &self.tensors {
            total += tensor.shape.iter().product::<usize>();
            let number = |x: Option<f32>| x.map(|x| format!("{x:.4}")).unwrap_or_default();
            let _ = write!(
                text,
                "\n{:width$} {:>20} {:>12} {:>12}",
                tensor.name,
                lengths(&tensor.shape),
                number(tensor.min),
                number(tensor.max)
            );
            if tensor.not_finite > 0 {
                let _ = write!(text, "  {} are no finite numbers", tensor.not_finite);
            }
        }
        let _ = write!(
            text,
            "\n\n{}: {} tensors with {} numbers, {} of whole numbers left out",
            self.format,
            self.tensors.len(),
            thousands(total as u64),
            self.left_out.len()
        );
        text
    }
}
