//! A data set behind a file meta group that is in order; the first byte chooses how its elements are written.
#![no_main]

use falx_fuzz::{NATIVE, check, meta};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, data_set)) = bytes.split_first() else {
        return;
    };
    let mut file = meta(NATIVE[usize::from(choice) % NATIVE.len()]);
    file.extend(data_set);
    check(&file);
});
