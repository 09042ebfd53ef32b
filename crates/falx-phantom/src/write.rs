//! Writing a collection of phantoms.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;
use falx_core::{Interrupt, Progress};
use rayon::prelude::*;

use crate::defects;
use crate::dicom::Image;
use crate::head::{Head, head};
use crate::ids::{Names, SeriesIds};
use crate::scan::RenderedSlice;
use crate::table::{Row, table};
use crate::{Layout, PhantomError, PhantomOptions, PhantomSummary, nifti};

/// The file by which a phantom's folder is known, and known to be of the same options.
const MARKER: &str = "phantom.json";

/// Makes a collection of phantoms as DICOM files with labels and masks.
///
/// The bytes depend on the options alone, whatever the number of threads. A run that was stopped is not
/// continued: the same options make the same folder again from the start, others refuse to touch it.
///
/// # Errors
/// [`PhantomError`] when an option is out of range, the folder holds something else, the disk fails, or a
/// stop is asked for.
pub fn write(
    options: &PhantomOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<PhantomSummary, PhantomError> {
    check(options)?;
    claim(options)?;
    let places = Places::of(options);
    let mut names = Names::new(options.seed, options.layout);
    let all = u64::from(options.patients) + u64::from(options.test_patients);
    let patients: Vec<Patient> = (0..all)
        .map(|number| {
            let head = head(options.seed, number, options.slice_prevalence);
            let ids = names.series(number, head.slices());
            let test = number >= u64::from(options.patients);
            Patient { head, ids, test }
        })
        .collect();
    let total = patients.iter().map(|p| p.head.slices() as u64).sum();
    progress.begin("making phantom slices", Some(total));
    let mut summary = PhantomSummary {
        patients: options.patients,
        test_patients: options.test_patients,
        slices: 0,
        test_slices: 0,
        positive_slices: [0; 6],
        positive_patients: 0,
        defects: 0,
        bytes: 0,
        out: options.out.clone(),
        images: places.images.clone(),
        labels: places.labels.clone(),
    };
    let mut rows = Vec::new();
    let mut test_rows = Vec::new();
    for (done, mut patient) in patients.into_iter().enumerate() {
        let made = patient.make(options, &places, progress, interrupt)?;
        let Some((bytes, series)) = made else {
            return Err(PhantomError::Interrupted {
                patients: done as u32,
                out: options.out.clone(),
            });
        };
        summary.bytes += bytes;
        if patient.test {
            summary.test_slices += series.len() as u64;
            test_rows.extend(series);
            continue;
        }
        summary.slices += series.len() as u64;
        summary.positive_patients += u32::from(series.iter().any(|r| r.labels[5] == Some(true)));
        for row in &series {
            for (count, label) in summary.positive_slices.iter_mut().zip(row.labels) {
                *count += u64::from(label == Some(true));
            }
        }
        rows.extend(series);
    }
    progress.finish();
    if options.defects {
        summary.defects = defects::plant(options, &places, &mut rows)?;
    }
    save(&places.labels, table(rows, false).as_bytes())?;
    if options.test_patients > 0 {
        save(&places.sample, table(test_rows.clone(), true).as_bytes())?;
        save(&places.truth, table(test_rows, false).as_bytes())?;
    }
    Ok(summary)
}

/// One patient on the way to disk.
struct Patient {
    head: Head,
    ids: SeriesIds,
    test: bool,
}

impl Patient {
    /// Writes the patient's series; `None` where a stop was asked for.
    fn make(
        &mut self,
        options: &PhantomOptions,
        places: &Places,
        progress: &dyn Progress,
        interrupt: &Interrupt,
    ) -> Result<Option<(u64, Vec<Row>)>, PhantomError> {
        let root = if self.test {
            &places.test
        } else {
            &places.images
        };
        self.head.prepare();
        let head = &self.head;
        let slices: Vec<Option<(u64, RenderedSlice)>> = (0..head.slices())
            .into_par_iter()
            .map(|k| {
                if interrupt.is_requested() {
                    return Ok(None);
                }
                let mut rendered = head.render(k, options.matrix);
                let path = root.join(&self.ids.slices[k].file);
                let bytes = Image::sound(&head.scene, &self.ids, k, &rendered).encode(&path)?;
                save(&path, &bytes)?;
                progress.advance(1);
                rendered.hu = Vec::new();
                Ok(Some((bytes.len() as u64, rendered)))
            })
            .collect::<Result<_, PhantomError>>()?;
        let Some(slices) = slices.into_iter().collect::<Option<Vec<_>>>() else {
            return Ok(None);
        };
        let (sizes, slices): (Vec<u64>, Vec<RenderedSlice>) = slices.into_iter().unzip();
        if options.masks {
            let name = format!("{}.nii.gz", self.ids.series_uid);
            let path = places.masks.join(name);
            let bytes = nifti::volume(&head.scene.stack, &slices).map_err(io(&path))?;
            save(&path, &bytes)?;
        }
        let rows = slices
            .iter()
            .zip(&self.ids.slices)
            .map(|(slice, ids)| Row::complete(&ids.image, slice.labels()))
            .collect();
        self.head.release();
        Ok(Some((sizes.iter().sum(), rows)))
    }
}

/// Where files go.
pub struct Places {
    pub images: PathBuf,
    pub labels: PathBuf,
    pub masks: PathBuf,
    test: PathBuf,
    sample: PathBuf,
    truth: PathBuf,
}

impl Places {
    fn of(options: &PhantomOptions) -> Self {
        let out = &options.out;
        let (images, labels) = match options.layout {
            Layout::Rsna => (out.join("stage_2_train"), out.join("stage_2_train.csv")),
            Layout::Folders => (out.clone(), out.join("labels.csv")),
        };
        Self {
            images,
            labels,
            masks: out.join("masks"),
            test: out.join("stage_2_test"),
            sample: out.join("stage_2_sample_submission.csv"),
            truth: out.join("truth").join("stage_2_test.csv"),
        }
    }
}

fn check(options: &PhantomOptions) -> Result<(), PhantomError> {
    let refuse = |option, value: String, range| {
        Err(PhantomError::Option {
            option,
            value,
            range,
        })
    };
    if options.patients == 0 || options.patients > 100_000 {
        return refuse("patients", options.patients.to_string(), "give 1 to 100000");
    }
    if options.test_patients > 100_000 {
        return refuse(
            "test patients",
            options.test_patients.to_string(),
            "give at most 100000",
        );
    }
    if options.test_patients > 0 && options.layout == Layout::Folders {
        let range = "the layout folders has no test set, give 0 or take the layout rsna";
        return refuse("test patients", options.test_patients.to_string(), range);
    }
    if !(64..=1024).contains(&options.matrix) {
        return refuse("matrix", options.matrix.to_string(), "give 64 to 1024");
    }
    if !(0.0..=0.5).contains(&options.slice_prevalence) {
        return refuse(
            "slice prevalence",
            options.slice_prevalence.to_string(),
            "give 0 to 0.5",
        );
    }
    Ok(())
}

/// Makes the output folder this phantom's own, or refuses.
fn claim(options: &PhantomOptions) -> Result<(), PhantomError> {
    let out = &options.out;
    // Where the folder lies is no part of what it holds.
    let held = PhantomOptions {
        out: PathBuf::new(),
        ..options.clone()
    };
    let version = env!("CARGO_PKG_VERSION");
    let text = serde_json::json!({ "falx": version, "options": held }).to_string();
    let marker = out.join(MARKER);
    fs::create_dir_all(out).map_err(io(out))?;
    match fs::read_to_string(&marker) {
        Ok(found) if found == text => return Ok(()),
        Ok(_) => return Err(PhantomError::OtherPhantom(out.clone())),
        Err(_) => {}
    }
    if fs::read_dir(out).map_err(io(out))?.next().is_some() {
        return Err(PhantomError::NotEmpty(out.clone()));
    }
    save(&marker, text.as_bytes())
}

/// Writes a file whole or not at all, with the folders above it.
pub fn save(path: &Path, bytes: &[u8]) -> Result<(), PhantomError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(io(folder))?;
    }
    let mut file = AtomicWriteFile::open(path).map_err(io(path))?;
    file.write_all(bytes).map_err(io(path))?;
    file.commit().map_err(io(path))
}

/// Names a file in the system's error.
pub fn io(path: &Path) -> impl FnOnce(std::io::Error) -> PhantomError {
    let path = path.to_owned();
    move |source| PhantomError::Io { path, source }
}
