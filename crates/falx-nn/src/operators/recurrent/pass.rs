//! One pass over sequences in one direction, and back through time.
//!
//! Samples are independent of each other; the weights' gradients are summed in their order, so that threads change nothing.

use rayon::prelude::*;

/// How a state follows from the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Gates r, z, n.
    Gru,
    /// Gates i, f, g, o.
    Lstm,
}

impl Cell {
    /// How many gates it has.
    pub const fn gates(self) -> usize {
        match self {
            Self::Gru => 3,
            Self::Lstm => 4,
        }
    }

    /// Numbers kept of each step and feature: the gates, and n's hidden part or the cell's state.
    const fn kept(self) -> usize {
        self.gates() + 1
    }
}

/// A pass over a batch.
#[derive(Clone, Debug)]
pub(crate) struct Recurrence {
    pub cell: Cell,
    /// Slices in each sequence, padding included.
    pub steps: usize,
    /// Features of a slice.
    pub features: usize,
    /// Features of the state.
    pub hidden: usize,
    /// Whether it comes from the end.
    pub reverse: bool,
    /// The length of each sequence; all of them full where left out.
    pub lengths: Option<Vec<usize>>,
}

/// What the way back needs: the gates of each step.
pub(crate) type Kept = Vec<f32>;

/// The gradients of the last states; 0 where nobody reads these.
#[derive(Clone, Debug, Default)]
pub(crate) struct States {
    /// Batch x hidden, or empty.
    pub hidden: Vec<f32>,
    /// Of the LSTM's inner state.
    pub cell: Vec<f32>,
}

fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// `sums += weights * x`, with the weights as columns for each `x`.
fn multiply(sums: &mut [f32], columns: &[f32], x: &[f32]) {
    let rows = sums.len();
    for (column, &x) in columns.chunks_exact(rows).zip(x) {
        for (sum, weight) in sums.iter_mut().zip(column) {
            *sum += weight * x;
        }
    }
}

/// `sums += weights^T * slopes`, with the weights as rows for each slope.
fn multiply_back(sums: &mut [f32], rows: &[f32], slopes: &[f32]) {
    let columns = sums.len();
    for (row, &slope) in rows.chunks_exact(columns).zip(slopes) {
        for (sum, weight) in sums.iter_mut().zip(row) {
            *sum += weight * slope;
        }
    }
}

/// `sums += slopes ⊗ x`.
fn outer(sums: &mut [f32], slopes: &[f32], x: &[f32]) {
    for (row, &slope) in sums.chunks_exact_mut(x.len()).zip(slopes) {
        for (sum, x) in row.iter_mut().zip(x) {
            *sum += slope * x;
        }
    }
}

fn transposed(rows: &[f32], columns: usize) -> Vec<f32> {
    let count = rows.len() / columns.max(1);
    let place = |at: usize| rows[at % count * columns + at / count];
    (0..rows.len()).map(place).collect()
}

impl Recurrence {
    fn length(&self, sample: usize) -> usize {
        let length = self.lengths.as_ref().and_then(|all| all.get(sample));
        length.map_or(self.steps, |&length| length.min(self.steps))
    }

    /// The place in time of each step of `sample`.
    fn times(&self, sample: usize) -> Vec<usize> {
        let length = self.length(sample);
        if self.reverse {
            (0..length).rev().collect()
        } else {
            (0..length).collect()
        }
    }

    /// The states, batch x steps x hidden, from `weights`: those of the input, of the state, and both biases.
    pub fn forward(&self, sequences: &[f32], weights: [&[f32]; 4]) -> (Vec<f32>, Kept) {
        let columns = [
            transposed(weights[0], self.features),
            transposed(weights[1], self.hidden),
        ];
        let (steps, hidden, kept) = (self.steps, self.hidden, self.cell.kept());
        let batch = sequences.len() / (steps * self.features);
        let mut output = vec![0.0; batch * steps * hidden];
        let mut all = vec![0.0; batch * steps * hidden * kept];
        output
            .par_chunks_mut(steps * hidden)
            .zip(all.par_chunks_mut(steps * hidden * kept))
            .zip(sequences.par_chunks(steps * self.features))
            .enumerate()
            .for_each(|(sample, ((output, kept), sequence))| {
                let biases = [weights[2], weights[3]];
                self.sample(sample, sequence, &columns, biases, output, kept);
            });
        (output, all)
    }

    fn sample(
        &self,
        sample: usize,
        sequence: &[f32],
        columns: &[Vec<f32>; 2],
        biases: [&[f32]; 2],
        output: &mut [f32],
        kept: &mut [f32],
    ) {
        let hidden = self.hidden;
        let (mut state, mut inner) = (vec![0.0; hidden], vec![0.0; hidden]);
        for time in self.times(sample) {
            let x = &sequence[time * self.features..][..self.features];
            let [mut own, mut past] = biases.map(<[f32]>::to_vec);
            multiply(&mut own, &columns[0], x);
            multiply(&mut past, &columns[1], &state);
            let wide = hidden * self.cell.kept();
            let kept = &mut kept[time * wide..][..wide];
            for at in 0..hidden {
                let gate = |gate: usize| own[gate * hidden + at] + past[gate * hidden + at];
                match self.cell {
                    Cell::Gru => {
                        let (reset, update) = (logistic(gate(0)), logistic(gate(1)));
                        let past = past[2 * hidden + at];
                        let new = (own[2 * hidden + at] + reset * past).tanh();
                        state[at] = (1.0 - update) * new + update * state[at];
                        for (place, value) in [reset, update, new, past].into_iter().enumerate() {
                            kept[place * hidden + at] = value;
                        }
                    }
                    Cell::Lstm => {
                        let (input, forget) = (logistic(gate(0)), logistic(gate(1)));
                        let (new, shown) = (gate(2).tanh(), logistic(gate(3)));
                        inner[at] = forget * inner[at] + input * new;
                        state[at] = shown * inner[at].tanh();
                        let values = [input, forget, new, shown, inner[at]];
                        for (place, value) in values.into_iter().enumerate() {
                            kept[place * hidden + at] = value;
                        }
                    }
                }
            }
            output[time * hidden..][..hidden].copy_from_slice(&state);
        }
    }

