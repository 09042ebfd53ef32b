//! What concerns whole samples and sequences: recurrent layers, masks, skipped blocks.

use burn_backend::Shape;
use burn_backend::backend::AutodiffBackend;
use burn_backend::ops::FloatTensorOps;
use burn_flex::FlexTensor;

use super::super::tape::{Recorded, Tape, Tracked, numbers, record, tensor};
use super::{Interpreter, Mode};
use crate::operators::{Cell, Kept, PARTS, Recurrence, States};
use crate::{EngineError, LengthMask, Node, StochasticDepth};

#[derive(Clone, Debug)]
struct RecordedPass {
    recurrence: Recurrence,
    sequences: FlexTensor,
    weights: [FlexTensor; 4],
    output: FlexTensor,
    kept: Kept,
}

impl Recorded<5> for RecordedPass {
    fn gradients(&self, slopes: &FlexTensor, wanted: [bool; 5]) -> [Option<FlexTensor>; 5] {
        let values = [numbers(&self.sequences), numbers(&self.output), &self.kept];
        let weights = self.weights.each_ref().map(numbers);
        let gradients =
            self.recurrence
                .backward(values, weights, numbers(slopes), &States::default());
        let [w, u, b, c] = &self.weights;
        let mut inputs = [&self.sequences, w, u, b, c].into_iter();
        let mut wanted = wanted.into_iter();
        gradients.map(|gradient| {
            use burn_backend::TensorMetadata;
            let input = inputs.next()?;
            let wanted = wanted.next().unwrap_or(false);
            wanted.then(|| tensor(&input.shape(), gradient))
        })
    }
}

fn pass(recurrence: Recurrence, inputs: [&Tracked; 5], shape: &[usize]) -> Tracked {
    let [sequences, w, u, b, c] = inputs.map(|input| input.primitive().to_contiguous());
    let weights = [w, u, b, c];
    let (output, kept) = recurrence.forward(numbers(&sequences), weights.each_ref().map(numbers));
    let output = tensor(shape, output);
    let recorded = RecordedPass {
        recurrence,
        sequences,
        weights,
        output: output.clone(),
        kept,
    };
    record(inputs, recorded, output)
}

impl Interpreter<'_> {
    /// All layers of a recurrent operator, each direction of each a pass.
    pub(super) fn recurrent(
        &self,
        node: &Node,
        input: &Tracked,
        shape: &[usize],
        cell: Cell,
        passes: Vec<Vec<(String, bool)>>,
    ) -> Result<Tracked, EngineError> {
        use burn_backend::TensorMetadata;
        let mut x = input.clone();
        for layer in passes {
            let features = x.shape().last().copied().unwrap_or(1);
            let hidden = shape[2] / layer.len();
            let mut directions = Vec::new();
            for (ending, reverse) in layer {
                let recurrence = Recurrence {
                    cell,
                    steps: shape[1],
                    features,
                    hidden,
                    reverse,
                    lengths: self.lengths.map(<[usize]>::to_vec),
                };
                let leaf = |part: &str| self.leaf(node, &format!("{part}_{ending}"));
                let [w, u, b, c] = PARTS.map(leaf);
                directions.push(pass(
                    recurrence,
                    [&x, w?, u?, b?, c?],
                    &[shape[0], shape[1], hidden],
                ));
            }
            x = Tape::float_cat(directions, 2);
        }
        Ok(x)
    }

    /// Places past the end take the mask's value.
    pub(super) fn length_mask(&self, mask: LengthMask, x: &Tracked, shape: &[usize]) -> Tracked {
        let Some(lengths) = self.lengths else {
            return x.clone();
        };
        // Four dimensions lie channels last: heads, queries, keys as queries, keys, heads.
        let axis = match (shape.len(), mask.axis) {
            (4, 1) => 3,
            (4, axis) => axis - 1,
            (_, axis) => axis,
        };
        let steps = shape[axis];
        let kept = LengthMask::kept(steps, lengths);
        let filled = kept.iter().map(|kept| (1.0 - kept) * mask.value).collect();
        let mut wide = vec![1; shape.len()];
        (wide[0], wide[axis]) = (lengths.len(), steps);
        let constant = |data| Tape::from_inner(tensor(&wide, data));
        let masked = Tape::float_mul(x.clone(), constant(kept));
        if mask.value == 0.0 {
            masked
        } else {
            Tape::float_add(masked, constant(filled))
        }
    }

    /// Some images become 0 in training.
    pub(super) fn stochastic_depth(
        &self,
        depth: StochasticDepth,
        index: usize,
        x: &Tracked,
        shape: &[usize],
    ) -> Tracked {
        let Mode::Training { seed, step } = self.mode else {
            return x.clone();
        };
        let factors = tensor(&[self.batch], depth.mask(self.batch, seed, step, index));
        let mut wide = vec![1; shape.len()];
        wide[0] = self.batch;
        let factors = Tape::float_reshape(Tape::from_inner(factors), Shape::from(wide));
        Tape::float_mul(x.clone(), factors)
    }
}
