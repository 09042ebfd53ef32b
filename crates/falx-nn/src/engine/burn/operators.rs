//! What each operator is in Burn, with the gradients at kinks that the graph's operators promise.

use burn_autodiff::Autodiff;
use burn_backend::ops::{ActivationOps, FloatTensorOps};
use burn_backend::{Backend, Slice};

use super::images;
use super::interpret::Interpreter;
use super::values::{self, Tracked, filled, scalar, truth};
use crate::operators::Resample;
use crate::{Constant, EngineError, LayerNormalization, Node, Operator, Value as Place};

impl<B: Backend> Interpreter<'_, B> {
    /// What the node at `index` gives.
    pub fn node(
        &mut self,
        index: usize,
        node: &Node,
        inputs: &[&Tracked<B>],
    ) -> Result<Tracked<B>, EngineError> {
        let no_input = || EngineError::NoOutput(self.setting.graph.name().to_owned());
        let x = inputs.first().copied().cloned().ok_or_else(no_input)?;
        let rank = node.shape.len() + 1;
        let operand = |own: &Option<Constant>| match (own, inputs) {
            (None, &[_, second, ..]) => Ok(second.clone()),
            _ => self.own(node, rank),
        };
        Ok(match &node.operator {
            Operator::Add(add) => Autodiff::<B>::float_add(x, operand(&add.constant)?),
            Operator::Sub(sub) => Autodiff::<B>::float_sub(x, operand(&sub.constant)?),
            Operator::Mul(mul) => Autodiff::<B>::float_mul(x, operand(&mul.constant)?),
            Operator::Div(div) => Autodiff::<B>::float_div(x, operand(&div.constant)?),
            Operator::MatMul(product) => {
                Autodiff::<B>::float_matmul(x, operand(&product.constant)?)
            }
            Operator::Max(_) => {
                let others = inputs.iter().skip(1).copied().cloned();
                others.fold(x, larger::<B>)
            }
            Operator::Gemm(_) => self.linear(node, x)?,
            Operator::Gru(gru) => self.recurrent(node, x, crate::Gru::CELL, gru.passes())?,
            Operator::Lstm(lstm) => self.recurrent(node, x, crate::Lstm::CELL, lstm.passes())?,
            Operator::LengthMask(mask) => self.length_mask(*mask, x),
            Operator::StochasticDepth(depth) => self.stochastic_depth(*depth, index, x),
            Operator::Conv(conv) => {
                let bias = self.optional(node, "bias");
                images::conv::<B>(conv, x, self.part(node, "weight")?, bias)
            }
            Operator::ConvTranspose(conv) => {
                let bias = self.optional(node, "bias");
                images::conv_transpose::<B>(conv, x, self.part(node, "weight")?, bias)
            }
            Operator::MaxPool(pool) => images::max_pool::<B>(pool, x, &node.shape),
            Operator::AveragePool(pool) => {
                images::average_pool::<B>(pool, x, &node.shape, self.device)
            }
            Operator::Pad(pad) => {
                let resample = Resample::pad(pad, images::image::<B>(&x));
                images::resampled::<B>(&resample, x, self.device)
            }
            Operator::Resize(resize) => {
                let resample = Resample::resize(resize, images::image::<B>(&x));
                images::resampled::<B>(&resample, x, self.device)
            }
            Operator::GlobalAveragePool(_) => means::<B>(x, &[2, 3]),
            Operator::GlobalMaxPool(_) => largest::<B>(x, &[2, 3]),
            Operator::BatchNormalization(norm) => self.batch_normalization(*norm, node, x)?,
            Operator::LayerNormalization(norm) => self.layer_normalization(norm, node, x)?,
            Operator::Dropout(dropout) => self.dropout(*dropout, index, node, x),
            Operator::Flatten(_) | Operator::Reshape(_) => self.batched(x, node),
            Operator::Transpose(transpose) => Autodiff::<B>::float_permute(x, &transpose.perm),
            Operator::Concat(concat) => {
                let parts = inputs.iter().copied().cloned().collect();
                Autodiff::<B>::float_cat(parts, concat.axis)
            }
            Operator::Slice(slice) => {
                let shape = node.inputs.first();
                let shape = shape.and_then(|&place: &Place| self.setting.graph.shape(place));
                let ranges = slice.ranges(shape.unwrap_or_default());
                let ranges = ranges.map_err(|_| EngineError::Unsupported {
                    node: node.name.clone(),
                    operator: "such a Slice",
                })?;
                let mut all = vec![[0, self.setting.batch, 1]];
                all.extend(ranges);
                sliced::<B>(x, &all)
            }
            Operator::ReduceMean(reduce) => self.batched(means::<B>(x, &reduce.axes), node),
            Operator::ReduceSum(reduce) => self.batched(sums::<B>(x, &reduce.axes), node),
            Operator::ReduceMax(reduce) => self.batched(largest::<B>(x, &reduce.axes), node),
            Operator::Softmax(softmax) => {
                let powers = Autodiff::<B>::float_exp(below_zero::<B>(x, softmax.axis));
                let sums = Autodiff::<B>::float_sum_dim(powers.clone(), softmax.axis);
                Autodiff::<B>::float_div(powers, sums)
            }
            Operator::LogSoftmax(softmax) => {
                let x = below_zero::<B>(x, softmax.axis);
                let powers = Autodiff::<B>::float_exp(x.clone());
                let sums = Autodiff::<B>::float_sum_dim(powers, softmax.axis);
                Autodiff::<B>::float_sub(x, Autodiff::<B>::float_log(sums))
            }
            function => of_numbers::<B>(function, x).ok_or_else(|| EngineError::Unsupported {
                node: node.name.clone(),
                operator: function.name(),
            })?,
        })
    }

    /// A value in the shape of a node, the batch in front.
    fn batched(&self, x: Tracked<B>, node: &Node) -> Tracked<B> {
        let shape = [&[self.setting.batch], node.shape.as_slice()].concat();
        values::reshaped::<B>(x, &shape)
    }

    /// The linear layer, along the channels of images and else along the last axis.
    fn linear(&self, node: &Node, x: Tracked<B>) -> Result<Tracked<B>, EngineError> {
        let weight = self.part(node, "weight")?;
        let is_image = node.shape.len() == 3;
        let x = if is_image {
            values::channels_last::<B>(x)
        } else {
            x
        };
        let product = product::<B>(x, weight, self.optional(node, "bias"));
        Ok(if is_image {
            values::channels_first::<B>(product)
        } else {
            product
        })
    }

    fn layer_normalization(
        &self,
        norm: &LayerNormalization,
        node: &Node,
        x: Tracked<B>,
    ) -> Result<Tracked<B>, EngineError> {
        let rank = node.shape.len() + 1;
        // The last axis, or the channels of images.
        let axis = norm.axis;
        let mut shape = vec![1; rank];
        if let (Some(length), Some(&channels)) = (shape.get_mut(axis), node.shape.get(axis - 1)) {
            *length = channels;
        }
        let [weight, bias] = ["weight", "bias"].map(|part| self.part(node, part));
        let weight = values::reshaped::<B>(weight?, &shape);
        let bias = values::reshaped::<B>(bias?, &shape);
        let mean = Autodiff::<B>::float_mean_dim(x.clone(), axis);
        let centred = Autodiff::<B>::float_sub(x, mean);
        let squares = Autodiff::<B>::float_mul(centred.clone(), centred.clone());
        let variance = Autodiff::<B>::float_mean_dim(squares, axis);
        let variance = Autodiff::<B>::float_add_scalar(variance, scalar(norm.epsilon));
        let normal = Autodiff::<B>::float_div(centred, Autodiff::<B>::float_sqrt(variance));
        let scaled = Autodiff::<B>::float_mul(normal, weight);
        Ok(Autodiff::<B>::float_add(scaled, bias))
    }
}

