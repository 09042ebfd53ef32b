use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use falx_core::{ImageId, Label, LabelRow};
use proptest::prelude::*;

use super::{Sampler, SamplerConfig, SamplerError, prevalence_of};
use crate::samples::{Sample, Samples};

fn slice(at: usize, positive: &[Label]) -> Sample {
    let mut labels = LabelRow([Some(false); 6]);
    for &label in positive {
        labels.set(label, true);
        labels.set(Label::Any, true);
    }
    Sample {
        path: PathBuf::new(),
        window: None,
        image_id: ImageId(format!("{at}")),
        labels,
        row: at as u32,
    }
}

/// `count` slices of which the first `positive` bleed (subdural).
fn samples(count: usize, positive: usize) -> Samples {
    let labels = |at| {
        if at < positive {
            &[Label::Subdural][..]
        } else {
            &[]
        }
    };
    let list: Vec<Sample> = (0..count).map(|at| slice(at, labels(at))).collect();
    Samples::of_list(&list).unwrap()
}

fn any_share(share: f64) -> SamplerConfig {
    SamplerConfig {
        positive_any_share: Some(share),
        ..SamplerConfig::default()
    }
}

fn times(order: &[u32], count: usize) -> Vec<u32> {
    let mut times = vec![0; count];
    for &at in order {
        times[at as usize] += 1;
    }
    times
}

#[test]
fn without_oversampling_each_slice_comes_once() {
    let samples = samples(50, 10);
    let sampler = Sampler::new(&samples, &SamplerConfig::default()).unwrap();
    let first = sampler.order(1, 0).unwrap();
    let mut sorted = first.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..50).collect::<Vec<_>>());
    assert_eq!(first, sampler.order(1, 0).unwrap());
    assert_ne!(first, sampler.order(1, 1).unwrap());
    assert_ne!(first, sampler.order(2, 0).unwrap());
    assert_eq!(sampler.shown(), [0.0, 0.0, 0.0, 0.0, 0.2, 0.2]);
    assert_eq!(prevalence_of(&samples), sampler.shown());
}

#[test]
fn positives_are_repeated_evenly_up_to_their_share() {
    let samples = samples(100, 13);
    let sampler = Sampler::new(&samples, &any_share(0.5)).unwrap();
    let order = sampler.order(1, 0).unwrap();
    let times = times(&order, 100);
    assert_eq!((order.len(), sampler.len()), (174, 174));
    assert!(times[13..].iter().all(|&times| times == 1));
    assert!(times[..13].iter().all(|&times| times == 6 || times == 7));
    assert!((sampler.shown()[5] - 0.5).abs() < 1e-12);
}

#[test]
fn a_share_that_is_reached_changes_nothing_and_an_impossible_one_is_an_error() {
    for (samples, share) in [(samples(10, 6), 0.5), (samples(10, 0), 0.5)] {
        let sampler = Sampler::new(&samples, &any_share(share)).unwrap();
        assert_eq!(sampler.order(1, 0).unwrap().len(), 10);
    }
    for share in [f64::NAN, -0.1, 1.0] {
        let error = Sampler::new(&samples(10, 3), &any_share(share)).err();
        assert!(matches!(error, Some(SamplerError::Share { .. })));
    }
    let nothing = Sampler::new(&samples(0, 0), &SamplerConfig::default()).unwrap();
    assert!(nothing.is_empty());
    assert_eq!(nothing.shown(), [0.0; 6]);
}

/// 1,000 slices: 4 epidural, 60 subdural, 50 intraparenchymal of which half are intraventricular too.
fn mixed() -> Samples {
    let labels = |at: usize| -> &[Label] {
        match at {
            0..4 => &[Label::Epidural],
            4..64 => &[Label::Subdural],
            64..89 => &[Label::Intraparenchymal, Label::Intraventricular],
            89..114 => &[Label::Intraparenchymal],
            _ => &[],
        }
    };
    let list: Vec<Sample> = (0..1000).map(|at| slice(at, labels(at))).collect();
    Samples::of_list(&list).unwrap()
}

