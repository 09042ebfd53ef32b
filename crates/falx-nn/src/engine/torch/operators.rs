//! What each operator is in libtorch, with the gradients at kinks that the graph's operators promise.

use tch::{Kind, Tensor as Value};

use super::images;
use super::interpret::Interpreter;
use super::values::signed;
use crate::{Constant, EngineError, LayerNormalization, Node, Operator, Value as Place};

type Outcome = Result<Value, EngineError>;

impl Interpreter<'_> {
    /// What the node at `index` gives.
    pub fn node(&self, index: usize, node: &Node, inputs: &[&Value]) -> Outcome {
        let &[x, ..] = inputs else {
            return Err(EngineError::NoOutput(self.setting.graph.name().to_owned()));
        };
        let operand = |own: &Option<Constant>| match (own, inputs) {
            (None, &[_, second, ..]) => Ok(second),
            _ => self.own(node),
        };
        let wide = || x.f_to_kind(Kind::Float);
        Ok(match &node.operator {
            Operator::Add(add) => x.f_add(operand(&add.constant)?)?,
            Operator::Sub(sub) => x.f_sub(operand(&sub.constant)?)?,
            Operator::Mul(mul) => x.f_mul(operand(&mul.constant)?)?,
            Operator::Div(div) => x.f_div(operand(&div.constant)?)?,
            Operator::MatMul(product) => {
                let other = self.narrow(operand(&product.constant)?)?;
                self.narrow(x)?.f_matmul(&other)?
            }
            Operator::Gemm(_) => self.linear(node, &self.narrow(x)?)?,
            Operator::Gru(gru) => self.gru(*gru, node, &wide()?)?,
            Operator::Lstm(lstm) => self.lstm(*lstm, node, &wide()?)?,
            Operator::LengthMask(mask) => self.length_mask(*mask, x)?,
            Operator::StochasticDepth(depth) => self.stochastic_depth(*depth, index, x)?,
            Operator::Conv(conv) => {
                let weight = self.narrow(self.part(node, "weight")?)?;
                images::conv(conv, &self.narrow(x)?, &weight, self.bias(node)?.as_ref())?
            }
            Operator::ConvTranspose(conv) => {
                let weight = self.narrow(self.part(node, "weight")?)?;
                images::conv_transpose(conv, &self.narrow(x)?, &weight, self.bias(node)?.as_ref())?
            }
            Operator::AveragePool(pool) => images::average_pool(pool, x, &node.shape)?,
            Operator::MaxPool(pool) => images::max_pool(pool, x, &node.shape)?,
            Operator::GlobalAveragePool(_) => x.f_mean_dim([2_i64, 3].as_slice(), true, None)?,
            Operator::GlobalMaxPool(_) => largest(x, &[2, 3], true)?,
            Operator::Pad(pad) => images::pad(pad, x)?,
            Operator::Resize(resize) => images::resize(resize, node, x)?,
            Operator::BatchNormalization(norm) => self.batch_normalization(*norm, node, x)?,
            Operator::LayerNormalization(norm) => self.layer_normalization(norm, node, &wide()?)?,
            Operator::Dropout(dropout) => self.dropout(*dropout, index, node, x)?,
            Operator::Flatten(_) | Operator::Reshape(_) => {
                let mut shape = vec![Self::batch(x)];
                shape.extend(signed(&node.shape));
                x.f_reshape(shape)?
            }
            Operator::Transpose(transpose) => x.f_permute(signed(&transpose.perm))?,
            Operator::Concat(concat) => Value::f_cat(inputs, concat.axis as i64)?,
            Operator::Slice(slice) => {
                let shape = node.inputs.first();
                let shape = shape.and_then(|&place: &Place| self.setting.graph.shape(place));
                let ranges = slice.ranges(shape.unwrap_or_default());
                let ranges = ranges.map_err(|_| unsupported(node))?;
                let mut value = x.shallow_clone();
                for (axis, range) in (1..).zip(ranges) {
                    let [start, end, step] = range.map(|place| place as i64);
                    value = value.f_slice(axis, start, end, step)?;
                }
                value
            }
            Operator::ReduceMean(reduce) => {
                wide()?.f_mean_dim(signed(&reduce.axes).as_slice(), reduce.keepdims, None)?
            }
            Operator::ReduceSum(reduce) => {
                wide()?.f_sum_dim_intlist(signed(&reduce.axes).as_slice(), reduce.keepdims, None)?
            }
            Operator::ReduceMax(reduce) => largest(x, &reduce.axes, reduce.keepdims)?,
            Operator::Max(_) => {
                let others = inputs.iter().skip(1);
                others.copied().try_fold(x.shallow_clone(), |most, other| {
                    // The first of equal values takes the gradient.
                    most.f_where_self(&most.f_ge_tensor(other)?, other)
                })?
            }
            Operator::Softmax(softmax) => wide()?.f_softmax(softmax.axis as i64, None)?,
            Operator::LogSoftmax(softmax) => wide()?.f_log_softmax(softmax.axis as i64, None)?,
            Operator::Relu(_) => x.f_relu()?,
            Operator::LeakyRelu(leaky) => {
                let alpha = Value::f_from_slice(&[leaky.alpha])?;
                x.f_prelu(&alpha.f_to_device(x.device())?.f_to_kind(x.kind())?)?
            }
            Operator::Clip(clip) => clipped(x, clip.min, clip.max)?,
            Operator::HardSigmoid(hard) => {
                let line = x.f_mul_scalar(f64::from(hard.alpha))?;
                let line = line.f_add_scalar(f64::from(hard.beta))?;
                clipped(&line, Some(0.0), Some(1.0))?
            }
            Operator::HardSwish(_) => x.f_hardswish()?,
            Operator::Swish(swish) if swish.alpha == 1.0 => x.f_silu()?,
            Operator::Swish(swish) => {
                let steep = x.f_mul_scalar(f64::from(swish.alpha))?;
                x.f_mul(&steep.f_sigmoid()?)?
            }
            Operator::Gelu(gelu) => x.f_gelu(if gelu.tanh { "tanh" } else { "none" })?,
            Operator::Sigmoid(_) => x.f_sigmoid()?,
            Operator::Tanh(_) => x.f_tanh()?,
            Operator::Softplus(_) => wide()?.f_softplus()?,
            Operator::Exp(_) => wide()?.f_exp()?,
            Operator::Log(_) => wide()?.f_log()?,
            Operator::Sqrt(_) => wide()?.f_sqrt()?,
            Operator::Pow(pow) => wide()?.f_pow_tensor_scalar(f64::from(pow.exponent))?,
            Operator::Neg(_) => x.f_neg()?,
        })
    }

    /// The linear layer, along the channels of images and else along the last axis.
    fn linear(&self, node: &Node, x: &Value) -> Outcome {
        let weight = self.narrow(self.part(node, "weight")?)?;
        let bias = self.bias(node)?;
        let along_last = |x: &Value| x.f_linear(&weight, bias.as_ref());
        Ok(if node.shape.len() == 3 {
            along_last(&x.f_permute([0, 2, 3, 1])?)?.f_permute([0, 3, 1, 2])?
        } else {
            along_last(x)?
        })
    }

    fn bias(&self, node: &Node) -> Result<Option<Value>, EngineError> {
        let bias = self.optional(node, "bias");
        bias.map(|bias| self.narrow(bias)).transpose()
    }

    fn layer_normalization(&self, norm: &LayerNormalization, node: &Node, x: &Value) -> Outcome {
        let [weight, bias] = [self.part(node, "weight")?, self.part(node, "bias")?];
        let along_last = |x: &Value| {
            let epsilon = f64::from(norm.epsilon);
            x.f_layer_norm(weight.size(), Some(weight), Some(bias), epsilon, true)
        };
        Ok(if norm.axis == node.shape.len() {
            along_last(x)?
        } else {
            // Channels of images.
            along_last(&x.f_permute([0, 2, 3, 1])?)?.f_permute([0, 3, 1, 2])?
        })
    }
}

