//! What holds for any predictions.

use proptest::prelude::*;

use super::*;

fn scored() -> impl Strategy<Value = (Vec<bool>, Vec<f64>)> {
    prop::collection::vec((any::<bool>(), 0..12_u32), 1..80)
        .prop_map(|v| v.into_iter().map(|(y, s)| (y, f64::from(s) / 11.0)).unzip())
}

proptest! {
    #[test]
    fn counts_add_up_and_sensitivity_falls_with_the_threshold((truth, score) in scored()) {
        let cluster = alone(truth.len());
        let outcomes = Outcomes::new(&truth, &score, &cluster).unwrap();
        let mut before = Confusion::at(&outcomes, -1.0);
        prop_assert_eq!(before.called(), truth.len() as u64);
        for step in 0..13 {
            let now = Confusion::at(&outcomes, f64::from(step) / 11.0);
            prop_assert_eq!(now.cases(), truth.len() as u64);
            prop_assert_eq!(now.positives(), outcomes.positives());
            prop_assert!(now.true_positives <= before.true_positives);
            prop_assert!(now.true_negatives >= before.true_negatives);
            before = now;
        }
        prop_assert_eq!(before.called(), 0);
    }

    #[test]
    fn swapping_the_classes_swaps_the_measures(tp in 0..50_u64, fp in 0..50_u64, tn in 0..50_u64, false_negatives in 0..50_u64) {
        let c = Confusion { true_positives: tp, false_positives: fp, true_negatives: tn, false_negatives };
        let turned = Confusion { true_positives: tn, false_positives: false_negatives, true_negatives: tp, false_negatives: fp };
        let pairs = [
            (Measure::Sensitivity, Measure::Specificity),
            (Measure::PositivePredictiveValue, Measure::NegativePredictiveValue),
            (Measure::Accuracy, Measure::Accuracy),
            (Measure::Youden, Measure::Youden),
            (Measure::BalancedAccuracy, Measure::BalancedAccuracy),
        ];
        for (a, b) in pairs {
            match (c.measure(a), turned.measure(b)) {
                (Ok(x), Ok(y)) => prop_assert!((x - y).abs() < 1e-12),
                (x, y) => prop_assert!(x.is_err() && y.is_err()),
            }
        }
        for measure in MEASURES {
            if let Ok(value) = c.measure(measure) {
                prop_assert!(value.is_finite());
            }
        }
    }

    #[test]
    fn a_chosen_threshold_keeps_its_promise((truth, score) in scored(), share in 0.0..=1.0_f64) {
        let cluster = alone(truth.len());
        let outcomes = Outcomes::new(&truth, &score, &cluster).unwrap();
        let at = |threshold| Confusion::at(&outcomes, threshold);
        if let Ok(threshold) = (Rule::Sensitivity { at_least: share }).choose(&outcomes) {
            prop_assert!(at(threshold).measure(Measure::Sensitivity).unwrap() >= share - 1e-9);
            // The next higher prediction would break it.
            let above = score.iter().copied().filter(|s| *s > threshold).fold(f64::INFINITY, f64::min);
            if above.is_finite() {
                prop_assert!(at(above).measure(Measure::Sensitivity).unwrap() < share);
            }
        }
        if let Ok(threshold) = (Rule::Specificity { at_least: share }).choose(&outcomes) {
            prop_assert!(at(threshold).measure(Measure::Specificity).unwrap() >= share - 1e-9);
        }
        if let Ok(threshold) = (Rule::AlarmBudget { at_most: share }).choose(&outcomes) {
            prop_assert!(at(threshold).measure(Measure::AlarmRate).unwrap() <= share + 1e-9);
        }
        if let Ok(threshold) = Rule::Youden.choose(&outcomes) {
            let best = at(threshold).measure(Measure::Youden).unwrap();
            for &other in &score {
                prop_assert!(at(other).measure(Measure::Youden).unwrap() <= best + 1e-12);
            }
        }
    }

    #[test]
    fn acting_on_everybody_is_worth_its_formula((truth, _) in scored(), threshold in 0.01..0.99_f64) {
        let cluster = alone(truth.len());
        let certain = vec![1.0; truth.len()];
        let outcomes = Outcomes::new(&truth, &certain, &cluster).unwrap();
        let none = Resampling::new(truth.len(), 0, 0);
        if let Ok(curve) = decision_curve(&outcomes, &[threshold], None, &none) {
            let share = outcomes.positives() as f64 / truth.len() as f64;
            let formula = share - (1.0 - share) * threshold / (1.0 - threshold);
            let point = curve.points[0];
            prop_assert!((point.treat_all - formula).abs() < 1e-9 * formula.abs().max(1.0));
            // Certainty for all acts on everybody.
            prop_assert!((point.net_benefit.value - formula).abs() < 1e-9 * formula.abs().max(1.0));
        }
    }
}
