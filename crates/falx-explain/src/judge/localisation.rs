//! How well a map finds what a mask marks, on a slice's pixels.

use falx_eval::average_precision;
use serde::Serialize;

use crate::heat_map::peak;

/// Of what is at least this share of a map's largest value the map says "here".
pub const THRESHOLD: f32 = 0.5;

/// How well one map finds what one mask marks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Localisation {
    /// The pointing game: 1 where the map's largest value lies in the mask or within the tolerance of it, else 0.
    pub pointing: f64,
    /// The intersection over the union of the mask and of what is at least half of the map's largest value.
    pub iou: f64,
    /// The average precision of the map's values as scores of the pixels; the mask's share of the pixels is chance.
    pub average_precision: f64,
}

impl Localisation {
    /// How many numbers it is.
    pub(crate) const COUNT: usize = 3;

    /// Its numbers.
    pub(crate) const fn numbers(self) -> [f64; Self::COUNT] {
        [self.pointing, self.iou, self.average_precision]
    }
}

/// Scores a map; `None` where the mask marks nothing or has another size.
///
/// # Shape
/// `map` and `mask` have rows × columns, row by row.
///
/// # Units
/// `tolerance` in pixels, down and across.
pub fn localise(
    map: &[f32],
    mask: &[bool],
    [rows, cols]: [usize; 2],
    tolerance: [f64; 2],
) -> Option<Localisation> {
    if map.len() != mask.len() || map.len() != rows * cols {
        return None;
    }
    let scores: Vec<f64> = map.iter().copied().map(f64::from).collect();
    let average_precision = average_precision(mask, &scores).ok()?;
    let peak = peak(map);
    let pointing = peak.is_some_and(|place| is_near(place, mask, [rows, cols], tolerance));
    let most = peak.and_then(|place| map.get(place)).copied();
    let iou = most.map_or(0.0, |most| {
        let pairs = map.iter().zip(mask);
        let (both, either) = pairs.fold((0_u64, 0_u64), |(both, either), (value, marked)| {
            let here = *value >= THRESHOLD * most;
            (
                both + u64::from(here && *marked),
                either + u64::from(here || *marked),
            )
        });
        both as f64 / either.max(1) as f64
    });
    Some(Localisation {
        pointing: f64::from(u8::from(pointing)),
        iou,
        average_precision,
    })
}

/// Whether the mask marks a pixel in the ellipse of the tolerance around a place.
fn is_near(place: usize, mask: &[bool], [rows, cols]: [usize; 2], tolerance: [f64; 2]) -> bool {
    let at = [place / cols, place % cols];
    let reach = tolerance.map(|pixels| pixels.max(0.0).floor() as usize);
    let range = |axis: usize, length: usize| {
        at[axis].saturating_sub(reach[axis])..(at[axis] + reach[axis] + 1).min(length)
    };
    let far = |axis: usize, other: usize| {
        let pixels = at[axis].abs_diff(other) as f64;
        if pixels == 0.0 {
            0.0
        } else {
            (pixels / tolerance[axis]).powi(2)
        }
    };
    range(0, rows).any(|row| {
        range(1, cols).any(|col| {
            let marked = mask.get(row * cols + col) == Some(&true);
            marked && far(0, row) + far(1, col) <= 1.0
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: [usize; 2] = [4, 5];

    fn with(marked: &[usize]) -> Vec<bool> {
        (0..20).map(|place| marked.contains(&place)).collect()
    }

    fn map(values: &[(usize, f32)]) -> Vec<f32> {
        let mut map = vec![0.0; 20];
        for &(place, value) in values {
            map[place] = value;
        }
        map
    }

    #[test]
    fn a_map_that_is_the_mask_is_perfect() {
        let found = localise(
            &map(&[(6, 0.9), (7, 1.0)]),
            &with(&[6, 7]),
            SIZE,
            [0.0, 0.0],
        );
        let perfect = Localisation {
            pointing: 1.0,
            iou: 1.0,
            average_precision: 1.0,
        };
        assert_eq!(found, Some(perfect));
    }

    #[test]
    fn half_of_the_largest_value_is_the_threshold_and_pixels_are_ranked() {
        // Marked: 6 and 7. Ranked: 8, 7, 0, then all others alike with 6 among them.
        let found = localise(
            &map(&[(8, 1.0), (7, 0.5), (0, 0.49)]),
            &with(&[6, 7]),
            SIZE,
            [0.0, 0.0],
        )
        .unwrap();
        assert_eq!(found.pointing, 0.0);
        assert_eq!(found.iou, 1.0 / 3.0);
        let expected = f64::midpoint(1.0 / 2.0, 2.0 / 20.0);
        assert!((found.average_precision - expected).abs() < 1e-12);
    }

    #[test]
    fn a_peak_beside_the_mask_counts_within_the_tolerance() {
        let hit = |place: usize, tolerance: [f64; 2]| {
            let found = localise(&map(&[(place, 1.0)]), &with(&[7]), SIZE, tolerance);
            found.unwrap().pointing
        };
        assert_eq!(hit(9, [2.0, 2.0]), 1.0);
        assert_eq!(hit(9, [2.0, 1.9]), 0.0);
        assert_eq!(
            hit(13, [1.0, 1.0]),
            0.0,
            "the corner is farther than one pixel"
        );
        assert_eq!(hit(13, [1.5, 1.5]), 1.0);
        assert_eq!(hit(17, [2.0, 1.0]), 1.0);
        assert_eq!(hit(17, [1.0, 2.0]), 0.0);
    }

    #[test]
    fn a_blank_map_is_chance_and_an_empty_mask_is_no_case() {
        let blank = localise(&[0.0; 20], &with(&[3, 4, 5]), SIZE, [9.0, 9.0]).unwrap();
        assert_eq!((blank.pointing, blank.iou), (0.0, 0.0));
        assert!((blank.average_precision - 0.15).abs() < 1e-12);
        assert_eq!(localise(&[0.0; 20], &with(&[]), SIZE, [0.0, 0.0]), None);
        assert_eq!(localise(&[0.0; 19], &with(&[1]), SIZE, [0.0, 0.0]), None);
    }
}
