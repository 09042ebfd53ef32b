//! The scores of a level against the functions that give one score each.

use falx_core::Silent;

use super::cohort;
use crate::interval::{LEVEL, clustered_area};
use crate::score::{RocRange, partial_auc};
use crate::*;

#[test]
fn a_labels_scores_are_those_of_the_single_functions() {
    let cases = cohort(60);
    let options = EvaluateOptions {
        replicates: 300,
        seed: 4,
        ..EvaluateOptions::default()
    };
    let e = evaluate(&cases, &options, &Silent).unwrap();
    // The cohort has ten slices a patient, in order.
    let cluster: Vec<u32> = (0..cases.len() as u32).map(|i| i / 10).collect();
    for (i, score) in e.labels.iter().enumerate() {
        let truth: Vec<bool> = cases.iter().map(|c| c.truth.0[i] == Some(true)).collect();
        let prediction: Vec<f64> = cases.iter().map(|c| c.prediction[i].get()).collect();
        let outcomes = Outcomes::new(&truth, &prediction, &cluster).unwrap();
        let area = clustered_area(&outcomes).unwrap();
        assert_eq!(score.auc_delong, Some(area.interval(LEVEL)));
        let partial = partial_auc(&outcomes, RocRange::Specificity(0.9)).unwrap();
        let found = score.partial_auc.unwrap();
        assert!((found.value - partial.standardised).abs() < 1e-12);
        assert!(found.low.unwrap() < found.value && found.value < found.high.unwrap());
        // The lanes of a level and one closure see the same draws.
        let by_cluster = auc_by_cluster(&truth, &prediction, &cluster, 300, 4);
        assert_eq!(score.auc, by_cluster.ok());
        let squared = |w: &[u32]| {
            let terms = outcomes.iter().map(|(y, p, patient)| {
                let weight = f64::from(w[patient as usize]);
                (weight * (f64::from(u8::from(y)) - p).powi(2), weight)
            });
            let (sum, count) = terms.fold((0.0, 0.0), |(s, n), (x, w)| (s + x, n + w));
            Some(sum / count)
        };
        let resampling = Resampling::new(60, 300, 4);
        let (ours, plain) = (score.brier.unwrap(), resampling.estimate(squared).unwrap());
        for (a, b) in [
            (ours.value, plain.value),
            (ours.low.unwrap(), plain.low.unwrap()),
            (ours.high.unwrap(), plain.high.unwrap()),
        ] {
            assert!((a - b).abs() < 1e-10, "{ours:?} {plain:?}");
        }
    }
}