/// Rows of `x` times a weight of outputs x inputs.
pub fn product<B: Backend>(
    x: Tracked<B>,
    weight: Tracked<B>,
    bias: Option<Tracked<B>>,
) -> Tracked<B> {
    let mut shape = values::shape::<B>(&x);
    let features = shape.last().copied().unwrap_or(1);
    let rows = shape.iter().product::<usize>() / features.max(1);
    let outputs = values::shape::<B>(&weight).first().copied().unwrap_or(1);
    let flat = values::reshaped::<B>(x, &[rows, features]);
    let turned = Autodiff::<B>::float_swap_dims(weight, 0, 1);
    let mut product = Autodiff::<B>::float_matmul(flat, turned);
    if let Some(bias) = bias {
        product = Autodiff::<B>::float_add(product, values::of_rank::<B>(bias, 2));
    }
    if let Some(last) = shape.last_mut() {
        *last = outputs;
    }
    values::reshaped::<B>(product, &shape)
}

/// What lies between start and end, in steps, along each axis.
pub fn sliced<B: Backend>(x: Tracked<B>, ranges: &[[usize; 3]]) -> Tracked<B> {
    let slice = |[start, end, step]: &[usize; 3]| {
        Slice::new(*start as isize, Some(*end as isize), *step as isize)
    };
    let slices: Vec<Slice> = ranges.iter().map(slice).collect();
    Autodiff::<B>::float_slice(x, &slices)
}

