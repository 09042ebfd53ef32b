//! Deflated data sets.

use flate2::{Decompress, FlushDecompress, Status};

use crate::{Refusal, Refused};

/// The first step of the output's growth; it doubles from there.
const FIRST_STEP: usize = 64 * 1024;

/// Inflates a raw DEFLATE stream; what follows its end (a padding byte) is ignored.
///
/// # Errors
/// [`Refusal::TooLarge`] where more than `limit` bytes would come out (one byte over it is the most that is ever held),
/// [`Refusal::Truncated`] where the stream ends early, [`Refusal::CorruptCodestream`] where it is no such stream.
///
/// # Source
/// PS3.5 A.5; RFC 1951.
pub(crate) fn inflate(bytes: &[u8], limit: usize) -> Result<Vec<u8>, Refused> {
    let mut stream = Decompress::new(false);
    let mut inflated = Vec::new();
    loop {
        if inflated.len() > limit {
            let detail = format!("the deflated data set has more than {limit} bytes");
            return Err(Refused::new(Refusal::TooLarge, detail));
        }
        if inflated.len() == inflated.capacity() {
            let step = inflated.len().max(FIRST_STEP);
            let room = limit.saturating_add(1) - inflated.len();
            inflated.reserve_exact(step.min(room));
        }
        let rest = usize::try_from(stream.total_in())
            .ok()
            .and_then(|read| bytes.get(read..))
            .unwrap_or_default();
        let before = (stream.total_in(), inflated.len());
        let status = stream
            .decompress_vec(rest, &mut inflated, FlushDecompress::None)
            .map_err(|_| {
                let detail = "the data set is not a deflate stream";
                Refused::new(Refusal::CorruptCodestream, detail)
            })?;
        if status == Status::StreamEnd && inflated.len() <= limit {
            return Ok(inflated);
        }
        let stuck = before == (stream.total_in(), inflated.len());
        if stuck && inflated.len() < inflated.capacity() {
            let detail = "the deflated data set ends early";
            return Err(Refused::new(Refusal::Truncated, detail));
        }
    }
}