    /// The gradients of the sequences and of the four weights.
    pub fn backward(
        &self,
        [sequences, output, kept]: [&[f32]; 3],
        weights: [&[f32]; 4],
        slopes: &[f32],
        last: &States,
    ) -> [Vec<f32>; 5] {
        let (steps, hidden) = (self.steps, self.hidden);
        let batch = sequences.len() / (steps * self.features);
        let samples: Vec<[Vec<f32>; 5]> = (0..batch)
            .into_par_iter()
            .map(|sample| {
                let part = |wide: usize| sample * steps * wide..(sample + 1) * steps * wide;
                let values = [
                    &sequences[part(self.features)],
                    &output[part(hidden)],
                    &kept[part(hidden * self.cell.kept())],
                ];
                let state = |all: &[f32]| {
                    all.get(sample * hidden..(sample + 1) * hidden)
                        .map_or_else(|| vec![0.0; hidden], <[f32]>::to_vec)
                };
                let last = [state(&last.hidden), state(&last.cell)];
                self.sample_back(sample, values, weights, &slopes[part(hidden)], last)
            })
            .collect();
        let mut gradients = [
            Vec::with_capacity(sequences.len()),
            vec![0.0; weights[0].len()],
            vec![0.0; weights[1].len()],
            vec![0.0; weights[2].len()],
            vec![0.0; weights[3].len()],
        ];
        for [sequence, parts @ ..] in samples {
            gradients[0].extend(sequence);
            for (sum, part) in gradients[1..].iter_mut().zip(parts) {
                sum.iter_mut().zip(part).for_each(|(sum, x)| *sum += x);
            }
        }
        gradients
    }

    fn sample_back(
        &self,
        sample: usize,
        [sequence, output, kept]: [&[f32]; 3],
        weights: [&[f32]; 4],
        slopes: &[f32],
        [mut state, mut inner]: [Vec<f32>; 2],
    ) -> [Vec<f32>; 5] {
        let (hidden, gates, wide) = (
            self.hidden,
            self.cell.gates(),
            self.hidden * self.cell.kept(),
        );
        let mut input = vec![0.0; sequence.len()];
        let [mut w, mut u, mut b, mut c] = weights.map(|weights| vec![0.0; weights.len()]);
        let times = self.times(sample);
        let zeros = vec![0.0; hidden];
        for (step, &time) in times.iter().enumerate().rev() {
            let before = step.checked_sub(1).map(|step| times[step]);
            let kept_at = |time: usize| &kept[time * wide..][..wide];
            let past = before.map_or(&zeros[..], |time| &output[time * hidden..][..hidden]);
            let now = kept_at(time);
            let [mut own, mut other] = [vec![0.0; gates * hidden], vec![0.0; gates * hidden]];
            let mut earlier = vec![0.0; hidden];
            for at in 0..hidden {
                let gate = |place: usize| now[place * hidden + at];
                let slope = state[at] + slopes[time * hidden + at];
                let mut set = |place: usize, x: f32, share: f32| {
                    own[place * hidden + at] = x;
                    other[place * hidden + at] = x * share;
                };
                match self.cell {
                    Cell::Gru => {
                        let (reset, update, new, hidden) = (gate(0), gate(1), gate(2), gate(3));
                        let inside = slope * (1.0 - update) * (1.0 - new * new);
                        set(0, inside * hidden * reset * (1.0 - reset), 1.0);
                        set(1, slope * (past[at] - new) * update * (1.0 - update), 1.0);
                        set(2, inside, reset);
                        earlier[at] = slope * update;
                    }
                    Cell::Lstm => {
                        let (input, forget, new, shown) = (gate(0), gate(1), gate(2), gate(3));
                        let seen = gate(4).tanh();
                        let cell = inner[at] + slope * shown * (1.0 - seen * seen);
                        let old = before.map_or(0.0, |time| kept_at(time)[4 * hidden + at]);
                        set(0, cell * new * input * (1.0 - input), 1.0);
                        set(1, cell * old * forget * (1.0 - forget), 1.0);
                        set(2, cell * input * (1.0 - new * new), 1.0);
                        set(3, slope * seen * shown * (1.0 - shown), 1.0);
                        inner[at] = cell * forget;
                    }
                }
            }
            let x = &sequence[time * self.features..][..self.features];
            multiply_back(
                &mut input[time * self.features..][..self.features],
                weights[0],
                &own,
            );
            multiply_back(&mut earlier, weights[1], &other);
            outer(&mut w, &own, x);
            outer(&mut u, &other, past);
            b.iter_mut().zip(&own).for_each(|(sum, x)| *sum += x);
            c.iter_mut().zip(&other).for_each(|(sum, x)| *sum += x);
            state = earlier;
        }
        [input, w, u, b, c]
    }
}
