//! Dealing groups to parts so that each part has its share of everything.

use falx_core::random;
use rand::RngExt;
use rand::seq::SliceRandom;

use super::group::{Group, TRAITS};

/// The part of each group; every part gets at least one (there are at least as many groups as parts).
///
/// Greedy: the weightiest groups first, each to the part where the sum over traits of
/// (what the part has)² / its share grows least, which is smallest when all parts have their shares.
pub(super) fn deal(groups: &[Group], shares: &[f64], seed: u64) -> Vec<usize> {
    let totals: [f64; TRAITS] =
        std::array::from_fn(|t| groups.iter().map(|group| group.traits[t]).sum());
    // A trait's parts of the whole: a rare label weighs as much as all slices together.
    let relative = |group: &Group| -> [f64; TRAITS] {
        std::array::from_fn(|t| {
            if totals[t] > 0.0 {
                group.traits[t] / totals[t]
            } else {
                0.0
            }
        })
    };
    let mut have = vec![[0.0; TRAITS]; shares.len()];
    let mut part_of = vec![0; groups.len()];
    for at in order(groups, relative, seed) {
        let brings = relative(&groups[at]);
        let growth = |part: usize| -> f64 {
            let pairs = have[part].iter().zip(&brings);
            pairs
                .map(|(have, brings)| (2.0 * have + brings) * brings)
                .sum::<f64>()
                / shares[part]
        };
        let best = (0..shares.len())
            .min_by(|&a, &b| growth(a).total_cmp(&growth(b)))
            .unwrap_or(0);
        for (have, brings) in have[best].iter_mut().zip(brings) {
            *have += brings;
        }
        part_of[at] = best;
    }
    fill_empty(groups, shares.len(), &mut part_of);
    part_of
}

/// The weightiest first; the seed shuffles groups of about the same weight.
fn order(groups: &[Group], relative: impl Fn(&Group) -> [f64; TRAITS], seed: u64) -> Vec<usize> {
    let mut random = random::stream(seed, "split", &[]);
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.shuffle(&mut random);
    let weights: Vec<f64> = groups
        .iter()
        .map(|group| relative(group).iter().sum::<f64>() * random.random_range(0.5..1.5))
        .collect();
    order.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]));
    order
}

/// Moves the smallest group of the part with the most groups into each part that got none.
fn fill_empty(groups: &[Group], parts: usize, part_of: &mut [usize]) {
    for empty in 0..parts {
        if part_of.contains(&empty) {
            continue;
        }
        let mut counts = vec![0_usize; parts];
        for &part in part_of.iter() {
            counts[part] += 1;
        }
        let richest = (0..parts).max_by_key(|&part| counts[part]);
        let smallest = (0..groups.len())
            .filter(|&at| Some(part_of[at]) == richest)
            .min_by(|&a, &b| groups[a].traits[0].total_cmp(&groups[b].traits[0]));
        if let Some(at) = smallest {
            part_of[at] = empty;
        }
    }
}
