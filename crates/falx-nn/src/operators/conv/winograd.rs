//! Kernels of 3 x 3, and of 7 in a row or a column, by minimal filtering: fewer multiplications, for inference.
//!
//! F(4 x 4, 3 x 3): a tile of 4 x 4 results sees 6 x 6 pixels. Pixels and kernels are transformed into 36 numbers each, whose
//! products are summed over the channels: 36 small matrix products, in place of 144. What these give is transformed back.
//! F(2, 7): a tile of two neighbours sees 8 pixels in a line, which become 8 numbers: 8 products in place of 14.
//! Rounding differs from the direct sum's; the tests allow 2e-5 of the largest result. Each result is computed in one fixed order,
//! whatever the vectors, the threads and the batch.
//!
//! # Source
//! Lavin and Gray, "Fast algorithms for convolutional neural networks", CVPR 2016; Winograd, "Arithmetic complexity of
//! computations", SIAM 1980.

mod line;
mod square;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::correlate::{Finish, Window, rectified};
use super::geometry::{Extent, Geometry, Plan};
use super::packed::{Block, Packed};
use crate::operators::buffers;
use crate::operators::simd::Aligned;

/// Channels come in these: no vector is wider.
const LANES: usize = 16;

/// Numbers of a channel that are computed together, of as many tiles as they are: the weights are read once for all of these.
const TOGETHER: usize = 64 * square::POINTS;

/// Tiles of an image from which on this pays: below, more weights are read than multiplications are saved.
const LEAST: usize = 16;

/// How results are cut into tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// F(4 x 4, 3 x 3).
    Square,
    /// F(2, 7) along rows.
    Across,
    /// F(2, 7) along columns.
    Down,
}

impl Form {
    const fn of(kernel: [usize; 2]) -> Option<Self> {
        match kernel {
            [3, 3] => Some(Self::Square),
            [1, line::TAPS] => Some(Self::Across),
            [line::TAPS, 1] => Some(Self::Down),
            _ => None,
        }
    }

    /// Rows and columns of a tile's results.
    const fn tile(self) -> [usize; 2] {
        match self {
            Self::Square => [square::TILE; 2],
            Self::Across => [1, line::TILE],
            Self::Down => [line::TILE, 1],
        }
    }

    /// From one pixel of a line to the next, in rows and columns.
    const fn step(self) -> [usize; 2] {
        match self {
            Self::Square | Self::Across => [0, 1],
            Self::Down => [1, 0],
        }
    }

    /// Numbers that what a tile sees becomes.
    const fn points(self) -> usize {
        match self {
            Self::Square => square::POINTS,
            Self::Across | Self::Down => line::POINTS,
        }
    }

    /// Rows and columns of tiles that cover an image.
    fn tiles(self, output: Extent) -> [usize; 2] {
        let [rows, columns] = self.tile();
        [output.rows.div_ceil(rows), output.columns.div_ceil(columns)]
    }
}

/// A convolution with its transformed weights.
#[derive(Debug)]
pub struct Winograd {
    form: Form,
    /// The weights of the products, a group each.
    packed: Packed,
    bias: Vec<f32>,
    input: Extent,
    output: Extent,
    pads: [usize; 2],
}

/// Tiles that are computed together, in whole rows of tiles.
struct Job<'a> {
    /// Whole images, or the one that the rows are of.
    images: &'a [f32],
    /// The first row of tiles.
    first: usize,
    results: &'a mut [f32],
    finish: Finish<'a>,
}

/// Numbers between the transforms: point, tile, channel.
struct Scratch {
    pixels: Aligned,
    products: Aligned,
}

impl Winograd {
    /// How the convolution is cut into tiles, where it is of this kind and large enough.
    fn pays(geometry: &Geometry) -> Option<Form> {
        let [inputs, outputs] = geometry.group();
        let form = Form::of(geometry.kernel)?;
        let tiles: usize = form.tiles(geometry.output).iter().product();
        let pays = tiles >= LEAST
            && geometry.strides == [1, 1]
            && geometry.dilations == [1, 1]
            && geometry.groups == 1
            && inputs.is_multiple_of(LANES)
            && outputs.is_multiple_of(LANES);
        pays.then_some(form)
    }

    /// Transforms weights of outputs x inputs x kernel; `None` where this does not pay.
    pub fn new(geometry: &Geometry, weights: &[f32], bias: Option<&[f32]>) -> Option<Self> {
        let [inputs, outputs] = geometry.group();
        let form = Self::pays(geometry)?;
        let points = form.points();
        // Point, output, input.
        let mut transformed = buffers::taken(points * outputs * inputs);
        match form {
            Form::Square => square::transform_kernels(weights, &mut transformed),
            Form::Across | Form::Down => line::transform_kernels(weights, &mut transformed),
        }
        // As if each point were a group of channels.
        let channels = |extent: Extent| Extent {
            channels: points * extent.channels,
            ..extent
        };
        let products = Geometry {
            kernel: [1, 1],
            pads: [0, 0],
            groups: points,
            input: channels(geometry.input),
            output: channels(geometry.output),
            ..*geometry
        };
        let plan = Plan::forward(&products);
        let packed = Packed::new(&products, &plan.phases[0], &transformed, None, false);
        buffers::give(transformed);
        Some(Self {
            form,
            packed,
            bias: bias.map_or_else(|| vec![0.0; outputs], <[f32]>::to_vec),
            input: geometry.input,
            output: geometry.output,
            pads: geometry.pads,
        })
    }

