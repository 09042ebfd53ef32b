//! Entries of zip and tar archives, read without unpacking anything to the disk.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Component, Path, PathBuf};

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;

use super::{Fault, SourceFault};
use crate::location::ArchiveKind;

/// The largest entry that is read.
const MAX_ENTRY: u64 = 1 << 30;

/// True for a name that stays inside of the archive.
fn is_inside(name: &str) -> bool {
    let is_windows_root = name.as_bytes().get(1) == Some(&b':') || name.contains('\\');
    let mut parts = Path::new(name).components();
    let stays = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    !name.is_empty() && !is_windows_root && !name.contains('\0') && parts.all(stays)
}

fn damaged(error: impl std::fmt::Display) -> Fault {
    Fault::new(SourceFault::DamagedArchive, error.to_string())
}

fn unsafe_path() -> Fault {
    Fault::new(
        SourceFault::UnsafeArchivePath,
        "an entry's name leads out of the archive",
    )
}

/// Reads an entry's bytes into `bytes`, but not more than are bearable.
fn fill(entry: impl Read, bytes: &mut Vec<u8>) -> Result<(), Fault> {
    bytes.clear();
    entry
        .take(MAX_ENTRY + 1)
        .read_to_end(bytes)
        .map_err(damaged)?;
    if bytes.len() as u64 > MAX_ENTRY {
        bytes.clear();
        return Err(Fault::new(
            SourceFault::ArchiveEntryTooLarge,
            "more than 1 GiB",
        ));
    }
    Ok(())
}

type Tar = tar::Archive<Box<dyn Read>>;

fn open_tar(path: &Path, kind: ArchiveKind) -> Result<Tar, Fault> {
    let file = BufReader::with_capacity(1 << 16, File::open(path).map_err(damaged)?);
    let reader: Box<dyn Read> = match kind {
        ArchiveKind::TarGz => Box::new(MultiGzDecoder::new(file)),
        _ => Box::new(file),
    };
    Ok(tar::Archive::new(reader))
}

fn open_zip(path: &Path) -> Result<ZipArchive<BufReader<File>>, Fault> {
    let file = BufReader::new(File::open(path).map_err(damaged)?);
    ZipArchive::new(file).map_err(damaged)
}

/// Gives every file of an archive to `take`: its name, and its bytes or what is wrong with it.
///
/// Stops where `take` says false. The fault returned is one of the archive as a whole; what was given before
/// it stands.
pub(crate) fn each_entry(
    path: &Path,
    kind: ArchiveKind,
    mut take: impl FnMut(&str, Result<&[u8], Fault>) -> bool,
) -> Result<(), Fault> {
    let mut bytes = Vec::new();
    if kind == ArchiveKind::Zip {
        let mut archive = open_zip(path)?;
        for at in 0..archive.len() {
            let entry = archive.by_index(at);
            let (name, read) = match entry {
                Err(error) => (format!("entry {at}"), Err(damaged(error))),
                Ok(entry) if entry.is_dir() => continue,
                Ok(entry) => {
                    let name = entry.name().map(std::borrow::Cow::into_owned);
                    match name {
                        Ok(name) if is_inside(&name) => (name, fill(entry, &mut bytes)),
                        Ok(name) => (name, Err(unsafe_path())),
                        Err(error) => (format!("entry {at}"), Err(damaged(error))),
                    }
                }
            };
            if !take(&name, read.map(|()| bytes.as_slice())) {
                break;
            }
        }
        return Ok(());
    }
    let mut archive = open_tar(path, kind)?;
    for entry in archive.entries().map_err(damaged)? {
        let entry = entry.map_err(damaged)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let read = if is_inside(&name) {
            fill(entry, &mut bytes)
        } else {
            Err(unsafe_path())
        };
        if !take(&name, read.map(|()| bytes.as_slice())) {
            break;
        }
    }
    Ok(())
}

/// The zip archive that was read last, kept open; tar archives are read from their start each time.
#[derive(Default)]
pub(crate) struct Opened(Option<(PathBuf, ZipArchive<BufReader<File>>)>);

impl Opened {
    /// The bytes of one entry.
    pub(crate) fn entry(&mut self, path: &Path, name: &str) -> Result<Vec<u8>, Fault> {
        let kind = ArchiveKind::of(path).ok_or_else(|| damaged("it is no archive"))?;
        if !is_inside(name) {
            return Err(unsafe_path());
        }
        let mut bytes = Vec::new();
        if kind == ArchiveKind::Zip {
            if self.0.as_ref().is_none_or(|(have, _)| have != path) {
                self.0 = Some((path.to_owned(), open_zip(path)?));
            }
            let Some((_, archive)) = &mut self.0 else {
                return Err(damaged("it is gone"));
            };
            fill(archive.by_name(name).map_err(damaged)?, &mut bytes)?;
            return Ok(bytes);
        }
        let mut found = None;
        each_entry(path, kind, |have, read| {
            if have == name {
                found = Some(read.map(<[u8]>::to_vec));
            }
            found.is_none()
        })?;
        found.unwrap_or_else(|| Err(damaged("it has no such entry")))
    }
}
