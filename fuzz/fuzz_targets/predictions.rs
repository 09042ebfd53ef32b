//! A table of predictions; its first byte chooses what its numbers mean.
#![no_main]

use std::collections::HashSet;
use std::path::Path;

use falx_eval::{Scale, predictions};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, bytes)) = bytes.split_first() else {
        return;
    };
    let scale = [Scale::Probabilities, Scale::Logits, Scale::Percentages][usize::from(choice % 3)];
    match predictions::read_from(bytes, Path::new("p.csv"), scale) {
        Ok(read) => {
            assert!(!read.rows.is_empty(), "no row and no error");
            let ids: HashSet<&str> = read.rows.iter().map(|row| row.image_id.as_str()).collect();
            assert_eq!(ids.len(), read.rows.len(), "a slice twice");
            assert!(!ids.contains(""), "a slice without an id");
            let mut values = read.rows.iter().flat_map(|row| row.probabilities);
            assert!(values.all(|p| (0.0..=1.0).contains(&p.get())), "no probability");
        }
        Err(error) => assert!(error.to_string().contains("p.csv"), "the file is not named"),
    }
});
