//! A picture cut into parts that look alike inside: the areas that [`xrai`](super::xrai()) ranks.

/// The standard deviation of the smoothing before a picture is cut, in pixels, which keeps noise from making parts.
const SMOOTHING: f64 = 0.8;

/// How coarsely a picture is cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coarseness {
    /// How much a step between two parts must exceed the steps within them, times their number of pixels, in units of the
    /// picture's numbers: the larger, the larger the parts.
    pub scale: f32,
    /// Parts of fewer pixels are joined to a neighbour.
    pub least: usize,
}

/// The number of the part that every pixel belongs to, from 0 on, in the order of their first pixels.
///
/// Pixels side by side are joined, those that differ least first, as long as they differ by no more than what is seen within
/// both parts and `scale` over the number of pixels of each.
///
/// # Shape
/// `picture` is C × H × W; the result is H × W, and empty where the picture has not this shape.
///
/// # Source
/// Felzenszwalb, Huttenlocher 2004, "Efficient Graph-Based Image Segmentation", algorithm 1.
pub fn segments(
    picture: &[f32],
    [channels, rows, cols]: [usize; 3],
    coarseness: Coarseness,
) -> Vec<u32> {
    let plane = rows * cols;
    if plane == 0 || picture.len() != channels * plane {
        return Vec::new();
    }
    let smooth: Vec<Vec<f32>> = picture
        .chunks_exact(plane)
        .map(|channel| crate::heat_map::smooth(channel, [rows, cols], SMOOTHING))
        .collect();
    let edges = edges(&smooth, [rows, cols]);
    let mut parts = Parts::new(plane);
    for &(step, a, b) in &edges {
        let [a, b] = [parts.of(a), parts.of(b)];
        if a != b
            && step
                <= parts
                    .reach(a, coarseness.scale)
                    .min(parts.reach(b, coarseness.scale))
        {
            parts.join(a, b, step);
        }
    }
    for &(step, a, b) in &edges {
        let [a, b] = [parts.of(a), parts.of(b)];
        if a != b && parts.size[a].min(parts.size[b]) < coarseness.least {
            parts.join(a, b, step);
        }
    }
    parts.numbered()
}

/// Every pair of neighbours, corners included, with how much they differ; those that differ least first.
fn edges(channels: &[Vec<f32>], [rows, cols]: [usize; 2]) -> Vec<(f32, usize, usize)> {
    let mut edges = Vec::with_capacity(4 * rows * cols);
    for place in 0..rows * cols {
        let (row, col) = (place / cols, place % cols);
        let (is_last_row, is_last_col) = (row + 1 == rows, col + 1 == cols);
        let neighbours = [
            (!is_last_col).then_some(place + 1),
            (!is_last_row).then_some(place + cols),
            (!is_last_row && !is_last_col).then_some(place + cols + 1),
            (!is_last_row && col > 0).then(|| place + cols - 1),
        ];
        for other in neighbours.into_iter().flatten() {
            let squares = channels.iter().map(|c| (c[place] - c[other]).powi(2));
            edges.push((squares.sum::<f32>().sqrt(), place, other));
        }
    }
    // Stable: of steps alike that of the upper left pixel comes first.
    edges.sort_by(|(a, ..), (b, ..)| a.total_cmp(b));
    edges
}

/// Parts that grow together.
struct Parts {
    above: Vec<usize>,
    size: Vec<usize>,
    /// The largest step over which a part has grown.
    within: Vec<f32>,
}

impl Parts {
    fn new(pixels: usize) -> Self {
        Self {
            above: (0..pixels).collect(),
            size: vec![1; pixels],
            within: vec![0.0; pixels],
        }
    }

    /// The pixel that stands for the part that a pixel is in.
    fn of(&mut self, mut place: usize) -> usize {
        while self.above[place] != place {
            self.above[place] = self.above[self.above[place]];
            place = self.above[place];
        }
        place
    }

    /// The largest step over which a part still grows.
    fn reach(&self, part: usize, scale: f32) -> f32 {
        self.within[part] + scale / self.size[part] as f32
    }

