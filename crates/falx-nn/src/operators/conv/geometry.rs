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

/// A convolution on images of one size.
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    pub input: Extent,
    pub output: Extent,
    pub kernel: [usize; 2],
    pub strides: [usize; 2],
    pub dilations: [usize; 2],
    pub groups: usize,
    /// Rows above and columns left of the image.
    pub pads: [usize; 2],
}

impl Geometry {
    /// The convolution of images of `input` into `output`.
    pub fn new(conv: &Conv, input: Extent, output: Extent) -> Self {
        Self {
            input,
            output,
            kernel: conv.kernel,
            strides: conv.strides,
            dilations: conv.dilations,
            groups: conv.groups,
            pads: [conv.pads[0], conv.pads[1]],
        }
    }

    pub fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Input and output channels of one group.
    pub fn group(&self) -> [usize; 2] {
        [
            self.input.channels / self.groups,
            self.output.channels / self.groups,
        ]
    }

    /// Whether each channel is a group of its own.
    pub fn is_depthwise(&self) -> bool {
        self.group() == [1, 1]
    }
}

/// One tap of the kernel along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tap {
    /// Where it looks, from the position's own place in the source.
    pub place: isize,
    /// Its index in the kernel.
    pub index: usize,
}

/// Positions of the result that see the same taps.
#[derive(Clone, Debug)]
pub struct Phase {
    /// The first position's row and column.
    pub origin: [usize; 2],
    /// The taps along rows and along columns, by place.
    pub taps: [Vec<Tap>; 2],
}

/// A correlation of a source with taps: what forward and input gradient have in common.
///
/// Forward there is one phase. The input gradient of a strided convolution has one for each remainder of its rows and
/// columns: pixels of one remainder were seen by the same taps, and nothing is multiplied by zeros.
#[derive(Clone, Debug)]
pub struct Plan {
    pub source: Extent,
    pub result: Extent,
    pub groups: usize,
    /// From one position of a phase to the next, in the source.
    pub step: [usize; 2],
    /// From one position of a phase to the next, in the result.
    pub spread: [usize; 2],
    /// The least place of all taps.
    pub least: [isize; 2],
    /// From the least place to the largest.
    pub reach: [usize; 2],
    pub phases: Vec<Phase>,
}

impl Plan {
    /// How many results there are for so many numbers of images.
    pub fn results(&self, numbers: usize) -> usize {
        numbers / self.source.len() * self.result.len()
    }

    /// From images to results.
    pub fn forward(geometry: &Geometry) -> Self {
        let taps = [0, 1].map(|axis: usize| {
            let tap = |index| Tap {
                place: (index * geometry.dilations[axis]) as isize - geometry.pads[axis] as isize,
                index,
            };
            (0..geometry.kernel[axis]).map(tap).collect()
        });
        let phases = vec![Phase {
            origin: [0, 0],
            taps,
        }];
        let [source, result] = [geometry.input, geometry.output];
        Self::new(geometry, [source, result], geometry.strides, [1, 1], phases)
    }

    /// From the results' slopes to the images'.
    pub fn backward(geometry: &Geometry) -> Self {
        let taps = |axis: usize, origin: usize| -> Vec<Tap> {
            let stride = geometry.strides[axis] as isize;
            let tap = |index: usize| {
                let from = (origin + geometry.pads[axis]) as isize
                    - (index * geometry.dilations[axis]) as isize;
                (from.rem_euclid(stride) == 0).then_some(Tap {
                    place: from / stride,
                    index,
                })
            };
            // The last tap looks furthest back.
            (0..geometry.kernel[axis]).rev().filter_map(tap).collect()
        };
        let origins = |axis: usize, size: usize| 0..geometry.strides[axis].min(size);
        let phases = origins(0, geometry.input.rows).flat_map(|y| {
            origins(1, geometry.input.columns).map(move |x| Phase {
                origin: [y, x],
                taps: [taps(0, y), taps(1, x)],
            })
        });
        let phases = phases.collect();
        let [source, result] = [geometry.output, geometry.input];
        Self::new(geometry, [source, result], [1, 1], geometry.strides, phases)
    }

