//! What a loader thread does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use falx_core::{Hu, ImageId, LabelRow, TargetRow};
use falx_dicom::picture::FieldOfView;

use super::order::KeptOrder;
use super::ring::{Claim, Place};
use super::{Batch, LoaderError, LoaderOptions, Policy, Unreadable};
use crate::augment::{Placement, mix};
use crate::cache::{CacheReader, Found};
use crate::input::{Crop, InputError};
use crate::pixels::Pixels;
use crate::samples::{Sample, Samples};
use crate::source::{self, SliceReader};

/// What became of a position.
pub(super) enum Made {
    /// Its numbers are in their place.
    Sample {
        image_id: ImageId,
        labels: LabelRow,
        /// Damaged copies in the cache that were passed over.
        damaged: u64,
    },
    /// It could not be read.
    Unreadable(Unreadable),
    /// The epoch must end.
    Failed(LoaderError),
}

impl Made {
    pub(super) fn is_sample(&self) -> bool {
        matches!(self, Self::Sample { .. })
    }
}

/// What all threads share.
pub(super) struct Task {
    pub(super) samples: Arc<Samples>,
    pub(super) order: KeptOrder,
    pub(super) options: LoaderOptions,
}

/// What a thread keeps from sample to sample.
struct Scratch {
    reader: SliceReader,
    cache: Option<CacheReader>,
    /// Damaged copies in the cache that this sample has met.
    damaged: u64,
    /// The planes of a sample in HU.
    hu: Vec<f32>,
    /// A slice that is averaged into a plane.
    slab: Vec<f32>,
    /// How the sample is changed.
    placement: Option<Placement>,
}

/// Makes what `ring` asks for until nothing is left or the loader is dropped; `make` gives a sample, `write` its numbers.
///
/// A bug in either ends the epoch with an error: a thread that just ended would leave the others, and the consumer,
/// waiting for ever.
pub(super) fn serve<S>(
    ring: &Place,
    scratch: &mut S,
    make: impl Fn(&Claim, &mut S) -> Made,
    write: impl Fn(&S, &mut [f32]),
) {
    while let Some(claim) = ring.claim() {
        let bug = || {
            Made::Failed(LoaderError::Bug {
                position: claim.position,
            })
        };
        let whole = catch_unwind(AssertUnwindSafe(|| {
            let made = make(&claim, scratch);
            ring.put(&claim, made, |place| write(scratch, place));
        }));
        if whole.is_err() {
            ring.put(&claim, bug(), |_| {});
        }
    }
}

impl Task {
    /// Makes samples until none is left or the loader is dropped.
    pub(super) fn work(&self, ring: &Place) {
        let mut scratch = Scratch {
            reader: SliceReader::new(),
            cache: self.options.cache.clone().map(CacheReader::new),
            damaged: 0,
            hu: Vec::new(),
            slab: Vec::new(),
            placement: None,
        };
        let make = |claim: &Claim, scratch: &mut Scratch| self.make(claim, scratch);
        let write = |scratch: &Scratch, place: &mut [f32]| {
            let placement = scratch.placement.as_ref();
            self.options
                .input
                .channels_of(&scratch.hu, placement, place);
        };
        serve(ring, &mut scratch, make, write);
    }

    /// Makes the planes of a sample in `scratch.hu`.
    fn make(&self, claim: &Claim, scratch: &mut Scratch) -> Made {
        let position = claim.position;
        let found = self.order.get(position);
        let found = found.and_then(|at| Ok((at, self.samples.get(at)?)));
        let (at, sample) = match found {
            Ok(found) => found,
            Err(error) => return Made::Failed(error.into()),
        };
        match self.planes(position, at, &sample, scratch) {
            Ok(()) => Made::Sample {
                image_id: sample.image_id,
                labels: sample.labels,
                damaged: std::mem::take(&mut scratch.damaged),
            },
            Err(LoaderError::Unreadable(error)) if self.options.on_unreadable == Policy::Skip => {
                Made::Unreadable(Unreadable {
                    position,
                    image_id: sample.image_id,
                    path: sample.path,
                    reason: error.reason(),
                })
            }
            Err(error) => Made::Failed(error),
        }
    }

    fn planes(
        &self,
        position: usize,
        at: usize,
        sample: &Sample,
        scratch: &mut Scratch,
    ) -> Result<(), LoaderError> {
        let LoaderOptions {
            input,
            augment,
            seed,
            epoch,
            ..
        } = &self.options;
        let placement = augment.map(|augment| augment.draw(*seed, *epoch, position as u64));
        let (shift, thickness) =
            placement.map_or((0.0, 0.0), |drawn| (drawn.z_shift_mm, drawn.thickness_mm));
        let mut hu = std::mem::take(&mut scratch.hu);
        let len = input.plane_len();
        hu.resize(len * input.planes(), Hu::PADDING.0);
        let mut view = None;
        let mut drawn: Vec<Vec<usize>> = Vec::with_capacity(input.planes());
        for (number, offset) in input.planes_mm.iter().enumerate() {
            let slab = self.slab(at, offset + shift, thickness)?;
            let (before, rest) = hu.split_at_mut(number * len);
            let Some(plane) = rest.get_mut(..len) else {
                break;
            };
            // At the end of a series planes fall together.
            let twin = drawn.iter().position(|earlier| *earlier == slab);
            if let Some(same) = twin.and_then(|twin| before.get(twin * len..(twin + 1) * len)) {
                plane.copy_from_slice(same);
            } else {
                self.mean(&slab, (at, sample), scratch, &mut view, plane)?;
            }
            drawn.push(slab);
        }
        input.change(&mut hu, &mut scratch.reader.augmenter, placement.as_ref());
        scratch.hu = hu;
        scratch.placement = placement;
        Ok(())
    }

