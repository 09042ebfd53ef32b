//! A phantom's series with another number of slices.

use std::path::{Path, PathBuf};

use dicom_core::VR;
use dicom_dictionary_std::tags;
use dicom_object::DefaultDicomObject;
use falx_core::random;

use crate::PhantomError;
use crate::ids::uid;
use crate::write::io;

/// Writes a series of `slices` slices into the new folder `out`, evenly spaced through the head whose slices are the files
/// `series`, from the feet upwards. Each has the pixels of the nearest slice, and an identity and place of its own; a single
/// one is the middle of the head.
///
/// # Errors
/// [`PhantomError`] when a file cannot be read or written, or there is none.
pub fn restack(series: &[PathBuf], slices: usize, out: &Path) -> Result<(), PhantomError> {
    let middle = series.get(series.len() / 2..).unwrap_or_default();
    let series = if slices == 1 { middle } else { series };
    let (Some(first), Some(last)) = (series.first(), series.last()) else {
        return Err(fault(out, &"there is no slice to take"));
    };
    std::fs::create_dir(out).map_err(io(out))?;
    let (feet, crown) = (corner(first)?, corner(last)?);
    let steps = slices.saturating_sub(1).max(1);
    for slice in 0..slices {
        let nearest = series.get(slice * (series.len() - 1) / steps);
        let mut file = open(nearest.unwrap_or(first))?;
        let share = slice as f64 / steps as f64;
        let pairs = feet.iter().zip(&crown);
        let place: Vec<String> = pairs
            .map(|(a, b)| format!("{:.5}", a + share * (b - a)))
            .collect();
        let of_source = file.meta().media_storage_sop_instance_uid().to_owned();
        let numbers = [slices as u64, slice as u64];
        let uid = uid(&mut random::stream(0, &of_source, &numbers));
        let meta = file.meta_mut();
        meta.media_storage_sop_instance_uid.clone_from(&uid);
        file.put_str(tags::SOP_INSTANCE_UID, VR::UI, uid);
        file.put_str(tags::INSTANCE_NUMBER, VR::IS, (slice + 1).to_string());
        file.put_str(tags::IMAGE_POSITION_PATIENT, VR::DS, place.join("\\"));
        let path = out.join(format!("{slice:04}.dcm"));
        file.write_to_file(&path).map_err(|e| fault(&path, &e))?;
    }
    Ok(())
}

fn fault(path: &Path, reason: &dyn std::fmt::Display) -> PhantomError {
    PhantomError::Encode {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

fn open(path: &Path) -> Result<DefaultDicomObject, PhantomError> {
    dicom_object::open_file(path).map_err(|e| fault(path, &e))
}

/// Image Position (Patient), in mm.
fn corner(path: &Path) -> Result<Vec<f64>, PhantomError> {
    let file = open(path)?;
    let position = file.element(tags::IMAGE_POSITION_PATIENT);
    let position = position.map_err(|e| fault(path, &e))?;
    position.to_multi_float64().map_err(|e| fault(path, &e))
}

#[cfg(test)]
mod tests {
    use falx_core::{Interrupt, Silent};

    use super::*;
    use crate::{PhantomOptions, write};

    #[test]
    fn slices_lie_evenly_through_the_same_head() {
        let folder = tempfile::tempdir().unwrap();
        let options = PhantomOptions {
            patients: 1,
            matrix: 64,
            masks: false,
            out: folder.path().join("phantom"),
            ..PhantomOptions::default()
        };
        let made = write(&options, &Silent, &Interrupt::default()).unwrap();
        let entries = std::fs::read_dir(made.images).unwrap();
        let mut series: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        series.sort_by(|a, b| corner(a).unwrap()[2].total_cmp(&corner(b).unwrap()[2]));
        let out = folder.path().join("thin");
        restack(&series, 101, &out).unwrap();
        let z = |slice: usize| corner(&out.join(format!("{slice:04}.dcm"))).unwrap()[2];
        let ends = [&series[0], &series[series.len() - 1]].map(|path| corner(path).unwrap()[2]);
        assert!((z(0) - ends[0]).abs() < 1e-3 && (z(100) - ends[1]).abs() < 1e-3);
        let step = (ends[1] - ends[0]) / 100.0;
        for slice in 1..=100 {
            assert!((z(slice) - z(slice - 1) - step).abs() < 1e-3, "{slice}");
        }
        assert!(restack(&[], 3, &folder.path().join("none")).is_err());
    }
}
