use falx_core::Silent;
use proptest::prelude::*;

use super::*;
use crate::resampling::Resampling;
use crate::score::specific;

fn cases() -> impl Strategy<Value = (Vec<(bool, f64)>, Vec<u32>)> {
    // A coarse grid makes ties common; few clusters make weights above 1 common.
    prop::collection::vec((any::<bool>(), 0..25_u32, 0..14_u32), 1..200).prop_map(|v| {
        let cases = v.iter().map(|&(y, s, _)| (y, f64::from(s) / 24.0));
        (cases.collect(), v.iter().map(|c| c.2).collect())
    })
}

/// Every lane against the plain walk with the same weights; areas and precisions to the last bit.
fn check(cases: &[(bool, f64)], cluster: &[u32], parts: &[u64]) {
    let ranked = Ranked::new(cases.iter().copied());
    let of = |case: u32| cluster[case as usize];
    let walk = Walk::new(&ranked, of, parts.iter().copied()).unwrap();
    let resampling = Resampling::new(14, 120, 3);
    let found = resampling.blocks_of_draws(&Silent, |weights| {
        let total = walk.totals(weights);
        let small = walk.areas(weights, &total, 0.1);
        let large = walk.walk::<u128>(weights.rows(), &total, 0.1);
        let of_lane = |l: usize| -> Vec<u32> {
            let rows = weights.rows().iter();
            rows.map(|row| u32::from(row.0[l])).collect()
        };
        (small, large, std::array::from_fn::<_, LANES, _>(of_lane))
    });
    for (small, large, lanes) in found {
        assert_eq!(small.auc, large.auc);
        for (l, by_cluster) in lanes.iter().enumerate() {
            let weight = |case: u32| by_cluster[of(case) as usize];
            let (auc, precision) = ranked.areas(weight);
            assert_eq!(small.auc[l], auc.ok());
            assert_eq!(small.average_precision[l], precision.ok());
            let partial = specific(&ranked, weight, 0.1).map(|p| p.standardised);
            match (small.partial[l], partial) {
                (Some(a), Some(b)) => assert!((a - b).abs() < 1e-12),
                (a, b) => assert_eq!(a, b),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn every_lane_is_a_plain_walk((cases, cluster) in cases()) {
        check(&cases, &cluster, &[]);
    }
}

#[test]
fn long_runs_and_large_ties_are_summed_exactly() {
    // More than 257 rows in a run, and in a group of ties.
    let mut cases = vec![(false, 0.9); 700];
    cases.extend([(true, 0.8); 400]);
    cases.extend([(false, 0.8); 600]);
    cases.extend((0..900_u32).map(|i| (i % 300 == 7, 0.5 - f64::from(i) * 1e-4)));
    let cluster: Vec<u32> = (0..cases.len() as u32).map(|i| i * i % 14).collect();
    check(&cases, &cluster, &[700, 1000, 900]);
}

#[test]
fn parts_have_their_own_shares() {
    let cases = [
        (true, 0.9),
        (false, 0.8),
        (true, 0.8),
        (false, 0.1),
        (false, 0.2),
    ];
    let ranked = Ranked::new(cases);
    let walk = Walk::new(&ranked, |case| case, [3, 2].into_iter()).unwrap();
    let resampling = Resampling::new(5, 1, 0);
    let blocks = resampling.blocks_of_draws(&Silent, |weights| {
        walk.areas(weights, &walk.totals(weights), 1.0).observed
    });
    // Everyone; without the first case; without the second.
    let parts = |lane: usize| [blocks[0][0][lane], blocks[0][1][lane]];
    assert_eq!(parts(0), [Some(2.0 / 3.0), Some(0.0)]);
    assert_eq!(parts(1), [Some(0.5), Some(0.0)]);
    assert_eq!(parts(2), [Some(1.0), Some(0.0)]);
    assert_eq!(parts(LANES - 1), [None, None], "no draw, no share");
}

#[test]
fn too_many_clusters_are_not_numbered() {
    let ranked = Ranked::new([(true, 0.5)]);
    assert!(Walk::new(&ranked, |_| 1 << 30, std::iter::empty()).is_none());
}
