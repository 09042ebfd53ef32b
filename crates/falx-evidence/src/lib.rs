//! What a detector says of a study as DICOM objects in the same study ("evidence", as IHE calls objects that carry findings).
//!
//! [`write_study`] writes
//! - a structured report: a Measurement Report (TID 1500) with a coded finding, a probability and, where there is a rule, a presence
//!   for each label;
//! - secondary captures: a page with the table of findings, and the caller's pictures, which every viewer shows;
//! - parametric maps: heat maps as numbers, aligned to the slices;
//! - a key object selection: the slices and pictures to look at first.
//!
//! The crate knows no detector: [`StudyFindings`] is its own input. Of the source files it reads the header alone
//! ([`SourceSlice`]), in any transfer syntax, and copies what identifies patient and study as it is; what is missing stays
//! empty. The bytes that are written follow from the input, the instant of writing included.

mod capture;
mod check;
mod code;
mod content;
mod copied;
mod element;
mod error;
mod findings;
mod heat_map;
mod keys;
mod observer;
mod page;
mod report;
mod source;
mod study;
mod text;
mod uid;
mod write;

pub use error::EvidenceError;
pub use findings::{
    AlgorithmIdentification, Finding, HeatMap, KeyPicture, MapFrame, MapQuantity, Presence,
    RgbPicture, StudyFindings, WrittenAt,
};
pub use source::SourceSlice;
pub use write::{NoUid, Written, WrittenObject, write_study};
