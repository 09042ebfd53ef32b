//! Some pixels of a batch, packed for the weights' gradient.

use super::geometry::{Extent, Geometry, Plan, edge};

/// Whole images, or some rows of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slab {
    /// The first image and how many.
    pub image: usize,
    pub images: usize,
    /// The first row of each image's output and how many.
    pub row: usize,
    pub rows: usize,
}

impl Slab {
    /// The output's pixels of a batch in slabs of about `pixels`.
    pub fn all(geometry: &Geometry, batch: usize, pixels: usize) -> Vec<Self> {
        let output = geometry.output;
        let images = (pixels / (output.rows * output.columns)).max(1);
        let rows = (pixels / output.columns).clamp(1, output.rows);
        let starts = (0..batch).step_by(images);
        let slab = move |image: usize, row: usize| Self {
            image,
            images: images.min(batch - image),
            row,
            rows: rows.min(output.rows - row),
        };
        starts
            .flat_map(|image| {
                let rows = (0..output.rows).step_by(rows);
                rows.map(move |row| slab(image, row))
            })
            .collect()
    }

    /// Writes `count` output channels from `first` on of all pixels, filled up to `lanes` with zeros.
    pub fn slopes(
        self,
        plan: &Plan,
        slopes: &[f32],
        (first, count): (usize, usize),
        lanes: usize,
        target: &mut [f32],
    ) {
        let result = plan.result;
        let pixels = self.rows * result.columns;
        let images = slopes.chunks_exact(result.len()).skip(self.image);
        for (target, slopes) in target.chunks_exact_mut(pixels * lanes).zip(images) {
            let slopes = &slopes[self.row * result.row()..];
            let pixels = slopes.chunks_exact(result.channels);
            for (target, slopes) in target.chunks_exact_mut(lanes).zip(pixels) {
                let slopes = &slopes[first..first + count];
                // Known lengths become vector moves.
                if let (Some(target), Some(slopes)) =
                    (target.first_chunk_mut::<32>(), slopes.first_chunk::<32>())
                {
                    *target = *slopes;
                    continue;
                }
                let (numbers, rest) = target.split_at_mut(count);
                for (target, slope) in numbers.iter_mut().zip(slopes) {
                    *target = *slope;
                }
                rest.fill(0.0);
            }
        }
    }
}

/// How the numbers that one block of weights reads lie in a slab's padded images.
#[derive(Clone, Copy, Debug)]
pub struct Panels {
    /// Panels of a group.
    pub count: usize,
    /// Numbers that are read at once from one place on.
    pub rows: usize,
    /// From one pixel to the next.
    pub pitch: usize,
    /// Of few channels, neighbouring columns lie side by side: one panel, and several places for each row of taps.
    merged: Option<Merged>,
    inputs: usize,
}

/// A row of taps as one run of numbers.
#[derive(Clone, Copy, Debug)]
struct Merged {
    /// Numbers of the run.
    length: usize,
    /// Places from which `rows` numbers each are read.
    parts: usize,
}

impl Panels {
    /// Panels of at most `most` numbers for the taps of `plan`, which is a forward one.
    pub fn new(plan: &Plan, most: usize) -> Self {
        let inputs = plan.group()[0];
        if inputs < 8
            && plan.groups == 1
            && let Some(phase) = plan.phases.first()
        {
            let extent = plan.padded(1);
            let (_, length) = plan.runs(phase, extent);
            let parts = length.div_ceil(most);
            return Self {
                count: 1,
                rows: length.div_ceil(parts),
                pitch: inputs,
                merged: Some(Merged { length, parts }),
                inputs,
            };
        }
        let count = inputs.div_ceil(most);
        let rows = inputs.div_ceil(count);
        Self {
            count,
            rows,
            pitch: rows,
            merged: None,
            inputs,
        }
    }

    /// Places from which a panel's numbers are read.
    pub fn taps(&self, plan: &Plan) -> usize {
        self.starts(plan, plan.padded(1)).len()
    }

    /// Numbers of one panel, with those that the last pixel's reading goes beyond its end.
    pub fn numbers(&self, images: usize, extent: Extent) -> usize {
        images * extent.rows * extent.columns * self.pitch + self.beyond()
    }

    fn beyond(&self) -> usize {
        self.merged.map_or(0, |merged| merged.parts * self.rows)
    }

