//! The deflated transfer syntax: a data set as one raw DEFLATE stream, inflated no further than anything asks for.
//!
//! # Source
//! DICOM PS3.5 A.5, RFC 1951.

use flate2::{Decompress, FlushDecompress, Status};

use crate::{Refusal, Refused};

/// The most that a data set may hold besides its pixels, before them or after them.
pub(crate) const MAX_BESIDE_PIXELS: usize = 16 << 20;
/// How many bytes are inflated at a time.
const STEP: usize = 64 << 10;

/// A stream of which the beginning has been inflated.
pub(crate) struct Inflater<'a> {
    rest: &'a [u8],
    stream: Decompress,
    /// What has been inflated so far.
    pub(crate) bytes: Vec<u8>,
    pub(crate) is_done: bool,
}

impl<'a> Inflater<'a> {
    pub(crate) fn new(deflated: &'a [u8]) -> Self {
        Self {
            rest: deflated,
            stream: Decompress::new(false),
            bytes: Vec::new(),
            is_done: false,
        }
    }

    /// Inflates until there are `count` bytes or the stream ends.
    ///
    /// # Errors
    /// Truncated where the file ends inside the stream, a corrupt codestream where it is no DEFLATE stream.
    pub(crate) fn grow_to(&mut self, count: usize) -> Result<(), Refused> {
        while self.bytes.len() < count && !self.is_done {
            self.bytes.reserve(STEP);
            let (read, written) = (self.stream.total_in(), self.stream.total_out());
            let status = self
                .stream
                .decompress_vec(self.rest, &mut self.bytes, FlushDecompress::None)
                .map_err(|_| {
                    let detail = "the data set is no DEFLATE stream";
                    Refused::new(Refusal::CorruptCodestream, detail)
                })?;
            let read = (self.stream.total_in() - read) as usize;
            self.rest = self.rest.get(read..).unwrap_or_default();
            self.is_done = status == Status::StreamEnd;
            if !self.is_done && read == 0 && self.stream.total_out() == written {
                let detail = "the file ends inside its DEFLATE stream";
                return Err(Refused::new(Refusal::Truncated, detail));
            }
        }
        Ok(())
    }

    /// Inflates the rest, of which there may be no more than up to `limit` bytes in all.
    ///
    /// # Errors
    /// As [`Inflater::grow_to`], and too large beyond the limit.
    pub(crate) fn finish(&mut self, limit: usize) -> Result<(), Refused> {
        self.grow_to(limit.saturating_add(1))?;
        if self.bytes.len() > limit {
            return Err(too_large(limit));
        }
        Ok(())
    }

    /// What the file holds after the stream, beyond the one byte that makes its length even.
    pub(crate) fn has_trailing_bytes(&self) -> bool {
        self.is_done && self.rest.len() > 1
    }
}

pub(crate) fn too_large(limit: usize) -> Refused {
    Refused::new(
        Refusal::TooLarge,
        format!("the data set inflates to more than the {limit} bytes that its image can need"),
    )
}
