use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Instant;

use falx_core::{ImageId, LabelRow, random};
use rand::RngExt;

use super::super::Shard;
use super::super::worker::Made;
use super::{Filled, Ring};

fn sample(position: usize) -> Made {
    Made::Sample {
        image_id: ImageId(position.to_string()),
        labels: LabelRow::default(),
        damaged: 0,
    }
}

fn next(ring: &Ring, spare: Vec<f32>) -> Option<Filled> {
    match ring.take(spare, None) {
        Poll::Ready(next) => next,
        Poll::Pending => panic!("without a deadline it waits for ever"),
    }
}

/// What came out, batch by batch; `threads` put each position's number into its place.
fn run(threads: usize, positions: usize, batch: usize, slots: usize, seed: u64) -> Vec<Vec<f32>> {
    let ring = Arc::new(Ring::new(
        positions,
        batch,
        Shard::default(),
        2,
        0,
        slots,
        1,
    ));
    let open = Arc::new(AtomicUsize::new(0));
    let mut out = Vec::new();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let place = Ring::enter(&ring);
            let open = Arc::clone(&open);
            scope.spawn(move || {
                let mut random = random::stream(seed, "stress", &[thread as u64]);
                while let Some(claim) = place.claim() {
                    open.fetch_max(claim.position / batch, Ordering::Relaxed);
                    // Threads overtake each other in other places each time.
                    for _ in 0..random.random_range(0..200) {
                        std::hint::spin_loop();
                    }
                    if random.random_bool(0.05) {
                        std::thread::yield_now();
                    }
                    let position = claim.position;
                    place.put(&claim, sample(position), |numbers| {
                        numbers.fill(position as f32);
                    });
                }
            });
        }
        let mut spare = Vec::new();
        while let Some(Filled {
            number,
            images,
            made,
        }) = next(&ring, spare)
        {
            assert_eq!(number, out.len(), "batches come in order");
            assert!(made.iter().all(Option::is_some));
            let ahead = open.load(Ordering::Relaxed);
            assert!(
                ahead < number + slots,
                "batch {ahead} was begun beside {number}"
            );
            out.push(images.to_vec());
            spare = images.into_parts().0;
        }
    });
    out
}

#[test]
fn any_threads_and_any_room_give_the_same_batches() {
    let expected: Vec<Vec<f32>> = (0..15)
        .map(|batch| {
            let positions = (batch * 7..(batch * 7 + 7).min(101)).flat_map(|p| [p as f32; 2]);
            positions.collect()
        })
        .collect();
    for seed in 0..200 {
        let (threads, slots) = (1 + seed as usize % 9, 1 + seed as usize % 4);
        assert_eq!(run(threads, 101, 7, slots, seed), expected);
    }
}

#[test]
fn a_consumer_that_leaves_ends_the_threads() {
    for round in 0..100 {
        let ring = Arc::new(Ring::new(1000, 4, Shard::default(), 1, 0, 2, 1));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let place = Ring::enter(&ring);
                scope.spawn(move || {
                    while let Some(claim) = place.claim() {
                        place.put(&claim, sample(claim.position), |_| {});
                    }
                });
            }
            for _ in 0..round % 5 {
                assert!(next(&ring, Vec::new()).is_some());
            }
            ring.stop();
        });
        assert!(next(&ring, Vec::new()).is_none());
    }
}

#[test]
fn threads_that_vanish_end_the_waiting() {
    let ring = Arc::new(Ring::new(8, 4, Shard::default(), 1, 0, 2, 1));
    std::thread::scope(|scope| {
        let place = Ring::enter(&ring);
        scope.spawn(move || {
            for _ in 0..5 {
                let claim = place.claim().unwrap();
                place.put(&claim, sample(claim.position), |_| {});
            }
            // The sixth is claimed and never made, as by a thread that panics.
            drop(place.claim());
        });
        assert!(
            next(&ring, Vec::new())
                .unwrap()
                .made
                .iter()
                .all(Option::is_some)
        );
        let broken = next(&ring, Vec::new()).unwrap();
        assert!(broken.made.iter().any(Option::is_none));
    });
}

#[test]
fn nothing_to_make_is_nothing_to_wait_for() {
    assert!(run(3, 0, 4, 2, 0).is_empty());
    let done = Ring::new(8, 4, Shard::default(), 1, 2, 2, 1);
    assert!(done.claim().is_none() && next(&done, Vec::new()).is_none());
}

#[test]
fn waiting_until_a_deadline_loses_nothing() {
    let ring = Arc::new(Ring::new(8, 4, Shard::default(), 1, 0, 1, 1));
    let place = Ring::enter(&ring);
    for round in 0..2 {
        for _ in 0..4 {
            assert!(ring.take(Vec::new(), Some(Instant::now())).is_pending());
            let claim = place.claim().unwrap();
            place.put(&claim, sample(claim.position), |_| {});
        }
        let Poll::Ready(Some(filled)) = ring.take(Vec::new(), Some(Instant::now())) else {
            panic!("what is ready is given whatever the deadline");
        };
        assert_eq!(filled.number, round);
    }
    // The only slot was the consumer's until it asked again.
    assert!(place.claim().is_none());
    assert!(matches!(
        ring.take(Vec::new(), Some(Instant::now())),
        Poll::Ready(None)
    ));
}
