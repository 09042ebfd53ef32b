//! Graphs built anew with some nodes left out.

use crate::{Graph, GraphBuilder, GraphError, Operator, Parameters, Value};

/// A builder that holds all nodes of `graph`, and where its values are in it.
pub(crate) fn copied(graph: &Graph) -> Result<(GraphBuilder, Vec<Value>), GraphError> {
    copied_with(graph, "")
}

/// The same, with `prefix` before the name of every node, and so of every parameter.
pub(crate) fn copied_with(
    graph: &Graph,
    prefix: &str,
) -> Result<(GraphBuilder, Vec<Value>), GraphError> {
    let keep = vec![true; graph.nodes().len()];
    rebuilt(graph, graph.input(), &keep, prefix)
}

/// The graph of the nodes that `outputs` need, with these outputs alone.
///
/// # Errors
/// [`GraphError`] when an output is no value of the graph.
pub fn needed(graph: &Graph, outputs: &[(String, Value)]) -> Result<Graph, GraphError> {
    let mut keep = vec![false; graph.nodes().len()];
    for (_, value) in outputs {
        if let Some(kept) = value.node().and_then(|node| keep.get_mut(node)) {
            *kept = true;
        }
    }
    for (index, node) in graph.nodes().iter().enumerate().rev() {
        if keep.get(index) == Some(&true) {
            for value in &node.inputs {
                if let Some(kept) = value.node().and_then(|node| keep.get_mut(node)) {
                    *kept = true;
                }
            }
        }
    }
    let (builder, values) = rebuilt(graph, graph.input(), &keep, "")?;
    with_outputs(builder, &values, outputs)
}

/// The parameters that `graph` wants, of those of a larger one.
pub(crate) fn kept(parameters: &Parameters, graph: &Graph) -> Parameters {
    let wanted = graph.parameters().iter();
    let found =
        wanted.filter_map(|spec| Some((spec.name.clone(), parameters.get(&spec.name)?.clone())));
    found.collect()
}

/// The same nodes on an input of another shape.
///
/// # Errors
/// [`GraphError`] when a node cannot take what the other input gives.
pub(crate) fn with_input(graph: &Graph, input: &[usize]) -> Result<Graph, GraphError> {
    let keep = vec![true; graph.nodes().len()];
    let (builder, values) = rebuilt(graph, input, &keep, "")?;
    with_outputs(builder, &values, graph.outputs())
}

/// The graph without the nodes that change nothing once it is trained: dropouts, reshapes to the same shape.
///
/// # Errors
/// [`GraphError`] never for a graph that was built.
pub fn without_dropout(graph: &Graph) -> Result<Graph, GraphError> {
    let keep = graph.nodes().iter().map(|node| {
        let input = node.inputs.first().and_then(|&value| graph.shape(value));
        match &node.operator {
            Operator::Dropout(_) => false,
            Operator::Reshape(_) | Operator::Flatten(_) => input != Some(node.shape.as_slice()),
            _ => true,
        }
    });
    let (builder, values) = rebuilt(graph, graph.input(), &keep.collect::<Vec<_>>(), "")?;
    with_outputs(builder, &values, graph.outputs())
}

/// The kept nodes, their names behind `prefix`; a left-out node's value is its first input's.
pub(super) fn rebuilt(
    graph: &Graph,
    input: &[usize],
    keep: &[bool],
    prefix: &str,
) -> Result<(GraphBuilder, Vec<Value>), GraphError> {
    let mut builder = GraphBuilder::new(graph.name(), input);
    let mut values = vec![Value::INPUT];
    for (node, keep) in graph.nodes().iter().zip(keep) {
        let at = |value: &Value| values.get(value.0).copied().unwrap_or(Value::INPUT);
        let inputs: Vec<Value> = node.inputs.iter().map(at).collect();
        let value = if *keep {
            builder.add(
                &format!("{prefix}{}", node.name),
                node.operator.clone(),
                &inputs,
            )?
        } else {
            inputs.first().copied().unwrap_or(Value::INPUT)
        };
        values.push(value);
    }
    Ok((builder, values))
}

/// The finished graph with outputs named by values of the graph before.
pub(super) fn with_outputs(
    mut builder: GraphBuilder,
    values: &[Value],
    outputs: &[(String, Value)],
) -> Result<Graph, GraphError> {
    for (name, value) in outputs {
        let value = values.get(value.0).copied();
        let value = value.ok_or_else(|| GraphError::NoSuchValue(name.clone()))?;
        builder = builder.output(name, value);
    }
    builder.finish()
}
