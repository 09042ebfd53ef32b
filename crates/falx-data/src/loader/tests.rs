mod alignment;
mod panics;
#[cfg(unix)]
mod permission;

use std::path::Path;
use std::sync::Arc;

use falx_core::{ImageId, LabelRow};

use super::{Batch, Loader, LoaderError, LoaderOptions, Policy, Shard};
use crate::augment::AugmentConfig;
use crate::input::InputSpec;
use crate::samples::{Sample, Samples};
use crate::synthetic::Ct;

fn samples(folder: &Path, count: u32) -> Vec<Sample> {
    let sample = |number| {
        let path = Ct::new("p", 1, number).write(folder.join(format!("{number}.dcm")));
        let labels = LabelRow([Some(number % 2 == 0); 6]);
        Sample {
            path,
            window: None,
            image_id: ImageId(format!("{number}")),
            labels,
            row: number,
        }
    };
    (0..count).map(sample).collect()
}

fn options(threads: usize) -> LoaderOptions {
    LoaderOptions {
        batch: 4,
        threads,
        memory_mib: 256,
        input: InputSpec {
            size: 16,
            ..InputSpec::default()
        },
        augment: Some(AugmentConfig::default()),
        seed: 9,
        epoch: 2,
        start_batch: 0,
        shard: Shard::default(),
        on_unreadable: Policy::Stop,
        cache: None,
        kept: None,
    }
}

fn list(samples: &[Sample]) -> Arc<Samples> {
    Arc::new(Samples::of_list(samples).unwrap())
}

fn load(samples: &[Sample], order: &[u32], options: LoaderOptions) -> Vec<Batch> {
    Loader::new(list(samples), order, options)
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

#[test]
fn batches_are_the_same_for_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let samples = samples(folder.path(), 30);
    let order: Vec<u32> = (0..30).rev().chain([3, 3, 7]).collect();
    let one = load(&samples, &order, options(1));
    let ids: Vec<_> = one
        .iter()
        .flat_map(|batch| batch.ids.iter().map(|id| id.0.parse::<u32>().unwrap()))
        .collect();
    assert_eq!(ids, order);
    assert_eq!(one.len(), 9);
    assert_eq!(one[8].shape, [1, 3, 16, 16]);
    for (number, batch) in one.iter().enumerate() {
        assert_eq!(batch.number, number);
        assert_eq!(batch.images.len(), batch.shape.iter().product::<usize>());
        assert_eq!(batch.weights, vec![1.0; batch.ids.len()]);
    }
    // The two draws of slice 3 that stand next to each other differ.
    let values = 3 * 16 * 16;
    assert_ne!(
        one[7].images[2 * values..3 * values],
        one[7].images[3 * values..]
    );
    for threads in [2, 4, 16] {
        assert_eq!(load(&samples, &order, options(threads)), one);
    }
    let mut recycling = Loader::new(list(&samples), order.as_slice(), options(2)).unwrap();
    for expected in &one {
        let batch = recycling.next().unwrap().unwrap();
        assert_eq!(&batch, expected);
        recycling.recycle(batch.images.into_parts().0);
    }
    let tight = LoaderOptions {
        memory_mib: 5,
        ..options(16)
    };
    assert_eq!(load(&samples, &order, tight), one);
    let other = load(
        &samples,
        &order,
        LoaderOptions {
            epoch: 3,
            ..options(2)
        },
    );
    assert_ne!(other[0].images, one[0].images);
}

#[test]
fn an_epoch_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let samples = samples(folder.path(), 10);
    let order: Vec<u32> = (0..10).collect();
    let whole = load(&samples, &order, options(2));
    let rest = load(
        &samples,
        &order,
        LoaderOptions {
            start_batch: 1,
            ..options(2)
        },
    );
    assert_eq!(rest, whole[1..]);
    assert!(
        load(
            &samples,
            &order,
            LoaderOptions {
                start_batch: 3,
                ..options(2)
            }
        )
        .is_empty()
    );
}

