//! Holm's correction for many tests.

/// p-values corrected for their number, in the order given: the chance of even one false alarm among all stays below the
/// level at which they are judged, however the tests depend on each other.
///
/// # Units
/// 0 to 1.
///
/// # Source
/// Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979).
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| match (p.get(a), p.get(b)) {
        (Some(a), Some(b)) => a.total_cmp(b),
        _ => std::cmp::Ordering::Equal,
    });
    let mut corrected = vec![0.0; p.len()];
    let mut most = 0.0_f64;
    for (rank, i) in order.into_iter().enumerate() {
        let tests_left = (p.len() - rank) as f64;
        if let (Some(p), Some(place)) = (p.get(i), corrected.get_mut(i)) {
            most = most.max((p * tests_left).min(1.0));
            *place = most;
        }
    }
    corrected
}
