//! How data sets lie on a disk.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::files::is_rsna_id;
use crate::location::{ArchiveKind, is_picture, is_volume};

/// How a data set lies on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Found out from the names of the files, source by source.
    #[default]
    Auto,
    /// Flat folders of `ID_<hex>.dcm`, as in the RSNA 2019 competition; anonymised already.
    Rsna,
    /// Folders of series below folders `CQ500CT<n>`, with the readers' votes in `reads.csv`; anonymised already.
    Cq500,
    /// CT-ICH: `Patients_CT/<patient>/{brain,bone}` pictures with masks (1.2), or `ct_scans/<patient>.nii` (1.3).
    CtIch,
    /// Folders of studies and series, at any depth and under any name, archives among them.
    Folders,
    /// Pictures in one window, with a label table.
    Images,
}

/// A word that is no layout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a layout; the layouts are auto, rsna, cq500, ct-ich, folders, images")]
pub struct UnknownLayout(pub String);

impl Layout {
    const ALL: [Self; 6] = [
        Self::Auto,
        Self::Rsna,
        Self::Cq500,
        Self::CtIch,
        Self::Folders,
        Self::Images,
    ];

    /// The layout's name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Rsna => "rsna",
            Self::Cq500 => "cq500",
            Self::CtIch => "ct-ich",
            Self::Folders => "folders",
            Self::Images => "images",
        }
    }

    /// True where ids of patients are pseudonyms already.
    pub const fn is_anonymised(self) -> bool {
        matches!(self, Self::Rsna | Self::Cq500 | Self::CtIch | Self::Images)
    }

    /// What a file of this layout is by its path below the source.
    pub(super) fn kind(self, relative: &Path) -> Kind {
        let name = relative.file_name().unwrap_or_default().to_string_lossy();
        let is_dcm = is_dcm(relative);
        match self {
            Self::Rsna if is_dcm => Kind::Dicom,
            Self::Images if is_picture(relative) => Kind::Picture,
            Self::CtIch => ct_ich_kind(relative),
            Self::Rsna | Self::Images => Kind::Other,
            Self::Auto | Self::Cq500 | Self::Folders => match ArchiveKind::of(relative) {
                Some(archive) => Kind::Archive(archive),
                // A DICOMDIR lists files that stand beside it, and are found by themselves.
                None if name.eq_ignore_ascii_case("DICOMDIR") => Kind::Other,
                None => Kind::Dicom,
            },
        }
    }
}

/// True for a name that promises DICOM.
pub(super) fn is_dcm(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ext| ext.eq_ignore_ascii_case("dcm"))
}

/// How a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// As DICOM, whatever its name.
    Dicom,
    /// As a picture in one window.
    Picture,
    /// As a `NIfTI` volume.
    Volume,
    /// Entry by entry.
    Archive(ArchiveKind),
    /// Not at all.
    Other,
}

/// Brain windows and volumes; bone windows, masks and tables are beside the point.
fn ct_ich_kind(relative: &Path) -> Kind {
    let mut parts = relative.iter().rev();
    let (_, folder) = (parts.next(), parts.next());
    let is_in = |name: &str| folder.is_some_and(|folder| folder.eq_ignore_ascii_case(name));
    let stem = relative.file_stem().unwrap_or_default().to_string_lossy();
    if is_picture(relative) && is_in("brain") && stem.parse::<u32>().is_ok() {
        Kind::Picture
    } else if is_volume(relative) && is_in("ct_scans") {
        Kind::Volume
    } else {
        Kind::Other
    }
}

impl std::fmt::Display for Layout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Layout {
    type Err = UnknownLayout;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|layout| layout.name() == word)
            .ok_or_else(|| UnknownLayout(word.to_owned()))
    }
}

/// Counts of a source's files by what their names promise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Census {
    pub(super) files: u64,
    dcm: u64,
    rsna: u64,
    cq500: u64,
    ct_ich: u64,
    pictures: u64,
    archives: u64,
}

impl Census {
    /// Counts a file by its path below the source.
    pub(super) fn add(&mut self, relative: &Path) {
        self.files += 1;
        let stem = relative.file_stem().unwrap_or_default().to_string_lossy();
        if is_dcm(relative) {
            self.dcm += 1;
            self.rsna += u64::from(is_rsna_id(&stem));
        }
        let is_cq500 = relative.iter().any(|part| {
            part.to_string_lossy()
                .to_ascii_uppercase()
                .starts_with("CQ500CT")
        });
        self.cq500 += u64::from(is_cq500);
        self.ct_ich += u64::from(ct_ich_kind(relative) != Kind::Other);
        self.pictures += u64::from(is_picture(relative));
        self.archives += u64::from(ArchiveKind::of(relative).is_some());
    }

    /// The layout that most files speak for.
    pub(super) fn layout(&self) -> Layout {
        if 2 * self.cq500 > self.files {
            Layout::Cq500
        } else if self.ct_ich > 0 && self.dcm == 0 {
            Layout::CtIch
        } else if self.rsna > 0 && 2 * self.rsna > self.dcm {
            Layout::Rsna
        } else if self.dcm == 0 && self.archives == 0 && 2 * self.pictures > self.files {
            Layout::Images
        } else {
            Layout::Folders
        }
    }
}
