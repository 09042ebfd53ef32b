//! From DICOM bytes to checked CT slices in Hounsfield units, or a typed refusal.
//!
//! A [`CtSlice`] that exists is right: its values come only from what the standard determines, or from a documented
//! repair that [`CtSlice::defects`] then names. What neither gives is refused with a [`Refusal`] from a closed list.
//! This crate knows nothing of labels or networks.
//!
//! Read are implicit and explicit little endian, explicit big endian and deflated data sets; RLE, JPEG (8 and 12 bits),
//! JPEG Lossless, JPEG-LS, JPEG 2000 and High-Throughput JPEG 2000 frames; CT Image, Enhanced CT and Legacy Converted
//! Enhanced CT objects, with each frame's own rescale and place.
//!
//! ```
//! # use falx_core::{Interrupt, Silent};
//! # use falx_phantom::{Layout, PhantomOptions};
//! # let folder = tempfile::tempdir()?;
//! # let options = PhantomOptions {
//! #     patients: 1, matrix: 64, masks: false, layout: Layout::Rsna, out: folder.path().join("made"),
//! #     ..PhantomOptions::default()
//! # };
//! # let made = falx_phantom::write(&options, &Silent, &Interrupt::default())?;
//! # let paths: Vec<_> = std::fs::read_dir(made.images)?.map(|e| e.unwrap().path()).collect();
//! use falx_dicom::{Reader, Refusal};
//!
//! let mut reader = Reader::new(); // one for each thread: its buffers are reused from file to file
//! for path in &paths {
//!     match reader.read(path) {
//!         Ok(decoded) => {
//!             for slice in &decoded.slices {
//!                 let (low, high) = slice.hu_min_max();
//!                 println!("{low:?} to {high:?}, {:?}", slice.defects);
//!             }
//!         }
//!         Err(error) if error.refused().is_some_and(|r| r.refusal == Refusal::NotDicom) => continue,
//!         Err(error) => println!("{error}"), // the file, what is wrong with it, and what to do
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Slices become a volume by their place, never by the names or numbers of their files:
//!
//! ```
//! # use falx_core::{Interrupt, Silent};
//! # use falx_phantom::{Layout, PhantomOptions};
//! # let folder = tempfile::tempdir()?;
//! # let options = PhantomOptions {
//! #     patients: 1, matrix: 64, masks: false, layout: Layout::Rsna, out: folder.path().join("made"),
//! #     ..PhantomOptions::default()
//! # };
//! # let made = falx_phantom::write(&options, &Silent, &Interrupt::default())?;
//! # let mut paths: Vec<_> = std::fs::read_dir(made.images)?.map(|e| e.unwrap().path()).collect();
//! use falx_dicom::series::{FolderFile, sort_folder};
//!
//! paths.sort();
//! let headers: Vec<_> = paths.iter().map(|path| falx_dicom::read_header(path)).collect::<Result<_, _>>()?;
//! let files: Vec<_> = headers.iter().map(FolderFile::from).collect();
//! let sorted = sort_folder(&files);
//! let series = &sorted.series[0];
//! assert!(series.geometry.is_volume());
//! println!("{} slices, {:?} mm apart", series.geometry.order.len(), series.geometry.spacing_mm);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A network's input comes straight from the file: windows × size × size numbers from 0 to 1 ([`picture`]):
//!
//! ```
//! # use falx_core::{Interrupt, Silent};
//! # use falx_phantom::{Layout, PhantomOptions};
//! # let folder = tempfile::tempdir()?;
//! # let options = PhantomOptions {
//! #     patients: 1, matrix: 64, masks: false, layout: Layout::Rsna, out: folder.path().join("made"),
//! #     ..PhantomOptions::default()
//! # };
//! # let made = falx_phantom::write(&options, &Silent, &Interrupt::default())?;
//! # let path = std::fs::read_dir(made.images)?.next().unwrap()?.path();
//! use falx_core::SEED_WINDOWS;
//!
//! let mut reader = falx_dicom::Reader::new();
//! let mut tensor = vec![0.0; 3 * 32 * 32];
//! let info = reader.read_tensor(&path, 32, &SEED_WINDOWS, &mut tensor)?;
//! assert!(tensor.iter().all(|value| (0.0..=1.0).contains(value)));
//! println!("{:?}", info.defects);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod attributes;
mod buffer;
mod check;
mod codec;
mod cursor;
mod dataset;
mod defect;
mod deflated;
mod encapsulated;
mod frames;
mod functional_groups;
mod header;
pub mod inspect;
mod layout;
mod meta;
mod nesting;
pub mod picture;
mod pixels;
mod reader;
mod refusal;
pub mod series;
mod slice;
mod text;
mod transfer_syntax;
pub mod voi;

pub use defect::{Defect, UnknownDefect};
pub use header::{PixelFormat, Plane, SliceHeader};
pub use reader::{Reader, read, read_bytes, read_header, read_headers, read_slice};
pub use refusal::{DicomError, Refusal, Refused};
pub use slice::{CtSlice, Decoded};
