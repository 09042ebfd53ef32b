//! Layers that read a series slice by slice and remember.

mod export;
mod pass;

pub(crate) use pass::{Cell, Kept, Recurrence, States};

use super::{Rules, only};
use crate::onnx::Place;
use crate::onnx::message::Node;
use crate::{Initialisation, ParameterKind, ParameterSpec};

macro_rules! recurrent {
    ($($(#[$doc:meta])* $name:ident $onnx:literal $cell:ident)*) => {
        $(
            $(#[$doc])*
            ///
            /// Gates, names and order of the parameters are PyTorch's, the batch comes first, states begin at 0. Outputs
            /// past a sequence's length are 0. A file holds it at its full length.
            ///
            /// # Shape
            /// T, F becomes T, `hidden`, or T, 2 `hidden` in both directions.
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct $name {
                /// Features of the state.
                pub hidden: usize,
                /// How many layers lie above each other.
                pub layers: usize,
                /// Whether another pass comes from the end.
                pub bidirectional: bool,
            }

            impl $name {
                pub(crate) const CELL: Cell = Cell::$cell;

                /// The endings of each pass' parameters with the pass' direction, layer by layer.
                pub(crate) fn passes(self) -> Vec<Vec<(String, bool)>> {
                    passes(self.layers, self.bidirectional)
                }
            }

            impl Rules for $name {
                fn name(&self) -> &'static str {
                    $onnx
                }

                fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
                    if self.hidden == 0 || self.layers == 0 {
                        return Err("it needs at least one layer of at least one feature");
                    }
                    match *only(inputs)? {
                        [steps, features] if steps > 0 && features > 0 => {
                            Ok(vec![steps, self.hidden * (1 + usize::from(self.bidirectional))])
                        }
                        _ => Err("it takes sequences of features"),
                    }
                }

                fn parameters(&self, name: &str, inputs: &[&[usize]]) -> Vec<ParameterSpec> {
                    let features = inputs.first().and_then(|shape| shape.last().copied());
                    let rows = Self::CELL.gates() * self.hidden;
                    let mut specs = Vec::new();
                    let mut columns = features.unwrap_or(0);
                    for layer in self.passes() {
                        let directions = layer.len();
                        for (ending, _) in layer {
                            let shapes = [vec![rows, columns], vec![rows, self.hidden], vec![rows], vec![rows]];
                            for (part, shape) in PARTS.into_iter().zip(shapes) {
                                specs.push(ParameterSpec {
                                    name: format!("{name}.{part}_{ending}"),
                                    shape,
                                    kind: ParameterKind::Weight,
                                    initialisation: Initialisation::FanInUniform { fan_in: self.hidden },
                                });
                            }
                        }
                        columns = directions * self.hidden;
                    }
                    specs
                }

                fn nodes(&self, place: &Place) -> Vec<Node> {
                    export::nodes(place, Self::CELL, self.hidden, self.bidirectional)
                }
            }
        )*
    };
}

recurrent! {
    /// ONNX `GRU` with `linear_before_reset = 1`.
    ///
    /// # Source
    /// Cho et al. 2014, "Learning Phrase Representations using RNN Encoder-Decoder".
    Gru "GRU" Gru
    /// ONNX `LSTM` without peepholes.
    ///
    /// # Source
    /// Hochreiter and Schmidhuber 1997, "Long Short-Term Memory".
    Lstm "LSTM" Lstm
}

/// What the parameters of a pass are called before their endings.
pub(crate) const PARTS: [&str; 4] = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"];

fn passes(layers: usize, bidirectional: bool) -> Vec<Vec<(String, bool)>> {
    let directions = |layer: usize| {
        let forward = (format!("l{layer}"), false);
        let backward = bidirectional.then(|| (format!("l{layer}_reverse"), true));
        std::iter::once(forward).chain(backward).collect()
    };
    (0..layers).map(directions).collect()
}

#[cfg(test)]
mod tests;
