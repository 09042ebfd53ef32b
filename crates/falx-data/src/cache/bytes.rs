//! A shard's bytes without its cache: what a file that somebody found holds.

use falx_core::Hu;
use falx_dicom::{CtSlice, SliceHeader};

use super::packed::{Head, Packed, Unpacker, Values, pack};
use super::shard::{SHARD, Shard, Slot};

/// What stands at a place of a shard.
#[derive(Clone, Debug, PartialEq)]
pub enum Held {
    /// A slice or a picture.
    Slice(Box<CtSlice>),
    /// Nothing: it could not be read when the cache was made.
    Empty,
    /// What is no longer as it was written.
    Damaged,
}

/// Reads all [`SHARD`] places of a shard. Bytes that are none are damaged places.
pub fn read_shard(bytes: &[u8]) -> Vec<Held> {
    let shard = Shard::of(bytes);
    let mut packed = Vec::new();
    let held = |place: usize| match shard.read(place, &mut packed) {
        Ok(Slot::Slice) => {
            unpack_slice(&packed).map_or(Held::Damaged, |slice| Held::Slice(Box::new(slice)))
        }
        Ok(Slot::Empty) => Held::Empty,
        Ok(Slot::Damaged) | Err(_) => Held::Damaged,
    };
    (0..SHARD).map(held).collect()
}

/// Packs a slice as shards hold it: its shape, Pixel Spacing and values; `None` where these do not fit each other.
pub fn pack_slice(slice: &CtSlice) -> Option<Vec<u8>> {
    let head = Head {
        rows: slice.header.rows,
        cols: slice.header.cols,
        pixel_spacing: slice.header.pixel_spacing,
    };
    let hu = slice.hu.iter().map(|hu| hu.0).collect();
    pack(&Values { head, hu }).ok()
}

/// Unpacks what [`pack_slice`] gave; `None` for other bytes.
pub fn unpack_slice(bytes: &[u8]) -> Option<CtSlice> {
    let packed = Packed::new(bytes).ok()?;
    let mut hu = vec![Hu::PADDING; packed.len()];
    packed.unpack(&mut Unpacker::default(), &mut hu).ok()?;
    let Head {
        rows,
        cols,
        pixel_spacing,
    } = packed.head;
    Some(CtSlice {
        header: SliceHeader {
            rows,
            cols,
            pixel_spacing,
            ..SliceHeader::default()
        },
        hu,
        ..CtSlice::default()
    })
}
