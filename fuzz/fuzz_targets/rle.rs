//! RLE: the first byte chooses the cells and where a second fragment begins, the rest is the frame.
#![no_main]

use falx_fuzz::{Cells, check, encapsulated, image, rescale};

const CELLS: [Cells; 4] = [
    Cells { allocated: 16, stored: 12, representation: 0 },
    Cells { allocated: 16, stored: 16, representation: 1 },
    Cells { allocated: 8, stored: 8, representation: 0 },
    Cells { allocated: 32, stored: 32, representation: 1 },
];

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, frame)) = bytes.split_first() else {
        return;
    };
    let choice = usize::from(choice);
    let pixels = encapsulated(frame, choice / CELLS.len() * 2);
    let rest = [rescale(), pixels].concat();
    check(&image("1.2.840.10008.1.2.5", CELLS[choice % CELLS.len()], &rest));
});