    /// The slices whose mean is a plane: one, or for a thicker plane those that lie in it.
    fn slab(&self, at: usize, offset: f32, thickness: f32) -> Result<Vec<usize>, LoaderError> {
        let half = thickness / 2.0;
        let mut slab = if half > 0.0 {
            self.samples
                .near(at, &[offset - half, offset, offset + half])?
        } else {
            self.samples.near(at, &[offset])?
        };
        slab.sort_unstable();
        slab.dedup();
        Ok(slab)
    }

    /// Draws the mean of some slices.
    fn mean(
        &self,
        slab: &[usize],
        (at, sample): (usize, &Sample),
        scratch: &mut Scratch,
        view: &mut Option<FieldOfView>,
        plane: &mut [f32],
    ) -> Result<(), LoaderError> {
        let mut one = std::mem::take(&mut scratch.slab);
        one.resize(plane.len(), Hu::PADDING.0);
        for (number, &place) in slab.iter().enumerate() {
            let neighbour;
            let slice = if place == at {
                sample
            } else {
                neighbour = self.samples.get(place)?;
                &neighbour
            };
            if slab.len() == 1 {
                self.plane(slice, scratch, view, plane)?;
                continue;
            }
            self.plane(slice, scratch, view, &mut one)?;
            if number == 0 {
                plane.fill(0.0);
            }
            for (sum, hu) in plane.iter_mut().zip(&one) {
                *sum += hu;
            }
        }
        if slab.len() > 1 {
            // A quotient, so that the mean of padding is padding.
            let count = slab.len() as f32;
            for sum in plane.iter_mut() {
                *sum /= count;
            }
        }
        scratch.slab = one;
        Ok(())
    }

    /// Draws a plane: as it is kept in memory, from the cache, or from its file.
    fn plane(
        &self,
        slice: &Sample,
        scratch: &mut Scratch,
        view: &mut Option<FieldOfView>,
        hu: &mut [f32],
    ) -> Result<(), InputError> {
        let input = &self.options.input;
        // A picture that is cut as another slice's head lies is no picture of its slice alone.
        let kept = self
            .options
            .kept
            .as_ref()
            .filter(|_| input.crop == Crop::None);
        if kept.is_some_and(|kept| kept.get(slice.row, hu)) {
            return Ok(());
        }
        let size = input.shows_all().then_some(input.size);
        let cache = scratch.cache.as_mut();
        let found = cache.map(|cache| cache.read(slice.row, size, hu));
        if let (Some(cache), Some(Found::Whole)) = (&scratch.cache, found) {
            input.draw_plane(cache.slice(), &slice.path, view, hu)?;
        } else if found != Some(Found::Picture) {
            let place = source::Place {
                path: &slice.path,
                window: slice.window,
            };
            let read = input.read_plane(&mut scratch.reader, place, view, hu);
            if found == Some(Found::Damaged) {
                scratch.damaged += 1;
                read.map_err(|source| InputError::DamagedCache {
                    path: slice.path.clone(),
                    source: Box::new(source),
                })?;
            } else {
                read?;
            }
        }
        if let Some(kept) = kept {
            kept.keep(slice.row, hu);
        }
        Ok(())
    }
}

impl Task {
    /// A complete batch as the consumer gets it: without gaps and its pairs mixed, or the error of its first sample that ends the epoch.
    pub(super) fn batch(
        &self,
        number: usize,
        mut images: Pixels,
        made: Vec<Option<Made>>,
    ) -> Result<Batch, LoaderError> {
        let LoaderOptions {
            input,
            batch: whole,
            shard,
            ..
        } = &self.options;
        let len = input.len();
        let first = number.saturating_mul(*whole);
        let own = shard.positions(number, *whole, self.order.len(), self.options.together());
        // The samples' places in the whole batch.
        let mut places = Vec::with_capacity(made.len());
        let mut batch = Batch {
            number,
            images: Pixels::default(),
            shape: [0, input.channels(), input.size, input.size],
            labels: Vec::with_capacity(made.len()),
            weights: Vec::new(),
            ids: Vec::with_capacity(made.len()),
            damaged: 0,
            unreadable: Vec::new(),
        };
        for (at, made) in made.into_iter().enumerate() {
            match made {
                Some(Made::Sample {
                    image_id,
                    labels,
                    damaged,
                }) => {
                    batch.damaged += damaged;
                    let to = batch.ids.len() * len;
                    if to != at * len {
                        images.copy_within(at * len..(at + 1) * len, to);
                    }
                    places.push(own.start - first + at);
                    batch.labels.push(labels.into());
                    batch.ids.push(image_id);
                }
                Some(Made::Unreadable(slice)) => batch.unreadable.push(slice),
                Some(Made::Failed(error)) => return Err(error),
                None => return Err(LoaderError::Gone { batch: number }),
            }
        }
        batch.shape[0] = batch.ids.len();
        images.truncate(batch.ids.len() * len);
        batch.images = images;
        if let Some(augment) = &self.options.augment {
            let key = (self.options.seed, self.options.epoch, first as u64);
            mix::mix(
                augment,
                key,
                &places,
                batch.shape,
                &mut batch.images,
                &mut batch.labels,
            );
        }
        // Of a mixture less may be known than of either sample.
        let weight = |row: &TargetRow| if row.is_empty() { 0.0 } else { 1.0 };
        batch.weights = batch.labels.iter().map(weight).collect();
        Ok(batch)
    }
}
