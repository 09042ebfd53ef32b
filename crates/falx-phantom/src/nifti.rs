//! A series' masks as one NIfTI-1 file.

use std::io::Write;

use flate2::{Compression, GzBuilder};

use crate::scan::{RenderedSlice, Stack};

/// A compressed NIfTI-1 volume of bytes: columns, rows, slices from the feet up, bit k for subtype k.
///
/// # Source
/// NIfTI-1 header, `nifti1.h` (Cox et al. 2004). Its axes point right, front, up; DICOM's left, back, up.
pub fn volume(stack: &Stack, slices: &[RenderedSlice]) -> std::io::Result<Vec<u8>> {
    let matrix = slices.first().map_or(0, |s| s.matrix);
    let pixel = stack.field / matrix.max(1) as f32;
    let origin = stack.corner(0, matrix, pixel);
    let next = stack.corner(1, matrix, pixel);
    let down = stack.down();
    let step: [f32; 3] = std::array::from_fn(|i| next[i] - origin[i]);
    let spacing = step.iter().map(|c| c * c).sum::<f32>().sqrt();
    let mut header = [0_u8; 352];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &348_i32.to_le_bytes());
    for (k, size) in [
        3,
        matrix as i16,
        matrix as i16,
        slices.len() as i16,
        1,
        1,
        1,
        1,
    ]
    .into_iter()
    .enumerate()
    {
        put(40 + 2 * k, &size.to_le_bytes());
    }
    put(70, &2_i16.to_le_bytes()); // unsigned bytes
    put(72, &8_i16.to_le_bytes());
    for (k, size) in [1.0, pixel, pixel, spacing].into_iter().enumerate() {
        put(76 + 4 * k, &size.to_le_bytes());
    }
    put(108, &352.0_f32.to_le_bytes());
    put(112, &1.0_f32.to_le_bytes());
    put(123, &[2]); // mm
    put(148, b"bit k: subtype k in the order epidural..subdural");
    put(254, &1_i16.to_le_bytes()); // the affine holds scanner coordinates
    for (row, sign) in [-1.0_f32, -1.0, 1.0].into_iter().enumerate() {
        let across = [pixel, 0.0, 0.0][row];
        let values = [across, down[row] * pixel, step[row], origin[row]];
        for (k, value) in values.into_iter().enumerate() {
            put(280 + 16 * row + 4 * k, &(sign * value).to_le_bytes());
        }
    }
    put(344, b"n+1\0");
    let mut out = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::fast());
    out.write_all(&header)?;
    for slice in slices {
        out.write_all(&slice.mask)?;
    }
    out.finish()
}
