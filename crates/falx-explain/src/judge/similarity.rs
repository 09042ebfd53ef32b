//! How alike two maps are.

/// Side of the square over which structure is compared.
const WINDOW: usize = 7;

/// Spearman's rank correlation, ties taken at their middle rank; 0 where one of both is the same everywhere, since such a map
/// orders nothing.
///
/// # Shape
/// Two maps of one size; of unequal ones the shorter length counts.
///
/// # Source
/// Spearman 1904; for heat maps Adebayo et al. 2018, "Sanity Checks for Saliency Maps".
pub fn spearman(a: &[f32], b: &[f32]) -> f64 {
    let count = a.len().min(b.len());
    let [a, b] = [a, b].map(|x| ranks(&x[..count]));
    correlation(&a, &b).unwrap_or(0.0)
}

/// Structural similarity of two maps of values from 0 to 1: the mean over all squares of 7 × 7 pixels.
///
/// # Shape
/// Two maps of `size` × `size`; of smaller ones than a square it is that of the whole.
///
/// # Source
/// Wang et al. 2004, "Image Quality Assessment: From Error Visibility to Structural Similarity", eq. 13, with even squares
/// and sample covariances as scikit-image takes them.
pub fn ssim(a: &[f32], b: &[f32], size: usize) -> f64 {
    let window = WINDOW.min(size);
    if window == 0 || a.len() != size * size || b.len() != a.len() {
        return 0.0;
    }
    let (c1, c2) = (0.01_f64.powi(2), 0.03_f64.powi(2));
    let count = (window * window) as f64;
    let starts = size - window + 1;
    let mut sum = 0.0;
    for top in 0..starts {
        for left in 0..starts {
            let [mut sa, mut sb, mut saa, mut sbb, mut sab] = [0.0; 5];
            for row in top..top + window {
                for col in left..left + window {
                    let place = row * size + col;
                    let (x, y) = (f64::from(a[place]), f64::from(b[place]));
                    sa += x;
                    sb += y;
                    saa += x * x;
                    sbb += y * y;
                    sab += x * y;
                }
            }
            let (ma, mb) = (sa / count, sb / count);
            let freedom = (count - 1.0).max(1.0);
            let covariance = |products: f64, p: f64, q: f64| (products - count * p * q) / freedom;
            let (va, vb) = (covariance(saa, ma, ma), covariance(sbb, mb, mb));
            let vab = covariance(sab, ma, mb);
            sum += (2.0 * ma * mb + c1) * (2.0 * vab + c2)
                / ((ma * ma + mb * mb + c1) * (va + vb + c2));
        }
    }
    sum / (starts * starts) as f64
}

/// A map as the means of squares, of at most `most` a side.
pub(crate) fn shrunk(values: &[f32], size: usize, most: usize) -> (Vec<f32>, usize) {
    let factor = size.div_ceil(most.max(1)).max(1);
    let side = size / factor;
    let mut out = Vec::with_capacity(side * side);
    for row in 0..side {
        for col in 0..side {
            let mut sum = 0.0_f64;
            for y in row * factor..(row + 1) * factor {
                for x in col * factor..(col + 1) * factor {
                    sum += f64::from(values.get(y * size + x).copied().unwrap_or(0.0));
                }
            }
            out.push((sum / (factor * factor) as f64) as f32);
        }
    }
    (out, side)
}

fn ranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut done = 0;
    for group in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let middle = done as f64 + (group.len() as f64 - 1.0) / 2.0;
        for &place in group {
            ranks[place] = middle;
        }
        done += group.len();
    }
    ranks
}

/// Pearson's correlation; `None` where one of both does not vary.
fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let count = a.len() as f64;
    let mean = |x: &[f64]| x.iter().sum::<f64>() / count;
    let (ma, mb) = (mean(a), mean(b));
    let [mut aa, mut bb, mut ab] = [0.0; 3];
    for (x, y) in a.iter().zip(b) {
        aa += (x - ma).powi(2);
        bb += (y - mb).powi(2);
        ab += (x - ma) * (y - mb);
    }
    let length = (aa * bb).sqrt();
    (length > 0.0).then(|| (ab / length).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranks_alone_count_and_ties_share_theirs() {
        assert!((spearman(&[1.0, 2.0, 30.0], &[0.1, 0.2, 0.3]) - 1.0).abs() < 1e-12);
        assert!((spearman(&[1.0, 2.0, 30.0], &[3.0, 2.0, 1.0]) + 1.0).abs() < 1e-12);
        // Ranks 0, 1.5, 1.5, 3 and 0, 1, 2, 3: covariance 4.5, variances 4.5 and 5.
        let found = spearman(&[0.0, 1.0, 1.0, 2.0], &[0.0, 1.0, 2.0, 3.0]);
        assert!(
            (found - 4.5 / (4.5_f64 * 5.0).sqrt()).abs() < 1e-12,
            "{found}"
        );
        assert_eq!(spearman(&[1.0; 4], &[0.0, 1.0, 2.0, 3.0]), 0.0);
        assert_eq!(spearman(&[], &[]), 0.0);
    }

    #[test]
    fn a_map_is_like_itself_and_less_like_its_mirror() {
        let size = 12;
        let a: Vec<f32> = (0..size * size)
            .map(|at| (((at % size) * 7 + at / size * 3) % 11) as f32 / 11.0)
            .collect();
        let mirror: Vec<f32> = a
            .chunks(size)
            .flat_map(|row| row.iter().rev().copied())
            .collect();
        assert!((ssim(&a, &a, size) - 1.0).abs() < 1e-9);
        assert!(ssim(&a, &mirror, size) < 0.5);
        // Two even maps: luminance alone, (2·0.2·0.4 + c1) / (0.2² + 0.4² + c1).
        let even = |value: f32| vec![value; size * size];
        let found = ssim(&even(0.2), &even(0.4), size);
        assert!((found - 0.1601 / 0.2001).abs() < 1e-6, "{found}");
        assert_eq!(ssim(&a, &a[1..], size), 0.0);
    }

    #[test]
    fn a_shrunk_map_has_the_means_of_squares() {
        let (small, side) = shrunk(
            &[
                1.0, 3.0, 0.0, 0.0, 5.0, 7.0, 0.0, 8.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
            ],
            4,
            2,
        );
        assert_eq!((small, side), (vec![4.0, 2.0, 0.0, 0.0], 2));
    }

    proptest! {
        #[test]
        fn similarities_lie_within_their_bounds_and_do_not_depend_on_the_order(
            a in proptest::collection::vec(0.0_f32..1.0, 64),
            b in proptest::collection::vec(0.0_f32..1.0, 64),
        ) {
            let (ab, ba) = (spearman(&a, &b), spearman(&b, &a));
            prop_assert!((-1.0..=1.0).contains(&ab) && (ab - ba).abs() < 1e-12);
            let (ab, ba) = (ssim(&a, &b, 8), ssim(&b, &a, 8));
            prop_assert!((-1.0..=1.0).contains(&ab) && (ab - ba).abs() < 1e-12);
        }
    }
}
