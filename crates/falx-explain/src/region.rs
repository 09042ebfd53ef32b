//! Which pixels of a slice lie inside of the skull.

#[cfg(test)]
pub(crate) mod tests;

use falx_dicom::CtSlice;

/// From here on a pixel is bone, or something as dense: blood stays below, with the blur at its edge.
const BONE_HU: f32 = 100.0;
/// A window that ends below this shows neither blood nor bone.
const WINDOW_HU: f32 = 60.0;
/// From here on a pixel is the head's, or something as dense as skin.
const TISSUE_HU: f32 = -200.0;
/// Gaps of the skull up to twice this many millimetres are closed.
const GAP_MM: f64 = 4.0;
/// Pixels this close to bone are blurred by it.
const BLUR_MM: f64 = 1.5;
/// Where the skull is open, the inside is what lies this deep in the head.
const SCALP_MM: f64 = 12.0;
/// A smaller share of the slice is no inside.
const LEAST: f64 = 0.01;
/// The usual field of view in mm, where pixels have no size.
const FIELD_MM: f64 = 250.0;

/// The side of a pixel in mm, down and across; where the file does not say, that of a usual field of view.
pub fn pixel_mm(slice: &CtSlice) -> [f64; 2] {
    let header = &slice.header;
    let known = header
        .pixel_spacing
        .filter(|spacing| spacing.iter().all(|mm| mm.is_finite() && *mm > 0.0));
    known.unwrap_or([FIELD_MM / header.rows.max(header.cols).max(1) as f64; 2])
}

/// The pixels inside of the skull that bone does not blur; where the skull is open, as at its base, those deep in the head.
///
/// # Shape
/// Rows × columns of the slice, row by row.
pub fn inside_skull(slice: &CtSlice) -> Vec<bool> {
    let size = [slice.header.rows, slice.header.cols];
    let mm = pixel_mm(slice);
    let pixels = |length: f64| mm.map(|mm| (length / mm).round() as usize);
    let bone_hu = bone_threshold(slice);
    let bone: Vec<bool> = slice.hu.iter().map(|hu| hu.0 > bone_hu).collect();
    let closed = dilated(&bone, size, pixels(GAP_MM));
    let enclosed = not(&reached_from_border(&closed, size));
    let core: Vec<bool> = both(&enclosed, &not(&closed));
    // What closing the gaps took away along the skull's inner side comes back, but nothing beyond the bone.
    let mut inside = core;
    let steps = pixels(GAP_MM).into_iter().max().unwrap_or(0);
    let free = not(&bone);
    for _ in 0..steps {
        inside = both(&dilated(&inside, size, [1, 1]), &free);
    }
    let blurred = dilated(&bone, size, pixels(BLUR_MM));
    let inside = both(&inside, &not(&blurred));
    if count(&inside) as f64 >= LEAST * slice.hu.len() as f64 {
        return inside;
    }
    let air: Vec<bool> = slice.hu.iter().map(|hu| hu.0 <= TISSUE_HU).collect();
    let head = not(&reached_from_border(&not(&air), size));
    let shallow = dilated(&not(&head), size, pixels(SCALP_MM));
    both(&both(&head, &not(&shallow)), &not(&blurred))
}

/// From where on a pixel is bone: in a picture whose window ends below, what the window cuts off.
fn bone_threshold(slice: &CtSlice) -> f32 {
    let (_, most) = slice.hu_min_max();
    let is_cut_off = (WINDOW_HU..=BONE_HU + 0.5).contains(&most.0);
    if is_cut_off { most.0 - 0.5 } else { BONE_HU }
}

/// The middle of the head and its half extent, in pixels, down and across; of the whole slice where there is no head.
pub fn head(slice: &CtSlice) -> [[f64; 2]; 2] {
    let size = [slice.header.rows, slice.header.cols];
    let tissue: Vec<bool> = slice.hu.iter().map(|hu| hu.0 > TISSUE_HU).collect();
    // Thin arcs of the head's holder go, and the head shrinks alike on all sides.
    let thin = pixel_mm(slice).map(|mm| (3.0 / mm).round() as usize);
    let core = not(&dilated(&not(&tissue), size, thin));
    let mut bounds = [[usize::MAX, 0]; 2];
    for (place, _) in core.iter().enumerate().filter(|(_, is)| **is) {
        let at = [place / size[1], place % size[1]];
        for (bounds, at) in bounds.iter_mut().zip(at) {
            *bounds = [bounds[0].min(at), bounds[1].max(at)];
        }
    }
    let of = |axis: usize| {
        let [first, last] = bounds[axis];
        if first > last {
            let half = size[axis] as f64 / 2.0;
            return [half, half];
        }
        let middle = (first + last + 1) as f64 / 2.0;
        [middle, (last + 1 - first) as f64 / 2.0]
    };
    let [[row, tall], [col, wide]] = [of(0), of(1)];
    [[row, col], [tall, wide]]
}

fn not(mask: &[bool]) -> Vec<bool> {
    mask.iter().map(|is| !is).collect()
}

fn both(a: &[bool], b: &[bool]) -> Vec<bool> {
    a.iter().zip(b).map(|(a, b)| *a && *b).collect()
}

fn count(mask: &[bool]) -> usize {
    mask.iter().filter(|is| **is).count()
}

/// Every pixel with one of the mask within `reach` down and across.
pub(crate) fn dilated(mask: &[bool], [rows, cols]: [usize; 2], reach: [usize; 2]) -> Vec<bool> {
    let line = |length: usize, reach: usize, at: &dyn Fn(usize) -> bool| {
        let mut sums = vec![0_u32; length + 1];
        for place in 0..length {
            sums[place + 1] = sums[place] + u32::from(at(place));
        }
        let wide = move |place: usize| {
            sums[(place + reach + 1).min(length)] > sums[place.saturating_sub(reach)]
        };
        (0..length).map(wide).collect::<Vec<bool>>()
    };
    let mut across = Vec::with_capacity(mask.len());
    for row in 0..rows {
        across.extend(line(cols, reach[1], &|col| mask[row * cols + col]));
    }
    let mut out = vec![false; across.len()];
    for col in 0..cols {
        let column = line(rows, reach[0], &|row| across[row * cols + col]);
        for (row, is) in column.into_iter().enumerate() {
            out[row * cols + col] = is;
        }
    }
    out
}

/// The pixels that can be reached from the border without a step on `walls`.
fn reached_from_border(walls: &[bool], [rows, cols]: [usize; 2]) -> Vec<bool> {
    let mut reached = vec![false; walls.len()];
    let mut open = Vec::new();
    for place in 0..walls.len() {
        let (row, col) = (place / cols, place % cols);
        let is_border = row == 0 || col == 0 || row + 1 == rows || col + 1 == cols;
        if is_border && !walls[place] {
            reached[place] = true;
            open.push(place);
        }
    }
    while let Some(place) = open.pop() {
        let col = place % cols;
        let beside = [
            (col > 0).then(|| place - 1),
            (col + 1 < cols).then_some(place + 1),
            place.checked_sub(cols),
            (place + cols < walls.len()).then_some(place + cols),
        ];
        for next in beside.into_iter().flatten() {
            if !walls[next] && !reached[next] {
                reached[next] = true;
                open.push(next);
            }
        }
    }
    reached
}
