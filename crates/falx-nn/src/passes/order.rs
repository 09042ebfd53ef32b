//! Outputs in another order.

use super::rebuild::{copied_with, kept, needed};
use crate::{Gemm, Graph, GraphError, Parameters, ShapeError, Tensor};

/// The module that changes the order, and what stands before the names of all others, so that none is called as it or the
/// output is.
const MODULE: &str = "order";
const PREFIX: &str = "network.";

/// The graph whose one output, called `name`, is the first output of `graph` with its features in another order: at each
/// place the one that `order` names there, counted from 0. The numbers are the same to the last bit; `network.` stands
/// before the modules' names.
///
/// # Errors
/// [`GraphError`] when the first output is no row of features, or the order does not name each of them once.
pub fn output_in_order(
    graph: &Graph,
    parameters: &Parameters,
    name: &str,
    order: &[usize],
) -> Result<(Graph, Parameters), GraphError> {
    let mut named = order.to_vec();
    named.sort_unstable();
    let none = || GraphError::NoSuchValue(name.to_owned());
    let first = graph.outputs().first().ok_or_else(none)?;
    let shape = graph.shape(first.1).unwrap_or_default();
    if *shape != [order.len()] || !named.into_iter().eq(0..order.len()) {
        return Err(GraphError::Shape {
            node: MODULE.to_owned(),
            source: ShapeError {
                operator: "Gemm",
                inputs: vec![shape.to_vec()],
                reason: "the order must name every feature once",
            },
        });
    }
    let graph = needed(graph, std::slice::from_ref(first))?;
    let own = kept(parameters, &graph).into_iter();
    let own = own.map(|(name, tensor)| (format!("{PREFIX}{name}"), tensor));
    let (mut builder, values) = copied_with(&graph, PREFIX)?;
    let last = graph.outputs().first();
    let last = last.and_then(|(_, value)| values.get(value.0)).copied();
    let last = last.ok_or_else(none)?;
    if order.iter().copied().eq(0..order.len()) {
        return Ok((builder.output(name, last).finish()?, own.collect()));
    }
    let gemm = Gemm {
        features: order.len(),
        bias: false,
    };
    let ordered = builder.add(MODULE, gemm, &[last])?;
    let rows = order
        .iter()
        .flat_map(|&from| (0..order.len()).map(move |at| if at == from { 1.0 } else { 0.0 }));
    let weight = Tensor {
        shape: vec![order.len(); 2],
        data: rows.collect(),
    };
    let weight = (format!("{MODULE}.weight"), weight);
    let graph = builder.output(name, ordered).finish()?;
    Ok((graph, own.chain([weight]).collect()))
}