/// Functions of single numbers.
fn of_numbers<B: Backend>(function: &Operator, x: Tracked<B>) -> Option<Tracked<B>> {
    Some(match function {
        Operator::Relu(_) => Autodiff::<B>::relu(x),
        Operator::LeakyRelu(leaky) => {
            let chosen = Autodiff::<B>::float_greater_elem(x.clone(), scalar(0.0), truth::<B>(&x));
            let below = Autodiff::<B>::float_mul_scalar(x.clone(), scalar(leaky.alpha));
            Autodiff::<B>::float_mask_where(below, chosen, x)
        }
        Operator::Clip(clip) => clipped::<B>(x, clip.min, clip.max),
        Operator::HardSigmoid(hard) => hard_sigmoid::<B>(x, hard.alpha, hard.beta),
        Operator::HardSwish(_) => {
            Autodiff::<B>::float_mul(x.clone(), hard_sigmoid::<B>(x, 1.0 / 6.0, 0.5))
        }
        Operator::Swish(swish) => {
            let steep = match swish.alpha {
                1.0 => x.clone(),
                alpha => Autodiff::<B>::float_mul_scalar(x.clone(), scalar(alpha)),
            };
            Autodiff::<B>::float_mul(x, Autodiff::<B>::sigmoid(steep))
        }
        Operator::Gelu(gelu) if gelu.tanh => bent_gelu::<B>(x),
        Operator::Gelu(_) => {
            let scale = std::f32::consts::FRAC_1_SQRT_2;
            let share =
                Autodiff::<B>::float_erf(Autodiff::<B>::float_mul_scalar(x.clone(), scalar(scale)));
            half_of::<B>(x, share)
        }
        Operator::Sigmoid(_) => Autodiff::<B>::sigmoid(x),
        Operator::Tanh(_) => Autodiff::<B>::float_tanh(x),
        Operator::Softplus(_) => {
            // `max(x, 0) + ln(1 + e^-|x|)`, with a slope of 1/2 at 0.
            let above = Autodiff::<B>::float_greater_elem(x.clone(), scalar(0.0), truth::<B>(&x));
            let turned = Autodiff::<B>::float_neg(x.clone());
            let below = Autodiff::<B>::float_mask_where(x.clone(), above, turned);
            let rest = Autodiff::<B>::float_log1p(Autodiff::<B>::float_exp(below));
            Autodiff::<B>::float_add(Autodiff::<B>::relu(x), rest)
        }
        Operator::Exp(_) => Autodiff::<B>::float_exp(x),
        Operator::Log(_) => Autodiff::<B>::float_log(x),
        Operator::Sqrt(_) => Autodiff::<B>::float_sqrt(x),
        Operator::Pow(pow) => power::<B>(x, pow.exponent),
        Operator::Neg(_) => Autodiff::<B>::float_neg(x),
        _ => return None,
    })
}

/// Values within bounds, with no gradient at either.
fn clipped<B: Backend>(x: Tracked<B>, min: Option<f32>, max: Option<f32>) -> Tracked<B> {
    let kind = truth::<B>(&x);
    let mut value = x;
    if let Some(min) = min {
        let low = Autodiff::<B>::float_lower_equal_elem(value.clone(), scalar(min), kind);
        value = filled::<B>(value, low, min);
    }
    if let Some(max) = max {
        let high = Autodiff::<B>::float_greater_equal_elem(value.clone(), scalar(max), kind);
        value = filled::<B>(value, high, max);
    }
    value
}

