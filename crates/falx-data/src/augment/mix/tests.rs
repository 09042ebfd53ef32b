use falx_core::{LabelRow, TargetRow};
use proptest::prelude::*;

use super::mix;
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

fn targets() -> Vec<TargetRow> {
    (0..SHAPE[0]).map(|at| labels(at).into()).collect()
}

/// The shares of a row; 0 where one is not known.
fn shares(row: &TargetRow) -> [f32; 6] {
    row.0
        .map(|share| share.map_or(0.0, |share| share.get() as f32))
}

fn run(config: AugmentConfig, epoch: u64) -> (Vec<f32>, Vec<TargetRow>) {
    let (mut images, mut targets) = (images(), targets());
    mix(
        &config,
        (4, epoch, 30),
        &[0, 1, 2, 3, 4, 5],
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
        for (at, (sample, share)) in mixed
            .chunks(LEN)
            .zip(targets.iter().map(shares))
            .enumerate()
        {
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
    let places = [0, 1, 2, 3, 4, 5];
    mix(&CUT, (4, 1, 30), &places, SHAPE, &mut images, &mut targets);
    let empty = images
        .chunks(LEN)
        .zip(targets.iter().map(shares))
        .step_by(2);
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
        let mut targets: Vec<TargetRow> = rows.into_iter().map(TargetRow::from).collect();
        let (mut images, before) = (images(), targets.clone());
        let config = AugmentConfig { mixup, cutmix, ..AugmentConfig::none() };
        mix(&config, (seed, 0, 0), &[0, 1, 2, 3, 4, 5], SHAPE, &mut images, &mut targets);
        for (row, before) in targets.iter().zip(before) {
            for label in 0..6 {
                prop_assert!(row.0[label].is_none() || before.0[label].is_some());
                if let (Some(any), Some(share)) = (row.0[5], row.0[label]) {
                    prop_assert!(any >= share);
                }
            }
        }
        prop_assert!(images.iter().all(|value| (0.0..=0.61).contains(value)));
    }
}

#[test]
fn a_part_of_a_batch_is_mixed_as_in_the_whole_and_nobody_without_a_partner() {
    for config in [UP, CUT] {
        let (whole, rows) = run(config, 2);
        // The second pair alone, as another rank has it.
        let (mut part, mut own) = (
            images()[2 * LEN..4 * LEN].to_vec(),
            targets()[2..4].to_vec(),
        );
        let shape = [2, 2, 16, 16];
        mix(&config, (4, 2, 30), &[2, 3], shape, &mut part, &mut own);
        assert_eq!(
            (&part[..], &own[..]),
            (&whole[2 * LEN..4 * LEN], &rows[2..4])
        );
        // Sample 2 could not be read: 3 stays as it is, and the others are what they were.
        let without = |all: Vec<f32>| [&all[..2 * LEN], &all[3 * LEN..]].concat();
        let (mut some, mut left) = (without(images()), targets());
        left.remove(2);
        let shape = [5, 2, 16, 16];
        mix(
            &config,
            (4, 2, 30),
            &[0, 1, 3, 4, 5],
            shape,
            &mut some,
            &mut left,
        );
        let mut expected = without(whole);
        expected[2 * LEN..3 * LEN].copy_from_slice(&images()[3 * LEN..4 * LEN]);
        assert_eq!(some, expected);
        assert_eq!(left[2], labels(3).into());
        assert_eq!(
            (left[..2].to_vec(), left[3..].to_vec()),
            (rows[..2].to_vec(), rows[4..].to_vec())
        );
    }
}

/// What a network is shown of each label stays what the sampler shows: exactly so with mixup, on average with cutmix.
#[test]
fn mixing_leaves_the_prior() {
    let mean = |rows: &[TargetRow]| -> [f64; 6] {
        let of = |label: usize| {
            rows.iter()
                .filter_map(move |row| row.0[label])
                .map(falx_core::Probability::get)
        };
        std::array::from_fn(|label| of(label).sum::<f64>() / rows.len() as f64)
    };
    let own = mean(&targets());
    for (config, near) in [(UP, 1e-6), (CUT, 0.02)] {
        let mut sums = [0.0; 6];
        for epoch in 0..200 {
            let shown = mean(&run(config, epoch).1);
            for (sum, shown) in sums.iter_mut().zip(shown) {
                *sum += shown / 200.0;
            }
        }
        for (shown, own) in sums.into_iter().zip(own) {
            assert!((shown - own).abs() < near, "{shown} {own}");
        }
    }
}
