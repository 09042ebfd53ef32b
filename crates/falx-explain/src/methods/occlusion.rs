//! Occlusion: how much a logit falls when a part of the picture is covered.

use falx_core::LABELS;
use falx_nn::Tensor;

/// How a picture is covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patch {
    /// The side of the covered square in pixels.
    pub side: usize,
    /// How far one square lies from the next, in pixels.
    pub step: usize,
}

impl Patch {
    /// An eighth of the picture, moved by half of itself.
    pub const fn of(size: usize) -> Self {
        let side = if size < 16 { 2 } else { size / 8 };
        Self {
            side,
            step: side / 2,
        }
    }
}

/// Covered pictures that run through the network together.
const TOGETHER: usize = 16;

/// How much each label's logit falls, at every pixel of one image, when squares over the pixel are covered.
///
/// A square is covered by the mean, channel by channel, of the ring around it of half its width: what a place without a
/// finding would show. A pixel is given the mean fall of the squares over it.
///
/// # Shape
/// `image` is C × H × W; the result is labels × H × W. `logits` takes N × C × H × W and gives N × 6; where it gives
/// something else, nothing has fallen.
///
/// # Errors
/// What `logits` fails with.
///
/// # Source
/// Zeiler, Fergus 2014, "Visualizing and Understanding Convolutional Networks", section 4.2.
pub fn occlusion<E>(
    image: &[f32],
    [channels, rows, cols]: [usize; 3],
    patch: Patch,
    mut logits: impl FnMut(&[f32], [usize; 4]) -> Result<Tensor, E>,
) -> Result<Vec<Vec<f32>>, E> {
    let labels = LABELS.len();
    let plane = rows * cols;
    let whole = logits(image, [1, channels, rows, cols])?.data;
    let starts = |length: usize| {
        let last = length.saturating_sub(patch.side);
        let starts = (0..last).step_by(patch.step.max(1));
        starts.chain([last]).collect::<Vec<usize>>()
    };
    let tops = starts(rows);
    let squares: Vec<[usize; 2]> = tops
        .into_iter()
        .flat_map(|top| starts(cols).into_iter().map(move |left| [top, left]))
        .collect();
    let mut falls = vec![vec![0.0_f64; plane]; labels];
    let mut counts = vec![0_u32; plane];
    for squares in squares.chunks(TOGETHER) {
        let mut pictures = Vec::with_capacity(squares.len() * image.len());
        for &square in squares {
            let start = pictures.len();
            pictures.extend_from_slice(image);
            cover(&mut pictures[start..], [rows, cols], square, patch.side);
        }
        let found = logits(&pictures, [squares.len(), channels, rows, cols])?.data;
        for (&[top, left], found) in squares.iter().zip(found.chunks_exact(labels)) {
            for row in top..(top + patch.side).min(rows) {
                for col in left..(left + patch.side).min(cols) {
                    let place = row * cols + col;
                    counts[place] += 1;
                    for ((fall, whole), found) in falls.iter_mut().zip(&whole).zip(found) {
                        fall[place] += f64::from(whole - found);
                    }
                }
            }
        }
    }
    let mean = |falls: Vec<f64>| {
        let pairs = falls.into_iter().zip(&counts);
        pairs
            .map(|(fall, &count)| (fall / f64::from(count.max(1))) as f32)
            .collect()
    };
    Ok(falls.into_iter().map(mean).collect())
}

/// Covers a square of every channel by the mean around it.
fn cover(image: &mut [f32], [rows, cols]: [usize; 2], [top, left]: [usize; 2], side: usize) {
    let ring = side.div_ceil(2);
    let around =
        |start: usize, length: usize| start.saturating_sub(ring)..(start + side + ring).min(length);
    let covered = |start: usize, at: usize| (start..start + side).contains(&at);
    for channel in image.chunks_exact_mut((rows * cols).max(1)) {
        let (mut sum, mut count) = (0.0_f64, 0_u32);
        for row in around(top, rows) {
            for col in around(left, cols) {
                if !(covered(top, row) && covered(left, col)) {
                    sum += f64::from(channel[row * cols + col]);
                    count += 1;
                }
            }
        }
        let mean = if count == 0 {
            0.0
        } else {
            (sum / f64::from(count)) as f32
        };
        for row in top..(top + side).min(rows) {
            for col in left..(left + side).min(cols) {
                channel[row * cols + col] = mean;
            }
        }
    }
}
