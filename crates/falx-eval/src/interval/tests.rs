use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::{Outcomes, Undefined, auc};

fn golden() -> Value {
    serde_json::from_str(include_str!("../../golden/intervals.json")).unwrap()
}

fn list(value: &Value) -> Vec<f64> {
    let values = value.as_array().unwrap().iter();
    values.map(|v| v.as_f64().unwrap()).collect()
}

fn truth(value: &Value) -> Vec<bool> {
    list(value).into_iter().map(|v| v == 1.0).collect()
}

#[track_caller]
fn near(a: f64, b: f64, tolerance: f64) {
    assert!(
        (a - b).abs() <= tolerance * b.abs().max(1.0),
        "{a} is not {b}"
    );
}

#[test]
fn the_normal_distribution_has_its_digits() {
    // From scipy.stats.norm: cdf, and ppf of it.
    for (z, share) in [
        (-6.0, 9.865876450376946e-10),
        (-2.2, 0.013903447513498597),
        (-0.1, 0.460172162722971),
        (0.0, 0.5),
        (1.0, 0.8413447460685429),
        (1.959963984540054, 0.975),
    ] {
        near(normal_share(z) / share, 1.0, 1e-13);
        near(normal_quantile(share), z, 1e-12);
    }
    assert_eq!(
        (normal_share(f64::NEG_INFINITY), normal_share(f64::INFINITY)),
        (0.0, 1.0)
    );
}

#[test]
fn proportions_agree_with_statsmodels() {
    let golden = golden();
    let rows = golden["proportions"].as_array().unwrap();
    assert_eq!(rows.len(), 30);
    for row in rows {
        let number = |key: &str| row[key].as_u64().unwrap();
        let (k, n) = (number("successes"), number("trials"));
        let level = row["level"].as_f64().unwrap();
        for (ours, key) in [
            (wilson(k, n, level), "wilson"),
            (clopper_pearson(k, n, level), "clopper_pearson"),
        ] {
            let (ours, theirs) = (ours.unwrap(), list(&row[key]));
            assert_eq!(ours.value, k as f64 / n as f64);
            // statsmodels leaves rounding at the ends (a lower end of 1e-17 for 0 of n).
            near(ours.low.unwrap(), theirs[0], 1e-12);
            near(ours.high.unwrap(), theirs[1], 1e-12);
            if k > 0 {
                near(ours.low.unwrap() / theirs[0], 1.0, 1e-10);
            }
        }
    }
}

/// The chance that the interval of so many independent cases holds the true share.
fn coverage(
    of: fn(u64, u64, f64) -> Result<crate::Estimate, ProportionError>,
    n: u64,
    share: f64,
) -> f64 {
    use statrs::distribution::{Binomial, Discrete};
    let binomial = Binomial::new(share, n).unwrap();
    (0..=n)
        .filter(|&k| {
            let e = of(k, n, LEVEL).unwrap();
            e.low.unwrap() <= share && share <= e.high.unwrap()
        })
        .map(|k| binomial.pmf(k))
        .sum()
}

#[test]
fn shares_are_covered_as_promised() {
    for n in [8, 40, 200] {
        let shares: Vec<f64> = (1..100).map(|i| f64::from(i) / 100.0).collect();
        let mut wilson_mean = 0.0;
        for &share in &shares {
            let exact = coverage(clopper_pearson, n, share);
            assert!(exact >= LEVEL - 1e-9, "{exact} for {share} of {n}");
            wilson_mean += coverage(wilson, n, share) / shares.len() as f64;
        }
        assert!((wilson_mean - LEVEL).abs() < 0.01, "{wilson_mean} for {n}");
    }
}

#[test]
fn no_share_has_a_reason() {
    for of in [wilson, clopper_pearson] {
        assert_eq!(of(0, 0, 0.95), Err(ProportionError::NoTrials));
        assert_eq!(
            of(3, 2, 0.95),
            Err(ProportionError::TooManySuccesses {
                successes: 3,
                trials: 2
            })
        );
        for level in [0.0, 1.0, -1.0] {
            assert_eq!(of(1, 2, level), Err(ProportionError::Level(level)));
        }
        assert!(of(1, 2, f64::NAN).is_err());
        let none = of(0, 20, 0.95).unwrap();
        assert_eq!((none.value, none.low), (0.0, Some(0.0)));
        let all = of(20, 20, 0.95).unwrap();
        assert_eq!((all.value, all.high), (1.0, Some(1.0)));
        near(all.low.unwrap(), 1.0 - none.high.unwrap(), 1e-14);
    }
}

fn agrees(found: &AreaDifference, test: &Value, areas: &[f64]) {
    let matrix: Vec<Vec<f64>> = test["covariance"]
        .as_array()
        .unwrap()
        .iter()
        .map(list)
        .collect();
    for (i, area) in [found.first, found.second].into_iter().enumerate() {
        near(area.auc, areas[i], 1e-14);
        near(area.variance / matrix[i][i], 1.0, 1e-12);
        for (ours, key) in [
            (area.interval(LEVEL), "logit"),
            (area.plain_interval(LEVEL), "plain"),
        ] {
            let theirs = list(&test[key][i]);
            near(ours.low.unwrap(), theirs[0], 1e-12);
            near(ours.high.unwrap(), theirs[1], 1e-12);
        }
    }
    near(found.covariance, matrix[0][1], 1e-14);
    near(found.z().unwrap(), test["z"].as_f64().unwrap(), 1e-11);
    near(found.p().unwrap(), test["p"].as_f64().unwrap(), 1e-12);
}

