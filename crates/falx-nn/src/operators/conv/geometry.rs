//! Where the numbers of a convolution lie in its buffers.

use super::Conv;

/// One image's rows, columns and channels, channels fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    pub rows: usize,
    pub columns: usize,
    pub channels: usize,
}

impl Extent {
    pub fn row(self) -> usize {
        self.columns * self.channels
    }

    pub fn len(self) -> usize {
        self.rows * self.row()
    }
}

/// A correlation of a padded image with a kernel: what forward and input gradient have in common.
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    pub input: Extent,
    pub output: Extent,
    pub kernel: [usize; 2],
    pub strides: [usize; 2],
    pub dilations: [usize; 2],
    pub groups: usize,
    /// Rows above and columns left of the image; negative where it is cropped.
    pub offset: [isize; 2],
    /// Distance between the image's pixels in the padded one, zeros between.
    pub spread: [usize; 2],
}

impl Geometry {
    /// The forward convolution of images of `input` into `output`.
    pub fn forward(conv: &Conv, input: Extent, output: Extent) -> Self {
        Self {
            input,
            output,
            kernel: conv.kernel,
            strides: conv.strides,
            dilations: conv.dilations,
            groups: conv.groups,
            offset: [conv.pads[0] as isize, conv.pads[1] as isize],
            spread: [1, 1],
        }
    }

    /// The correlation of the output's gradient with the turned kernel that gives the input's gradient.
    pub fn backward(&self) -> Self {
        let reach = |axis: usize| (self.dilations[axis] * (self.kernel[axis] - 1)) as isize;
        Self {
            input: self.output,
            output: self.input,
            strides: [1, 1],
            offset: [reach(0) - self.offset[0], reach(1) - self.offset[1]],
            spread: self.strides,
            ..*self
        }
    }

    /// Input and output channels of one group.
    pub fn group(&self) -> [usize; 2] {
        [
            self.input.channels / self.groups,
            self.output.channels / self.groups,
        ]
    }

    /// Where the taps of the kernel begin in the padded image, and how many numbers each of these runs holds.
    ///
    /// Neighbouring taps of one row lie side by side where nothing separates them and become one run.
    pub fn runs(&self, padded: Extent) -> (Vec<usize>, usize) {
        let [rows, columns] = self.kernel;
        let at = |y: usize, x: usize| {
            y * self.dilations[0] * padded.row() + x * self.dilations[1] * padded.channels
        };
        if self.groups == 1 && self.dilations[1] == 1 {
            let starts = (0..rows).map(|y| at(y, 0)).collect();
            return (starts, columns * padded.channels);
        }
        let taps = (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x)));
        (taps.map(|(y, x)| at(y, x)).collect(), self.group()[0])
    }

    /// The extent of the padded rows that `rows` rows of the output see.
    pub fn padded(&self, rows: usize) -> Extent {
        let reach = |axis: usize, count: usize| {
            (count - 1) * self.strides[axis] + self.dilations[axis] * (self.kernel[axis] - 1) + 1
        };
        Extent {
            rows: reach(0, rows),
            columns: reach(1, self.output.columns),
            channels: self.input.channels,
        }
    }

    /// Writes the padded rows that the output's rows from `first` on see into `padded`.
    pub fn pad(&self, image: &[f32], first: usize, extent: Extent, padded: &mut [f32]) {
        let channels = self.input.channels;
        for (row, target) in padded.chunks_exact_mut(extent.row()).enumerate() {
            let place = (first * self.strides[0] + row) as isize - self.offset[0];
            let Some(source) = source(place, self.spread[0], self.input.rows) else {
                target.fill(0.0);
                continue;
            };
            let source = &image[source * self.input.row()..][..self.input.row()];
            if self.spread[1] == 1 && self.offset[1] >= 0 {
                let left = (self.offset[1] as usize * channels).min(target.len());
                let (before, rest) = target.split_at_mut(left);
                let (middle, after) = rest.split_at_mut(source.len().min(rest.len()));
                before.fill(0.0);
                middle.copy_from_slice(&source[..middle.len()]);
                after.fill(0.0);
                continue;
            }
            for (column, target) in target.chunks_exact_mut(channels).enumerate() {
                let place = column as isize - self.offset[1];
                match self::source(place, self.spread[1], self.input.columns) {
                    Some(column) => {
                        target.copy_from_slice(&source[column * channels..][..channels]);
                    }
                    None => target.fill(0.0),
                }
            }
        }
    }
}

/// The row or column of the image that lies at `place`, if one does.
fn source(place: isize, spread: usize, count: usize) -> Option<usize> {
    let place = usize::try_from(place).ok()?;
    (place % spread == 0 && place / spread < count).then_some(place / spread)
}
