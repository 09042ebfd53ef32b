//! Records as TensorFlow frames them: a length, its checksum, the bytes, their checksum.
//!
//! # Source
//! `tensorflow/core/lib/io/record_writer.h` and `core/lib/hash/crc32c.h`.

/// A length and its checksum.
const HEAD: usize = 12;
/// A checksum.
const SUM: usize = 4;

/// The CRC-32C of `bytes`, turned and moved so that the checksum of bytes that hold checksums stays good.
pub(super) fn masked(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
}

/// Appends one record.
pub(super) fn frame(bytes: &[u8], out: &mut Vec<u8>) {
    let length = (bytes.len() as u64).to_le_bytes();
    out.extend(length);
    out.extend(masked(&length).to_le_bytes());
    out.extend(bytes);
    out.extend(masked(bytes).to_le_bytes());
}

/// The records of a file, up to the first that is cut off or damaged: a killed run leaves half a record.
pub(super) fn records(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let (length, sum) = head.split_at(HEAD - SUM);
        if sum != masked(length).to_le_bytes() {
            return None;
        }
        let length = usize::try_from(u64::from_le_bytes(length.try_into().ok()?)).ok()?;
        let (record, rest) = rest.split_at_checked(length)?;
        let (sum, rest) = rest.split_at_checked(SUM)?;
        if sum != masked(record).to_le_bytes() {
            return None;
        }
        bytes = rest;
        Some(record)
    })
}
