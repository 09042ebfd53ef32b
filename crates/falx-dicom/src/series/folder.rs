//! From a folder of files to its series: what is left out, and which volumes remain.

use std::collections::BTreeMap;

use super::{SeriesDefect, SeriesGeometry, SeriesSlice, arrange};
use crate::{Refusal, SliceHeader};

/// Whether a file of a folder is a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// An original image.
    Original,
    /// An image whose Image Type is DERIVED.
    Derived,
    /// No slice at all.
    Refused(Refusal),
}

/// What [`sort_folder`] needs to know of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FolderFile<'a> {
    /// Whether it is a slice.
    pub standing: Standing,
    /// Study Instance UID.
    pub study_instance_uid: Option<&'a str>,
    /// Series Instance UID.
    pub series_instance_uid: Option<&'a str>,
    /// The slice, where it is one.
    pub slice: SeriesSlice<'a>,
}

impl<'a> From<&'a SliceHeader> for FolderFile<'a> {
    fn from(header: &'a SliceHeader) -> Self {
        Self {
            standing: if header.is_derived() {
                Standing::Derived
            } else {
                Standing::Original
            },
            study_instance_uid: header.study_instance_uid.as_deref(),
            series_instance_uid: header.series_instance_uid.as_deref(),
            slice: SeriesSlice::from(header),
        }
    }
}

impl From<Refusal> for FolderFile<'_> {
    fn from(refusal: Refusal) -> Self {
        Self {
            standing: Standing::Refused(refusal),
            study_instance_uid: None,
            series_instance_uid: None,
            slice: SeriesSlice::default(),
        }
    }
}

/// A file that is in no series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excluded {
    /// Its index in the folder.
    pub index: usize,
    /// The folder's defect that names it, where one does.
    pub defect: Option<SeriesDefect>,
    /// Why it is no slice, where it was refused.
    pub refusal: Option<Refusal>,
}

/// One series of a folder.
#[derive(Clone, Debug, PartialEq)]
pub struct FolderSeries {
    /// Study Instance UID.
    pub study_instance_uid: Option<String>,
    /// Series Instance UID.
    pub series_instance_uid: Option<String>,
    /// The indices of its files in the folder, ascending.
    pub members: Vec<usize>,
    /// Its order and geometry; indices count in `members`.
    pub geometry: SeriesGeometry,
}

/// One study of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderStudy {
    /// Study Instance UID.
    pub study_instance_uid: Option<String>,
    /// The indices of its series in the folder, ascending.
    pub series: Vec<usize>,
}

/// The studies and series of a folder and what was left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Folder {
    /// The studies, in the order of their first series.
    pub studies: Vec<FolderStudy>,
    /// The series, in the order of their first files.
    pub series: Vec<FolderSeries>,
    /// The files in no series, ascending.
    pub excluded: Vec<Excluded>,
    /// What is odd about the folder, each once, in the order of [`SeriesDefect::ALL`].
    pub defects: Vec<SeriesDefect>,
}

/// Sorts a folder's files (in the order of their names) into studies and series, and arranges each series.
///
/// A derived image is left out where its series also holds original ones.
pub fn sort_folder(files: &[FolderFile<'_>]) -> Folder {
    let mut folder = Folder::default();
    // A series belongs to its study even where two studies use one Series Instance UID.
    let mut groups: BTreeMap<_, Vec<(usize, &FolderFile<'_>)>> = BTreeMap::new();
    for (index, file) in files.iter().enumerate() {
        if let Standing::Refused(refusal) = file.standing {
            folder.excluded.push(Excluded {
                index,
                defect: exclusion(refusal),
                refusal: Some(refusal),
            });
        } else {
            let key = (file.study_instance_uid, file.series_instance_uid);
            groups.entry(key).or_default().push((index, file));
        }
    }
    for ((study, series), mut group) in groups {
        let is_original =
            |&(_, file): &(usize, &FolderFile<'_>)| file.standing == Standing::Original;
        if group.iter().any(is_original) {
            let derived = group.extract_if(.., |entry| !is_original(entry));
            folder.excluded.extend(derived.map(|(index, _)| Excluded {
                index,
                defect: Some(SeriesDefect::ExcludedDerived),
                refusal: None,
            }));
        }
        let slices: Vec<_> = group.iter().map(|(_, file)| file.slice).collect();
        folder.series.push(FolderSeries {
            study_instance_uid: study.map(str::to_owned),
            series_instance_uid: series.map(str::to_owned),
            members: group.iter().map(|&(index, _)| index).collect(),
            geometry: arrange(&slices),
        });
    }
    folder
        .series
        .sort_by_key(|series| series.members.first().copied());
    folder.studies = studies(&folder.series);
    folder.excluded.sort_by_key(|excluded| excluded.index);
    folder.defects = folder.excluded.iter().filter_map(|e| e.defect).collect();
    if folder.series.len() > 1 {
        folder.defects.push(SeriesDefect::MultipleSeries);
    }
    folder.defects.sort_unstable();
    folder.defects.dedup();
    folder
}

fn studies(series: &[FolderSeries]) -> Vec<FolderStudy> {
    let mut series_of: BTreeMap<_, Vec<usize>> = BTreeMap::new();
    for (index, series) in series.iter().enumerate() {
        let uid = &series.study_instance_uid;
        series_of.entry(uid).or_default().push(index);
    }
    let mut studies: Vec<_> = series_of
        .into_iter()
        .map(|(uid, series)| FolderStudy {
            study_instance_uid: uid.clone(),
            series,
        })
        .collect();
    studies.sort_by_key(|study| study.series.first().copied());
    studies
}

const fn exclusion(refusal: Refusal) -> Option<SeriesDefect> {
    match refusal {
        Refusal::Localizer => Some(SeriesDefect::ExcludedLocalizer),
        Refusal::NotCt => Some(SeriesDefect::ExcludedNotCt),
        _ => None,
    }
}
