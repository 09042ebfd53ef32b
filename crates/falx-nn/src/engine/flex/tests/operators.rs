//! Each operator against PyTorch's values, forward and gradient.

use burn_backend::ops::FloatTensorOps;

use super::super::tape::tensor;
use super::super::*;
use crate::reference::operators::{Outcome, Run as Case, agree};

/// Runs a graph and goes back from its output.
#[allow(clippy::needless_pass_by_value, reason = "as the reference calls it")]
pub(super) fn differentiate(case: Case<'_>) -> Outcome {
    let (shape, data) = layout::channels_last(case.input);
    let images = Tape::float_set_require_grad(Tape::from_inner(tensor(&shape, data)), true);
    let mode = if case.training {
        Mode::Training { seed: 0, step: 0 }
    } else {
        Mode::Evaluation
    };
    let input = (images.clone(), case.input.shape[0]);
    let run = interpret::run(case.graph, case.parameters, input, mode, true).unwrap();
    let output = interpret::read(&run.output);
    let slopes = if output.shape.len() == 4 {
        layout::channels_last(case.upstream).1
    } else {
        case.upstream.data.clone()
    };
    let mut gradients = interpret::backward(run.output, slopes);
    let mut take = |leaf: &Tracked| {
        let gradient = Tape::grad_remove(leaf, &mut gradients)?;
        Some(interpret::read(&Tape::from_inner(gradient)))
    };
    let input = take(&images).unwrap();
    let leaves = run.leaves.iter();
    let found = leaves.filter_map(|(name, leaf)| Some((name.clone(), take(leaf)?)));
    let mut running = case.parameters.clone();
    follow(&run.statistics, &mut running);
    let statistics = run.statistics.into_iter().next();
    Outcome {
        gradients: found.collect(),
        input: layout::channels_first(input).data,
        output: layout::channels_first(output).data,
        statistics: statistics.map(|(_, of, _)| (of.mean, of.variance, of.count)),
        running,
    }
}

#[test]
fn operators_are_the_references() {
    agree(&differentiate);
}
