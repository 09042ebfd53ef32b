//! falx's detector for C, and for every language that calls C: a bundle in, answers for studies out as JSON.
//!
//! `include/falx.h` is made from the functions here (`cargo run -p falx-c --example header`), which a test keeps;
//! `examples/study.c` uses them. The words above a function are the header's, and so are written for C.

#![expect(clippy::expl_impl_clone_on_copy, reason = "`derive_ReprC` writes both")]

use std::path::PathBuf;
use std::thread::available_parallelism;

use falx_infer::{Detector, PredictOptions};
use safer_ffi::prelude::*;

/// A model that answers for studies. Threads may share it; they take turns.
#[derive_ReprC]
#[repr(opaque)]
pub struct FalxDetector {
    detector: Detector,
}

/// A detector with the model at a path: a folder or a .falx file, as `falx train` and `falx models pack` make them.
///
/// `model`: the path in UTF-8; NULL for the model in the box.
/// `threads`: how many compute; 0 for one a core. Answers do not depend on it.
/// `error`: where the reason is put if it fails, a text for `falx_string_free`, else NULL; may be NULL itself.
///
/// Returns NULL if it fails; else a detector for `falx_detector_free`.
#[ffi_export]
pub fn falx_detector_load(
    model: Option<char_p::Ref<'_>>,
    threads: usize,
    error: Option<Out<'_, Option<char_p::Box>>>,
) -> Option<repr_c::Box<FalxDetector>> {
    told(load(model, threads), error)
}

/// What the detector says of the studies at a path: a DICOM file, a folder, a zip archive, a DICOMDIR or a `NIfTI` file.
///
/// `path`: in UTF-8.
/// `error`: as of `falx_detector_load`. A file that cannot be read is no error: the answer names it.
///
/// Returns NULL if it fails; else what `falx predict --format json` says, a text for `falx_string_free`: JSON in UTF-8 that
/// contract/answer.schema.json describes.
#[ffi_export]
pub fn falx_detector_study(
    detector: Option<&FalxDetector>,
    path: Option<char_p::Ref<'_>>,
    error: Option<Out<'_, Option<char_p::Box>>>,
) -> Option<char_p::Box> {
    told(study(detector, path), error)
}

/// Ends a detector; does nothing for NULL.
#[ffi_export]
pub fn falx_detector_free(detector: Option<repr_c::Box<FalxDetector>>) {
    drop(detector);
}

/// Ends a text that falx returned; does nothing for NULL.
#[ffi_export]
pub fn falx_string_free(text: Option<char_p::Box>) {
    drop(text);
}

fn load(
    model: Option<char_p::Ref<'_>>,
    threads: usize,
) -> Result<repr_c::Box<FalxDetector>, String> {
    let threads = match threads {
        0 => available_parallelism().map_or(1, std::num::NonZero::get),
        threads => threads,
    };
    let options = PredictOptions {
        threads,
        ..PredictOptions::default()
    };
    let detector = match model {
        Some(model) => Detector::load(&path_of(model, "model")?, options),
        None => Detector::in_the_box(options),
    };
    let detector = detector.map_err(|error| error.to_string())?;
    Ok(Box::new(FalxDetector { detector }).into())
}

fn study(
    detector: Option<&FalxDetector>,
    path: Option<char_p::Ref<'_>>,
) -> Result<char_p::Box, String> {
    let detector = detector.ok_or("no detector was given; load one with falx_detector_load")?;
    let path = path.ok_or("no path was given; give a file, a folder or an archive")?;
    let answer = detector.detector.study(&[path_of(path, "path")?]);
    let answer = answer.map_err(|error| error.to_string())?;
    let json = serde_json::to_string(&answer).map_err(|error| error.to_string())?;
    Ok(text(&json))
}

/// C's bytes as a path.
fn path_of(path: char_p::Ref<'_>, what: &str) -> Result<PathBuf, String> {
    let path = std::str::from_utf8(path.to_bytes());
    let path = path.map_err(|error| format!("`{what}` is not in UTF-8: {error}"))?;
    Ok(path.into())
}

/// A text for C, where no text holds a NUL.
fn text(text: &str) -> char_p::Box {
    if text.contains('\0') {
        char_p::new(text.replace('\0', " "))
    } else {
        char_p::new(text)
    }
}

/// What came out for C, and why not.
fn told<T>(result: Result<T, String>, error: Option<Out<'_, Option<char_p::Box>>>) -> Option<T> {
    let (value, reason) = match result {
        Ok(value) => (Some(value), None),
        Err(reason) => (None, Some(text(&reason))),
    };
    if let Some(error) = error {
        error.write(reason);
    }
    value
}
