//! Where a slice's bytes lie, as one text: what stands in an index as `path`.

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

/// A file, an entry of an archive, or a slice of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A file of its own.
    File(PathBuf),
    /// `archive.zip!/folder/file`.
    Entry {
        /// The zip or tar file.
        archive: PathBuf,
        /// The entry's name in it.
        entry: String,
    },
    /// `volume.nii.gz#12`: a slice of a volume, from 1.
    VolumeSlice {
        /// The `NIfTI` file.
        volume: PathBuf,
        /// The number of the slice as the file counts them, from 1.
        number: u32,
    },
}

const ARCHIVES: [(&str, ArchiveKind); 4] = [
    (".zip", ArchiveKind::Zip),
    (".tar", ArchiveKind::Tar),
    (".tar.gz", ArchiveKind::TarGz),
    (".tgz", ArchiveKind::TarGz),
];

/// How an archive is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArchiveKind {
    Zip,
    Tar,
    TarGz,
}

impl ArchiveKind {
    /// By the file's name.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let known = ARCHIVES.iter().find(|(ending, _)| name.ends_with(ending));
        known.map(|&(_, kind)| kind)
    }
}

/// True for a `NIfTI` file by its name.
pub(crate) fn is_volume(path: &Path) -> bool {
    let is = |path: &Path, ending: &str| {
        path.extension()
            .is_some_and(|ext| ext.eq_ignore_ascii_case(ending))
    };
    is(path, "nii") || is(path, "gz") && is(&path.with_extension(""), "nii")
}

/// True for a picture by its name: PNG, JPEG, WebP or TIFF.
pub(crate) fn is_picture(path: &Path) -> bool {
    const ENDINGS: [&str; 6] = ["png", "jpg", "jpeg", "webp", "tif", "tiff"];
    path.extension()
        .is_some_and(|ext| ENDINGS.iter().any(|have| ext.eq_ignore_ascii_case(have)))
}

impl Location {
    /// What a path of an index means.
    pub fn parse(path: &Path) -> Self {
        let text = path.to_string_lossy();
        for (at, _) in text.match_indices("!/") {
            let archive = Path::new(&text[..at]);
            if ArchiveKind::of(archive).is_some() {
                return Self::Entry {
                    archive: archive.to_owned(),
                    entry: text[at + 2..].to_owned(),
                };
            }
        }
        if let Some((volume, number)) = text.rsplit_once('#')
            && is_volume(Path::new(volume))
            && let Ok(number) = number.parse()
        {
            return Self::VolumeSlice {
                volume: volume.into(),
                number,
            };
        }
        Self::File(path.to_owned())
    }

    /// The path for an index.
    pub fn to_path(&self) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Entry { archive, entry } => {
                let mut text = archive.clone().into_os_string();
                text.push("!/");
                text.push(entry);
                text.into()
            }
            Self::VolumeSlice { volume, number } => {
                let mut text = volume.clone().into_os_string();
                text.push(format!("#{number}"));
                text.into()
            }
        }
    }
}
