use falx_core::{ImageId, Label, Probability};

use super::*;

fn predictions(numbers: impl IntoIterator<Item = f64>) -> Vec<Prediction> {
    let numbers = numbers.into_iter().zip(0..);
    let prediction = |(p, at): (f64, i32)| Prediction {
        image_id: ImageId(at.to_string()),
        probabilities: [Probability::new(p).unwrap(); 6],
    };
    numbers.map(prediction).collect()
}

/// Numbers from 0 to 1 without a pattern.
fn noise(at: usize) -> f64 {
    (at as f64 * 0.618_033_988_75 + (at as f64 * 12.9898).sin() * 43758.5453).rem_euclid(1.0)
}

fn rule(absent_up_to: f64, present_from: f64) -> LabelRule {
    LabelRule {
        label: Label::Epidural,
        error_rate: 0.1,
        absent_up_to,
        present_from,
        positive_patients: 21,
        negative_patients: 1434,
    }
}

#[test]
fn as_many_slices_lie_below_a_limit_of_the_mean() {
    let slices = 2000;
    let networks: Vec<Vec<f64>> = (0..3)
        .map(|network| {
            let own =
                |slice: usize| 0.7 * noise(slice) + 0.3 * noise(90_001 * (network + 1) + slice);
            (0..slices).map(own).collect()
        })
        .collect();
    let mean: Vec<f64> = (0..slices)
        .map(|slice| networks.iter().map(|own| own[slice]).sum::<f64>() / 3.0)
        .collect();
    let single: Vec<Vec<Prediction>> = networks.iter().cloned().map(predictions).collect();
    let matching = Matching::of(&single, &predictions(mean.clone()));
    let old = rule(0.85, 0.2);
    let new = matching.rule(old);
    let above = |numbers: &[f64], limit: f64| {
        numbers.iter().filter(|&&p| p > limit).count() as f64 / numbers.len() as f64
    };
    let all: Vec<f64> = networks.concat();
    for (old, new) in [
        (old.absent_up_to, new.absent_up_to),
        (old.present_from, new.present_from),
    ] {
        assert!((above(&all, old) - above(&mean, new)).abs() < 1.0 / slices as f64);
    }
    // The mean is drawn together: fewer slices are beyond the old limits.
    assert!(above(&mean, old.absent_up_to) < 0.8 * above(&all, old.absent_up_to));
    assert!(new.absent_up_to < old.absent_up_to && new.present_from > old.present_from);
}

#[test]
fn limits_beyond_what_was_said_stay_beyond() {
    let matching = Matching::of(
        &[predictions([0.2, 0.4]), predictions([0.3, 0.5])],
        &predictions([0.25, 0.45]),
    );
    let moved = matching.rule(rule(0.9, 0.1));
    assert_eq!((moved.absent_up_to, moved.present_from), (0.9, 0.1));
    let moved = matching.rule(rule(0.47, 0.22));
    assert!(
        moved.absent_up_to <= 0.45 && moved.present_from >= 0.25,
        "{moved:?}"
    );
    // Nothing is known of the networks: limits stay.
    assert_eq!(Matching::of(&[], &[]).rule(rule(0.7, 0.3)), rule(0.7, 0.3));
}
