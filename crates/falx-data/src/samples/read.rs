//! Samples straight from an index's file, batch by batch.

use std::path::Path;

use arrow_array::{Array, BooleanArray, Float64Array, Int32Array, StringArray, UInt8Array};
use falx_core::{ImageId, LABELS, LabelRow, Window};

use super::{Builder, Described, Samples, SamplesError};
use crate::table::{Batches, Opened, TableError};

const COLUMNS: [&str; 9] = [
    "path",
    "image_id",
    "study_uid",
    "series_uid",
    "z_mm",
    "transfer_syntax",
    "usable",
    "window_center",
    "window_width",
];

impl Samples {
    /// The usable rows of the index at `index`, all or those in some folds of a split, without holding either in memory.
    ///
    /// # Errors
    /// [`SamplesError`] for a file that cannot be read, a split of another index, or a full temporary folder.
    pub fn read(index: &Path, split: Option<(&Path, &[i32])>) -> Result<Self, SamplesError> {
        let labels = LABELS.map(falx_core::Label::name);
        let columns: Vec<&str> = COLUMNS.into_iter().chain(labels).collect();
        let (opened, batches) = Opened::open_columns(index, "index", Some(&columns))?;
        let mut folds = split
            .map(|(path, folds)| Ok::<_, TableError>((Folds::open(path)?, folds)))
            .transpose()?;
        let mut builder = Builder::new()?;
        let mut row = 0;
        for batch in batches {
            let batch = batch?;
            let text = |name: &str| opened.column::<StringArray>(&batch, name);
            let float = |name: &str| opened.column::<Float64Array>(&batch, name);
            let (path, image_id) = (text("path")?, text("image_id")?);
            let (study, series) = (text("study_uid")?, text("series_uid")?);
            let syntax = text("transfer_syntax")?;
            let (z, center, width) = (
                float("z_mm")?,
                float("window_center")?,
                float("window_width")?,
            );
            let usable = opened.column::<BooleanArray>(&batch, "usable")?;
            let mut labels = Vec::with_capacity(LABELS.len());
            for label in LABELS {
                labels.push(opened.column::<UInt8Array>(&batch, label.name())?);
            }
            let string =
                |c: &'_ StringArray, at: usize| c.is_valid(at).then(|| c.value(at).to_owned());
            let number = |c: &Float64Array, at: usize| c.is_valid(at).then(|| c.value(at));
            for at in 0..batch.num_rows() {
                let number_of_row = row;
                row += 1;
                if !usable.value(at) {
                    continue;
                }
                if let Some((folds, wanted)) = &mut folds
                    && !folds
                        .fold_of(image_id.value(at))?
                        .is_some_and(|fold| wanted.contains(&fold))
                {
                    continue;
                }
                let mut known = LabelRow::default();
                for (slot, column) in known.0.iter_mut().zip(&labels) {
                    *slot = column.is_valid(at).then(|| column.value(at) != 0);
                }
                let shown = number(center, at).zip(number(width, at));
                // Only a picture, which has no transfer syntax, has its values through a window.
                let window = shown
                    .filter(|_| syntax.is_null(at))
                    .and_then(|(c, w)| Window::new(c as f32, w as f32).ok());
                builder.add(&Described {
                    row: number_of_row,
                    path: path.value(at),
                    window,
                    image_id: image_id.value(at),
                    study: string(study, at).as_deref(),
                    series: string(series, at).as_deref(),
                    z_mm: number(z, at),
                    labels: known,
                })?;
            }
        }
        if let Some((folds, _)) = folds {
            folds.finish()?;
        }
        builder.finish()
    }
}

/// A split, read beside its index: both have their slices in the same order.
struct Folds {
    opened: Opened,
    batches: Batches,
    rows: std::vec::IntoIter<(String, i32)>,
    next: Option<(String, i32)>,
}

impl Folds {
    fn open(path: &Path) -> Result<Self, TableError> {
        let (opened, batches) = Opened::open_columns(path, "split", Some(&["image_id", "fold"]))?;
        let mut folds = Self {
            opened,
            batches,
            rows: Vec::new().into_iter(),
            next: None,
        };
        folds.advance()?;
        Ok(folds)
    }

    fn advance(&mut self) -> Result<(), TableError> {
        loop {
            if let Some(row) = self.rows.next() {
                self.next = Some(row);
                return Ok(());
            }
            let Some(batch) = self.batches.next().transpose()? else {
                self.next = None;
                return Ok(());
            };
            let ids = self.opened.column::<StringArray>(&batch, "image_id")?;
            let folds = self.opened.column::<Int32Array>(&batch, "fold")?;
            let rows = (0..batch.num_rows()).map(|at| (ids.value(at).to_owned(), folds.value(at)));
            self.rows = rows.collect::<Vec<_>>().into_iter();
        }
    }

    /// The fold of the next usable slice of the index; `None` where the split leaves it out.
    fn fold_of(&mut self, image_id: &str) -> Result<Option<i32>, TableError> {
        let Some((_, fold)) = self.next.as_ref().filter(|(id, _)| id == image_id) else {
            return Ok(None);
        };
        let fold = *fold;
        self.advance()?;
        Ok(Some(fold))
    }

    fn finish(self) -> Result<(), SamplesError> {
        match self.next {
            None => Ok(()),
            Some((image, _)) => Err(SamplesError::OtherSplit {
                image: ImageId(image),
            }),
        }
    }
}
