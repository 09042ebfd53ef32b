//! From a file to its picture in one pass.

use std::path::Path;

use falx_core::Window;

use super::halving::{Halving, Sums};
use super::resample::Resample;
use super::target::Target;
use super::{Geometry, PictureInfo};
use crate::pixels::whole_units::Values;
use crate::pixels::{self, Image};
use crate::reader::{Frame, refused, several};
use crate::{DicomError, Reader, Refused};

/// What drawing needs besides the file, kept from one to the next.
#[derive(Debug, Default)]
pub(crate) struct Drawing {
    sums: Sums,
    resample: Resample,
}

impl Reader {
    /// Reads the slice in the file at `path` as a picture in HU ([`fit`](super::fit) of what [`Reader::read`] gives).
    ///
    /// # Shape
    /// `hu` is `size` × `size`, row by row. Numbers beyond are left alone; where it is shorter, or after an error, what
    /// it holds says nothing.
    ///
    /// # Units
    /// Hounsfield units.
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn read_fitted(
        &mut self,
        path: &Path,
        size: usize,
        hu: &mut [f32],
    ) -> Result<PictureInfo, DicomError> {
        self.draw(path, Target::hu(size, hu))
    }

    /// Reads the slice in the file at `path` as a network's input: its picture, one channel a window.
    ///
    /// # Shape
    /// `out` is windows × `size` × `size`. A shorter one gets the channels that fit, numbers beyond are left alone;
    /// after an error what it holds says nothing.
    ///
    /// # Units
    /// 0 ..= 1 ([`Window::unit_interval`]).
    ///
    /// # Errors
    /// As [`Reader::read`].
    pub fn read_tensor(
        &mut self,
        path: &Path,
        size: usize,
        windows: &[Window],
        out: &mut [f32],
    ) -> Result<PictureInfo, DicomError> {
        self.draw(path, Target::windows(size, windows, out))
    }

    fn draw(&mut self, path: &Path, target: Option<Target<'_>>) -> Result<PictureInfo, DicomError> {
        let mut target = Some(target);
        let mut info = None;
        self.frames(path, 1, |frame, image, drawing| {
            let target = target.take().flatten();
            info = Some(draw(frame, image, drawing, target)?);
            Ok(())
        })?;
        info.ok_or_else(|| refused(path)(several(0)))
    }
}

/// Draws a frame.
pub(super) fn draw(
    frame: Frame<'_>,
    image: &mut Image,
    drawing: &mut Drawing,
    target: Option<Target<'_>>,
) -> Result<PictureInfo, Refused> {
    let Frame {
        header,
        layout,
        padding,
        cells,
        mut defects,
    } = frame;
    let geometry = Geometry::of(&header);
    let whole = pixels::cells(cells, &layout)?.as_chunks().0;
    // A wrapped image is looked for, and named, only where this way is taken.
    let halving = target
        .as_ref()
        .and_then(|target| Halving::of(geometry, target.size))
        .filter(|_| Halving::suits(layout.format.rescale_intercept))
        .and_then(|halving| Some((halving, Values::of(whole, &layout, &padding, &mut defects)?)));
    match (target, halving) {
        (Some(target), Some((halving, values))) => {
            let findings = halving.draw(&values, whole, &mut drawing.sums, target)?;
            pixels::name_values(findings, &mut defects);
        }
        (target, _) => {
            pixels::decode(cells, &layout, &padding, &mut defects, image)?;
            if let Some(target) = target {
                drawing.resample.prepare(geometry, target.size);
                drawing.resample.draw(&image.hu, target);
            }
        }
    }
    Ok(PictureInfo {
        header,
        defects: defects.into_vec(),
    })
}
