//! Operators of images, and the normalisation of their pixels.

use burn_backend::TensorMetadata;

use super::super::kernels;
use super::super::remembered::Computed;
use super::super::tape::Tracked;
use super::Interpreter;
use super::pairs::{first, last};
use crate::operators::{ConvKernel, PoolKernel, Resample, RowNormalisation};
use crate::{Conv, EngineError, MaxPool, Node, Operator, Value};

impl Interpreter<'_> {
    pub(super) fn of_images(
        &self,
        index: usize,
        node: &Node,
        value: &Tracked,
        shape: &[usize],
    ) -> Result<Computed, EngineError> {
        let (before, after) = (
            self.image(node.inputs.first()),
            self.image(Some(&Value::of_node(index))),
        );
        let resample = match &node.operator {
            Operator::AveragePool(pool) => Some(Resample::pool(pool, before, &after)),
            Operator::Pad(pad) => Some(Resample::pad(pad, before)),
            Operator::Resize(resize) => Some(Resample::resize(resize, before)),
            _ => None,
        };
        if let Some(resample) = resample {
            let remembered = self.remembered(node.inputs.first(), value);
            return Ok(kernels::resample(resample, (value, remembered), shape));
        }
        let value = match &node.operator {
            Operator::GlobalMaxPool(_) => {
                let whole = MaxPool {
                    kernel: [before[1], before[2]],
                    ..MaxPool::whole(1)
                };
                kernels::max_pool(
                    &PoolKernel::new(&whole, before, after),
                    value,
                    shape,
                    self.track,
                )
            }
            Operator::ConvTranspose(turned) => {
                // Its forward pass is the input gradient of the convolution from its results to its images.
                let conv = Conv {
                    channels: before[0],
                    kernel: turned.kernel,
                    strides: turned.strides,
                    pads: turned.pads,
                    dilations: [1, 1],
                    groups: 1,
                    bias: false,
                };
                let kernel = ConvKernel::new(&conv, after, before);
                let bias = self.leaves.get(&format!("{}.bias", node.name));
                let weight = self.leaf(node, "weight")?;
                kernels::conv_transpose(kernel, value, weight, bias, shape)
            }
            Operator::LayerNormalization(norm) => {
                // The channels of images lie last already.
                let is_image = value.shape().num_dims() == 4;
                let turned = is_image && norm.axis == 3;
                let value = if turned {
                    first(value.clone())
                } else {
                    value.clone()
                };
                let length = value.shape().to_vec().last().copied().unwrap_or(1);
                let rows = RowNormalisation {
                    length,
                    epsilon: norm.epsilon,
                };
                let [weight, bias] = [self.leaf(node, "weight")?, self.leaf(node, "bias")?];
                let normal = kernels::normalise_rows(rows, [&value, weight, bias]);
                if turned { last(normal) } else { normal }
            }
            other => {
                return Err(EngineError::Unsupported {
                    node: node.name.clone(),
                    operator: other.name(),
                });
            }
        };
        Ok(Computed::whole(value))
    }
}
