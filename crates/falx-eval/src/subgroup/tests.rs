//! Against statsmodels; on made-up populations with and without a gap; and at the edges.

use std::path::Path;
use std::sync::Arc;

use falx_core::{LABELS, Label, LabelRow, random};
use rand::RngExt;
use serde_json::Value;

use super::*;
use crate::{Attributes, Outcomes, Resampling};

#[test]
fn statsmodels_corrects_alike() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/agreement.json");
    let golden: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let numbers = |v: &Value| -> Vec<f64> {
        let values = v.as_array().unwrap().iter();
        values.map(|v| v.as_f64().unwrap()).collect()
    };
    let cases = golden["holm"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let expected = numbers(&case["corrected"]);
        let p: Vec<Option<f64>> = numbers(&case["p"]).into_iter().map(Some).collect();
        let found: Vec<f64> = holm(&p).into_iter().flatten().collect();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() < 1e-12,
                "{found} is not {expected}"
            );
        }
    }
}

/// Patients of two sites with four slices each; at site B the scores know less, by `worse`.
struct Population {
    truth: Vec<bool>,
    prediction: Vec<f64>,
    cluster: Vec<u32>,
    group: Vec<u16>,
}

impl Population {
    fn draw(patients: u32, worse: f64, draw: u64) -> Self {
        let mut p = Self {
            truth: Vec::new(),
            prediction: Vec::new(),
            cluster: Vec::new(),
            group: Vec::new(),
        };
        for patient in 0..patients {
            let mut rng = random::stream(5, "population", &[draw, u64::from(patient)]);
            let site = u16::from(rng.random::<f64>() < 0.4);
            // Another prevalence at the other site is no gap.
            let sick = rng.random::<f64>() < if site == 0 { 0.4 } else { 0.6 };
            let effect = rng.random::<f64>() - 0.5;
            for _ in 0..4 {
                let truth = sick && rng.random::<f64>() < 0.6;
                let signal = if site == 1 { 0.5 - worse } else { 0.5 };
                let middle = 0.5 + if truth { signal } else { -signal } / 2.0;
                let noise = 0.4 * (rng.random::<f64>() - 0.5) + 0.4 * effect;
                p.truth.push(truth);
                p.prediction.push((middle + noise).clamp(0.0, 1.0));
                p.cluster.push(patient);
                p.group.push(site);
            }
        }
        p
    }

    fn outcomes(&self) -> Outcomes<'_> {
        Outcomes::new(&self.truth, &self.prediction, &self.cluster).unwrap()
    }

    fn axis(&self) -> Axis {
        Axis {
            name: "site".to_owned(),
            groups: vec!["A".to_owned(), "B".to_owned()],
            group: self.group.clone(),
        }
    }

    fn gaps(&self, permutations: u32) -> Vec<Gap> {
        let resampling = Resampling::new(0, 100, 1);
        let (_, gaps) = by_group(
            &self.outcomes(),
            &self.axis(),
            Label::Any,
            Some(0.5),
            permutations,
            &resampling,
        )
        .unwrap();
        gaps
    }
}

#[test]
fn a_gap_is_found_with_its_interval() {
    let gaps = Population::draw(300, 0.4, 0).gaps(199);
    assert_eq!(gaps.len(), 3);
    for gap in gaps {
        assert_eq!((gap.highest.as_str(), gap.lowest.as_str()), ("A", "B"));
        assert_eq!(gap.p, Some(0.005), "{gap:?}");
        assert!(gap.gap.low.unwrap() > 0.0);
        assert!((gap.gap.value - (gap.highest_value - gap.lowest_value)).abs() < 1e-15);
    }
}

#[test]
fn without_a_gap_few_p_values_are_small() {
    // 5 % of 120 draws are 6; more than 14 happen less than once in a thousand times for a right test.
    let mut small = [0; 3];
    for draw in 0..120 {
        for gap in Population::draw(80, 0.0, draw).gaps(99) {
            small[gap.metric as usize] += u32::from(gap.p.unwrap() <= 0.05);
        }
    }
    assert!(small.iter().all(|n| *n <= 14), "{small:?} of 120");
}

#[test]
fn groups_score_as_if_alone() {
    let population = Population::draw(200, 0.2, 3);
    let resampling = Resampling::new(200, 50, 1);
    let axis = population.axis();
    let outcomes = population.outcomes();
    let (scores, _) = by_group(&outcomes, &axis, Label::Any, Some(0.5), 0, &resampling).unwrap();
    for (number, score) in (0..).zip(&scores.groups) {
        let mine = |i: &usize| population.group[*i] == number;
        let of: Vec<usize> = (0..population.truth.len()).filter(mine).collect();
        let truth: Vec<bool> = of.iter().map(|&i| population.truth[i]).collect();
        let p: Vec<f64> = of.iter().map(|&i| population.prediction[i]).collect();
        assert_eq!(score.auc.unwrap().value, crate::auc(&truth, &p).unwrap());
        let pairs = truth.iter().zip(&p);
        let called = pairs.clone().filter(|(t, p)| **t && **p >= 0.5).count() as f64;
        let spared = pairs.filter(|(t, p)| !**t && **p < 0.5).count() as f64;
        let positives = score.positives as f64;
        assert_eq!(score.sensitivity.unwrap().value, called / positives);
        assert_eq!(
            score.specificity.unwrap().value,
            spared / (score.cases as f64 - positives)
        );
        let mean = p.iter().sum::<f64>() / p.len() as f64;
        let large = score.calibration_in_the_large.unwrap().value;
        assert!((large - (positives / p.len() as f64 - mean)).abs() < 1e-12);
        assert_eq!(score.withheld, None);
    }
}

