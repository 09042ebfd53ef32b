//! Where a batch's pictures begin.

use super::{Loader, list, load, options, samples};
use crate::pixels::ALIGNMENT;

#[test]
fn every_plane_of_every_batch_begins_at_a_cache_line() {
    let folder = tempfile::tempdir().unwrap();
    let samples = samples(folder.path(), 30);
    let order: Vec<u32> = (0..30).collect();
    // Kept alive, given back, and cut short at the end.
    let whole = load(&samples, &order, options(2));
    let mut loader = Loader::new(list(&samples), order.as_slice(), options(2)).unwrap();
    for expected in &whole {
        let batch = loader.next().unwrap().unwrap();
        for images in [&batch.images, &expected.images, &expected.images.clone()] {
            for plane in images.chunks_exact(16 * 16) {
                assert!(plane.as_ptr().addr().is_multiple_of(ALIGNMENT));
            }
        }
        loader.recycle(batch.images.into());
    }
}
