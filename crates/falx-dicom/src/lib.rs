//! From DICOM bytes to a checked CT slice in Hounsfield units, or a typed refusal.
//!
//! A [`CtSlice`] that exists is right: its values come only from what the standard determines, or from a documented
//! repair that [`CtSlice::defects`] then names. What neither gives is refused with a [`Refusal`] from a closed list.
//! This crate decodes uncompressed little-endian images of one frame; it knows nothing of labels or tensors.
//!
//! ```no_run
//! let mut reader = falx_dicom::Reader::new(); // its buffers are reused from file to file
//! let slice = reader.read(std::path::Path::new("slice.dcm"))?;
//! println!("{} x {}, {:?}", slice.header.rows, slice.header.cols, slice.hu_min_max());
//! # Ok::<(), falx_dicom::DicomError>(())
//! ```

mod attributes;
mod check;
#[allow(dead_code, reason = "the reader does not call it yet")]
mod codec;
mod cursor;
mod dataset;
mod defect;
mod header;
mod layout;
mod meta;
mod nesting;
mod pixels;
mod reader;
mod refusal;
pub mod series;
mod slice;
mod text;
pub mod voi;

pub use defect::{Defect, UnknownDefect};
pub use header::{PixelFormat, SliceHeader};
pub use reader::{Reader, read_bytes, read_file, read_header};
pub use refusal::{DicomError, Refusal, Refused};
pub use slice::CtSlice;
