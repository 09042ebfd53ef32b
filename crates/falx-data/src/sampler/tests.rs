use std::path::PathBuf;

use falx_core::{ImageId, Label, LabelRow};

use super::{SamplerConfig, order, prior};
use crate::samples::{Sample, Samples};

/// `count` slices of which the first `positive` bleed (subdural).
fn samples(count: usize, positive: usize) -> Samples {
    let sample = |at| {
        let mut labels = LabelRow([Some(false); 6]);
        if at < positive {
            labels.set(Label::Subdural, true);
            labels.set(Label::Any, true);
        }
        Sample {
            path: PathBuf::new(),
            window: None,
            image_id: ImageId(format!("{at}")),
            labels,
            row: at as u32,
        }
    };
    let list: Vec<Sample> = (0..count).map(sample).collect();
    Samples::of_list(&list).unwrap()
}

#[test]
fn without_oversampling_each_slice_comes_once() {
    let samples = samples(50, 10);
    let config = SamplerConfig::default();
    let first = order(&samples, &config, 1, 0);
    let mut sorted = first.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..50).collect::<Vec<_>>());
    assert_eq!(first, order(&samples, &config, 1, 0));
    assert_ne!(first, order(&samples, &config, 1, 1));
    assert_ne!(first, order(&samples, &config, 2, 0));
    assert_eq!(prior(&samples, &config), [0.0, 0.0, 0.0, 0.0, 0.2, 0.2]);
}

#[test]
fn positives_are_repeated_evenly_up_to_their_share() {
    let samples = samples(100, 13);
    let config = SamplerConfig {
        positive_any_share: Some(0.5),
    };
    let order = order(&samples, &config, 1, 0);
    let mut times = vec![0; 100];
    for at in &order {
        times[*at as usize] += 1;
    }
    assert_eq!(order.len(), 174);
    assert!(times[13..].iter().all(|&times| times == 1));
    assert!(times[..13].iter().all(|&times| times == 6 || times == 7));
    assert!((prior(&samples, &config)[5] - 0.5).abs() < 1e-12);
}

#[test]
fn a_share_that_is_reached_or_impossible_changes_nothing() {
    for (samples, share) in [
        (samples(10, 6), 0.5),
        (samples(10, 0), 0.5),
        (samples(10, 3), f64::NAN),
    ] {
        let config = SamplerConfig {
            positive_any_share: Some(share),
        };
        assert_eq!(order(&samples, &config, 1, 0).len(), 10);
    }
    assert_eq!(prior(&samples(0, 0), &SamplerConfig::default()), [0.0; 6]);
}