#[test]
fn an_unreadable_file_is_skipped_and_counted_or_ends_the_epoch() {
    let folder = tempfile::tempdir().unwrap();
    let samples = samples(folder.path(), 12);
    let whole = std::fs::read(&samples[5].path).unwrap();
    std::fs::write(&samples[5].path, &whole[..whole.len() - 40]).unwrap();
    for gone in &samples[8..] {
        std::fs::remove_file(&gone.path).unwrap();
    }
    let order: Vec<u32> = (0..12).collect();
    for threads in [1, 2, 16] {
        let skip = LoaderOptions {
            on_unreadable: Policy::Skip,
            ..options(threads)
        };
        let mut loader = Loader::new(list(&samples), order.as_slice(), skip).unwrap();
        let batches: Vec<Batch> = loader.by_ref().map(Result::unwrap).collect();
        let sizes: Vec<_> = batches.iter().map(|batch| batch.shape[0]).collect();
        assert_eq!(sizes, [4, 3], "the third batch has nothing left");
        assert_eq!(batches[1].ids, ["4", "6", "7"].map(ImageId::from));
        assert_eq!(batches[1].images.len(), 3 * 3 * 16 * 16);
        assert_eq!(loader.skipped().count, 5);
        assert_eq!(loader.skipped().by_reason["truncated"], 1);
        assert_eq!(loader.skipped().by_reason["io"], 4);
        let reasons: Vec<_> = batches.iter().flat_map(|b| &b.unreadable).collect();
        assert_eq!(
            reasons.len(),
            1,
            "a batch of which nothing is left is passed over"
        );
        assert_eq!((reasons[0].position, reasons[0].reason), (5, "truncated"));

        let mut stopping = Loader::new(list(&samples), order.as_slice(), options(threads)).unwrap();
        assert!(stopping.next().unwrap().is_ok());
        assert!(matches!(
            stopping.next(),
            Some(Err(LoaderError::Unreadable(_)))
        ));
        assert!(stopping.next().is_none());
    }
}

#[test]
fn wrong_options_are_errors() {
    let samples = list(&[]);
    let new = |order: Vec<u32>, options| Loader::new(Arc::clone(&samples), order, options).err();
    assert!(matches!(
        new(vec![0], options(1)),
        Some(LoaderError::Order {
            index: 0,
            samples: 0
        })
    ));
    let empty = LoaderOptions {
        batch: 0,
        ..options(1)
    };
    assert!(matches!(
        new(vec![], empty),
        Some(LoaderError::EmptyShape { .. })
    ));
    let poor = LoaderOptions {
        batch: 1 << 20,
        ..options(1)
    };
    assert!(matches!(
        new(vec![], poor),
        Some(LoaderError::Budget { .. })
    ));
    assert!(
        Loader::new(Arc::clone(&samples), vec![], options(2))
            .unwrap()
            .next()
            .is_none()
    );
}

#[test]
fn a_loader_can_be_dropped_in_the_middle() {
    let folder = tempfile::tempdir().unwrap();
    let samples = samples(folder.path(), 12);
    let order: Vec<u32> = (0..12).cycle().take(400).collect();
    let mut loader = Loader::new(list(&samples), order, options(4)).unwrap();
    assert_eq!(loader.batches(), 100);
    assert!(loader.next().is_some());
    drop(loader);
}

#[test]
fn the_parts_of_four_ranks_make_the_batches_of_one() {
    let folder = tempfile::tempdir().unwrap();
    let samples = samples(folder.path(), 23);
    let order: Vec<u32> = (0..23).rev().collect();
    let batch = |shard| LoaderOptions {
        batch: 8,
        shard,
        ..options(2)
    };
    let whole = load(&samples, &order, batch(Shard::default()));
    let parts: Vec<Vec<Batch>> = (0..4)
        .map(|rank| load(&samples, &order, batch(Shard { rank, world: 4 })))
        .collect();
    for (number, expected) in whole.iter().enumerate() {
        let of_ranks = || parts.iter().filter_map(|part| part.get(number));
        let ids: Vec<_> = of_ranks().flat_map(|part| part.ids.clone()).collect();
        let images: Vec<f32> = of_ranks()
            .flat_map(|part| part.images.iter().copied())
            .collect();
        assert_eq!(ids, expected.ids);
        assert_eq!(images, *expected.images);
    }
    let all = list(&samples);
    for (rank, world) in [(4, 4), (0, 9), (0, 0)] {
        let wrong = batch(Shard { rank, world });
        let error = Loader::new(Arc::clone(&all), order.as_slice(), wrong).err();
        assert!(matches!(error, Some(LoaderError::Shard { .. })));
    }
}

/// Every sample mixed with its neighbour.
fn mixing(threads: usize) -> LoaderOptions {
    LoaderOptions {
        augment: Some(AugmentConfig {
            mixup: 0.5,
            cutmix: 0.5,
            ..AugmentConfig::default()
        }),
        ..options(threads)
    }
}

