//! The data lock: one hash that says whether two files speak of the same slices and labels.

use falx_core::LabelRow;
use rayon::prelude::*;

/// The hash over image id, pixel hash (empty where there is none) and labels of each slice, in any order.
pub(crate) fn data_hash<'a>(rows: impl Iterator<Item = (&'a str, &'a str, LabelRow)>) -> String {
    let mut rows: Vec<_> = rows
        .map(|(id, pixels, labels)| (id, pixels, labels.0.map(|label| label.map_or(2, u8::from))))
        .collect();
    // Rows that compare equal are equal, so the result does not depend on the threads.
    rows.par_sort_unstable();
    let mut hasher = blake3::Hasher::new();
    for (id, pixels, labels) in rows {
        for text in [id, pixels] {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.update(&labels);
    }
    hasher.finalize().to_hex().to_string()
}
