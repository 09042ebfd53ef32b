//! Bits of an entropy-coded segment, most significant first, up to the marker that ends it.

use super::corrupt;
use crate::Refused;

/// A byte after which the next one is stuffed or part of a marker.
const MARK: u8 = 0xFF;

/// Reads bits of a JPEG segment (a zero byte is stuffed after each FF), or of a JPEG-LS one where `BIT_STUFFED` (a zero
/// bit is).
///
/// # Source
/// ITU-T T.81 B.1.1.5 and F.1.2.3; ITU-T T.87 A.1.
pub(super) struct BitReader<'a, const BIT_STUFFED: bool> {
    bytes: &'a [u8],
    /// The first byte not yet in `buffer`.
    at: usize,
    /// The next bits, from the top; below `count` of them there may be bits of the byte at `at`.
    buffer: u64,
    count: u32,
    after_mark: bool,
}

impl<'a, const BIT_STUFFED: bool> BitReader<'a, BIT_STUFFED> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            buffer: 0,
            count: 0,
            after_mark: false,
        }
    }

    /// Makes at least 56 bits ready, or all that are left.
    #[inline]
    pub(super) fn refill(&mut self) {
        if self.count >= 56 {
            return;
        }
        let word = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk);
        if let (Some(&word), false) = (word, self.after_mark) {
            let word = u64::from_be_bytes(word);
            // A byte of the complement is zero where one of the word is FF.
            let complement = !word;
            let zero_byte =
                complement.wrapping_sub(0x0101_0101_0101_0101) & word & 0x8080_8080_8080_8080;
            if zero_byte == 0 {
                self.buffer |= word >> self.count;
                let bytes = (64 - self.count) / 8;
                self.at += bytes as usize;
                self.count += 8 * bytes;
                return;
            }
        }
        self.refill_by_bytes();
    }

    #[cold]
    fn refill_by_bytes(&mut self) {
        while self.count < 56 {
            let Some(&byte) = self.bytes.get(self.at) else {
                return;
            };
            let mut bits = 8;
            if BIT_STUFFED {
                if self.after_mark {
                    bits = 7;
                }
                let next = self.bytes.get(self.at + 1);
                if byte == MARK && next.is_none_or(|&next| next >= 0x80) {
                    return;
                }
                self.after_mark = byte == MARK;
            } else if byte == MARK {
                if self.bytes.get(self.at + 1) != Some(&0) {
                    return;
                }
                self.at += 1;
            }
            let top = u64::from(byte) << (64 - bits);
            self.buffer |= top >> self.count;
            self.at += 1;
            self.count += bits;
        }
    }

    /// The next 64 bits; those that are not ready are undefined.
    #[inline]
    pub(super) fn peek(&self) -> u64 {
        self.buffer
    }

    /// Takes `bits` (below 64) that are ready.
    #[inline]
    pub(super) fn consume(&mut self, bits: u32) -> Result<(), Refused> {
        let left = self.count.checked_sub(bits);
        self.count = left.ok_or_else(ends_early)?;
        self.buffer <<= bits;
        Ok(())
    }

    /// Takes `bits` (at most 32) that are ready as a number.
    #[inline]
    pub(super) fn take(&mut self, bits: u32) -> Result<u32, Refused> {
        // In two steps, for no bits at all.
        let value = (self.buffer >> 1 >> (63 - bits)) as u32;
        self.consume(bits)?;
        Ok(value)
    }

    /// What follows the segment, from its marker on, where no more than the padding of a byte is left of it.
    pub(super) fn end(mut self) -> Result<&'a [u8], Refused> {
        self.refill();
        // A bit-stuffed segment that ends in FF has a byte of seven bits more.
        let padding = if BIT_STUFFED { 15 } else { 7 };
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if self.count > padding || rest.first().is_some_and(|&byte| byte != MARK) {
            return Err(corrupt("compressed data is left over behind the image"));
        }
        Ok(rest)
    }
}

#[cold]
fn ends_early() -> Refused {
    corrupt("the compressed data ends early")
}
