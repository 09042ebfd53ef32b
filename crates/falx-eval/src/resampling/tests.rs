use serde_json::Value;

use super::*;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../golden/intervals.json")).unwrap()
}

fn list(value: &Value) -> Vec<f64> {
    let values = value.as_array().unwrap().iter();
    values.map(|v| v.as_f64().unwrap()).collect()
}

const fn resampling(clusters: usize, replicates: u32) -> Resampling {
    Resampling::new(clusters, replicates, 5)
}

fn weighted(values: &[f64], weights: &[u32]) -> f64 {
    let pairs = values.iter().zip(weights);
    let sum: f64 = pairs.map(|(v, &w)| v * f64::from(w)).sum();
    sum / f64::from(weights.iter().sum::<u32>())
}

#[test]
fn ends_agree_with_scipy_within_chance() {
    let golden = golden();
    let (value, other) = (list(&golden["bca"]["value"]), list(&golden["bca"]["other"]));
    let found = resampling(value.len(), 40_000).estimates(|weights| {
        let (x, y) = (weighted(&value, weights), weighted(&other, weights));
        vec![Some(x), Some(x / y), Some(x * x)]
    });
    let statistics = golden["bca"]["statistics"].as_array().unwrap();
    assert_eq!(statistics.len(), found.len());
    for (found, theirs) in found.iter().zip(statistics) {
        let found = found.unwrap();
        assert!((found.value - theirs["value"].as_f64().unwrap()).abs() < 1e-12);
        let (ends, percentile) = (list(&theirs["BCa"]), list(&theirs["percentile"]));
        let width = ends[1] - ends[0];
        // The ends of 40,000 and 100,000 draws differ by chance by about half a hundredth of the width.
        for (ours, end) in [(found.low, ends[0]), (found.high, ends[1])] {
            assert!(
                (ours.unwrap() - end).abs() < 0.02 * width,
                "{found:?} {theirs}"
            );
        }
        if theirs["name"] == "mean" {
            let plain = resampling(value.len(), 40_000)
                .percentile(|w| Some(weighted(&value, w)))
                .unwrap();
            assert_eq!(plain.value, found.value);
            for (ours, end) in [(plain.low, percentile[0]), (plain.high, percentile[1])] {
                assert!((ours.unwrap() - end).abs() < 0.02 * width, "{plain:?}");
            }
        }
        if theirs["name"] == "square" {
            let moved = (ends[1] - percentile[1]).abs() / width;
            assert!(moved > 0.04, "the correction must be visible: {moved}");
        }
    }
}

#[test]
fn blocks_of_draws_are_the_draws_one_by_one() {
    for clusters in [2, 7, 150, 431] {
        let resampling = resampling(clusters, 90);
        let blocks = resampling.blocks_of_draws(&Silent, |weights| {
            let lane = |l: usize| weights.rows().iter().map(move |row| u32::from(row.0[l]));
            (0..LANES)
                .map(|l| lane(l).collect::<Vec<u32>>())
                .collect::<Vec<_>>()
        });
        let lanes: Vec<Vec<u32>> = blocks.into_iter().flatten().collect();
        let draws = resampling.draws();
        assert_eq!(draws, 1 + clusters.min(200) + 90);
        assert_eq!(lanes.len(), draws.next_multiple_of(LANES));
        for (draw, lane) in lanes.iter().enumerate() {
            let mut weights = vec![0_u32; clusters];
            resampling.draw(draw, &mut weights);
            assert_eq!(&weights, lane);
            let total: u32 = weights.iter().sum();
            if draw == 0 || (draw > clusters.min(200) && draw < draws) {
                assert_eq!(total as usize, clusters);
            } else if draw >= draws {
                assert_eq!(total, 0, "no draw, no weight");
            }
        }
        // Every cluster is left out once.
        let left_out: usize = lanes[1..=clusters.min(200)]
            .iter()
            .map(|lane| lane.iter().filter(|&&w| w == 0).count())
            .sum();
        assert_eq!(left_out, clusters);
    }
}

#[test]
fn what_cannot_be_corrected_has_percentiles() {
    let (draws, without) = (
        [1.0, 2.0, 3.0, 4.0, 5.0].map(Some),
        [2.9, 3.0, 3.3].map(Some),
    );
    let plain = estimate(3.0, draws.into_iter());
    assert_eq!((plain.low, plain.high), (Some(1.1), Some(4.9)));
    let corrected = bca::interval(3.0, &without, &draws);
    assert_ne!(corrected, plain, "skewed influences move the ends");
    // No value without one block; no spread without any; every replicate above.
    let mut undefined = without;
    undefined[1] = None;
    assert_eq!(bca::interval(3.0, &undefined, &draws), plain);
    assert_eq!(bca::interval(3.0, &[Some(3.0); 3], &draws), plain);
    let beyond = bca::interval(0.5, &without, &draws);
    assert_eq!((beyond.low, beyond.high), (plain.low, plain.high));
    // Equal influences and a value in the middle correct nothing.
    let even = bca::interval(3.0, &[2.0, 4.0].map(Some), &draws);
    assert!((even.low.unwrap() - 1.1).abs() < 1e-12 && (even.high.unwrap() - 4.9).abs() < 1e-12);
}

#[test]
fn too_few_values_are_no_interval() {
    let half = [Some(1.0), None, Some(2.0), None];
    assert!(estimate(1.5, half.into_iter()).low.is_some());
    let less = [Some(1.0), None, None];
    assert_eq!(estimate(1.5, less.into_iter()).low, None);
    for resampling in [resampling(1, 100), resampling(0, 100), resampling(9, 0)] {
        let found = resampling.estimate(|_| Some(1.0)).unwrap();
        assert_eq!((found.low, found.high), (None, None));
    }
    assert_eq!(resampling(5, 10).estimate(|_| None), None);
}

#[test]
fn a_paired_difference_is_one_closure() {
    let first: Vec<f64> = (0..80).map(|i| f64::from(i % 13)).collect();
    let second: Vec<f64> = first.iter().map(|v| v - 0.25).collect();
    let found = resampling(80, 200)
        .estimate(|w| Some(weighted(&first, w) - weighted(&second, w)))
        .unwrap();
    // However much the two vary, their difference does not.
    for end in [found.low.unwrap(), found.high.unwrap()] {
        assert!((end - 0.25).abs() < 1e-12);
    }
}
