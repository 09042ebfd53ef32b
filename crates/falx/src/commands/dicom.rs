//! `falx dicom`

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use atomic_write_file::AtomicWriteFile;
use falx_dicom::inspect::{Inspection, png};
use falx_dicom::voi::{VoiFunction, VoiWindow};
use falx_dicom::{CtSlice, Decoded, DicomError, Reader, Refused};
use serde::Serialize;

use super::Context;
use crate::cli::{Dicom, DicomCheck, DicomShow};
use crate::output::Outcome;

/// Frames of a file whose lines are printed.
const FRAMES_IN_TEXT: usize = 3;

pub fn run(arguments: &Dicom, context: &Context) -> anyhow::Result<Outcome> {
    match arguments {
        Dicom::Show(arguments) => show(arguments),
        Dicom::Check(arguments) => check(arguments, context),
    }
}

fn check(arguments: &DicomCheck, context: &Context) -> anyhow::Result<Outcome> {
    let DicomCheck { sources, all } = arguments;
    let report = falx_data::check::check(sources, context.progress.as_ref(), &context.interrupt)?;
    Ok(Outcome::done(report.to_text(*all), &report)?.fine_if(report.is_fine()))
}

/// A file that was shown.
#[derive(Serialize)]
struct Shown {
    path: PathBuf,
    #[serde(flatten)]
    inspection: Option<Inspection>,
    refused: Option<Refused>,
    /// What the system said of a file that it does not give.
    unreadable: Option<String>,
    pictures: Vec<PathBuf>,
}

impl Shown {
    fn nothing_of(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            inspection: None,
            refused: None,
            unreadable: None,
            pictures: Vec::new(),
        }
    }
}

fn show(arguments: &DicomShow) -> anyhow::Result<Outcome> {
    let mut reader = Reader::new();
    let mut text = String::new();
    let mut shown = Vec::new();
    let mut first_error = None;
    for path in &arguments.files {
        let decoded = match reader.read(path) {
            Ok(decoded) => decoded,
            Err(DicomError::Refused { refused, .. }) => {
                let _ = writeln!(text, "{}\n  {:<10}{refused}", path.display(), "refused");
                shown.push(Shown {
                    refused: Some(refused),
                    ..Shown::nothing_of(path)
                });
                continue;
            }
            // One file among several may be missing; one alone, or all, make the input unusable.
            Err(error) => {
                let _ = writeln!(text, "{error}");
                shown.push(Shown {
                    unreadable: Some(error.to_string()),
                    ..Shown::nothing_of(path)
                });
                first_error.get_or_insert(error);
                continue;
            }
        };
        let decoded = chosen(decoded, arguments, path)?;
        let pictures = draw(&decoded, arguments, path)?;
        let inspection = Inspection::of(&decoded);
        let lines = inspection.to_text(FRAMES_IN_TEXT);
        let _ = write!(text, "{}\n{lines}", path.display());
        for picture in &pictures {
            let _ = writeln!(text, "  {:<10}{}", "picture", picture.display());
        }
        shown.push(Shown {
            inspection: Some(inspection),
            pictures,
            ..Shown::nothing_of(path)
        });
    }
    if let Some(error) = first_error
        && shown.iter().all(|shown| shown.unreadable.is_some())
    {
        return Err(error.into());
    }
    let is_fine = shown.iter().all(|shown| shown.inspection.is_some());
    let json = serde_json::json!({ "files": shown });
    Ok(Outcome::done(text, &json)?.fine_if(is_fine))
}

/// The frame that was asked for, or all.
fn chosen(decoded: Decoded, arguments: &DicomShow, path: &Path) -> anyhow::Result<Decoded> {
    let Some(number) = arguments.frame else {
        return Ok(decoded);
    };
    let frames = decoded.slices.len();
    let Some(slice) = decoded.slices.into_iter().nth(number.get() - 1) else {
        bail!(
            "{} has {frames} frames; give --frame from 1 to {frames}",
            path.display()
        );
    };
    Ok(Decoded {
        slices: vec![slice],
    })
}

/// Draws the slices and gives the pictures' paths.
fn draw(decoded: &Decoded, arguments: &DicomShow, path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let Some(out) = &arguments.png else {
        return Ok(Vec::new());
    };
    let is_single = arguments.files.len() == 1 && decoded.slices.len() == 1;
    let mut pictures = Vec::with_capacity(decoded.slices.len());
    for (slice, number) in decoded.slices.iter().zip(1..) {
        let picture = if is_single {
            out.clone()
        } else {
            let name = path.file_name().unwrap_or(path.as_os_str());
            let name = name.to_string_lossy();
            std::fs::create_dir_all(out).with_context(|| cannot_write(out))?;
            out.join(match slice.header.frame_number {
                Some(frame) => format!("{name}.{frame:04}.png"),
                None if decoded.slices.len() > 1 => format!("{name}.{number:04}.png"),
                None => format!("{name}.png"),
            })
        };
        save(&picture, &png(slice, &window(slice, arguments)?)?)?;
        pictures.push(picture);
    }
    Ok(pictures)
}

fn window(slice: &CtSlice, arguments: &DicomShow) -> anyhow::Result<VoiWindow> {
    match (arguments.window, slice.header.voi.first()) {
        (Some([center, width]), _) => Ok(VoiWindow::new(center, width, VoiFunction::Linear)?),
        (None, Some(window)) => Ok(*window),
        (None, None) => Ok(VoiWindow::new(40.0, 80.0, VoiFunction::Linear)?),
    }
}

pub(super) fn save(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let write = || {
        let mut file = AtomicWriteFile::open(path)?;
        file.write_all(bytes)?;
        file.commit()
    };
    write().with_context(|| cannot_write(path))
}

fn cannot_write(path: &Path) -> String {
    format!(
        "{} cannot be written; check that its folder exists, may be written and has room",
        path.display()
    )
}
