//! Convolution, direct and channels-last.

mod correlate;
mod depthwise;
mod geometry;
mod packed;
mod slab;
mod weight_gradient;
mod winograd;

pub(crate) use correlate::Finish;
use correlate::correlate;
use geometry::{Extent, Geometry, Plan};
use packed::Packed;
use winograd::Winograd;

use super::channels::sums;
use super::window::Window;
use super::{Rules, buffers, image};
use crate::onnx::Attribute;
use crate::{Initialisation, ParameterKind, ParameterSpec};

/// ONNX `Conv` in two dimensions, with PyTorch's weight of outputs x inputs / groups x height x width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv {
    /// How many channels it gives.
    pub channels: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Steps between positions of the kernel.
    pub strides: [usize; 2],
    /// Top, left, bottom, right.
    pub pads: [usize; 4],
    /// Steps between the kernel's taps.
    pub dilations: [usize; 2],
    /// Groups of channels that do not see each other.
    pub groups: usize,
    /// Whether a bias is added.
    pub bias: bool,
}

impl Conv {
    /// A square kernel of odd `size` that keeps the image's size, without bias.
    pub const fn same(channels: usize, size: usize) -> Self {
        Self {
            channels,
            kernel: [size, size],
            strides: [1, 1],
            pads: [size / 2; 4],
            dilations: [1, 1],
            groups: 1,
            bias: false,
        }
    }

    fn window(&self) -> Window {
        Window {
            kernel: self.kernel,
            strides: self.strides,
            pads: self.pads,
            dilations: self.dilations,
            ceil_mode: false,
        }
    }
}

impl Rules for Conv {
    fn name(&self) -> &'static str {
        "Conv"
    }

    fn shape(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        let [channels, height, width] = image(inputs)?;
        if self.channels == 0 || self.groups == 0 {
            return Err("it must give at least one channel, in at least one group");
        }
        if !channels.is_multiple_of(self.groups) || !self.channels.is_multiple_of(self.groups) {
            return Err("the channels before and after must be multiples of the groups");
        }
        let [rows, columns] = self.window().output([height, width])?;
        Ok(vec![self.channels, rows, columns])
    }

    fn parameters(&self, name: &str, inputs: &[&[usize]]) -> Vec<ParameterSpec> {
        let channels = inputs
            .first()
            .and_then(|shape| shape.first())
            .copied()
            .unwrap_or(0);
        let inputs = channels / self.groups.max(1);
        let fan_in = inputs * self.kernel[0] * self.kernel[1];
        let spec = |part: &str, shape: Vec<usize>, initialisation| ParameterSpec {
            name: format!("{name}.{part}"),
            shape,
            kind: ParameterKind::Weight,
            initialisation,
        };
        let shape = vec![self.channels, inputs, self.kernel[0], self.kernel[1]];
        let mut specs = vec![spec("weight", shape, Initialisation::HeUniform { fan_in })];
        let bias = || {
            spec(
                "bias",
                vec![self.channels],
                Initialisation::FanInUniform { fan_in },
            )
        };
        specs.extend(self.bias.then(bias));
        specs
    }

    fn attributes(&self) -> Vec<Attribute> {
        vec![
            Attribute::ints("kernel_shape", &self.kernel),
            Attribute::ints("strides", &self.strides),
            Attribute::ints("pads", &self.pads),
            Attribute::ints("dilations", &self.dilations),
            Attribute::int("group", self.groups),
        ]
    }
}

/// A convolution on channels-last buffers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConvKernel(Geometry);

impl ConvKernel {
    /// The kernels of `conv` on images of `input` into images of `output`, both C, H, W.
    pub fn new(conv: &Conv, input: [usize; 3], output: [usize; 3]) -> Self {
        let extent = |[channels, rows, columns]: [usize; 3]| Extent {
            rows,
            columns,
            channels,
        };
        Self(Geometry::new(conv, extent(input), extent(output)))
    }

