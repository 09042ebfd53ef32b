use std::str::FromStr;

use proptest::prelude::*;
use rand::Rng;

use crate::*;

#[test]
fn labels_stand_in_their_fixed_order_and_weights_sum_to_one() {
    let names: Vec<_> = LABELS.iter().map(|l| l.name()).collect();
    assert_eq!(
        names,
        [
            "epidural",
            "intraparenchymal",
            "intraventricular",
            "subarachnoid",
            "subdural",
            "any"
        ]
    );
    for (i, label) in LABELS.into_iter().enumerate() {
        assert_eq!(label.index(), i);
        assert_eq!(Label::from_str(label.name()), Ok(label));
    }
    assert!((LABELS.iter().map(|l| l.loss_weight()).sum::<f64>() - 1.0).abs() < 1e-15);
    assert!(Label::from_str("Any").is_err());
}

#[test]
fn contradictions_of_any_and_its_subtypes_are_seen() {
    let row = |bits: [u8; 6]| LabelRow(bits.map(|b| Some(b == 1)));
    assert!(!row([0, 1, 0, 0, 0, 1]).contradicts_itself());
    assert!(row([0, 1, 0, 0, 0, 0]).contradicts_itself());
    assert!(row([0, 0, 0, 0, 0, 1]).contradicts_itself());
    let mut unknown = row([0, 0, 0, 0, 0, 1]);
    unknown.0[0] = None;
    assert!(!unknown.contradicts_itself());
}

#[test]
fn the_windows_edges_are_black_and_white() {
    let brain = SEED_WINDOWS[0];
    assert_eq!(brain.unit_interval(Hu(0.0)), 0.0);
    assert_eq!(brain.unit_interval(Hu(40.0)), 0.5);
    assert_eq!(brain.unit_interval(Hu(80.0)), 1.0);
    assert_eq!(brain.unit_interval(Hu(-1000.0)), 0.0);
    assert!(Window::new(40.0, 0.5).is_err());
    assert!(Window::new(f32::NAN, 80.0).is_err());
}

#[test]
fn streams_differ_by_seed_purpose_and_path_and_repeat_exactly() {
    let first = |seed, purpose, path: &[u64]| random::stream(seed, purpose, path).next_u64();
    assert_eq!(first(1, "a", &[2, 3]), first(1, "a", &[2, 3]));
    let all = [
        first(1, "a", &[2, 3]),
        first(2, "a", &[2, 3]),
        first(1, "b", &[2, 3]),
        first(1, "a", &[3, 2]),
        first(1, "a", &[2]),
        first(1, "a", &[2, 3, 0]),
    ];
    for (i, x) in all.iter().enumerate() {
        assert!(all[i + 1..].iter().all(|y| x != y));
    }
}

proptest! {
    #[test]
    fn probabilities_are_checked(x in proptest::num::f64::ANY) {
        prop_assert_eq!(Probability::new(x).is_ok(), (0.0..=1.0).contains(&x));
    }

    #[test]
    fn logits_become_probabilities(x in proptest::num::f64::ANY) {
        let p = Probability::from_logit(x).get();
        prop_assert!((0.0..=1.0).contains(&p));
    }

    #[test]
    fn windows_are_monotone(c in -500f32..500.0, w in 1f32..2000.0, a in -2000f32..4000.0, b in -2000f32..4000.0) {
        let window = Window::new(c, w).unwrap();
        let (lo, hi) = if a < b { (a, b) } else { (b, a) };
        prop_assert!(window.unit_interval(Hu(lo)) <= window.unit_interval(Hu(hi)));
    }
}
