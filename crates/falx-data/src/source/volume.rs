//! `NIfTI` volumes of Hounsfield units as axial slices, turned as DICOM shows them.

use std::path::Path;

use falx_core::Hu;
use falx_dicom::{CtSlice, SliceHeader};
use nifti::volume::inmem::InMemNiftiVolume;
use nifti::{NiftiHeader, NiftiObject, NiftiVolume, RandomAccessNiftiVolume, ReaderOptions, XForm};

use super::{Fault, SourceFault};

/// The most voxels of a volume.
const MAX_VOXELS: usize = 1 << 26;

/// A volume in memory.
pub(crate) struct Volume {
    values: Vec<f32>,
    /// Columns, rows, slices as the file has them.
    size: [usize; 3],
    grid: Grid,
    /// What the file says of itself.
    description: String,
}

/// How voxels lie in the patient, in DICOM's axes (left, posterior, head) and mm.
#[derive(Clone, Copy, Debug)]
struct Grid {
    origin: [f64; 3],
    /// One step along columns, rows, slices.
    steps: [[f64; 3]; 3],
}

fn damaged(error: impl std::fmt::Display) -> Fault {
    Fault::new(SourceFault::DamagedVolume, error.to_string())
}

fn unsupported(what: &str) -> Fault {
    Fault::new(SourceFault::UnsupportedVolume, what)
}

impl Volume {
    /// Reads the volume at `path`, `.nii` or `.nii.gz`.
    pub(crate) fn read(path: &Path) -> Result<Self, Fault> {
        let header = NiftiHeader::from_file(path).map_err(damaged)?;
        let size = size(&header)?;
        let grid = Grid::of(&header)?;
        let description = String::from_utf8_lossy(&header.descrip).into_owned();
        let object = ReaderOptions::new().read_file(path).map_err(damaged)?;
        let volume: InMemNiftiVolume = object.into_volume();
        let mut values = Vec::with_capacity(size.iter().product());
        let dimensions = volume.dim().len();
        let sides = size.map(|side| side as u16);
        for z in 0..sides[2] {
            for y in 0..sides[1] {
                for x in 0..sides[0] {
                    let place = [x, y, z, 0, 0, 0, 0];
                    let place = place.get(..dimensions).unwrap_or(&place);
                    values.push(volume.get_f32(place).map_err(damaged)?);
                }
            }
        }
        Ok(Self {
            values,
            size,
            grid,
            description,
        })
    }

    /// What the file says of itself.
    pub(crate) fn description(&self) -> &str {
        self.description.trim_end_matches('\0').trim()
    }

    /// The number of the slice whose first pixel, as [`Volume::slice`] turns it, lies within `tolerance` mm of `position`.
    pub(crate) fn slice_at(&self, position: [f64; 3], tolerance: f64) -> Option<u32> {
        let step = self.grid.steps[2];
        let first = self.position(0);
        let from_first: [f64; 3] = std::array::from_fn(|axis| position[axis] - first[axis]);
        let along: f64 = from_first.iter().zip(step).map(|(a, b)| a * b).sum();
        let at = (along / length(step).powi(2)).round();
        if !(0.0..self.size[2] as f64).contains(&at) {
            return None;
        }
        let at = at as usize;
        let there = self.position(at);
        let off: [f64; 3] = std::array::from_fn(|axis| position[axis] - there[axis]);
        (length(off) <= tolerance).then_some(at as u32 + 1)
    }

    /// Whether columns and rows are turned over to run to the patient's left and to the back.
    fn flips(&self) -> [bool; 2] {
        let [to_col, to_row, _] = self.grid.steps;
        [to_col[0] < 0.0, to_row[1] < 0.0]
    }

    /// Where the first pixel of slice `at`, from 0, lies in the patient once it is turned.
    fn position(&self, at: usize) -> [f64; 3] {
        let [to_col, to_row, to_slice] = self.grid.steps;
        let [flip_cols, flip_rows] = self.flips();
        let first = |flip, count: usize| if flip { (count - 1) as f64 } else { 0.0 };
        let (first_col, first_row) = (
            first(flip_cols, self.size[0]),
            first(flip_rows, self.size[1]),
        );
        std::array::from_fn(|axis| {
            self.grid.origin[axis]
                + first_col * to_col[axis]
                + first_row * to_row[axis]
                + at as f64 * to_slice[axis]
        })
    }

    /// How many slices.
    pub(crate) fn len(&self) -> u32 {
        self.size[2] as u32
    }

