//! Reading a cache: any slice by its row.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use falx_core::Hu;
use falx_dicom::{CtSlice, SliceHeader, picture};

use super::packed::{NotPacked, Packed, Unpacker};
use super::shard::{SHARD, Shard, Slot};
use super::{CacheError, CacheManifest, PictureForm};
use crate::input::{Crop, InputSpec};

/// Shards that a reader keeps open.
const OPEN: usize = 16;

/// A cache that has been found to fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Cache {
    folder: PathBuf,
    manifest: CacheManifest,
}

/// What a cache has of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The slice, drawn as it is wanted.
    Picture,
    /// The whole slice, without loss.
    Whole,
    /// Nothing: it could not be read when the cache was made, or its shard is missing.
    Nothing,
    /// The slice is damaged: a bit has changed since it was written, or the shard was cut.
    Damaged,
}

impl Cache {
    /// Opens the cache in `folder`, for slices of the index with the data lock `data_hash`, drawn as `input` says.
    ///
    /// # Errors
    /// [`CacheError`] where there is none, or it is of other data or of pictures of another form.
    pub fn open(folder: &Path, data_hash: &str, input: &InputSpec) -> Result<Self, CacheError> {
        let manifest = CacheManifest::read(folder)?;
        let other = |what: String| CacheError::Other {
            path: folder.to_owned(),
            what,
        };
        if manifest.data_hash != data_hash {
            return Err(other(format!(
                "was made from other data (data lock {} against {data_hash})",
                manifest.data_hash
            )));
        }
        let wanted = PictureForm::of(input);
        if let Some(have) = manifest.picture.filter(|have| *have != wanted) {
            return Err(other(format!(
                "holds pictures {have}, and {wanted} are wanted"
            )));
        }
        if input.own_window && manifest.picture.is_none() {
            return Err(other(
                "holds whole slices without their files' own windows, which pictures of `--size`, `--clip-hu` and `--own-window` show"
                    .to_owned(),
            ));
        }
        let is_cut = manifest.picture.is_some_and(|have| have.crop == Crop::Head);
        if is_cut && input.planes() > 1 {
            return Err(other(
                "holds each slice around its own head, and several planes must be cut alike"
                    .to_owned(),
            ));
        }
        Ok(Self {
            folder: folder.to_owned(),
            manifest,
        })
    }

    /// What the cache holds.
    pub fn manifest(&self) -> &CacheManifest {
        &self.manifest
    }
}

impl std::fmt::Display for PictureForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "of {0} × {0} pixels", self.size)?;
        if let Some(mm) = self.mm_per_pixel {
            write!(f, " of {mm} mm")?;
        }
        if self.crop == Crop::Head {
            write!(f, " around the head")?;
        }
        if let Some([low, high]) = self.clip_hu {
            write!(f, ", cut off beyond {low} and {high} HU")?;
        }
        if self.own_window {
            write!(f, ", which are its file's own window")?;
        }
        Ok(())
    }
}

/// Reads slices of a cache; keeps buffers and open shards. One for each thread.
#[derive(Debug)]
pub struct CacheReader {
    cache: Arc<Cache>,
    /// The shards that were used last, the latest in front.
    open: VecDeque<(usize, Shard)>,
    bytes: Vec<u8>,
    unpacker: Unpacker,
    /// The whole slice that was read last.
    slice: CtSlice,
}

impl CacheReader {
    /// A reader without open shards.
    pub fn new(cache: Arc<Cache>) -> Self {
        Self {
            cache,
            open: VecDeque::new(),
            bytes: Vec::new(),
            unpacker: Unpacker::default(),
            slice: CtSlice::default(),
        }
    }

    /// Reads the slice of index row `row`: a picture into `hu`, or a whole slice for [`CacheReader::slice`] to give.
    ///
    /// With `size` a picture of this side shows the whole slice, and may be drawn from one at once.
    ///
    /// # Shape
    /// `hu` is the picture that is wanted.
    pub(crate) fn read(&mut self, row: u32, size: Option<usize>, hu: &mut [f32]) -> Found {
        let (number, place) = (row as usize / SHARD, row as usize % SHARD);
        let at = self.open.iter().position(|(have, _)| *have == number);
        let opened = if let Some(at) = at {
            self.open.remove(at)
        } else {
            let path = CacheManifest::shard_of(&self.cache.folder, row);
            let shard = Shard::open(&path).ok();
            shard.map(|shard| (number, shard))
        };
        let Some((number, shard)) = opened else {
            return Found::Nothing;
        };
        let slot = shard.read(place, &mut self.bytes);
        self.open.truncate(OPEN - 1);
        self.open.push_front((number, shard));
        match slot {
            Ok(Slot::Slice) => self.unpack(size, hu).unwrap_or(Found::Damaged),
            Ok(Slot::Empty) | Err(_) => Found::Nothing,
            Ok(Slot::Damaged) => Found::Damaged,
        }
    }

    /// Unpacks what was read.
    fn unpack(&mut self, size: Option<usize>, hu: &mut [f32]) -> Result<Found, NotPacked> {
        let packed = Packed::new(&self.bytes)?;
        if self.cache.manifest.picture.is_some() {
            packed.unpack(&mut self.unpacker, hu)?;
            return Ok(Found::Picture);
        }
        let CtSlice {
            header, hu: whole, ..
        } = &mut self.slice;
        *header = SliceHeader {
            rows: packed.head.rows,
            cols: packed.head.cols,
            pixel_spacing: packed.head.pixel_spacing,
            ..SliceHeader::default()
        };
        let is_quick = |&size: &usize| packed.is_whole() && picture::is_halved(header, size);
        if let Some(size) = size.filter(is_quick) {
            let numbers = packed.unpack_whole(&mut self.unpacker)?;
            if picture::fit_whole(header, numbers, size, hu) {
                return Ok(Found::Picture);
            }
        }
        whole.resize(packed.len(), Hu::PADDING);
        packed.unpack(&mut self.unpacker, whole)?;
        Ok(Found::Whole)
    }

    /// The whole slice that was read last.
    pub(crate) fn slice(&self) -> &CtSlice {
        &self.slice
    }
}
