//! A bug in a thread.

use std::sync::Arc;

use falx_core::{ImageId, LabelRow};

use super::super::ring::{Claim, Place, Ring};
use super::super::worker::{self, Made, Task};
use super::super::{Batch, Loader, LoaderError, Order, Shard};
use super::{list, options};

/// A loader of 40 positions in batches of 4 whose threads panic as `panics` says, while they make or write a sample.
fn panicking(threads: usize, panics: fn(usize) -> [bool; 2]) -> Loader {
    let mut options = options(threads);
    options.input.size = 1;
    options.augment = None;
    let len = options.input.len();
    let ring = Arc::new(Ring::new(40, 4, Shard::default(), len, 0, 2, 1));
    let task = Arc::new(Task {
        samples: list(&[]),
        order: Order::from(vec![0; 40]).keep().unwrap(),
        options,
    });
    let work = move |place: &Place| {
        let make = |claim: &Claim, position: &mut usize| {
            *position = claim.position;
            assert!(!panics(claim.position)[0], "meant by the test");
            Made::Sample {
                image_id: ImageId(claim.position.to_string()),
                labels: LabelRow::default(),
                damaged: 0,
            }
        };
        let write = |position: &usize, numbers: &mut [f32]| {
            assert!(!panics(*position)[1], "meant by the test");
            numbers.fill(*position as f32);
        };
        worker::serve(place, &mut 0, make, write);
    };
    Loader::start(ring, task, threads, work).unwrap()
}

#[test]
fn a_panic_ends_the_epoch_with_an_error_that_names_the_position() {
    for threads in [1, 2, 16] {
        for (panics, position) in [
            ((|at| [at == 13, false]) as fn(usize) -> [bool; 2], 13),
            (|at| [false, at == 14], 14),
            (|at| [at >= 13, at >= 13], 13),
        ] {
            let mut loader = panicking(threads, panics);
            let whole: Vec<Batch> = loader.by_ref().map_while(Result::ok).collect();
            assert_eq!(whole.len(), 3, "the batches before it are whole");
            assert!(loader.next().is_none(), "the epoch has ended");
            let mut loader = panicking(threads, panics);
            let error = loader.find_map(Result::err).unwrap();
            assert!(
                matches!(error, LoaderError::Bug { position: at } if at == position),
                "{error}"
            );
        }
    }
    let whole = panicking(3, |_| [false; 2]).map(Result::unwrap);
    assert_eq!(whole.map(|batch| batch.ids.len()).sum::<usize>(), 40);
}
