//! Traps that real collections hold, planted and listed.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::dicom::Image;
use crate::head::head;
use crate::ids::{Names, SeriesIds};
use crate::scan::{RenderedSlice, Storage};
use crate::table::Row;
use crate::write::{Places, save};
use crate::{PhantomError, PhantomOptions};

/// One planted defect, as `defects.json` lists it.
#[derive(Debug, Serialize)]
struct Planted {
    /// What it is.
    kind: &'static str,
    /// The image's id, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    /// The other image that it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<String>,
    /// The file from the output folder on, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
}

/// Where a defect goes.
struct Target {
    ids: SeriesIds,
    patient: u64,
    slice: usize,
}

/// Plants every defect once or twice, changes `rows` to match, writes `defects.json` and counts.
pub fn plant(
    options: &PhantomOptions,
    places: &Places,
    rows: &mut Vec<Row>,
) -> Result<u64, PhantomError> {
    let mut garden = Garden::new(options, places);
    garden.wrapped()?;
    garden.truncated()?;
    garden.repeated_position()?;
    garden.undeclared_padding()?;
    garden.same_pixels(rows)?;
    garden.tables(rows);
    garden.text()?;
    let list = serde_json::to_vec_pretty(&garden.planted).map_err(|e| PhantomError::Encode {
        path: options.out.join("defects.json"),
        reason: e.to_string(),
    })?;
    save(&options.out.join("defects.json"), &list)?;
    Ok(garden.planted.len() as u64)
}

struct Garden<'a> {
    options: &'a PhantomOptions,
    places: &'a Places,
    names: Names,
    series: Vec<SeriesIds>,
    used: usize,
    planted: Vec<Planted>,
}

impl<'a> Garden<'a> {
    fn new(options: &'a PhantomOptions, places: &'a Places) -> Self {
        let mut names = Names::new(options.seed, options.layout);
        let all = u64::from(options.patients) + u64::from(options.test_patients);
        let mut series: Vec<_> = (0..all)
            .map(|n| names.series(n, head(options.seed, n, options.slice_prevalence).slices()))
            .collect();
        series.truncate(options.patients as usize);
        Self {
            options,
            places,
            names,
            series,
            used: 0,
            planted: Vec::new(),
        }
    }

    /// The next slice that no defect has touched: patients in turn, from the middle of their series.
    fn next(&mut self) -> Target {
        let patient = self.used % self.series.len();
        let round = self.used / self.series.len();
        self.used += 1;
        let ids = self.series[patient].clone();
        let slice = (ids.slices.len() / 2 + round) % ids.slices.len();
        Target {
            ids,
            patient: patient as u64,
            slice,
        }
    }

    fn note(&mut self, kind: &'static str, target: &Target, other: Option<String>) {
        let ids = &target.ids.slices[target.slice];
        let file = self.places.images.join(&ids.file);
        self.planted.push(Planted {
            kind,
            image: Some(ids.image.clone()),
            other,
            file: Some(self.relative(&file)),
        });
    }

