//! Colours of a heat map.

/// Black over violet, red and orange to pale yellow: ever lighter, so that it is read without colours too.
///
/// # Source
/// Ten colours of matplotlib's `inferno` (Smith, van der Walt 2015; CC0).
const INFERNO: [[u8; 3]; 10] = [
    [0, 0, 4],
    [27, 12, 65],
    [74, 12, 107],
    [120, 28, 109],
    [165, 44, 96],
    [207, 68, 70],
    [237, 105, 37],
    [251, 155, 6],
    [247, 209, 61],
    [252, 255, 164],
];
/// Below this a map is not drawn.
const LEAST: f32 = 0.1;
/// How much of the slice the strongest colour hides.
const MOST: f32 = 0.65;

/// The colour of a value from 0 to 1, and how much of the slice it hides, from 0 to 1.
pub fn heat(value: f32) -> ([u8; 3], f32) {
    let value = if value.is_finite() {
        value.clamp(0.0, 1.0)
    } else {
        0.0
    };
    let place = value * (INFERNO.len() - 1) as f32;
    let first = (place as usize).min(INFERNO.len() - 2);
    let rest = place - first as f32;
    let colour = std::array::from_fn(|channel| {
        let [a, b] = [INFERNO[first][channel], INFERNO[first + 1][channel]].map(f32::from);
        (a + rest * (b - a)).round() as u8
    });
    let strength = ((value - LEAST) / (0.5 - LEAST)).clamp(0.0, 1.0) * MOST;
    (colour, strength)
}

/// A colour over another one, of which it hides a share.
pub(super) fn over(below: [u8; 3], colour: [u8; 3], share: f32) -> [u8; 3] {
    std::array::from_fn(|channel| {
        let [a, b] = [below[channel], colour[channel]].map(f32::from);
        (a + share * (b - a)).round() as u8
    })
}