#[test]
fn areas_agree_with_the_papers_formulas() {
    let golden = golden();
    let cases = golden["areas"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let truth = truth(&case["truth"]);
        let cluster: Vec<u32> = list(&case["cluster"]).iter().map(|&c| c as u32).collect();
        let (a, b) = (list(&case["scores"][0]), list(&case["scores"][1]));
        let outcomes = Outcomes::new(&truth, &a, &cluster).unwrap();
        let areas = list(&case["auc"]);
        agrees(
            &delong_difference(&outcomes, &b).unwrap(),
            &case["delong"],
            &areas,
        );
        agrees(
            &clustered_difference(&outcomes, &b).unwrap(),
            &case["clustered"],
            &areas,
        );
        assert_eq!(
            clustered_area(&outcomes).unwrap(),
            clustered_difference(&outcomes, &b).unwrap().first
        );
        assert_eq!(
            delong(&outcomes).unwrap(),
            delong_difference(&outcomes, &b).unwrap().first
        );
    }
}

#[test]
fn areas_agree_with_proc() {
    let golden: Value = serde_json::from_str(include_str!("../../golden/proc.json")).unwrap();
    let truth = truth(&golden["truth"]);
    let own: Vec<u32> = (0..truth.len() as u32).collect();
    let score = |name: &str| list(&golden[name]["score"]);
    for name in ["s100b", "wfns", "ndka"] {
        let (score, theirs) = (score(name), &golden[name]);
        let area = delong(&Outcomes::new(&truth, &score, &own).unwrap()).unwrap();
        near(area.auc, theirs["auc"].as_f64().unwrap(), 1e-14);
        near(area.variance, theirs["variance"].as_f64().unwrap(), 1e-15);
        let interval = area.plain_interval(LEVEL);
        let ends = list(&theirs["interval"]);
        near(interval.low.unwrap(), ends[0], 1e-12);
        near(interval.high.unwrap(), ends[1], 1e-12);
    }
    let first = score("s100b");
    let outcomes = Outcomes::new(&truth, &first, &own).unwrap();
    for name in ["wfns", "ndka"] {
        let found = delong_difference(&outcomes, &score(name)).unwrap();
        let theirs = &golden[format!("s100b_{name}").as_str()];
        let number = |key: &str| theirs[key].as_f64().unwrap();
        near(found.z().unwrap(), number("z"), 1e-11);
        near(found.p().unwrap(), number("p"), 1e-12);
        near(found.covariance, number("covariance"), 1e-15);
    }
}

#[test]
fn what_has_no_variance_says_so() {
    let single = |unit, class| AreaError::Single { unit, class };
    let score = [0.1, 0.4, 0.3, 0.9];
    let of = |truth: [bool; 4], cluster: [u32; 4]| {
        let outcomes = Outcomes::new(&truth, &score, &cluster).unwrap();
        (delong(&outcomes), clustered_area(&outcomes))
    };
    let all_negative = of([false; 4], [0, 1, 2, 3]);
    let missing = Err(AreaError::Undefined(Undefined::NoPositives));
    assert_eq!(all_negative, (missing, missing));
    let one = of([false, false, false, true], [0, 1, 2, 3]);
    assert_eq!(one.0, Err(single("case", "positive")));
    assert_eq!(one.1, Err(single("cluster", "positive")));
    let together = of([false, false, true, true], [0, 1, 2, 2]);
    assert!(together.0.is_ok());
    assert_eq!(together.1, Err(single("cluster", "positive")));
    // An area of exactly 1 has no spread, and no interval.
    let perfect = together.0.unwrap();
    assert!(perfect.variance > 0.0, "0.4 beats 0.3");
    let separated = of([false, true, false, true], [0, 1, 2, 3]).0.unwrap();
    assert_eq!((separated.auc, separated.variance), (1.0, 0.0));
    assert_eq!(separated.interval(LEVEL).low, None);
    assert_eq!(separated.plain_interval(LEVEL).high, None);
}

#[test]
fn predictions_that_do_not_fit_are_refused() {
    let (truth, score) = ([true, false, true, false], [0.4, 0.2, 0.6, 0.5]);
    let outcomes = Outcomes::new(&truth, &score, &[0, 1, 2, 3]).unwrap();
    for difference in [delong_difference, clustered_difference] {
        assert_eq!(
            difference(&outcomes, &[0.1]),
            Err(AreaError::Lengths { given: 1, cases: 4 })
        );
        assert!(matches!(
            difference(&outcomes, &[0.1, f64::NAN, 0.2, 0.3]),
            Err(AreaError::NotFinite { case: 1, .. })
        ));
        // Against itself nothing differs, and nothing can be tested.
        let same = difference(&outcomes, &score).unwrap();
        assert_eq!((same.difference(), same.variance()), (0.0, 0.0));
        assert_eq!((same.z(), same.p()), (None, None));
        assert_eq!(same.interval(LEVEL).low, None);
    }
}