    fn relative(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.options.out)
            .unwrap_or(path)
            .to_owned()
    }

    /// Writes a slice again, changed by `change`.
    fn rewrite(
        &self,
        target: &Target,
        change: impl FnOnce(&mut Image, &mut RenderedSlice),
    ) -> Result<(), PhantomError> {
        let head = head(
            self.options.seed,
            target.patient,
            self.options.slice_prevalence,
        );
        let rendered = head.render(target.slice, self.options.matrix);
        let mut changed = rendered.clone();
        let mut image = Image::sound(&head.scene, &target.ids, target.slice, &rendered);
        change(&mut image, &mut changed);
        let image = Image {
            rendered: &changed,
            ..image
        };
        let path = self
            .places
            .images
            .join(&target.ids.slices[target.slice].file);
        save(&path, &image.encode(&path)?)
    }

    /// RSNA's 12-bit wrap: negative HU stored as unsigned 12-bit numbers with intercept 0.
    fn wrapped(&mut self) -> Result<(), PhantomError> {
        for _ in 0..2 {
            let target = self.next();
            self.rewrite(&target, |image, rendered| {
                image.storage = Storage {
                    signed: false,
                    intercept: 0,
                    padding: None,
                };
                // Only -1000 to 3095 HU survive the wrap.
                for hu in &mut rendered.hu {
                    hu.0 = hu.0.clamp(-1000.0, 3095.0);
                }
            })?;
            self.note("twelve_bit_wrap", &target, None);
        }
        Ok(())
    }

    fn truncated(&mut self) -> Result<(), PhantomError> {
        let target = self.next();
        let path = self
            .places
            .images
            .join(&target.ids.slices[target.slice].file);
        let head = head(
            self.options.seed,
            target.patient,
            self.options.slice_prevalence,
        );
        let rendered = head.render(target.slice, self.options.matrix);
        let mut bytes =
            Image::sound(&head.scene, &target.ids, target.slice, &rendered).encode(&path)?;
        bytes.truncate(bytes.len() * 6 / 10);
        save(&path, &bytes)?;
        self.note("truncated", &target, None);
        Ok(())
    }

    fn repeated_position(&mut self) -> Result<(), PhantomError> {
        let target = self.next();
        let below = target.slice.saturating_sub(1);
        self.rewrite(&target, |image, _| image.position_of = below)?;
        let other = target.ids.slices[below].image.clone();
        self.note("repeated_position", &target, Some(other));
        Ok(())
    }

    fn undeclared_padding(&mut self) -> Result<(), PhantomError> {
        let target = self.next();
        self.rewrite(&target, |image, rendered| {
            image.storage = Storage {
                signed: true,
                intercept: -1024,
                padding: Some(-2000),
            };
            image.declare_padding = false;
            let half = rendered.matrix as f32 / 2.0;
            for (at, hu) in rendered.hu.iter_mut().enumerate() {
                let x = (at % rendered.matrix) as f32 + 0.5 - half;
                let y = (at / rendered.matrix) as f32 + 0.5 - half;
                if x * x + y * y > half * half {
                    *hu = falx_core::Hu::PADDING;
                }
            }
        })?;
        self.note("undeclared_padding", &target, None);
        Ok(())
    }

    /// A slice of one patient once more, as another patient's.
    fn same_pixels(&mut self, rows: &mut Vec<Row>) -> Result<(), PhantomError> {
        let target = self.next();
        let twin = self.names.series(u64::from(u32::MAX), target.slice + 1);
        let twin = Target {
            ids: twin,
            patient: target.patient,
            slice: target.slice,
        };
        self.rewrite(&twin, |_, _| {})?;
        let first = target.ids.slices[target.slice].image.clone();
        let second = twin.ids.slices[twin.slice].image.clone();
        if let Some(row) = rows.iter().find(|r| r.image == first) {
            let labels = row.labels;
            rows.push(Row {
                image: second,
                labels,
            });
        }
        self.note("same_pixels", &twin, Some(first));
        Ok(())
    }

    /// Faults of the label table alone.
    fn tables(&mut self, rows: &mut Vec<Row>) {
        let twice = self.next();
        let image = |t: &Target| t.ids.slices[t.slice].image.clone();
        if let Some(row) = rows.iter().find(|r| r.image == image(&twice)).cloned() {
            rows.push(row);
        }
        self.note("duplicate_rows", &twice, None);
        let partial = self.next();
        if let Some(row) = rows.iter_mut().find(|r| r.image == image(&partial)) {
            row.labels[3] = None;
        }
        self.note("missing_label", &partial, None);
        let unlabelled = self.next();
        rows.retain(|r| r.image != image(&unlabelled));
        self.note("unlabelled_file", &unlabelled, None);
        let ghost = self.names.series(u64::from(u32::MAX) + 1, 1);
        let name = ghost.slices[0].image.clone();
        rows.push(Row::complete(&name, [false; 6]));
        self.planted.push(Planted {
            kind: "label_without_file",
            image: Some(name),
            other: None,
            file: None,
        });
    }

    fn text(&mut self) -> Result<(), PhantomError> {
        let path = self.places.images.join("notes.txt");
        save(&path, b"This file is no DICOM file.\n")?;
        let file = Some(self.relative(&path));
        self.planted.push(Planted {
            kind: "text_file",
            image: None,
            other: None,
            file,
        });
        Ok(())
    }
}
