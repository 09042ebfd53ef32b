//! A whole file: the bytes as they are.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| falx_fuzz::check(bytes));
