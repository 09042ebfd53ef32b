use falx_core::LabelRow;
use proptest::prelude::*;

use super::{Targets, mix};
use crate::augment::AugmentConfig;

const SHAPE: [usize; 4] = [6, 2, 16, 16];
const LEN: usize = 2 * 16 * 16;

/// Every sample has a value of its own, all of it head.
fn images() -> Vec<f32> {
    (0..SHAPE[0] * LEN)
        .map(|at| (at / LEN + 1) as f32 / 10.0)
        .collect()
}

fn labels(positive: usize) -> LabelRow {
    let mut row = [Some(false); 6];
    row[positive % 5] = Some(true);
    row[5] = Some(true);
    LabelRow(row)
}

fn targets() -> Targets {
    let rows: Vec<LabelRow> = (0..SHAPE[0]).map(labels).collect();
    Targets::of(&rows)
}

fn run(config: AugmentConfig, epoch: u64) -> (Vec<f32>, Targets) {
    let (mut images, mut targets) = (images(), targets());
    let positions: Vec<u64> = (30..36).collect();
    mix(
        &config,
        (4, epoch),
        &positions,
        SHAPE,
        &mut images,
        &mut targets,
    );
    (images, targets)
}

const UP: AugmentConfig = AugmentConfig {
    mixup: 1.0,
    ..AugmentConfig::none()
};
const CUT: AugmentConfig = AugmentConfig {
    cutmix: 1.0,
    ..AugmentConfig::none()
};

#[test]
fn mixtures_follow_from_seed_epoch_and_position() {
    for config in [UP, CUT] {
        assert_eq!(run(config, 1), run(config, 1));
        assert_ne!(run(config, 1), run(config, 2));
    }
    assert_eq!(run(AugmentConfig::none(), 1), (images(), targets()));
}

#[test]
fn labels_are_shared_as_pixels_are() {
    for config in [UP, CUT] {
        let (mixed, targets) = run(config, 1);
        let before = images();
        let mut changed = 0;
        for (at, (sample, share)) in mixed.chunks(LEN).zip(&targets.share).enumerate() {
            // Own value, partner's value: the mean says how much is own, and so must the labels.
            let own = before[at * LEN];
            let mean = sample.iter().sum::<f32>() / LEN as f32;
            let Some(partner) =
                (0..SHAPE[0]).find(|&p| p != at && share[p % 5] > 0.0 && p % 5 != at % 5)
            else {
                continue;
            };
            // Samples 0 and 5 have the same subtype, so their partner's value is ambiguous.
            if at % 5 == 0 || partner % 5 == 0 {
                continue;
            }
            let other = before[partner * LEN];
            let kept = (mean - other) / (own - other);
            assert!((share[at % 5] - kept).abs() < 1e-4, "{kept} {share:?}");
            assert!((share[partner % 5] - (1.0 - kept)).abs() < 1e-4);
            assert_eq!(share[5], 1.0, "both have a haemorrhage");
            changed += 1;
        }
        assert!(changed >= 2);
    }
}

#[test]
fn nothing_is_lost_between_partners() {
    for config in [UP, CUT] {
        let sum = |images: &[f32]| images.iter().map(|&v| f64::from(v)).sum::<f64>();
        let (mixed, _) = run(config, 3);
        assert!((sum(&mixed) - sum(&images())).abs() < 1e-2);
    }
}

#[test]
fn a_share_is_of_the_head_and_not_of_the_square() {
    // No head at all in half of the samples: a partner's rectangle is then all that is seen.
    let mut images = images();
    for sample in images.chunks_mut(LEN).step_by(2) {
        sample.fill(0.0);
    }
    let mut targets = targets();
    let positions: Vec<u64> = (30..36).collect();
    mix(&CUT, (4, 1), &positions, SHAPE, &mut images, &mut targets);
    let empty = images.chunks(LEN).zip(&targets.share).step_by(2);
    let mut seen = 0;
    for (at, (sample, share)) in empty.enumerate() {
        if sample.iter().any(|&value| value > 0.0) {
            // Sample 0's subtype is also sample 5's.
            assert!(share[2 * at % 5] == 0.0 || at == 0, "{share:?}");
            seen += 1;
        }
    }
    assert!(seen > 0);
}

fn label() -> impl Strategy<Value = Option<bool>> {
    prop_oneof![Just(None), Just(Some(false)), Just(Some(true))]
}

proptest! {
    #[test]
    fn any_is_the_largest_and_the_unknown_stays_unknown(
        rows in proptest::collection::vec(proptest::array::uniform6(label()), 6),
        seed: u64, mixup in 0.0_f32..1.0, cutmix in 0.0_f32..1.0,
    ) {
        let rows: Vec<LabelRow> = rows.into_iter().map(|mut row| {
            if row[..5].contains(&Some(true)) && row[5].is_some() {
                row[5] = Some(true);
            }
            LabelRow(row)
        }).collect();
        let (mut images, mut targets) = (images(), Targets::of(&rows));
        let before = targets.clone();
        let config = AugmentConfig { mixup, cutmix, ..AugmentConfig::none() };
        let positions: Vec<u64> = (0..6).collect();
        mix(&config, (seed, 0), &positions, SHAPE, &mut images, &mut targets);
        for at in 0..6 {
            let (share, known) = (targets.share[at], targets.known[at]);
            for label in 0..6 {
                prop_assert!((0.0..=1.0).contains(&share[label]));
                prop_assert!(!known[label] || before.known[at][label]);
                prop_assert!(known[label] || share[label] == 0.0);
                if known[5] && known[label] {
                    prop_assert!(share[5] >= share[label]);
                }
            }
        }
        prop_assert!(images.iter().all(|value| (0.0..=0.61).contains(value)));
    }
}
