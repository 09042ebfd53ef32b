//! What the allocator of `falx` does with the buffers of batches.

use falx_data::pixels::ALIGNMENT;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[test]
fn large_buffers_are_aligned_so_that_a_vec_is_taken_out_of_pixels_without_a_move() {
    // Batches from 1 picture of 128² in three windows to 64 of 512²; all alive at once, with odd lengths between.
    let batches =
        (1..=64).flat_map(|batch| [128, 200, 256, 512].map(|side| batch * 3 * side * side + 15));
    let mut alive = Vec::new();
    for len in batches {
        let buffer: Vec<f32> = Vec::with_capacity(len);
        assert!(buffer.as_ptr().addr().is_multiple_of(ALIGNMENT), "{len}");
        alive.push(buffer);
        alive.push(Vec::with_capacity(len % 1021));
    }
}
