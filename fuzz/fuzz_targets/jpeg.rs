//! The JPEG families: the first byte chooses the transfer syntax, the second the cells, the rest is the codestream.
#![no_main]

use falx_fuzz::{Cells, JPEG, check, encapsulated, image, rescale};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let &[syntax, bits, ref codestream @ ..] = bytes else {
        return;
    };
    // Bits 0 to 3: Bits Stored from 1 to 16; bit 4: signed; bits 5 to 7: where a second fragment begins.
    let stored = u16::from(bits % 16) + 1;
    let cells = Cells {
        allocated: if stored > 8 { 16 } else { 8 },
        stored,
        representation: u16::from(bits >> 4 & 1),
    };
    let pixels = encapsulated(codestream, usize::from(bits >> 5) * 16);
    let rest = [rescale(), pixels].concat();
    check(&image(JPEG[usize::from(syntax) % JPEG.len()], cells, &rest));
});
