//! The sliding window that convolution and pooling share.

use super::image;

/// A window that slides over an image's rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub kernel: [usize; 2],
    pub strides: [usize; 2],
    /// Top, left, bottom, right, as in ONNX.
    pub pads: [usize; 4],
    pub dilations: [usize; 2],
    pub ceil_mode: bool,
}

impl Window {
    /// The shape of what pooling makes of an image.
    pub fn pooled(&self, inputs: &[&[usize]]) -> Result<Vec<usize>, &'static str> {
        let [channels, height, width] = image(inputs)?;
        let [top, left, bottom, right] = self.pads;
        if top.max(bottom) >= self.kernel[0] || left.max(right) >= self.kernel[1] {
            return Err("the padding must be smaller than the kernel");
        }
        let [rows, columns] = self.output([height, width])?;
        Ok(vec![channels, rows, columns])
    }

    /// How many positions the window takes on an image of `size` (height, width).
    pub fn output(&self, size: [usize; 2]) -> Result<[usize; 2], &'static str> {
        Ok([self.along(0, size[0])?, self.along(1, size[1])?])
    }

    fn along(&self, axis: usize, size: usize) -> Result<usize, &'static str> {
        let (kernel, stride, dilation) =
            (self.kernel[axis], self.strides[axis], self.dilations[axis]);
        if kernel == 0 || stride == 0 || dilation == 0 {
            return Err("kernel, stride and dilation must be at least 1");
        }
        let (before, after) = (self.pads[axis], self.pads[axis + 2]);
        let reach = dilation * (kernel - 1) + 1;
        let room = (size + before + after)
            .checked_sub(reach)
            .ok_or("the kernel is larger than the padded image")?;
        let mut count = room / stride + 1;
        // A last window may hang over the end, but must not begin in the padding after the image.
        if self.ceil_mode && room % stride > 0 && count * stride < size + before {
            count += 1;
        }
        Ok(count)
    }
}