    /// The results for `images` (N, H, W, C).
    pub fn correlate(&self, images: &[f32], finish: Finish<'_>) -> Vec<f32> {
        let arch = Arch::new();
        let (input, output) = (self.input, self.output);
        let count = images.len() / input.len();
        let mut results = buffers::taken(count * output.len());
        let [rows, columns] = self.form.tiles(output);
        let ([tall, _], points) = (self.form.tile(), self.form.points());
        // Few images are divided so that no thread is without a tile.
        let share = (count * rows).div_ceil(rayon::current_num_threads());
        let together = (TOGETHER / (points * columns)).min(share).max(1);
        // Whole images, or rows of tiles of one.
        let whole = together / rows;
        let (images_each, length) = if whole > 0 {
            (whole, whole * output.len())
        } else {
            (1, together * tall * output.row())
        };
        let jobs: Vec<Job<'_>> = results
            .chunks_mut(images_each * output.len())
            .zip(images.chunks(images_each * input.len()))
            .enumerate()
            .flat_map(|(place, (results, images))| {
                let parts = results.chunks_mut(length).enumerate();
                parts.map(move |(index, results)| {
                    let from = place * images_each * output.len() + index * length;
                    let add = finish
                        .add
                        .and_then(|add| add.get(from..)?.get(..results.len()));
                    Job {
                        images,
                        first: index * together,
                        results,
                        finish: Finish { add, ..finish },
                    }
                })
            })
            .collect();
        let most = columns * whole.max(1) * if whole > 0 { rows } else { together };
        let scratch = || Scratch {
            pixels: Aligned::taken(points * most * input.channels),
            products: Aligned::taken(points * most * output.channels),
        };
        jobs.into_par_iter().for_each_init(scratch, |scratch, job| {
            arch.dispatch(Run {
                winograd: self,
                job,
                scratch,
            });
        });
        results
    }
}

struct Run<'a> {
    winograd: &'a Winograd,
    job: Job<'a>,
    scratch: &'a mut Scratch,
}

/// A tile of a job: its image's first number, and the image's row and column of its first result.
#[derive(Clone, Copy)]
struct Tile {
    image: usize,
    row: usize,
    column: usize,
    /// The job's row of its first result.
    to: usize,
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self {
            winograd,
            job,
            scratch,
        } = self;
        let (input, output) = (winograd.input, winograd.output);
        let (form, points) = (winograd.form, winograd.form.points());
        let [_, columns] = form.tiles(output);
        let [tall, wide] = form.tile();
        let rows = job.results.len() / output.row();
        let mut all = Vec::new();
        // Rows of results of each image of the job; one where it is of rows.
        for (image, begins) in (0..rows).step_by(output.rows).enumerate() {
            for to in (begins..rows.min(begins + output.rows)).step_by(tall) {
                all.extend((0..columns).map(|column| Tile {
                    image: image * input.len(),
                    row: job.first * tall + to - begins,
                    column: column * wide,
                    to,
                }));
            }
        }
        let (inputs, outputs) = (input.channels, output.channels);
        let pixels = &mut scratch.pixels.get_mut()[..points * all.len() * inputs];
        let products = &mut scratch.products.get_mut()[..points * all.len() * outputs];
        match form {
            Form::Square => winograd.transform_squares(simd, job.images, &all, pixels),
            Form::Across | Form::Down => winograd.transform_lines(simd, job.images, &all, pixels),
        }
        let positions: Vec<_> = (0..all.len())
            .map(|tile| (tile * inputs, tile * outputs))
            .collect();
        for block in winograd.packed.blocks() {
            let point = block.group;
            let window = Window {
                input: &pixels[point * all.len() * inputs..],
                starts: &[0],
                length: inputs,
            };
            let products = &mut products[point * all.len() * outputs..];
            let block = Block {
                first: block.first - point * outputs,
                ..block
            };
            window.block(simd, &block, &positions, products, Finish::default());
        }
        let (results, finish) = (job.results, job.finish);
        match form {
            Form::Square => winograd.squares_back(simd, products, &all, results, finish),
            Form::Across | Form::Down => winograd.lines_back(simd, products, &all, results, finish),
        }
    }
}

/// An image that a tile is of, with nothing around it.
struct Seen<'a> {
    image: &'a [f32],
    extent: Extent,
    pads: [usize; 2],
    zeros: &'a [f32],
}

impl Seen<'_> {
    /// The channels of the pixel that results at this row and column see first.
    #[inline(always)]
    fn pixel(&self, row: usize, column: usize) -> &[f32] {
        let Extent {
            rows,
            columns,
            channels,
        } = self.extent;
        let y = row.wrapping_sub(self.pads[0]);
        let x = column.wrapping_sub(self.pads[1]);
        if y < rows && x < columns {
            &self.image[(y * columns + x) * channels..][..channels]
        } else {
            self.zeros
        }
    }
}

impl Winograd {
    fn seen<'a>(&self, image: &'a [f32], zeros: &'a [f32]) -> Seen<'a> {
        Seen {
            image,
            extent: self.input,
            pads: self.pads,
            zeros,
        }
    }
}

impl Finish<'_> {
    /// A result with what is done to it; `add` is what is added to it.
    #[inline(always)]
    fn one<S: Simd>(self, simd: S, result: S::f32s, add: Option<S::f32s>) -> S::f32s {
        let sum = match add {
            Some(add) => simd.add_f32s(result, add),
            None => result,
        };
        if self.relu { rectified(simd, sum) } else { sum }
    }
}

#[cfg(test)]
mod tests;