    fn new(
        geometry: &Geometry,
        [source, result]: [Extent; 2],
        step: [usize; 2],
        spread: [usize; 2],
        phases: Vec<Phase>,
    ) -> Self {
        let places = |axis: usize| phases.iter().flat_map(move |phase| &phase.taps[axis]);
        let places = |axis| places(axis).map(|tap| tap.place);
        let least = [0, 1].map(|axis| places(axis).min().unwrap_or(0));
        let largest = [0, 1].map(|axis| places(axis).max().unwrap_or(0));
        Self {
            source,
            result,
            groups: geometry.groups,
            step,
            spread,
            least,
            reach: [0, 1].map(|axis| (largest[axis] - least[axis]) as usize),
            phases,
        }
    }

    /// Source and result channels of one group.
    pub fn group(&self) -> [usize; 2] {
        [
            self.source.channels / self.groups,
            self.result.channels / self.groups,
        ]
    }

    /// How many positions the phase that begins at `origin` has among `size` rows or columns.
    pub fn positions(&self, axis: usize, origin: usize, size: usize) -> usize {
        size.saturating_sub(origin).div_ceil(self.spread[axis])
    }

    /// The extent of the padded source that `rows` rows of positions see.
    pub fn padded(&self, rows: usize) -> Extent {
        let columns = self.positions(1, 0, self.result.columns);
        let seen = |axis: usize, count: usize| (count - 1) * self.step[axis] + self.reach[axis] + 1;
        Extent {
            rows: seen(0, rows),
            columns: seen(1, columns),
            channels: self.source.channels,
        }
    }

    /// What the rows of positions from `first` on see, where these are whole rows of the source and nothing beside it.
    pub fn unpadded<'a>(
        &self,
        image: &'a [f32],
        first: usize,
        extent: Extent,
    ) -> Option<&'a [f32]> {
        let row = first * self.step[0] + usize::try_from(self.least[0]).ok()?;
        let is_whole = self.least[1] == 0 && extent.columns == self.source.columns;
        let from = row * self.source.row();
        image.get(from..from + extent.len()).filter(|_| is_whole)
    }

    /// Writes what the rows of positions from `first` on see into `padded`.
    pub fn pad(&self, image: &[f32], first: usize, extent: Extent, padded: &mut [f32]) {
        let channels = self.source.channels;
        let (before, source_from) = edge(self.least[1]);
        for (row, target) in padded.chunks_exact_mut(extent.row()).enumerate() {
            let place = (first * self.step[0] + row) as isize + self.least[0];
            let Some(row) = usize::try_from(place)
                .ok()
                .filter(|&row| row < self.source.rows)
            else {
                target.fill(0.0);
                continue;
            };
            let source = &image[row * self.source.row()..][..self.source.row()];
            let source = &source[(source_from * channels).min(source.len())..];
            let (left, rest) = target.split_at_mut((before * channels).min(target.len()));
            let (middle, right) = rest.split_at_mut(source.len().min(rest.len()));
            left.fill(0.0);
            middle.copy_from_slice(&source[..middle.len()]);
            right.fill(0.0);
        }
    }

    /// Where a phase's taps begin in the padded source, and how many numbers each of these runs holds.
    ///
    /// Neighbouring taps of one row lie side by side where nothing separates them and become one run.
    pub fn runs(&self, phase: &Phase, padded: Extent) -> (Vec<usize>, usize) {
        let [rows, columns] = &phase.taps;
        let at = |y: &Tap, x: &Tap| {
            let [y, x] = [y.place - self.least[0], x.place - self.least[1]];
            y as usize * padded.row() + x as usize * padded.channels
        };
        let neighbours = columns
            .windows(2)
            .all(|pair| pair[0].place + 1 == pair[1].place);
        if self.groups == 1
            && neighbours
            && let Some(first) = columns.first()
        {
            let starts = rows.iter().map(|y| at(y, first)).collect();
            return (starts, columns.len() * padded.channels);
        }
        let taps = rows
            .iter()
            .flat_map(|y| columns.iter().map(move |x| at(y, x)));
        (taps.collect(), self.group()[0])
    }
}

impl Phase {
    /// The kernel's taps, row by row.
    pub fn indices(&self, columns: usize) -> Vec<usize> {
        let [rows, across] = &self.taps;
        let row = |y: &Tap| {
            let first = y.index * columns;
            across.iter().map(move |x| first + x.index)
        };
        rows.iter().flat_map(row).collect()
    }
}

/// Columns of zeros before the source, and the first column that is seen.
pub fn edge(least: isize) -> (usize, usize) {
    ((-least).max(0) as usize, least.max(0) as usize)
}
