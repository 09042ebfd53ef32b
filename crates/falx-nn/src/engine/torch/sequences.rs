//! What concerns whole samples and sequences: recurrent layers, masks, skipped blocks.

use tch::{Kind, Tensor as Value};

use super::interpret::{Interpreter, Mode};
use super::values::signed;
use crate::operators::PARTS;
use crate::{EngineError, Gru, LengthMask, Lstm, Node, StochasticDepth};

type Outcome = Result<Value, EngineError>;

/// Sequences without what lies past their ends, the longest first.
struct Packed {
    data: Value,
    batch_sizes: Value,
    /// Where each sequence lies among the sorted ones.
    places: Value,
    steps: i64,
}

impl Packed {
    fn new(x: &Value, lengths: &[usize]) -> Result<Self, EngineError> {
        let mut order: Vec<usize> = (0..lengths.len()).collect();
        order.sort_by_key(|&at| std::cmp::Reverse(lengths[at]));
        let sorted: Vec<i64> = order.iter().map(|&at| lengths[at] as i64).collect();
        let mut places = vec![0; order.len()];
        for (place, &at) in (0..).zip(&order) {
            places[at] = place;
        }
        let index = |places: &[i64]| Value::f_from_slice(places)?.f_to_device(x.device());
        let sorted_x = x.f_index_select(0, &index(&signed(&order))?)?;
        let sorted = Value::f_from_slice(&sorted)?;
        let (data, batch_sizes) = sorted_x.f_internal_pack_padded_sequence(&sorted, true)?;
        Ok(Self {
            data,
            batch_sizes,
            places: index(&places)?,
            steps: x.size()[1],
        })
    }

    /// Padded with zeros and in the old order again.
    fn padded(&self, data: &Value) -> Outcome {
        let (sizes, steps) = (&self.batch_sizes, self.steps);
        let (padded, _) = Value::f_internal_pad_packed_sequence(data, sizes, true, 0.0, steps)?;
        Ok(padded.f_index_select(0, &self.places)?)
    }
}

impl Interpreter<'_> {
    /// The parameters of all passes in libtorch's order.
    fn weights(
        &self,
        node: &Node,
        passes: &[Vec<(String, bool)>],
    ) -> Result<Vec<&Value>, EngineError> {
        let endings = passes.iter().flatten().map(|(ending, _)| ending);
        let names = endings.flat_map(|ending| PARTS.map(|part| format!("{part}_{ending}")));
        names.map(|name| self.part(node, &name)).collect()
    }

    /// The states at the beginning.
    fn zeros(x: &Value, passes: &[Vec<(String, bool)>], hidden: usize) -> Outcome {
        let count: usize = passes.iter().map(Vec::len).sum();
        let shape = [count as i64, Self::batch(x), hidden as i64];
        Ok(Value::f_zeros(shape, (Kind::Float, x.device()))?)
    }

    pub fn gru(&self, gru: Gru, node: &Node, x: &Value) -> Outcome {
        let (passes, layers, both) = (gru.passes(), gru.layers as i64, gru.bidirectional);
        let (weights, start) = (
            self.weights(node, &passes)?,
            Self::zeros(x, &passes, gru.hidden)?,
        );
        let Some(lengths) = self.setting.lengths else {
            let (y, _) = x.f_gru(&start, &weights, true, layers, 0.0, false, both, true)?;
            return Ok(y);
        };
        let packed = Packed::new(x, lengths)?;
        let (data, sizes) = (&packed.data, &packed.batch_sizes);
        let (y, _) = Value::f_gru_data(
            data, sizes, &start, &weights, true, layers, 0.0, false, both,
        )?;
        packed.padded(&y)
    }

    pub fn lstm(&self, lstm: Lstm, node: &Node, x: &Value) -> Outcome {
        let (passes, layers, both) = (lstm.passes(), lstm.layers as i64, lstm.bidirectional);
        let weights = self.weights(node, &passes)?;
        let zeros = Self::zeros(x, &passes, lstm.hidden)?;
        let start = [&zeros, &zeros];
        let Some(lengths) = self.setting.lengths else {
            let (y, _, _) = x.f_lstm(&start, &weights, true, layers, 0.0, false, both, true)?;
            return Ok(y);
        };
        let packed = Packed::new(x, lengths)?;
        let (data, sizes) = (&packed.data, &packed.batch_sizes);
        let (y, _, _) = Value::f_lstm_data(
            data, sizes, &start, &weights, true, layers, 0.0, false, both,
        )?;
        packed.padded(&y)
    }

    /// Places past the end take the mask's value.
    pub fn length_mask(&self, mask: LengthMask, x: &Value) -> Outcome {
        let Some(lengths) = self.setting.lengths else {
            return Ok(x.shallow_clone());
        };
        let mut wide = vec![1; x.size().len()];
        let steps = x.size()[mask.axis];
        (wide[0], wide[mask.axis]) = (Self::batch(x), steps);
        let kept = Value::f_from_slice(&LengthMask::kept(steps as usize, lengths))?;
        let past = kept.f_to_device(x.device())?.f_reshape(wide)?.f_eq(0.0)?;
        Ok(x.f_masked_fill(&past, f64::from(mask.value))?)
    }

    /// Some images become 0 in training, those that the default engine chooses.
    pub fn stochastic_depth(&self, depth: StochasticDepth, index: usize, x: &Value) -> Outcome {
        let Mode::Training { seed, step } = self.setting.mode else {
            return Ok(x.shallow_clone());
        };
        let factors = depth.mask(Self::batch(x) as usize, seed, step, index);
        let mut wide = vec![1; x.size().len()];
        wide[0] = Self::batch(x);
        let factors = Value::f_from_slice(&factors)?.f_to_device(x.device())?;
        Ok(x.f_mul(&factors.f_reshape(wide)?)?)
    }
}
