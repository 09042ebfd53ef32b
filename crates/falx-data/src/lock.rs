//! The data lock: one hash that says whether two files speak of the same slices and labels.

use falx_core::LabelRow;

/// The lock while slices come by, in any order: the sum of their hashes, which does not depend on it.
#[derive(Debug, Default)]
pub(crate) struct DataLock {
    slices: u64,
    sum: [u64; 4],
}

impl DataLock {
    /// Takes a slice: image id, pixel hash (empty where there is none) and labels.
    pub(crate) fn add(&mut self, id: &str, pixels: &str, labels: LabelRow) {
        let mut hasher = blake3::Hasher::new();
        for text in [id, pixels] {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.update(&labels.0.map(|label| label.map_or(2, u8::from)));
        let hash = hasher.finalize();
        let mut carry = false;
        for (sum, bytes) in self.sum.iter_mut().zip(hash.as_bytes().chunks_exact(8)) {
            let mut eight = [0; 8];
            eight.copy_from_slice(bytes);
            let (first, over) = sum.overflowing_add(u64::from_le_bytes(eight));
            let (second, again) = first.overflowing_add(u64::from(carry));
            *sum = second;
            carry = over || again;
        }
        self.slices += 1;
    }

    /// The lock as text.
    pub(crate) fn finish(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.slices.to_le_bytes());
        for word in self.sum {
            hasher.update(&word.to_le_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}

/// The lock of slices.
pub(crate) fn data_hash<'a>(slices: impl Iterator<Item = (&'a str, &'a str, LabelRow)>) -> String {
    let mut lock = DataLock::default();
    for (id, pixels, labels) in slices {
        lock.add(id, pixels, labels);
    }
    lock.finish()
}