    fn join(&mut self, a: usize, b: usize, step: f32) {
        let (large, small) = if self.size[a] >= self.size[b] {
            (a, b)
        } else {
            (b, a)
        };
        self.above[small] = large;
        self.size[large] += self.size[small];
        self.within[large] = step.max(self.within[large]).max(self.within[small]);
    }

    fn numbered(mut self) -> Vec<u32> {
        let pixels = self.above.len();
        let mut numbers = vec![None; pixels];
        let mut next = 0;
        let number = |place| {
            let part = self.of(place);
            *numbers[part].get_or_insert_with(|| {
                next += 1;
                next - 1
            })
        };
        (0..pixels).map(number).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A square and a bar that are brighter than what lies around them.
    fn picture() -> (Vec<f32>, [usize; 3]) {
        let (rows, cols) = (20, 24);
        let bright = |row: usize, col: usize| {
            let in_square = (3..9).contains(&row) && (4..10).contains(&col);
            let in_bar = (13..16).contains(&row) && (2..22).contains(&col);
            // Slightly uneven, as pictures are.
            let wave = ((row * 7 + col * 3) % 5) as f32 * 0.004;
            wave + if in_square {
                0.8
            } else if in_bar {
                0.6
            } else {
                0.1
            }
        };
        let places = (0..rows * cols).map(|at| bright(at / cols, at % cols));
        (places.collect(), [1, rows, cols])
    }

    #[test]
    fn what_is_bright_is_a_part_of_its_own() {
        let (picture, shape) = picture();
        let coarseness = Coarseness {
            scale: 1.0,
            least: 10,
        };
        let parts = segments(&picture, shape, coarseness);
        let at = |row: usize, col: usize| parts[row * 24 + col];
        let (square, bar, around) = (at(6, 7), at(14, 12), at(0, 0));
        assert!(square != bar && bar != around && square != around);
        assert_eq!((at(5, 6), at(14, 4)), (square, bar));
        assert_eq!((at(19, 23), at(10, 12)), (around, around));
        // So coarse that nothing stands out.
        let coarse = Coarseness {
            scale: 1e6,
            least: 10,
        };
        assert!(
            segments(&picture, shape, coarse)
                .iter()
                .all(|part| *part == 0)
        );
        assert_eq!(segments(&picture, [1, 3, 3], coarse), Vec::<u32>::new());
        assert_eq!(segments(&[], [1, 0, 3], coarse), Vec::<u32>::new());
    }

    proptest! {
        #[test]
        fn parts_are_numbered_in_order_large_enough_and_in_one_piece(
            (shape, picture) in (1..3_usize, 1..12_usize, 1..12_usize).prop_flat_map(|(c, h, w)| {
                (Just([c, h, w]), proptest::collection::vec(-1.0..1.0_f32, c * h * w))
            }),
            scale in 0.0..3.0_f32,
            least in 0..9_usize,
        ) {
            let [_, rows, cols] = shape;
            let parts = segments(&picture, shape, Coarseness { scale, least });
            prop_assert_eq!(parts.len(), rows * cols);
            let count = parts.iter().max().map_or(0, |last| last + 1);
            let mut next = 0;
            for part in &parts {
                prop_assert!(*part <= next);
                next = next.max(part + 1);
            }
            for part in 0..count {
                let of: Vec<usize> = (0..parts.len()).filter(|at| parts[*at] == part).collect();
                prop_assert!(of.len() >= least.min(parts.len()));
                // All of it is reached from its first pixel.
                let (mut reached, mut open) = (vec![of[0]], vec![of[0]]);
                while let Some(at) = open.pop() {
                    for &other in &of {
                        let near = |a: usize, b: usize| a.abs_diff(b) <= 1;
                        let beside = near(at / cols, other / cols) && near(at % cols, other % cols);
                        if beside && !reached.contains(&other) {
                            reached.push(other);
                            open.push(other);
                        }
                    }
                }
                prop_assert_eq!(reached.len(), of.len());
            }
        }
    }
}
