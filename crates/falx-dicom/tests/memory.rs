//! No file makes the reader take more memory than it may, however large the image that it declares.

use std::alloc::System;
use std::time::Instant;

use cap::Cap;
use falx_dicom::{Reader, Refusal};

/// What all traps together may take; an allocation beyond it aborts the test.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, 256 << 20);

#[test]
fn all_traps_are_read_in_256_mib() {
    let Some(traps) = falx_fixtures::shared("conformance/traps") else {
        return;
    };
    let found = falx_fixtures::files_under(&traps);
    let mut reader = Reader::new();
    let mut slowest = Vec::new();
    let mut refused = 0;
    for path in &found {
        let start = Instant::now();
        let result = reader.read(path);
        let name = path.strip_prefix(&traps).unwrap();
        slowest.push((start.elapsed(), name));
        refused += usize::from(result.is_err());
        if name.starts_with("bombs") {
            let refusal = result.unwrap_err().refused().unwrap().refusal;
            assert!(
                matches!(
                    refusal,
                    Refusal::TooLarge | Refusal::NestingTooDeep | Refusal::Truncated
                ),
                "{}: {refusal}",
                name.display()
            );
        }
    }
    slowest.sort_by_key(|entry| std::cmp::Reverse(entry.0));
    let most = ALLOCATOR.max_allocated() >> 20;
    println!(
        "{} traps, {refused} refused, at most {most} MiB; the slowest:",
        found.len()
    );
    for (time, name) in slowest.iter().take(8) {
        println!("  {:.2} ms {}", time.as_secs_f64() * 1e3, name.display());
    }
}
