//! Logits whose last, `any`, never contradicts the subtypes before it.

use super::config::Coherence;
use crate::{Add, Concat, GraphBuilder, GraphError, ReduceMax, Slice, Softplus, Sub, Value};

impl Coherence {
    /// How many logits the layers before must give for `outputs` logits.
    pub(super) const fn learned(self, outputs: usize) -> usize {
        match self {
            Self::None | Self::Maximum => outputs,
            Self::Product => outputs.saturating_sub(1),
        }
    }
}

/// Makes the last logit along the last axis at least as large as every other.
pub fn add(
    graph: &mut GraphBuilder,
    coherence: Coherence,
    logits: Value,
) -> Result<Value, GraphError> {
    let shape = graph.shape(logits).unwrap_or_default();
    let (axis, count) = (shape.len(), shape.last().copied().unwrap_or(0));
    let (subtypes, any) = match coherence {
        Coherence::None => return Ok(logits),
        Coherence::Maximum => {
            let subtypes = part(
                graph,
                "coherent.subtypes",
                axis,
                0..count.saturating_sub(1),
                logits,
            )?;
            (subtypes, logits)
        }
        Coherence::Product => {
            let any = union(graph, axis, count, logits)?;
            // Rounding alone could put the union below a subtype.
            let all = graph.add("coherent.all", Concat { axis }, &[logits, any])?;
            (logits, all)
        }
    };
    let maximum = ReduceMax {
        axes: vec![axis],
        keepdims: true,
    };
    let any = graph.add("coherent.any", maximum, &[any])?;
    graph.add("coherent", Concat { axis }, &[subtypes, any])
}

/// The logit of `1 - Π(1 - p)`.
///
/// The odds of two events' union are `e^a + e^b + e^(a+b)`, so its logit is a logarithm of a sum of exponentials: exact
/// for any logits, where `1 - Π(1 - p)` in probabilities loses all digits of small ones.
fn union(
    graph: &mut GraphBuilder,
    axis: usize,
    count: usize,
    logits: Value,
) -> Result<Value, GraphError> {
    let mut all = part(graph, "coherent.0", axis, 0..1, logits)?;
    for index in 1..count {
        let name = format!("coherent.{index}");
        let next = part(graph, &name, axis, index..index + 1, logits)?;
        let both = graph.add(&format!("{name}.both"), Add::default(), &[all, next])?;
        let either = log_add(graph, &format!("{name}.either"), [all, next])?;
        all = log_add(graph, &format!("{name}.union"), [either, both])?;
    }
    Ok(all)
}

/// `ln(e^a + e^b)` as `b + softplus(a - b)`.
fn log_add(graph: &mut GraphBuilder, name: &str, [a, b]: [Value; 2]) -> Result<Value, GraphError> {
    let x = graph.add(&format!("{name}.difference"), Sub::default(), &[a, b])?;
    let x = graph.add(&format!("{name}.softplus"), Softplus, &[x])?;
    graph.add(name, Add::default(), &[x, b])
}

fn part(
    graph: &mut GraphBuilder,
    name: &str,
    axis: usize,
    range: std::ops::Range<usize>,
    logits: Value,
) -> Result<Value, GraphError> {
    let slice = Slice {
        starts: vec![range.start as i64],
        ends: vec![range.end as i64],
        axes: vec![axis],
        steps: vec![1],
    };
    graph.add(name, slice, &[logits])
}
