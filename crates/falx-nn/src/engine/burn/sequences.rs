//! What concerns whole samples and sequences: recurrent layers, masks, skipped blocks.

use burn_autodiff::Autodiff;
use burn_backend::Backend;
use burn_backend::ops::{ActivationOps, FloatTensorOps};

use super::interpret::Interpreter;
use super::operators::{product, sliced};
use super::values::{self, Tracked, filled, scalar, truth};
use crate::engine::flex::Mode;
use crate::operators::{Cell, PARTS};
use crate::{EngineError, LengthMask, Node, StochasticDepth};

/// A layer's state after a step.
#[derive(Clone)]
struct State<B: Backend> {
    hidden: Tracked<B>,
    /// The LSTM's inner state.
    inner: Tracked<B>,
}

impl<B: Backend> Interpreter<'_, B> {
    /// All layers of a recurrent operator, each direction of each a pass.
    pub fn recurrent(
        &self,
        node: &Node,
        x: Tracked<B>,
        cell: Cell,
        passes: Vec<Vec<(String, bool)>>,
    ) -> Result<Tracked<B>, EngineError> {
        let mut x = x;
        for layer in passes {
            let directions = layer.into_iter().map(|(ending, reverse)| {
                let parts = PARTS.map(|part| self.part(node, &format!("{part}_{ending}")));
                let [w, u, b, c] = parts;
                Ok(self.pass(cell, x.clone(), [w?, u?, b?, c?], reverse))
            });
            let directions = directions.collect::<Result<_, EngineError>>()?;
            x = Autodiff::<B>::float_cat(directions, 2);
        }
        Ok(x)
    }

    /// One pass over sequences, with the weights of the input and of the state, and both biases.
    fn pass(
        &self,
        cell: Cell,
        x: Tracked<B>,
        [w, u, b, c]: [Tracked<B>; 4],
        reverse: bool,
    ) -> Tracked<B> {
        let (batch, steps) = (self.setting.batch, values::shape::<B>(&x)[1]);
        let hidden = values::shape::<B>(&u)[1];
        let zeros = values::put::<B>(&[batch, hidden], vec![0.0; batch * hidden], self.device);
        let mut state = State {
            hidden: zeros.clone(),
            inner: zeros,
        };
        let own = product::<B>(x, w, Some(b));
        let wide = cell.gates() * hidden;
        let mut order: Vec<usize> = (0..steps).collect();
        if reverse {
            order.reverse();
        }
        let mut outputs = Vec::new();
        for time in order {
            let ranges = [[0, batch, 1], [time, time + 1, 1], [0, wide, 1]];
            let own = values::reshaped::<B>(sliced::<B>(own.clone(), &ranges), &[batch, wide]);
            let past = product::<B>(state.hidden.clone(), u.clone(), Some(c.clone()));
            let next = match cell {
                Cell::Gru => gru::<B>(own, past, &state, [batch, hidden]),
                Cell::Lstm => lstm::<B>(own, past, &state, [batch, hidden]),
            };
            let mut output = next.hidden.clone();
            state = match self.kept(time) {
                None => next,
                Some(kept) => {
                    output = Autodiff::<B>::float_mul(output, kept.clone());
                    State {
                        hidden: moved::<B>(&state.hidden, next.hidden, kept.clone()),
                        inner: moved::<B>(&state.inner, next.inner, kept),
                    }
                }
            };
            outputs.push(values::reshaped::<B>(output, &[batch, 1, hidden]));
        }
        if reverse {
            outputs.reverse();
        }
        Autodiff::<B>::float_cat(outputs, 1)
    }

    /// 1 for sequences that last until `time` and 0 for those that have ended, where some have.
    fn kept(&self, time: usize) -> Option<Tracked<B>> {
        let lengths = self.setting.lengths?;
        if lengths.iter().all(|&length| time < length) {
            return None;
        }
        let kept = lengths
            .iter()
            .map(|&length| f32::from(u8::from(time < length)));
        Some(values::put::<B>(
            &[lengths.len(), 1],
            kept.collect(),
            self.device,
        ))
    }

    /// Places past the end take the mask's value.
    pub fn length_mask(&self, mask: LengthMask, x: Tracked<B>) -> Tracked<B> {
        let Some(lengths) = self.setting.lengths else {
            return x;
        };
        let shape = values::shape::<B>(&x);
        let mut wide = vec![1; shape.len()];
        (wide[0], wide[mask.axis]) = (lengths.len(), shape[mask.axis]);
        let kept = LengthMask::kept(shape[mask.axis], lengths);
        let kept = values::put::<B>(&wide, kept, self.device);
        let kept = Autodiff::<B>::float_expand(kept, shape.into());
        let past = Autodiff::<B>::float_equal_elem(kept, scalar(0.0), truth::<B>(&x));
        filled::<B>(x, past, mask.value)
    }

    /// Some images become 0 in training, those that the default engine chooses.
    pub fn stochastic_depth(
        &self,
        depth: StochasticDepth,
        index: usize,
        x: Tracked<B>,
    ) -> Tracked<B> {
        let Mode::Training { seed, step } = self.setting.mode else {
            return x;
        };
        let factors = depth.mask(self.setting.batch, seed, step, index);
        let mut wide = vec![1; values::shape::<B>(&x).len()];
        wide[0] = self.setting.batch;
        Autodiff::<B>::float_mul(x, values::put::<B>(&wide, factors, self.device))
    }
}

