use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use proptest::prelude::*;

use crate::Refusal;
use crate::codec::inflate;

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn refusal(bytes: &[u8], limit: usize) -> Refusal {
    inflate(bytes, limit).unwrap_err().refusal
}

#[test]
fn the_limit_is_the_last_size_that_passes() {
    let plain = vec![7; 1_000_000];
    let deflated = deflate(&plain);
    assert_eq!(inflate(&deflated, plain.len()).unwrap(), plain);
    assert_eq!(refusal(&deflated, plain.len() - 1), Refusal::TooLarge);
    assert_eq!(refusal(&deflated, 0), Refusal::TooLarge);
}

#[test]
fn an_empty_stream_and_a_padding_byte_are_fine() {
    assert_eq!(inflate(&deflate(&[]), 0).unwrap(), []);
    let mut padded = deflate(b"data set");
    padded.push(0);
    assert_eq!(inflate(&padded, 100).unwrap(), b"data set");
}

#[test]
fn what_is_no_deflate_stream_is_corrupt() {
    // Block type 3 is reserved.
    assert_eq!(refusal(&[0xFF; 64], 1000), Refusal::CorruptCodestream);
}

proptest! {
    #[test]
    fn a_cut_stream_is_truncated(plain in prop::collection::vec(any::<u8>(), 0..3000), at in 0.0..1.0) {
        let deflated = deflate(&plain);
        let at = (at * deflated.len() as f64) as usize;
        prop_assert_eq!(refusal(&deflated[..at], 1 << 20), Refusal::Truncated);
    }

    #[test]
    fn any_bytes_end_within_the_limit(bytes in prop::collection::vec(any::<u8>(), 0..400), limit in 0_usize..5000) {
        if let Ok(inflated) = inflate(&bytes, limit) {
            prop_assert!(inflated.len() <= limit);
        }
    }
}
