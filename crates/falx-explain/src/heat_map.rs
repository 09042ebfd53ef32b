//! A heat map on the grid of a network's picture, and what it is elsewhere.

#[cfg(test)]
mod tests;

use falx_dicom::picture::PictureGrid;

/// How much each place of a network's picture speaks for a label.
///
/// # Shape
/// `size` × `size`, row by row, on the pixels of the picture that the network saw.
///
/// # Units
/// From 0, which says nothing for the label, to 1 at the map's largest value; all 0 where nothing speaks for it.
#[derive(Clone, Debug, PartialEq)]
pub struct HeatMap {
    size: usize,
    values: Vec<f32>,
}

impl HeatMap {
    /// The map of values on a coarser or finer grid that covers the whole picture; negative values count as 0.
    ///
    /// # Shape
    /// `values` is `rows` × `cols`, row by row; where it is not, the map is all 0.
    pub fn of_grid(values: &[f32], rows: usize, cols: usize, size: usize) -> Self {
        let mut drawn = vec![0.0; size.saturating_mul(size)];
        if values.len() == rows * cols && !values.is_empty() {
            let scale = |cells: usize| cells as f64 / size as f64;
            let (down, across) = (scale(rows), scale(cols));
            for (place, out) in drawn.iter_mut().enumerate() {
                let at = [
                    ((place / size) as f64 + 0.5) * down,
                    ((place % size) as f64 + 0.5) * across,
                ];
                *out = bilinear(values, [rows, cols], at);
            }
        }
        Self {
            size,
            values: drawn,
        }
        .scaled()
    }

    /// The picture's side in pixels.
    pub const fn size(&self) -> usize {
        self.size
    }

    /// The values, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// True where nothing speaks for the label.
    pub fn is_blank(&self) -> bool {
        self.values.iter().all(|&value| value == 0.0)
    }

    /// The mean of some maps of one size, scaled anew; `None` of none.
    pub fn mean(maps: &[Self]) -> Option<Self> {
        let (first, rest) = maps.split_first()?;
        let mut values = first.values.clone();
        for map in rest {
            for (sum, value) in values.iter_mut().zip(&map.values) {
                *sum += value;
            }
        }
        Some(
            Self {
                size: first.size,
                values,
            }
            .scaled(),
        )
    }

    /// The value at a point of the picture, in pixels from its upper left corner, down and across; 0 beyond the picture.
    pub fn at(&self, point: [f64; 2]) -> f32 {
        let side = self.size as f64;
        if point.iter().all(|x| (0.0..side).contains(x)) {
            bilinear(&self.values, [self.size; 2], point)
        } else {
            0.0
        }
    }

    /// The map on the pixels of the slice whose picture lies in it as `grid` says.
    ///
    /// # Shape
    /// `rows` × `cols`, row by row.
    pub fn on_slice(&self, grid: &PictureGrid, [rows, cols]: [usize; 2]) -> Vec<f32> {
        let mut values = Vec::with_capacity(rows * cols);
        for row in 0..rows {
            for col in 0..cols {
                let middle = [row as f64 + 0.5, col as f64 + 0.5];
                values.push(self.at(grid.in_picture(middle)));
            }
        }
        values
    }

    /// The map with values from 0 to 1.
    fn scaled(mut self) -> Self {
        let most = self.values.iter().copied().fold(0.0, f32::max);
        let is_usable = most > 0.0 && most.is_finite();
        for value in &mut self.values {
            // A quotient, so that the largest value is 1 to the bit.
            *value = if is_usable && *value > 0.0 {
                *value / most
            } else {
                0.0
            };
        }
        self
    }
}

/// The place of the largest value, the first of several alike; `None` where none is above 0.
pub fn peak(values: &[f32]) -> Option<usize> {
    let mut best: Option<(usize, f32)> = None;
    for (place, &value) in values.iter().enumerate() {
        if value > best.map_or(0.0, |(_, most)| most) {
            best = Some((place, value));
        }
    }
    best.map(|(place, _)| place)
}

/// Values smoothed by a Gaussian of this standard deviation in pixels, down and across; at the border by what is there.
///
/// # Shape
/// `values` is rows × cols, row by row.
pub(crate) fn smooth(values: &[f32], [rows, cols]: [usize; 2], deviation: f64) -> Vec<f32> {
    if deviation.is_nan() || deviation <= 0.0 || values.len() != rows * cols {
        return values.to_vec();
    }
    let reach = (3.0 * deviation).ceil() as usize;
    let weights: Vec<f64> = (0..=reach)
        .map(|far| (-0.5 * (far as f64 / deviation).powi(2)).exp())
        .collect();
    let along = |line: &dyn Fn(usize) -> f32, len: usize, at: usize| {
        let (mut sum, mut all) = (0.0, 0.0);
        for other in at.saturating_sub(reach)..(at + reach + 1).min(len) {
            let weight = weights.get(at.abs_diff(other)).copied().unwrap_or(0.0);
            sum += weight * f64::from(line(other));
            all += weight;
        }
        (sum / all) as f32
    };
    let mut across = Vec::with_capacity(values.len());
    for row in values.chunks_exact(cols.max(1)) {
        across.extend((0..cols).map(|at| along(&|other| row[other], cols, at)));
    }
    let mut both = vec![0.0; values.len()];
    for col in 0..cols {
        for row in 0..rows {
            both[row * cols + col] = along(&|other| across[other * cols + col], rows, row);
        }
    }
    both
}

/// The value between cell middles at a point of a grid; beyond the outermost middles that of the border.
fn bilinear(values: &[f32], [rows, cols]: [usize; 2], [down, across]: [f64; 2]) -> f32 {
    let place = |x: f64, cells: usize| {
        let x = (x - 0.5).clamp(0.0, cells as f64 - 1.0);
        let first = (x as usize).min(cells.saturating_sub(2));
        (first, (first + 1).min(cells - 1), (x - first as f64) as f32)
    };
    let (top, bottom, lower) = place(down, rows);
    let (left, right, outer) = place(across, cols);
    let at = |row: usize, col: usize| values.get(row * cols + col).copied().unwrap_or(0.0);
    let line = |row: usize| at(row, left) * (1.0 - outer) + at(row, right) * outer;
    line(top) * (1.0 - lower) + line(bottom) * lower
}