/// Truth, two predictions with ties, and the cluster of each case.
fn clustered_cases() -> impl Strategy<Value = (Vec<bool>, Vec<f64>, Vec<f64>, Vec<u32>)> {
    prop::collection::vec((any::<bool>(), 0..9_u32, 0..9_u32, 0..12_u32), 4..60).prop_map(|v| {
        let truth = v.iter().map(|c| c.0).collect();
        let of = |pick: fn(&(bool, u32, u32, u32)) -> u32| v.iter().map(pick);
        (
            truth,
            of(|c| c.1).map(|s| f64::from(s) / 8.0).collect(),
            of(|c| c.2).map(|s| f64::from(s) / 8.0).collect(),
            of(|c| c.3).collect(),
        )
    })
}

proptest! {
    #[test]
    fn a_share_lies_in_its_interval(n in 1..5000_u64, part in 0.0..=1.0_f64, level in 0.5..0.999_f64) {
        let k = (n as f64 * part) as u64;
        let (score, exact) = (wilson(k, n, level).unwrap(), clopper_pearson(k, n, level).unwrap());
        for e in [score, exact] {
            let (low, high) = (e.low.unwrap(), e.high.unwrap());
            prop_assert!(0.0 <= low && low <= e.value && e.value <= high && high <= 1.0);
            prop_assert!(low < high);
        }
        let turned = clopper_pearson(n - k, n, level).unwrap();
        prop_assert!((turned.low.unwrap() + exact.high.unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn areas_keep_their_symmetries((truth, a, b, cluster) in clustered_cases()) {
        let outcomes = Outcomes::new(&truth, &a, &cluster).unwrap();
        let own: Vec<u32> = (0..truth.len() as u32).collect();
        let singles = Outcomes::new(&truth, &a, &own).unwrap();
        // One case a cluster: nothing is clustered.
        match (delong_difference(&singles, &b), clustered_difference(&singles, &b)) {
            (Ok(x), Ok(y)) => {
                prop_assert!((x.first.variance - y.first.variance).abs() < 1e-13);
                prop_assert!((x.covariance - y.covariance).abs() < 1e-13);
            }
            (x, y) => prop_assert!(x.is_err() && y.is_err()),
        }
        let turned: Vec<bool> = truth.iter().map(|y| !y).collect();
        let stretched: Vec<f64> = a.iter().map(|s| (3.0 * s).exp() - 7.0).collect();
        for area in [delong, clustered_area] {
            let Ok(found) = area(&outcomes) else { continue };
            prop_assert_eq!(Ok(found.auc), auc(&truth, &a));
            // A monotone change of the scale is none of the ranks.
            let same = area(&Outcomes::new(&truth, &stretched, &cluster).unwrap()).unwrap();
            prop_assert_eq!(found, same);
            let mirrored = area(&Outcomes::new(&turned, &a, &cluster).unwrap()).unwrap();
            prop_assert!((mirrored.auc - (1.0 - found.auc)).abs() < 1e-12);
            prop_assert!((mirrored.variance - found.variance).abs() < 1e-12);
            for (e, m) in [
                (found.interval(LEVEL), mirrored.interval(LEVEL)),
                (found.plain_interval(LEVEL), mirrored.plain_interval(LEVEL)),
            ] {
                let (Some(low), Some(high)) = (e.low, e.high) else { continue };
                prop_assert!(0.0 <= low && low <= e.value && e.value <= high && high <= 1.0);
                // Rounding decides whether a variance of nothing is nothing.
                if found.variance > 1e-20 {
                    prop_assert!((m.low.unwrap() - (1.0 - high)).abs() < 1e-9);
                }
            }
        }
        if let (Ok(x), Ok(y)) = (
            clustered_difference(&outcomes, &b),
            clustered_difference(&Outcomes::new(&truth, &b, &cluster).unwrap(), &a),
        ) {
            prop_assert_eq!(x.difference(), -y.difference());
            prop_assert!((x.variance() - y.variance()).abs() < 1e-13);
        }
    }
}

#[test]
fn holm_takes_the_smallest_first_and_never_turns_the_order_round() {
    let p = [Some(0.01), None, Some(0.04), Some(0.03), Some(0.005)];
    let adjusted = holm(&p);
    let expected = [Some(0.03), None, Some(0.06), Some(0.06), Some(0.02)];
    for (a, b) in adjusted.iter().zip(expected) {
        match (a, b) {
            (Some(a), Some(b)) => assert!((a - b).abs() < 1e-15, "{adjusted:?}"),
            (a, b) => assert_eq!(*a, b),
        }
    }
    assert_eq!(holm(&[Some(0.9), Some(0.8)]), [Some(1.0), Some(1.0)]);
    assert!(holm(&[]).is_empty());
}