    /// The results for `images`.
    pub fn forward(&self, images: &[f32], weights: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
        let plan = Plan::forward(&self.0);
        let results = buffers::lasting(plan.results(images.len()));
        self.correlate(&plan, images, (weights, bias, false), results)
    }

    /// The images' gradient from the results'.
    pub fn input_gradient(&self, slopes: &[f32], weights: &[f32]) -> Vec<f32> {
        let plan = Plan::backward(&self.0);
        let results = buffers::taken(plan.results(slopes.len()));
        self.correlate(&plan, slopes, (weights, None, true), results)
    }

    fn correlate(
        &self,
        plan: &Plan,
        images: &[f32],
        (weights, bias, turned): (&[f32], Option<&[f32]>, bool),
        mut results: Vec<f32>,
    ) -> Vec<f32> {
        if self.0.is_depthwise() {
            let weights = depthwise::by_tap(&self.0, weights);
            let columns = self.0.kernel[1];
            depthwise::correlate(plan, columns, images, &weights, bias, &mut results);
            return results;
        }
        let packed = |phase| Packed::new(&self.0, phase, weights, bias, turned);
        let packed: Vec<Packed> = plan.phases.iter().map(packed).collect();
        correlate(plan, images, &packed, Finish::default(), &mut results);
        results
    }

    /// The weights' gradient from the results'.
    pub fn weight_gradient(&self, images: &[f32], slopes: &[f32]) -> Vec<f32> {
        if self.0.is_depthwise() {
            return depthwise::weight_gradient(&self.0, images, slopes);
        }
        weight_gradient::weight_gradient(&self.0, images, slopes)
    }

    /// The bias' gradient from the results'.
    pub fn bias_gradient(&self, slopes: &[f32]) -> Vec<f32> {
        sums(slopes, self.0.output.channels)
    }
}

/// A convolution whose weights were laid out once, to be used many times.
#[derive(Debug)]
pub(crate) struct PreparedConv {
    plan: Plan,
    weights: Weights,
}

#[derive(Debug)]
enum Weights {
    Packed(Vec<Packed>),
    Winograd(Winograd),
    Depthwise {
        by_tap: Vec<f32>,
        bias: Option<Vec<f32>>,
        columns: usize,
    },
}

impl PreparedConv {
    /// `kernel` with its weights.
    pub fn new(kernel: &ConvKernel, weights: &[f32], bias: Option<&[f32]>) -> Self {
        let geometry = &kernel.0;
        let plan = Plan::forward(geometry);
        let weights = if geometry.is_depthwise() {
            Weights::Depthwise {
                by_tap: depthwise::by_tap(geometry, weights),
                bias: bias.map(<[f32]>::to_vec),
                columns: geometry.kernel[1],
            }
        } else if Winograd::pays(geometry) {
            Weights::Winograd(Winograd::new(geometry, weights, bias))
        } else {
            let packed = |phase| Packed::new(geometry, phase, weights, bias, false);
            Weights::Packed(plan.phases.iter().map(packed).collect())
        };
        Self { plan, weights }
    }

    /// Whether a rectifier or a sum can be done on the way.
    pub const fn finishes(&self) -> bool {
        matches!(self.weights, Weights::Packed(_) | Weights::Winograd(_))
    }

    /// The results for `images`; a depthwise convolution knows no `finish`.
    pub fn forward(&self, images: &[f32], finish: Finish<'_>) -> Vec<f32> {
        let blank = || buffers::taken(self.plan.results(images.len()));
        match &self.weights {
            Weights::Packed(packed) => {
                let mut results = blank();
                correlate(&self.plan, images, packed, finish, &mut results);
                results
            }
            Weights::Winograd(winograd) => winograd.correlate(images, finish),
            Weights::Depthwise {
                by_tap,
                bias,
                columns,
            } => {
                let (bias, mut results) = (bias.as_deref(), blank());
                depthwise::correlate(&self.plan, *columns, images, by_tap, bias, &mut results);
                results
            }
        }
    }
}
