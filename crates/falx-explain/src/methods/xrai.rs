//! XRAI: whole areas of a picture, ranked by what their pixels add to a logit.

use super::segments::{Coarseness, segments};

/// The picture is cut at each of these scales, in shares of its range of numbers, and areas of all of them compete.
const SCALES: [f32; 6] = [0.2, 0.4, 0.6, 1.0, 2.0, 4.8];
/// Areas of fewer pixels than this share of the picture are joined to a neighbour.
const LEAST: f64 = 1.0 / 1000.0;

/// The value of every pixel of one image: the mean of what the pixels of its area add, of the area that was taken for it.
///
/// Areas of all scales are taken in turn, that one first whose pixels, as far as they are not taken, add most in the mean; each
/// pixel is given the mean of the area with which it was taken. Negative where an area speaks against the label.
///
/// # Shape
/// `picture` is C × H × W, `attribution` H × W: what each pixel adds to the logit, as
/// [`integrated_gradients`](super::integrated_gradients) find it, summed over channels. The result is H × W, and empty where shapes
/// do not fit.
///
/// # Units
/// `range`: the numbers of a pixel that shows nothing, and of one that shows most.
///
/// # Source
/// Kapishnikov, Bolukbasi, Viégas, Terry 2019, "XRAI: Better Attributions Through Regions", algorithm 1. Areas are not dilated here: a
/// mask is compared with them.
pub fn xrai(
    attribution: &[f32],
    picture: &[f32],
    shape: [usize; 3],
    [black, white]: [f32; 2],
) -> Vec<f32> {
    let pixels = attribution.len();
    let mut areas: Vec<Area> = Vec::new();
    // The areas that a pixel is in, one a scale.
    let mut of_pixels = Vec::with_capacity(SCALES.len());
    for scale in SCALES {
        let coarseness = Coarseness {
            scale: scale * (white - black).abs(),
            least: (LEAST * pixels as f64).ceil() as usize,
        };
        let parts = segments(picture, shape, coarseness);
        if parts.len() != pixels {
            return Vec::new();
        }
        let first = areas.len();
        for (place, (part, adds)) in parts.iter().zip(attribution).enumerate() {
            let at = first + *part as usize;
            if at >= areas.len() {
                areas.resize_with(at + 1, Area::default);
            }
            areas[at].pixels.push(place);
            areas[at].left += 1;
            areas[at].sum += f64::from(*adds);
        }
        of_pixels.push((first, parts));
    }
    let mut values = vec![None; pixels];
    while let Some(best) = best(&areas) {
        let (mean, members) = (areas[best].mean(), std::mem::take(&mut areas[best].pixels));
        for place in members {
            if values[place].is_some() {
                continue;
            }
            values[place] = Some(mean as f32);
            for (first, parts) in &of_pixels {
                let area = &mut areas[first + parts[place] as usize];
                area.left -= 1;
                area.sum -= f64::from(attribution[place]);
            }
        }
    }
    values.into_iter().map(Option::unwrap_or_default).collect()
}

/// A part of the picture, as far as it is not taken.
#[derive(Default)]
struct Area {
    pixels: Vec<usize>,
    left: usize,
    sum: f64,
}

impl Area {
    fn mean(&self) -> f64 {
        self.sum / self.left.max(1) as f64
    }
}

/// The area whose pixels add most, the first of several alike; `None` where every pixel is taken.
fn best(areas: &[Area]) -> Option<usize> {
    let left = areas.iter().enumerate().filter(|(_, area)| area.left > 0);
    // `max_by` would take the last.
    left.rev()
        .max_by(|(_, a), (_, b)| a.mean().total_cmp(&b.mean()))
        .map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bright square in a dark picture; speckled attribution, most of it inside of the square. And how far inside of the square a
    /// pixel is; negative outside.
    fn case() -> (Vec<f32>, Vec<f32>, impl Fn(usize) -> i32) {
        let side = 40;
        let depth = move |at: usize| {
            let [row, col] = [at / side, at % side].map(|x| i32::try_from(x).unwrap());
            (row - 10).min(17 - row).min(col - 20).min(29 - col)
        };
        let picture = (0..side * side).map(|at| if depth(at) >= 0 { 0.9 } else { 0.2 });
        let adds = (0..side * side).map(|at| match (depth(at) >= 0, at % 3) {
            (true, 0) => 1.0,
            (false, 1) => -0.1,
            _ => 0.0,
        });
        (picture.collect(), adds.collect(), depth)
    }

    #[test]
    fn speckles_become_the_area_that_they_are_in() {
        let (picture, adds, depth) = case();
        let found = xrai(&adds, &picture, [1, 40, 40], [0.0, 1.0]);
        // A blurred border may make an area of its own, of pixels on both sides.
        let of = |is: fn(i32) -> bool| {
            let places = (0..found.len()).filter(|at| is(depth(*at)));
            places.map(|at| found[at]).collect::<Vec<f32>>()
        };
        let is_inside = |value: &f32| (0.2..0.5).contains(value);
        assert!(of(|depth| depth >= 2).iter().all(is_inside));
        assert!(of(|depth| depth <= -3).iter().all(|value| *value <= 0.0));
        // Twice the attribution is twice the map; another range of numbers changes nothing else.
        let twice: Vec<f32> = adds.iter().map(|x| 2.0 * x).collect();
        let wide: Vec<f32> = picture.iter().map(|x| 2.0 * x - 1.0).collect();
        let other = xrai(&twice, &wide, [1, 40, 40], [-1.0, 1.0]);
        assert!(
            found
                .iter()
                .zip(&other)
                .all(|(a, b)| (2.0 * a - b).abs() < 1e-6)
        );
    }

    #[test]
    fn attribution_is_kept_as_a_whole_and_shapes_must_fit() {
        let (picture, adds, _) = case();
        let found = xrai(&adds, &picture, [1, 40, 40], [0.0, 1.0]);
        let [sum, kept] = [&adds, &found].map(|x| x.iter().copied().map(f64::from).sum::<f64>());
        assert!((sum - kept).abs() < 1e-4, "{sum} {kept}");
        assert!(xrai(&adds, &picture, [1, 40, 39], [0.0, 1.0]).is_empty());
        assert!(xrai(&adds[1..], &picture, [1, 40, 40], [0.0, 1.0]).is_empty());
        assert!(xrai(&[], &[], [1, 0, 0], [0.0, 1.0]).is_empty());
    }
}