#[test]
fn mixed_batches_depend_on_no_thread_no_rank_and_no_start() {
    let folder = tempfile::tempdir().unwrap();
    let samples = samples(folder.path(), 23);
    let order: Vec<u32> = (0..23).collect();
    let whole = load(&samples, &order, mixing(1));
    let soft = whole.iter().flat_map(|batch| &batch.labels);
    let soft = soft.filter(|row| (0.01..0.99).contains(&row.0[5].unwrap().get()));
    assert!(soft.count() > 8, "neighbours have different labels");
    // The last sample has no partner.
    assert_eq!(whole[5].labels[2], samples[22].labels.into());
    for threads in [2, 4, 16] {
        assert_eq!(load(&samples, &order, mixing(threads)), whole);
    }
    let later = LoaderOptions {
        start_batch: 3,
        ..mixing(2)
    };
    assert_eq!(load(&samples, &order, later), whole[3..]);
    let part = |rank| LoaderOptions {
        shard: Shard { rank, world: 2 },
        ..mixing(2)
    };
    let parts = [0, 1].map(|rank| load(&samples, &order, part(rank)));
    for (number, expected) in whole.iter().enumerate() {
        let of_ranks = || parts.iter().filter_map(|part| part.get(number));
        let images: Vec<f32> = of_ranks()
            .flat_map(|part| part.images.iter().copied())
            .collect();
        let labels: Vec<_> = of_ranks().flat_map(|part| part.labels.clone()).collect();
        assert_eq!(
            (images, labels),
            (expected.images.to_vec(), expected.labels.clone())
        );
    }
    let wide = LoaderOptions {
        shard: Shard { rank: 0, world: 3 },
        ..mixing(2)
    };
    assert!(matches!(
        Loader::new(list(&samples), order.as_slice(), wide),
        Err(LoaderError::Pairs { world: 3, batch: 4 })
    ));
}

#[test]
fn what_cannot_be_read_changes_no_other_mixture() {
    let folder = tempfile::tempdir().unwrap();
    let samples = samples(folder.path(), 8);
    let order: Vec<u32> = (0..8).collect();
    let whole = load(&samples, &order, mixing(2));
    std::fs::remove_file(&samples[2].path).unwrap();
    let skip = LoaderOptions {
        on_unreadable: Policy::Skip,
        ..mixing(2)
    };
    let left = load(&samples, &order, skip);
    let len = 3 * 16 * 16;
    assert_eq!(left[0].images[..2 * len], whole[0].images[..2 * len]);
    // Its partner stays alone.
    assert_eq!(left[0].labels[2], samples[3].labels.into());
    assert_eq!(left[1], whole[1]);
}

#[test]
fn a_mixture_of_the_known_and_the_unknown_weighs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut samples = samples(folder.path(), 4);
    samples[1].labels = LabelRow::default();
    let [batch] = &load(&samples, &[0, 1, 2, 3], mixing(2))[..] else {
        panic!("four slices are one batch");
    };
    assert_eq!(batch.weights, [0.0, 0.0, 1.0, 1.0]);
    assert!(batch.labels[0].is_empty() && !batch.labels[2].is_empty());
}

#[test]
fn planes_are_the_neighbours_in_millimetres() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..4 {
        Ct::new("p", 1, number).write(folder.path().join(format!("data/{}.dcm", 9 - number)));
    }
    let index = crate::index::scan(
        &[folder.path().join("data")],
        crate::index::Layout::Auto,
        &falx_core::Silent,
        &falx_core::Interrupt::default(),
    )
    .unwrap();
    let samples = Arc::new(Samples::of_index(&index).unwrap());
    let with = |planes_mm: &[f32]| LoaderOptions {
        batch: 4,
        augment: None,
        input: InputSpec {
            planes_mm: planes_mm.to_vec(),
            ..options(1).input
        },
        ..options(2)
    };
    let load = |planes: &[f32]| {
        let mut loader = Loader::new(Arc::clone(&samples), samples.all(), with(planes)).unwrap();
        loader.next().unwrap().unwrap()
    };
    let (alone, three) = (load(&[0.0]), load(&[-5.0, 0.0, 5.0]));
    assert_eq!(alone.shape, [4, 3, 16, 16]);
    assert_eq!(three.shape, [4, 9, 16, 16]);
    let plane = 3 * 16 * 16;
    let of = |number: usize| &alone.images[number * plane..][..plane];
    for (number, neighbours) in [[0, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 3]]
        .iter()
        .enumerate()
    {
        for (at, &neighbour) in neighbours.iter().enumerate() {
            let have = &three.images[(number * 3 + at) * plane..][..plane];
            assert_eq!(have, of(neighbour), "slice {number}, plane {at}");
        }
    }
}

#[test]
fn an_epoch_goes_on_at_any_batch() {
    let folder = tempfile::tempdir().unwrap();
    let samples = samples(folder.path(), 30);
    let order: Vec<u32> = (0..30).cycle().take(205).collect();
    let whole = load(&samples, &order, options(2));
    for stop in 0..50 {
        let start_batch = (stop * 37 + 11) % 52;
        let rest = LoaderOptions {
            start_batch,
            ..options(1 + stop % 4)
        };
        let mut loader = Loader::new(list(&samples), order.as_slice(), rest).unwrap();
        // An interrupted consumer takes some batches and leaves.
        for expected in whole.iter().skip(start_batch).take(3) {
            assert_eq!(&loader.next().unwrap().unwrap(), expected);
        }
    }
}