pub fn unsupported(node: &Node) -> EngineError {
    EngineError::Unsupported {
        node: node.name.clone(),
        operator: node.operator.name(),
    }
}

/// Values within bounds, with no gradient at either.
fn clipped(x: &Value, min: Option<f32>, max: Option<f32>) -> Outcome {
    if (min, max) == (Some(0.0), Some(6.0)) {
        return Ok(x.f_relu6()?);
    }
    let mut value = x.shallow_clone();
    // `threshold` gives a value above the bound and else the bound itself, which has no gradient.
    if let Some(min) = min.map(f64::from) {
        value = value.f_threshold(min, min)?;
    }
    if let Some(max) = max.map(f64::from) {
        value = value.f_neg()?.f_threshold(-max, -max)?.f_neg()?;
    }
    Ok(value)
}

/// The largest value along `axes`; the first of equal values takes the gradient.
fn largest(x: &Value, axes: &[usize], keep: bool) -> Outcome {
    let shape = x.size();
    let (gone, stay): (Vec<usize>, Vec<usize>) = (0..shape.len()).partition(|at| axes.contains(at));
    let lengths = |places: &[usize]| places.iter().map(|&at| shape[at]).collect::<Vec<i64>>();
    let mut rows = lengths(&stay);
    rows.push(-1);
    let order = signed(&[stay.as_slice(), &gone].concat());
    let (value, _) = x.f_permute(order)?.f_reshape(rows)?.f_max_dim(-1, false)?;
    let kept = (0..shape.len()).filter(|at| keep || !axes.contains(at));
    let shape = kept.map(|at| if axes.contains(&at) { 1 } else { shape[at] });
    Ok(value.f_reshape(shape.collect::<Vec<i64>>())?)
}
