//! Batch normalisation.

use burn_backend::ops::FloatTensorOps;

use super::super::fusion::Fused;
use super::super::kernels;
use super::super::remembered::{Computed, Remembered};
use super::super::tape::{Tape, Tracked, numbers};
use super::{Interpreter, Mode, find};
use crate::operators::{Normalisation, Statistics};
use crate::{BatchNormalization, EngineError, Node};

impl Interpreter<'_> {
    pub(super) fn normalised(
        &mut self,
        norm: BatchNormalization,
        node: &Node,
        inputs: &[&Tracked],
        fused: Fused,
        shape: &[usize],
    ) -> Result<Computed, EngineError> {
        let &[first, ..] = inputs else {
            return Err(EngineError::NoOutput(self.graph.name().to_owned()));
        };
        let rank = shape.len();
        if rank == 2 || rank == 4 {
            let values = self.remembered(node.inputs.first(), first);
            return self.batch_normalization(norm, node, (inputs, values), fused, shape);
        }
        // Only images lie with their channels last, where the kernel wants them.
        let there: Vec<usize> = [0].into_iter().chain(2..rank).chain([1]).collect();
        let back: Vec<usize> = [0, rank - 1].into_iter().chain(1..rank - 1).collect();
        let shape: Vec<usize> = there.iter().map(|&axis| shape[axis]).collect();
        let turn = |&value: &&Tracked| Tape::float_permute(value.clone(), &there);
        let turned: Vec<Tracked> = inputs.iter().map(turn).collect();
        let turned: Vec<&Tracked> = turned.iter().collect();
        let values = Remembered::whole(turned.first().copied().unwrap_or(first));
        let inputs = (turned.as_slice(), values);
        let results = self.batch_normalization(norm, node, inputs, fused, &shape)?;
        Ok(Computed::whole(Tape::float_permute(results.value, &back)))
    }

    fn batch_normalization(
        &mut self,
        norm: BatchNormalization,
        node: &Node,
        (inputs, remembered): (&[&Tracked], Remembered),
        fused: Fused,
        shape: &[usize],
    ) -> Result<Computed, EngineError> {
        let &[values, ..] = inputs else {
            return Err(EngineError::NoOutput(self.graph.name().to_owned()));
        };
        let channels = [*node.shape.first().unwrap_or(&1)];
        let own = self.mode != Mode::Evaluation && !self.training.keeps_statistics(&node.name);
        let statistics = if own {
            let values = values.primitive().to_contiguous();
            let statistics = Statistics::of(numbers(&values), channels[0]);
            if statistics.count < 2 {
                return Err(EngineError::OneValue {
                    node: node.name.clone(),
                });
            }
            self.statistics
                .push((node.name.clone(), statistics.clone(), norm.momentum));
            statistics
        } else {
            let running =
                |part: &str| find(self.parameters, &format!("{}.{part}", node.name), &channels);
            Statistics {
                mean: running("running_mean")?.to_vec(),
                variance: running("running_var")?.to_vec(),
                count: 0,
            }
        };
        let [weight, bias] = [self.leaf(node, "weight")?, self.leaf(node, "bias")?];
        let affine = [weight, bias].map(|leaf| numbers(leaf.primitive()));
        let columns = node.shape.get(2).copied().unwrap_or(1);
        let normalisation = Normalisation::new(
            &statistics,
            affine,
            norm.epsilon,
            own,
            columns,
            fused.epilogue,
        );
        Ok(match (fused.other, inputs) {
            (Some(_), &[_, other, ..]) => {
                let inputs = [values, weight, bias, other];
                let sum = kernels::normalise_and_add(normalisation, inputs, remembered, shape);
                Computed::whole(sum)
            }
            _ => kernels::normalise(normalisation, [values, weight, bias], remembered, shape),
        })
    }
}
