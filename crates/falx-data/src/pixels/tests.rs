use super::{ALIGNMENT, Pixels};

fn is_aligned(pixels: &Pixels) -> bool {
    pixels.as_ptr().addr().is_multiple_of(ALIGNMENT)
}

#[test]
fn numbers_begin_at_a_cache_line_wherever_their_buffer_does() {
    // Buffers of many sizes begin at many addresses; all are alive at once.
    let mut starts = std::collections::BTreeSet::new();
    let mut alive = Vec::new();
    for len in (0..400).chain([1 << 16, 3 << 18]) {
        for buffer in [Vec::new(), vec![1.0; len / 2], Pixels::room(len)] {
            let mut pixels = Pixels::within(buffer, len);
            assert!(is_aligned(&pixels) && is_aligned(&pixels.clone()));
            assert_eq!(pixels.len(), len);
            starts.insert(pixels.start);
            for (pixel, number) in pixels.iter_mut().zip(0_u16..) {
                *pixel = number.into();
            }
            alive.push(pixels);
        }
    }
    assert!(starts.len() > 1, "every buffer was aligned already");
    for pixels in alive {
        let (kept, clone) = (pixels.to_vec(), pixels.clone());
        assert_eq!(clone, pixels);
        let (buffer, part) = clone.into_parts();
        assert_eq!(buffer[part], kept);
        assert_eq!(Vec::from(pixels), kept);
    }
}

#[test]
fn a_buffer_is_used_again_where_it_is() {
    let buffer = Pixels::room(1000);
    let place = buffer.as_ptr();
    let mut pixels = Pixels::within(buffer, 1000);
    for len in [1000, 7, 1000, 0, 999] {
        let buffer = Vec::from(pixels);
        assert_eq!(buffer.as_ptr(), place);
        pixels = Pixels::within(buffer, len);
        assert!(is_aligned(&pixels));
        assert_eq!(pixels.len(), len);
        pixels.truncate(len / 2);
        assert_eq!(pixels.len(), len / 2);
    }
}
