//! Writing a study's objects into a folder.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;

use crate::check::not_uids;
use crate::error::io;
use crate::study::{Kind, Made, Study};
use crate::{EvidenceError, StudyFindings, capture, heat_map, keys, report};

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The objects, in the order that they were written.
    pub objects: Vec<WrittenObject>,
    /// Identifiers of the sources that are no UIDs, which the objects repeat all the same.
    pub not_uids: Vec<NoUid>,
}

/// A file with one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenObject {
    /// The file.
    pub path: PathBuf,
    /// What it is: `structured report`, `secondary capture`, `parametric map` or `key object selection`.
    pub kind: &'static str,
    /// Its SOP Class UID.
    pub sop_class_uid: &'static str,
    /// Its SOP Instance UID.
    pub sop_instance_uid: String,
    /// The series that it stands in.
    pub series_instance_uid: String,
}

/// Identifiers that are no UIDs by their form, as those of the RSNA's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoUid {
    /// The attribute's name in DICOM.
    pub attribute: &'static str,
    /// How many sources have such a one.
    pub slices: usize,
}

impl std::fmt::Display for NoUid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "the {} of {} images is no UID; it is repeated as it is, which some archives refuse",
            self.attribute, self.slices
        )
    }
}

/// Writes what a detector says of a study into the folder `out`, which is made where it is missing: a structured report
/// (`falx-report.dcm`), a page that every viewer shows (`falx-summary.dcm`), the pictures (`falx-picture-001.dcm`), the heat
/// maps (`falx-heat-map-1-subdural.dcm`), and, where slices speak for a finding, a key object selection
/// (`falx-key-objects.dcm`).
///
/// The bytes follow from `findings` alone, the identifiers from the bytes. All objects are made before the first is written;
/// each is written under a temporary name, synced and renamed. A folder is for one study.
///
/// # Errors
/// [`EvidenceError`] where the findings contradict each other or the sources, the folder holds an object of a run that wrote
/// more, or the disk fails.
pub fn write_study(findings: &StudyFindings, out: &Path) -> Result<Written, EvidenceError> {
    let study = Study::of(findings)?;
    let captures = capture::captures(&study)?;
    let mut objects = vec![report::report(&study)?];
    let keys = keys::key_objects(&study, &captures)?;
    objects.extend(captures);
    objects.extend(heat_map::heat_maps(&study)?);
    objects.extend(keys);

    fs::create_dir_all(out).map_err(io(out))?;
    refuse_left_overs(out, &objects)?;
    for object in &objects {
        save(&out.join(&object.file_name), &object.bytes)?;
    }
    let written = objects.into_iter().map(|object| WrittenObject {
        path: out.join(&object.file_name),
        kind: object.kind.name(),
        sop_class_uid: Kind::sop_class(object.kind),
        sop_instance_uid: object.sop_instance,
        series_instance_uid: object.series,
    });
    Ok(Written {
        objects: written.collect(),
        not_uids: not_uids(findings),
    })
}

/// A folder never mixes the objects of two runs.
fn refuse_left_overs(out: &Path, objects: &[Made]) -> Result<(), EvidenceError> {
    for entry in fs::read_dir(out).map_err(io(out))? {
        let name = entry.map_err(io(out))?.file_name();
        let name = name.to_string_lossy();
        let is_ours = name.starts_with("falx-") && name.ends_with(".dcm");
        if is_ours && !objects.iter().any(|object| object.file_name == name) {
            return Err(EvidenceError::LeftOver(out.join(&*name)));
        }
    }
    Ok(())
}

/// Writes a file whole or not at all.
fn save(path: &Path, bytes: &[u8]) -> Result<(), EvidenceError> {
    let mut file = AtomicWriteFile::open(path).map_err(io(path))?;
    file.write_all(bytes).map_err(io(path))?;
    file.commit().map_err(io(path))
}