    /// The slice of this number, from 1: its rows run to the patient's left and its columns to the back.
    pub(crate) fn slice(&self, number: u32) -> Result<CtSlice, Fault> {
        let [cols, rows, slices] = self.size;
        let at = (number as usize).wrapping_sub(1);
        if at >= slices {
            return Err(unsupported(&format!("it has {slices} slices")));
        }
        let plane = cols * rows;
        let values = self
            .values
            .get(at * plane..(at + 1) * plane)
            .ok_or_else(|| damaged("it is too short"))?;
        let [to_col, to_row, to_slice] = self.grid.steps;
        let [flip_cols, flip_rows] = self.flips();
        let mut hu = Vec::with_capacity(plane);
        for row in 0..rows {
            let row = if flip_rows { rows - 1 - row } else { row };
            let line = values.get(row * cols..(row + 1) * cols).unwrap_or(&[]);
            if flip_cols {
                hu.extend(line.iter().rev().map(|&value| Hu(value)));
            } else {
                hu.extend(line.iter().map(|&value| Hu(value)));
            }
        }
        if hu.iter().any(|hu| !hu.0.is_finite()) {
            return Err(damaged("it holds values that are no numbers"));
        }
        let sign = |flip| if flip { -1.0 } else { 1.0 };
        let (along_row, along_col) = (length(to_col), length(to_row));
        let orientation: [f64; 6] = std::array::from_fn(|at| {
            if at < 3 {
                sign(flip_cols) * to_col[at] / along_row
            } else {
                sign(flip_rows) * to_row[at - 3] / along_col
            }
        });
        let header = SliceHeader {
            rows,
            cols,
            image_position: Some(self.position(at)),
            image_orientation: Some(orientation),
            pixel_spacing: Some([along_col, along_row]),
            slice_thickness: Some(length(to_slice)),
            ..SliceHeader::default()
        };
        Ok(CtSlice {
            header,
            hu,
            padding: None,
            defects: Vec::new(),
        })
    }
}

/// Columns, rows, slices; further dimensions must be 1.
fn size(header: &NiftiHeader) -> Result<[usize; 3], Fault> {
    let dim = header.dim().map_err(damaged)?;
    let [cols, rows, rest @ ..] = dim else {
        return Err(unsupported("it has fewer than two dimensions"));
    };
    let slices = rest.first().copied().unwrap_or(1);
    if rest.iter().skip(1).any(|&more| more > 1) {
        return Err(unsupported("it has more than three dimensions"));
    }
    let size = [*cols, *rows, slices].map(usize::from);
    let voxels = size
        .iter()
        .try_fold(1_usize, |product, &side| product.checked_mul(side));
    if size.contains(&0) || voxels.is_none_or(|voxels| voxels > MAX_VOXELS) {
        return Err(unsupported("it is empty or larger than 2^26 voxels"));
    }
    Ok(size)
}

impl Grid {
    /// From the header's sform, else its pixel sizes in the usual orientation; axial slices only.
    fn of(header: &NiftiHeader) -> Result<Self, Fault> {
        let row = |row: [f32; 4]| row.map(f64::from);
        let has_sform = header
            .sform()
            .is_ok_and(|form| !matches!(form, XForm::Unknown));
        // NIfTI's axes run right, anterior, head; DICOM's left, posterior, head.
        let [x, y, z] = if has_sform {
            [
                row(header.srow_x).map(|v| -v),
                row(header.srow_y).map(|v| -v),
                row(header.srow_z),
            ]
        } else {
            let [dx, dy, dz] = [1, 2, 3].map(|at| f64::from(header.pixdim[at]).abs());
            let (b, c, d) = (header.quatern_b, header.quatern_c, header.quatern_d);
            let has_qform = header
                .qform()
                .is_ok_and(|form| !matches!(form, XForm::Unknown));
            let is_flip = |v: f32| (v.abs() - 1.0).abs() < 1e-3;
            // Turns by half a circle around one axis are what scanners' converters write; others need an sform.
            let (sx, sy, sz) = match (has_qform, [b, c, d]) {
                (false, _) => (1.0, 1.0, 1.0),
                (true, [b, c, d]) if b.abs() < 1e-3 && c.abs() < 1e-3 && d.abs() < 1e-3 => {
                    (1.0, 1.0, 1.0)
                }
                (true, [b, ..]) if is_flip(b) => (1.0, -1.0, -1.0),
                (true, [_, c, _]) if is_flip(c) => (-1.0, 1.0, -1.0),
                (true, [_, _, d]) if is_flip(d) => (-1.0, -1.0, 1.0),
                _ => return Err(unsupported("its orientation is oblique")),
            };
            let q = if header.pixdim[0] < 0.0 { -1.0 } else { 1.0 };
            let offset = [header.quatern_x, header.quatern_y, header.quatern_z].map(f64::from);
            [
                [-sx * dx, 0.0, 0.0, -offset[0]],
                [0.0, -sy * dy, 0.0, -offset[1]],
                [0.0, 0.0, sz * q * dz, offset[2]],
            ]
        };
        let grid = Self {
            origin: [x[3], y[3], z[3]],
            steps: std::array::from_fn(|step| [x[step], y[step], z[step]]),
        };
        grid.check()?;
        Ok(grid)
    }

    /// Slices must be axial, and steps must be steps.
    fn check(&self) -> Result<(), Fault> {
        for (axis, step) in self.steps.iter().enumerate() {
            let long = length(*step);
            if !long.is_finite() || long <= 0.0 {
                return Err(unsupported("its voxels have no size"));
            }
            // Within some 35 degrees of the patient's axis, which tilt and turned heads stay below.
            if step[axis].abs() < 0.82 * long {
                return Err(unsupported("its slices are not axial"));
            }
        }
        Ok(())
    }
}

fn length(step: [f64; 3]) -> f64 {
    step.iter().map(|v| v * v).sum::<f64>().sqrt()
}
