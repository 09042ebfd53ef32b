//! Order, gaps and tilt of slices whose position is known.

use falx_core::Millimetre;

use super::vector::{dot, length, minus};
use super::{
    POSITION_TOLERANCE, SPACING_TOLERANCE, SeriesDefect, SeriesGeometry, TILT_TOLERANCE_DEG,
};

/// A slice's index, its position in the patient's axes, and its unit normal.
pub(super) type Placed = (usize, [f64; 3], [f64; 3]);

pub(super) fn measure(placed: &[Placed], geometry: &mut SeriesGeometry) {
    let Some(&(_, _, normal)) = placed.first() else {
        return;
    };
    geometry.normal = Some(normal);
    let mut along: Vec<_> = placed
        .iter()
        .map(|&(index, position, _)| (round(dot(position, normal), 6), index, position))
        .collect();
    along.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    geometry.order = along.iter().map(|&(_, index, _)| index).collect();
    geometry.positions = along.iter().map(|&(at, ..)| Millimetre(at)).collect();

    let steps: Vec<[f64; 3]> = along
        .iter()
        .zip(along.iter().skip(1))
        .map(|(a, b)| minus(b.2, a.2))
        .collect();
    if steps.is_empty() {
        geometry.defects.push(SeriesDefect::SingleSlice);
        return;
    }
    // Four decimals: the rest of a projection is rounding noise of the header's decimal strings.
    geometry.gaps_mm = steps.iter().map(|&s| round(dot(s, normal), 4)).collect();
    note_duplicates(geometry);
    note_spacing(geometry);
    if !geometry.defects.contains(&SeriesDefect::MixedOrientation) {
        let total: f64 = steps.iter().map(|&s| length(s)).sum();
        geometry.step_mm = Some(total / steps.len() as f64);
        let ends = along.first().zip(along.last());
        geometry.tilt_deg = ends.and_then(|(a, b)| angle_deg(minus(b.2, a.2), normal));
        if geometry
            .tilt_deg
            .is_some_and(|deg| deg > TILT_TOLERANCE_DEG)
        {
            geometry.defects.push(SeriesDefect::GantryTilt);
        }
    }
}

fn note_duplicates(geometry: &mut SeriesGeometry) {
    geometry.duplicates = neighbours(geometry)
        .filter(|&(_, _, gap)| gap <= POSITION_TOLERANCE.0)
        .map(|(a, b, _)| (a, b))
        .collect();
    if !geometry.duplicates.is_empty() {
        geometry.defects.push(SeriesDefect::DuplicatePosition);
    }
}

fn note_spacing(geometry: &mut SeriesGeometry) {
    let mut good: Vec<f64> = geometry.gaps_mm.clone();
    good.retain(|&gap| gap > POSITION_TOLERANCE.0);
    good.sort_unstable_by(f64::total_cmp);
    let (Some(&least), Some(&most)) = (good.first(), good.last()) else {
        return;
    };
    if most - least <= SPACING_TOLERANCE.0 {
        geometry.spacing_mm = Some(good.iter().sum::<f64>() / good.len() as f64);
        return;
    }
    let common = common_gap(&good).unwrap_or(least);
    geometry.spacing_mm = Some(common);
    let odd = |gap: f64| gap > POSITION_TOLERANCE.0 && (gap - common).abs() > SPACING_TOLERANCE.0;
    let missing: Vec<(usize, f64)> = neighbours(geometry)
        .filter(|&(_, _, gap)| odd(gap))
        .map(|(after, _, gap)| (after, gap / common))
        .collect();
    match missing.as_slice() {
        &[(after, times)]
            if times.round() >= 2.0
                && (times - times.round()).abs() * common <= SPACING_TOLERANCE.0 =>
        {
            geometry.missing = vec![(after, times.round() as usize - 1)];
            geometry.defects.push(SeriesDefect::MissingSlice);
        }
        _ => geometry.defects.push(SeriesDefect::IrregularSpacing),
    }
}

/// The gap that most others agree with, the smallest of several such; `sorted` ascends.
fn common_gap(sorted: &[f64]) -> Option<f64> {
    let (mut from, mut to) = (0, 0);
    let mut best: Option<(usize, f64)> = None;
    for &gap in sorted {
        // Both borders only move upwards, so this is linear in the number of slices.
        while sorted
            .get(from)
            .is_some_and(|x| gap - x > SPACING_TOLERANCE.0)
        {
            from += 1;
        }
        while sorted
            .get(to)
            .is_some_and(|x| x - gap <= SPACING_TOLERANCE.0)
        {
            to += 1;
        }
        if best.is_none_or(|(agreeing, _)| to - from > agreeing) {
            best = Some((to - from, gap));
        }
    }
    best.map(|(_, gap)| gap)
}

fn neighbours(geometry: &SeriesGeometry) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
    let order = &geometry.order;
    let pairs = order.iter().zip(order.iter().skip(1));
    pairs
        .zip(&geometry.gaps_mm)
        .map(|((&a, &b), &gap)| (a, b, gap))
}

fn angle_deg(line: [f64; 3], normal: [f64; 3]) -> Option<f64> {
    let norm = length(line);
    let cosine = dot(line, normal).abs() / norm;
    // The arc cosine turns the last bit of a cosine near one into some thousandths of a degree.
    let degrees = cosine.min(1.0).acos().to_degrees();
    (norm > 0.0).then_some(if degrees > 0.01 { degrees } else { 0.0 })
}

fn round(x: f64, decimals: i32) -> f64 {
    let unit = 10_f64.powi(decimals);
    (x * unit).round() / unit
}
