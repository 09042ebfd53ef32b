//! What a value within a network is for some images, and how the logits change with it.

use std::collections::BTreeMap;

use burn_backend::backend::AutodiffBackend;
use burn_backend::ops::FloatTensorOps;

use super::interpret::{self, Mode, Setting};
use super::tape::{Tape, Tracked};
use super::{check, layout, on_tape};
use crate::operators::buffers;
use crate::{EngineError, Graph, Parameters, Tensor, Training, Value};

/// A value within a network for some images, and how the logits change with it.
#[derive(Clone, Debug, PartialEq)]
pub struct ActivationGradients {
    /// The logits in evaluation mode, N x outputs.
    pub logits: Tensor,
    /// The value, N first.
    pub value: Tensor,
    /// The gradients that were asked for, each of the value's shape.
    pub gradients: Vec<Tensor>,
}

/// The value `at` of `graph` for `images`, and the gradients of sums of the logits with regard to it.
///
/// Each of `slopes` says how much every logit of every image counts in one sum: ones for a label, zeros elsewhere, give
/// that label's gradient. Statistics are the running ones and nothing is dropped, so that images do not touch each other.
/// What lies before `at` is computed once, what follows once for each sum; [`Value::INPUT`] gives gradients of the images.
///
/// # Shape
/// `images` is N, C, H, W with the graph's C, H, W; each of `slopes` as the logits, N x outputs.
///
/// # Errors
/// [`EngineError`] when images, parameters or slopes do not fit the graph, or `at` does not come before its logits.
pub fn activation_gradients(
    graph: &Graph,
    parameters: &Parameters,
    images: &Tensor,
    at: Value,
    slopes: &[Tensor],
) -> Result<ActivationGradients, EngineError> {
    let missing = || EngineError::NoValue(graph.name().to_owned());
    // As an output it is not hidden among nodes that run as one.
    let marked = graph.clone().with_output("activation", at);
    let marked = marked.map_err(|_| missing())?;
    let frozen = Training {
        frozen: vec![String::new()],
        ..Training::default()
    };
    let setting = Setting {
        graph: &marked,
        parameters,
        batch: check(&marked, images.into())?,
        lengths: None,
        mode: Mode::Evaluation,
        training: &frozen,
    };
    buffers::next_step();
    let output = setting.output()?;
    let end = output.node().map_or(0, |node| node + 1);
    let start = at.node().map_or(0, |node| node + 1);
    if start > end {
        return Err(missing());
    }
    let mut values = BTreeMap::from([(Value::INPUT, on_tape(images))]);
    setting.walk(0..start, &mut values, end, &[at, output], false)?;
    let value = values.remove(&at).ok_or_else(missing)?;
    let mut logits = None;
    let mut gradients = Vec::with_capacity(slopes.len());
    for slopes in slopes.iter().map(Some).chain([None]) {
        if slopes.is_none() && logits.is_some() {
            break;
        }
        let leaf = Tape::from_inner(Tape::inner(value.clone()));
        let leaf = Tape::float_set_require_grad(leaf, slopes.is_some());
        let mut values = values.clone();
        values.insert(at, leaf.clone());
        setting.walk(start..end, &mut values, end, &[output], slopes.is_some())?;
        let result = values.remove(&output).ok_or_else(missing)?;
        let here = layout::channels_first(interpret::read(&result));
        if let Some(slopes) = slopes {
            gradients.push(gradient(result, &here, &leaf, slopes)?);
        }
        logits = Some(here);
    }
    Ok(ActivationGradients {
        logits: logits.ok_or_else(missing)?,
        value: layout::channels_first(interpret::read(&value)),
        gradients,
    })
}

/// The gradient of the logits' sum, weighted by `slopes`, with regard to `leaf`.
fn gradient(
    result: Tracked,
    logits: &Tensor,
    leaf: &Tracked,
    slopes: &Tensor,
) -> Result<Tensor, EngineError> {
    if slopes.shape != logits.shape || slopes.data.len() != logits.data.len() {
        return Err(EngineError::Slopes {
            expected: logits.shape.clone(),
            found: slopes.shape.clone(),
        });
    }
    let (_, slopes) = layout::channels_last(slopes);
    let found = interpret::is_tracked(&result).then(|| interpret::backward(result, slopes));
    let found = found.and_then(|mut found| Tape::grad_remove(leaf, &mut found));
    let gradient = match found {
        Some(gradient) => interpret::read(&Tape::from_inner(gradient)),
        // The logits do not depend on the value.
        None => Tensor::filled(&interpret::read_shape(leaf), 0.0),
    };
    Ok(layout::channels_first(gradient))
}