    /// Where the taps begin in a panel.
    pub fn starts(&self, plan: &Plan, extent: Extent) -> Vec<usize> {
        let Some(phase) = plan.phases.first() else {
            return Vec::new();
        };
        let panel = Extent {
            channels: self.pitch,
            ..extent
        };
        let alone = Plan {
            groups: 1,
            ..plan.clone()
        };
        if let Some(merged) = self.merged {
            let (starts, _) = alone.runs(phase, panel);
            let parts = |start| (0..merged.parts).map(move |part| start + part * self.rows);
            return starts.into_iter().flat_map(parts).collect();
        }
        let [rows, columns] = &phase.taps;
        let at = |y: isize, x: isize| {
            let (y, x) = (y - plan.least[0], x - plan.least[1]);
            (y as usize * extent.columns + x as usize) * self.pitch
        };
        let row = |y: isize| columns.iter().map(move |x| at(y, x.place));
        rows.iter().flat_map(|y| row(y.place)).collect()
    }

    /// The place among a group's sums of the weight at `k` = input * taps + tap.
    pub fn place(&self, geometry: &Geometry, k: usize) -> usize {
        let taps = geometry.taps();
        let (input, tap) = (k / taps, k % taps);
        let Some(Merged { length, parts }) = self.merged else {
            let (panel, row) = (input / self.rows, input % self.rows);
            return (panel * taps + tap) * self.rows + row;
        };
        if length == self.inputs * geometry.kernel[1] {
            let within = tap % geometry.kernel[1] * self.inputs + input;
            (tap / geometry.kernel[1] * parts + within / self.rows) * self.rows + within % self.rows
        } else {
            tap * parts * self.rows + input
        }
    }

    /// Writes the numbers of one panel of one group.
    pub fn fill(
        &self,
        plan: &Plan,
        slab: Slab,
        images: &[f32],
        (group, panel): (usize, usize),
        target: &mut [f32],
    ) {
        let extent = plan.padded(slab.rows);
        let length = extent.rows * extent.columns * self.pitch;
        let first = panel * self.rows;
        let count = self.pitch.min(self.inputs - first);
        let beyond = target.len() - self.beyond();
        target[beyond..].fill(0.0);
        let images = images.chunks_exact(plan.source.len()).skip(slab.image);
        for (target, image) in target
            .chunks_exact_mut(length)
            .zip(images)
            .take(slab.images)
        {
            let channels = (group * self.inputs + first, count);
            fill(plan, slab.row, image, extent, self.pitch, channels, target);
        }
    }
}

/// Writes some channels of the padded rows that the output's rows from `first` on see.
fn fill(
    plan: &Plan,
    first: usize,
    image: &[f32],
    extent: Extent,
    pitch: usize,
    (channel, count): (usize, usize),
    target: &mut [f32],
) {
    let (before, from) = edge(plan.least[1]);
    for (row, target) in target.chunks_exact_mut(extent.columns * pitch).enumerate() {
        let place = (first * plan.step[0] + row) as isize + plan.least[0];
        let row = usize::try_from(place).ok();
        let Some(row) = row.filter(|&row| row < plan.source.rows) else {
            target.fill(0.0);
            continue;
        };
        let (left, rest) = target.split_at_mut((before * pitch).min(target.len()));
        left.fill(0.0);
        let columns = plan.source.columns.saturating_sub(from);
        let (middle, right) = rest.split_at_mut((columns * pitch).min(rest.len()));
        right.fill(0.0);
        let source = &image[row * plan.source.row()..][..plan.source.row()];
        let source = source[from.min(plan.source.columns) * plan.source.channels..]
            .chunks_exact(plan.source.channels);
        macro_rules! counts {
            ($($count:literal)*) => {
                match pitch {
                    $($count if count == pitch => {
                        let (targets, _) = middle.as_chunks_mut::<$count>();
                        for (target, source) in targets.iter_mut().zip(source) {
                            if let Some(numbers) = source[channel..].first_chunk() {
                                *target = *numbers;
                            }
                        }
                    })*
                    _ => for (target, source) in middle.chunks_exact_mut(pitch).zip(source) {
                        let (numbers, rest) = target.split_at_mut(count);
                        for (target, x) in numbers.iter_mut().zip(&source[channel..]) {
                            *target = *x;
                        }
                        rest.fill(0.0);
                    }
                }
            };
        }
        counts!(1 2 3 4 5 6 7 8 9 10 11 12);
    }
}
