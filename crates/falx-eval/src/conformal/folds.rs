//! Folds of patients, for when there is no set of cases to choose on.

use falx_core::random;
use rand::RngExt;

use crate::Outcomes;

/// The fold of each cluster, 0 to `folds` − 1: patients with a positive case and those without are dealt separately,
/// in an order that depends on the seed and the patient's number alone.
///
/// # Shape
/// One fold for every cluster's number below [`Outcomes::clusters`]; also for numbers that have no case.
pub fn patient_folds(outcomes: &Outcomes<'_>, folds: u32, seed: u64) -> Vec<u32> {
    let mut positive = vec![false; outcomes.clusters()];
    let mut present = positive.clone();
    for (truth, _, cluster) in outcomes.iter() {
        if let (Some(positive), Some(present)) = (
            positive.get_mut(cluster as usize),
            present.get_mut(cluster as usize),
        ) {
            *positive |= truth;
            *present = true;
        }
    }
    let mut dealt: Vec<(bool, bool, u64, usize)> = positive
        .iter()
        .zip(&present)
        .enumerate()
        .map(|(cluster, (&positive, &present))| {
            let key = random::stream(seed, "folds of patients", &[cluster as u64]).random::<u64>();
            (!present, positive, key, cluster)
        })
        .collect();
    dealt.sort_unstable();
    let mut fold = vec![0; dealt.len()];
    for (turn, (_, _, _, cluster)) in (0_u32..).zip(dealt) {
        if let Some(place) = fold.get_mut(cluster) {
            *place = turn % folds.max(1);
        }
    }
    fold
}
