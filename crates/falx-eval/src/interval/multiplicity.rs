//! Many tests at once.

/// P-values adjusted so that the chance of any false finding among them stays below the level that each is read at;
/// those that have no value are no tests.
///
/// # Source
/// Holm S. A simple sequentially rejective multiple test procedure. Scand J Stat 1979; 6:65.
pub fn holm(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> = p
        .iter()
        .enumerate()
        .filter_map(|(at, p)| Some((at, (*p)?)))
        .collect();
    order.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let tests = order.len();
    let mut adjusted = vec![None; p.len()];
    let mut highest = 0.0_f64;
    for (rank, (at, p)) in order.into_iter().enumerate() {
        highest = highest.max((tests - rank) as f64 * p).min(1.0);
        if let Some(slot) = adjusted.get_mut(at) {
            *slot = Some(highest);
        }
    }
    adjusted
}