/// `old`, or `new` where it is kept.
fn moved<B: Backend>(old: &Tracked<B>, new: Tracked<B>, kept: Tracked<B>) -> Tracked<B> {
    let way = Autodiff::<B>::float_sub(new, old.clone());
    Autodiff::<B>::float_add(old.clone(), Autodiff::<B>::float_mul(way, kept))
}

/// The numbers of one gate.
fn gate<B: Backend>(all: &Tracked<B>, at: usize, [batch, hidden]: [usize; 2]) -> Tracked<B> {
    let ranges = [[0, batch, 1], [at * hidden, (at + 1) * hidden, 1]];
    sliced::<B>(all.clone(), &ranges)
}

/// Gates r, z, n.
fn gru<B: Backend>(
    own: Tracked<B>,
    past: Tracked<B>,
    state: &State<B>,
    size: [usize; 2],
) -> State<B> {
    let sum =
        |at: usize| Autodiff::<B>::float_add(gate::<B>(&own, at, size), gate::<B>(&past, at, size));
    let [reset, update] = [0, 1].map(|at| Autodiff::<B>::sigmoid(sum(at)));
    let remembered = Autodiff::<B>::float_mul(reset, gate::<B>(&past, 2, size));
    let new = Autodiff::<B>::float_add(gate::<B>(&own, 2, size), remembered);
    let new = Autodiff::<B>::float_tanh(new);
    // `(1 - z) n + z h`.
    let way = Autodiff::<B>::float_sub(state.hidden.clone(), new.clone());
    let hidden = Autodiff::<B>::float_add(new, Autodiff::<B>::float_mul(update, way));
    State {
        hidden,
        inner: state.inner.clone(),
    }
}

/// Gates i, f, g, o.
fn lstm<B: Backend>(
    own: Tracked<B>,
    past: Tracked<B>,
    state: &State<B>,
    size: [usize; 2],
) -> State<B> {
    let all = Autodiff::<B>::float_add(own, past);
    let [input, forget, shown] =
        [0, 1, 3].map(|at| Autodiff::<B>::sigmoid(gate::<B>(&all, at, size)));
    let new = Autodiff::<B>::float_tanh(gate::<B>(&all, 2, size));
    let kept = Autodiff::<B>::float_mul(forget, state.inner.clone());
    let inner = Autodiff::<B>::float_add(kept, Autodiff::<B>::float_mul(input, new));
    let hidden = Autodiff::<B>::float_mul(shown, Autodiff::<B>::float_tanh(inner.clone()));
    State { hidden, inner }
}