fn attributes(pairs: &[(&str, &str)]) -> Attributes {
    let pair = |&(a, v): &(&str, &str)| (Arc::from(a), Arc::from(v));
    Attributes(pairs.iter().map(pair).collect())
}

#[test]
fn axes_are_ordered_joined_and_completed() {
    let known = [
        attributes(&[("thickness", "10 mm"), ("sex", "F")]),
        attributes(&[("thickness", "< 5 mm"), ("sex", "")]),
        attributes(&[("thickness", "5 mm")]),
    ];
    let mut all: Vec<Option<&Attributes>> = known.iter().map(Some).collect();
    all.push(None);
    let axes = axes_of(all);
    assert_eq!(axes[0].name, "sex");
    assert_eq!(axes[0].groups, ["F", UNKNOWN]);
    assert_eq!(axes[0].group, [0, 1, 1, 1]);
    assert_eq!(axes[1].groups, ["< 5 mm", "5 mm", "10 mm", UNKNOWN]);
    assert_eq!(axes[1].group, [2, 0, 1, 3]);

    let many: Vec<Attributes> = (0..30)
        .map(|i| attributes(&[("kernel", format!("H{}", (i * i) % 15 + i % 2).as_str())]))
        .collect();
    let axes = axes_of(many.iter().map(Some));
    assert!(axes[0].groups.len() <= 12, "{:?}", axes[0].groups);
    let kernels: Vec<Attributes> = (0..20)
        .map(|i| attributes(&[("kernel", format!("K{i:02}").as_str())]))
        .collect();
    let axes = axes_of(kernels.iter().map(Some));
    assert_eq!(axes[0].groups.len(), 12);
    assert_eq!(axes[0].groups[11], OTHER);
    assert_eq!(axes[0].group.iter().filter(|g| **g == 11).count(), 9);
}

#[test]
fn few_patients_get_counts_and_no_score() {
    let population = Population::draw(40, 0.0, 9);
    let rows: Vec<LabelRow> = population
        .truth
        .iter()
        .map(|&t| LabelRow([Some(t); 6]))
        .collect();
    let prediction: Vec<[f64; 6]> = population.prediction.iter().map(|&p| [p; 6]).collect();
    let cases = SubgroupCases {
        truth: &rows,
        prediction: &prediction,
        cluster: &population.cluster,
    };
    let mut axis = population.axis();
    // Three patients in a group of their own, and the rest of unknown site or A.
    for (group, cluster) in axis.group.iter_mut().zip(&population.cluster) {
        *group = if *cluster < 3 {
            1
        } else {
            2 * u16::from(cluster % 2 == 0)
        };
    }
    axis.groups.push(UNKNOWN.to_owned());
    let resampling = Resampling::new(40, 30, 2);
    let options = SubgroupOptions {
        labels: LABELS.to_vec(),
        thresholds: [Some(0.5); 6],
        permutations: 19,
    };
    let found = subgroups(&cases, &[axis.clone()], &options, &resampling).unwrap();
    let site = &found.axes[0];
    assert_eq!(site.groups[1].patients, 3);
    assert_eq!(site.groups[1].weighted_log_loss, None);
    assert!(site.groups[0].weighted_log_loss.is_some());
    assert_eq!(site.labels.len(), 6);
    let small = &site.labels[5].groups[1];
    assert_eq!((small.cases, small.auc), (12, None));
    assert!(
        small
            .withheld
            .as_ref()
            .unwrap()
            .contains("positive patient")
    );
    assert!(
        found.gaps.is_empty(),
        "unknown is compared with nobody: {:?}",
        found.gaps
    );
    assert_eq!(found.multiplicity.tests, 0);

    axis.group.pop();
    let error = subgroups(&cases, &[axis], &options, &resampling).unwrap_err();
    assert!(matches!(error, SubgroupError::Axis { given: 159, .. }));
}

#[test]
fn corrected_p_values_count_all_axes_and_labels() {
    let population = Population::draw(150, 0.4, 1);
    let rows: Vec<LabelRow> = population
        .truth
        .iter()
        .map(|&t| LabelRow([Some(t); 6]))
        .collect();
    let prediction: Vec<[f64; 6]> = population.prediction.iter().map(|&p| [p; 6]).collect();
    let cases = SubgroupCases {
        truth: &rows,
        prediction: &prediction,
        cluster: &population.cluster,
    };
    let half = Axis {
        name: "half".to_owned(),
        groups: vec!["first".to_owned(), "second".to_owned()],
        // Slices of a patient in both halves.
        group: (0..population.truth.len())
            .map(|i| u16::from(i % 4 == 3))
            .collect(),
    };
    let options = SubgroupOptions {
        labels: vec![Label::Any, Label::Subdural],
        thresholds: [Some(0.5); 6],
        permutations: 199,
    };
    let resampling = Resampling::new(150, 30, 2);
    let found = subgroups(&cases, &[population.axis(), half], &options, &resampling).unwrap();
    assert_eq!((found.multiplicity.tests, found.gaps.len()), (12, 12));
    assert_eq!(found.axes[1].straddling_patients, 150);
    for gap in &found.gaps {
        assert!(gap.p_corrected.unwrap() >= gap.p.unwrap());
    }
    let site = found.gaps.iter().filter(|g| g.axis == "site");
    let p: Vec<f64> = site.filter_map(|g| g.p).collect();
    assert!(p.len() == 6 && p.iter().all(|p| *p <= 0.02), "{p:?}");
    assert!(serde_json::to_string(&found).is_ok());
}
