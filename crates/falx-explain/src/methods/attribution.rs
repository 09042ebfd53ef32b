//! What every pixel of a picture adds to a logit beyond what tissue without a finding would: integrated gradients made ready
//! for a map.

use falx_core::Label;

use super::integrated_gradients;
use crate::{ExplainError, Network};

/// Steps of integrated gradients from tissue to the picture, for each way that it is moved.
const STEPS: usize = 6;
/// The picture is looked at moved by some pixels and mirrored too: networks see every second, fourth, ... pixel in their
/// strides and largest values, so that a single gradient is speckled.
const MOVES: [Move; 4] = [
    Move::by(0, 0, false),
    Move::by(1, 1, true),
    Move::by(2, 3, false),
    Move::by(3, 2, true),
];
/// Numbers closer to an end of the window than this share of it are air, water, bone or metal.
const END: f32 = 0.02;

/// What every pixel of one image adds to each label's logit beyond what is no brighter than tissue ([`tissue`]), summed over channels; the
/// mean of the picture as it is and moved and mirrored.
///
/// # Shape
/// `image` is C × H × W; each label's result is H × W.
///
/// # Units
/// `range`: the numbers of a pixel that shows nothing, and of one that shows most.
///
/// # Errors
/// [`ExplainError::Engine`] when the image does not fit the network.
pub fn attribution(
    network: &Network,
    image: &[f32],
    [channels, rows, cols]: [usize; 3],
    labels: &[Label],
    range: [f32; 2],
) -> Result<Vec<Vec<f32>>, ExplainError> {
    let plane = rows * cols;
    let reference = tissue(image, plane, range);
    let mut sums = vec![vec![0.0; plane]; labels.len()];
    for way in MOVES {
        let moved = |picture: &[f32]| -> Vec<f32> {
            let planes = picture.chunks_exact(plane.max(1));
            planes
                .flat_map(|of| way.applied(of, [rows, cols], range[0]))
                .collect()
        };
        let (picture, from) = (moved(image), moved(&reference));
        let shape = [channels, rows, cols];
        let found = integrated_gradients(network, &picture, &from, shape, labels, STEPS)?;
        for (sums, adds) in sums.iter_mut().zip(&found) {
            for channel in adds.chunks_exact(plane.max(1)) {
                for (sum, adds) in sums.iter_mut().zip(way.undone(channel, [rows, cols])) {
                    *sum += adds / MOVES.len() as f32;
                }
            }
        }
    }
    Ok(sums)
}

/// The picture with nothing brighter than its tissue: every channel cut off at the median of what lies within its window. Blood is
/// brighter, and so is bone, which a logit should not hang on.
///
/// # Shape
/// Channels of `plane` numbers, as is the result.
pub fn tissue(image: &[f32], plane: usize, [black, white]: [f32; 2]) -> Vec<f32> {
    let cut = |channel: &[f32]| {
        let is_within = |x: &f32| {
            let share = (x - black) / (white - black);
            share > END && share < 1.0 - END
        };
        let mut within: Vec<f32> = channel.iter().copied().filter(is_within).collect();
        within.sort_unstable_by(f32::total_cmp);
        let median = within.get(within.len() / 2).copied().unwrap_or(black);
        let cut: Vec<f32> = channel.iter().map(|x| x.min(median)).collect();
        cut
    };
    image.chunks_exact(plane.max(1)).flat_map(cut).collect()
}

/// A picture mirrored, if at all, and then moved by whole pixels.
#[derive(Clone, Copy)]
struct Move {
    down: usize,
    right: usize,
    is_mirrored: bool,
}

impl Move {
    const fn by(down: usize, right: usize, is_mirrored: bool) -> Self {
        Self {
            down,
            right,
            is_mirrored,
        }
    }

    /// Pairs of a pixel's place before and after, of those that stay in the picture.
    fn pairs(self, [rows, cols]: [usize; 2]) -> impl Iterator<Item = (usize, usize)> {
        let of_row = move |row: usize| {
            (0..cols.saturating_sub(self.right)).map(move |col| {
                // As in the mirror, if there is one, before the move.
                let from = if self.is_mirrored {
                    cols - 1 - col
                } else {
                    col
                };
                let to = (row + self.down) * cols + col + self.right;
                (row * cols + from, to)
            })
        };
        (0..rows.saturating_sub(self.down)).flat_map(of_row)
    }

    fn applied(self, plane: &[f32], size: [usize; 2], black: f32) -> Vec<f32> {
        let mut moved = vec![black; plane.len()];
        for (from, to) in self.pairs(size) {
            moved[to] = plane[from];
        }
        moved
    }

    /// Numbers of a moved picture where its pixels came from; 0 for those that it has lost.
    fn undone(self, plane: &[f32], size: [usize; 2]) -> Vec<f32> {
        let mut back = vec![0.0; plane.len()];
        for (from, to) in self.pairs(size) {
            back[from] = plane[to];
        }
        back
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_moved_comes_back() {
        let plane: Vec<f32> = (1..=12_u8).map(f32::from).collect();
        let way = Move::by(1, 1, true);
        let moved = way.applied(&plane, [3, 4], 0.0);
        assert_eq!(moved, [0., 0., 0., 0., 0., 4., 3., 2., 0., 8., 7., 6.]);
        let back = way.undone(&moved, [3, 4]);
        assert_eq!(back, [0., 2., 3., 4., 0., 6., 7., 8., 0., 0., 0., 0.]);
        // A picture that is smaller than the move is lost whole.
        assert_eq!(
            Move::by(2, 3, false).applied(&[5.0; 4], [2, 2], 0.0),
            [0.0; 4]
        );
    }

    #[test]
    fn tissue_is_cut_off_at_the_median_of_what_lies_within_the_window() {
        // Air, bone, and 0.4, 0.5, 0.9 of the window from -1 to 1; the second channel has its own.
        let image = [-1.0, 1.0, -0.2, 0.0, 0.8, -1.0, -0.5, -0.5, 1.0, -0.9];
        let found = tissue(&image, 5, [-1.0, 1.0]);
        assert_eq!(
            found,
            [-1.0, 0.0, -0.2, 0.0, 0.0, -1.0, -0.5, -0.5, -0.5, -0.9]
        );
        // Nothing within the window: nothing is left.
        assert_eq!(tissue(&[0.0, 1.0], 2, [0.0, 1.0]), [0.0, 0.0]);
    }
}