#[test]
fn rare_labels_reach_their_shares_together() {
    let samples = mixed();
    let config = SamplerConfig {
        positive_any_share: Some(0.4),
        label_shares: BTreeMap::from([(Label::Epidural, 0.05), (Label::Intraventricular, 0.1)]),
        ..SamplerConfig::default()
    };
    let sampler = Sampler::new(&samples, &config).unwrap();
    let order = sampler.order(7, 3).unwrap();
    assert_eq!(order.len(), sampler.len());
    let share = |label: Label| {
        let positive = |&&at: &&u32| samples.labels(at as usize).get(label) == Some(true);
        order.iter().filter(positive).count() as f64 / order.len() as f64
    };
    for (label, wanted) in [
        (Label::Epidural, 0.05),
        (Label::Intraventricular, 0.1),
        (Label::Any, 0.4),
    ] {
        assert!(share(label) > wanted - 0.005, "{label}: {}", share(label));
        assert!((sampler.shown()[label.index()] - share(label)).abs() < 0.005);
    }
    // Nothing is left out, and no two slices with the same labels differ by more than one.
    let times = times(&order, 1000);
    assert!(times.iter().all(|&times| times >= 1));
    for group in [&times[..4], &times[4..64], &times[114..]] {
        let (least, most) = (group.iter().min().unwrap(), group.iter().max().unwrap());
        assert!(most - least <= 1, "{least} to {most}");
    }
    let impossible = SamplerConfig {
        label_shares: BTreeMap::from([(Label::Epidural, 0.8), (Label::Subdural, 0.8)]),
        ..SamplerConfig::default()
    };
    let error = Sampler::new(&samples, &impossible).err();
    assert!(
        matches!(error, Some(SamplerError::Together { .. })),
        "{error:?}"
    );
}

#[test]
fn studies_weigh_the_same_and_a_file_weighs_slices() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.csv");
    let samples = samples(100, 10);
    let with = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let config = SamplerConfig {
            weights: Some(path.clone()),
            ..SamplerConfig::default()
        };
        Sampler::new(&samples, &config)
    };
    let sampler = with("image_id,weight\n3,4.5\n4,0\nelsewhere,2\n").unwrap();
    let counts: Vec<u32> = (0..40).fold(vec![0; 100], |mut all, epoch| {
        for (sum, times) in all
            .iter_mut()
            .zip(times(&sampler.order(1, epoch).unwrap(), 100))
        {
            *sum += times;
        }
        all
    });
    assert_eq!(counts[4], 0);
    let ratio = f64::from(counts[3]) / f64::from(counts[50]);
    assert!((ratio - 4.5).abs() < 0.4, "{ratio}");
    for (text, what) in [
        ("image_id,weight\n3,-1\n", "line 2"),
        ("image_id,weight\n3,NaN\n", "line 2"),
        ("image_id,weight\n3,1\n3,2\n", "line 3"),
        ("id,weight\n3,1\n", "image_id"),
    ] {
        let error = with(text).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    }
    assert!(matches!(
        with("image_id,weight\nx,1\n"),
        Err(SamplerError::Strangers { .. })
    ));
    let zeros: Vec<String> = (0..100).map(|at| format!("{at},0\n")).collect();
    let zeros = zeros.concat();
    let none = with(&format!("image_id,weight\n{zeros}"));
    assert!(matches!(none, Err(SamplerError::NoWeight)));
}

#[test]
fn a_million_slices_are_planned_quickly_and_take_little() {
    let list = |at: usize| {
        slice(
            at,
            if at.is_multiple_of(7) {
                &[Label::Subdural]
            } else {
                &[]
            },
        )
    };
    let list: Vec<Sample> = (0..1_000_000).map(list).collect();
    let samples = Samples::of_list(&list).unwrap();
    for config in [SamplerConfig::default(), any_share(0.4)] {
        let sampler = Sampler::new(&samples, &config).unwrap();
        let start = Instant::now();
        let order = sampler.order(1, 1).unwrap();
        println!(
            "{} slices are put in order in {:?}",
            order.len(),
            start.elapsed()
        );
        assert!(order.len() >= 1_000_000);
    }
}

proptest! {
    #[test]
    fn every_slice_is_shown_its_weight_rounded_down_or_up(
        weights in proptest::collection::vec(0.0..5.0_f64, 1..60), seed in any::<u64>(),
    ) {
        prop_assume!(weights.iter().sum::<f64>() > 0.1);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.csv");
        let rows: Vec<String> = weights.iter().enumerate().map(|(at, w)| format!("{at},{w}\n")).collect();
        let rows = rows.concat();
        std::fs::write(&path, format!("image_id,weight\n{rows}")).unwrap();
        let samples = samples(weights.len(), 1);
        let config = SamplerConfig { weights: Some(path), ..SamplerConfig::default() };
        let order = Sampler::new(&samples, &config).unwrap().order(seed, 0).unwrap();
        prop_assert_eq!(order.len(), weights.len());
        let to_mean = weights.len() as f64 / weights.iter().sum::<f64>();
        for (have, weight) in times(&order, weights.len()).iter().zip(&weights) {
            let expected = weight * to_mean;
            prop_assert!(f64::from(*have) > expected - 1.0 - 1e-6);
            prop_assert!(f64::from(*have) < expected + 1.0 + 1e-6);
        }
    }
}