/// `alpha x + beta` between 0 and 1.
fn hard_sigmoid<B: Backend>(x: Tracked<B>, alpha: f32, beta: f32) -> Tracked<B> {
    let line = Autodiff::<B>::float_mul_scalar(x, scalar(alpha));
    let line = Autodiff::<B>::float_add_scalar(line, scalar(beta));
    clipped::<B>(line, Some(0.0), Some(1.0))
}

/// Gelu by the hyperbolic tangent.
fn bent_gelu<B: Backend>(x: Tracked<B>) -> Tracked<B> {
    let scale = std::f32::consts::FRAC_2_SQRT_PI * std::f32::consts::FRAC_1_SQRT_2;
    let square = Autodiff::<B>::float_mul(x.clone(), x.clone());
    let factor = Autodiff::<B>::float_mul_scalar(square, scalar(0.044_715 * scale));
    let factor = Autodiff::<B>::float_add_scalar(factor, scalar(scale));
    let inner = Autodiff::<B>::float_mul(x.clone(), factor);
    half_of::<B>(x, Autodiff::<B>::float_tanh(inner))
}

/// `x (1 + share) / 2`.
fn half_of<B: Backend>(x: Tracked<B>, share: Tracked<B>) -> Tracked<B> {
    let both = Autodiff::<B>::float_add_scalar(share, scalar(1.0));
    Autodiff::<B>::float_mul(Autodiff::<B>::float_mul_scalar(x, scalar(0.5)), both)
}

/// A fixed power; a small whole one by products, as cards know no power of numbers below 0.
fn power<B: Backend>(x: Tracked<B>, exponent: f32) -> Tracked<B> {
    if exponent.fract() == 0.0 && (1.0..=8.0).contains(&exponent) {
        let times = 1..exponent as usize;
        return times.fold(x.clone(), |product, _| {
            Autodiff::<B>::float_mul(product, x.clone())
        });
    }
    Autodiff::<B>::float_powf_scalar(x, scalar(exponent))
}

/// The larger of two values of one shape; of equal ones the first takes the gradient.
fn larger<B: Backend>(a: Tracked<B>, b: Tracked<B>) -> Tracked<B> {
    let is_larger = Autodiff::<B>::float_greater(b.clone(), a.clone(), truth::<B>(&a));
    Autodiff::<B>::float_mask_where(a, is_larger, b)
}

/// Values less the largest along `axis`, which stands for itself: it has no gradient.
fn below_zero<B: Backend>(x: Tracked<B>, axis: usize) -> Tracked<B> {
    let most = Autodiff::<B>::float_max_dim(Autodiff::<B>::float_detach(x.clone()), axis);
    Autodiff::<B>::float_sub(x, most)
}

fn sums<B: Backend>(x: Tracked<B>, axes: &[usize]) -> Tracked<B> {
    axes.iter()
        .fold(x, |x, &axis| Autodiff::<B>::float_sum_dim(x, axis))
}

fn means<B: Backend>(x: Tracked<B>, axes: &[usize]) -> Tracked<B> {
    let shape = values::shape::<B>(&x);
    let count: usize = axes.iter().filter_map(|&axis| shape.get(axis)).product();
    let sums = sums::<B>(x, axes);
    Autodiff::<B>::float_mul_scalar(sums, scalar(1.0 / count.max(1) as f32))
}

/// The largest value along `axes`, which stay with a length of 1; the first of equal values takes the gradient.
fn largest<B: Backend>(x: Tracked<B>, axes: &[usize]) -> Tracked<B> {
    let shape = values::shape::<B>(&x);
    let (gone, stay): (Vec<usize>, Vec<usize>) = (0..shape.len()).partition(|at| axes.contains(at));
    let length = |places: &[usize]| places.iter().map(|&at| shape[at]).product::<usize>();
    let order = [stay.as_slice(), &gone].concat();
    let rows = Autodiff::<B>::float_permute(x, &order);
    let rows = values::reshaped::<B>(rows, &[length(&stay), length(&gone)]);
    let most = Autodiff::<B>::float_max_dim(rows, 1);
    let kept = (0..shape.len()).map(|at| if axes.contains(&at) { 1 } else { shape[at] });
    values::reshaped::<B>(most, &kept.collect::<Vec<_>>())
}
