//! Where a bundle's files lie: in a folder, in one `.falx` file, or in the program itself.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Cursor, Error, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;
use ring::digest::{Context, SHA256, digest};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::BundleError;

/// How the name of a bundle in one file ends.
const EXTENSION: &str = "falx";
/// No part is larger: ONNX's messages end there. What an archive says to be larger fills the memory for nothing.
const MOST: u64 = 1 << 31;

/// The files of a bundle.
#[derive(Clone, Debug)]
pub enum Parts {
    /// A folder with each as a file.
    Folder(PathBuf),
    /// A zip archive on the disk.
    File(PathBuf),
    /// A zip archive in memory, and what errors call it.
    Memory(PathBuf, &'static [u8]),
}

impl Parts {
    /// Those at a path: in the folder that is there, or in the file.
    pub fn at(path: &Path) -> Self {
        if path.is_file() {
            Self::File(path.to_owned())
        } else {
            Self::Folder(path.to_owned())
        }
    }

    /// Where they are, as errors call it.
    pub fn path(&self) -> &Path {
        match self {
            Self::Folder(path) | Self::File(path) | Self::Memory(path, _) => path,
        }
    }

    /// What errors call the part `name`.
    pub fn place(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// The bytes of the part `name`.
    ///
    /// # Errors
    /// [`BundleError::Io`] where there is no such part, or it cannot be read.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, BundleError> {
        self.with(name, |reader, length| {
            let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
            reader.read_to_end(&mut bytes)?;
            Ok(bytes)
        })
    }

    /// SHA-256 of the part `name`, of which only few bytes are in memory at once.
    ///
    /// # Errors
    /// As [`Parts::read`].
    pub fn sha256(&self, name: &str) -> Result<String, BundleError> {
        self.with(name, |reader, _| {
            let mut hasher = Context::new(&SHA256);
            let mut buffer = vec![0; 1 << 18];
            loop {
                let count = reader.read(&mut buffer)?;
                if count == 0 {
                    return Ok(hex(hasher.finish().as_ref()));
                }
                hasher.update(buffer.get(..count).unwrap_or_default());
            }
        })
    }

    /// Gives a reader of the part `name`, and its length, to `take`.
    fn with<T>(
        &self,
        name: &str,
        take: impl FnOnce(&mut dyn Read, u64) -> std::io::Result<T>,
    ) -> Result<T, BundleError> {
        let taken = match self {
            Self::Folder(folder) => File::open(folder.join(name)).and_then(|mut file| {
                let length = file.metadata()?.len();
                take(&mut file, length)
            }),
            Self::File(path) => File::open(path).and_then(|file| of_archive(file, name, take)),
            Self::Memory(_, bytes) => of_archive(Cursor::new(*bytes), name, take),
        };
        taken.map_err(|source| BundleError::Io {
            path: self.place(name),
            source,
        })
    }
}

fn of_archive<T>(
    archive: impl Read + Seek,
    name: &str,
    take: impl FnOnce(&mut dyn Read, u64) -> std::io::Result<T>,
) -> std::io::Result<T> {
    let mut archive = ZipArchive::new(archive)?;
    let mut part = archive.by_name(name)?;
    let length = part.size();
    if length > MOST {
        let reason = format!("says to hold {length} bytes, more than any network's file can");
        return Err(Error::new(ErrorKind::InvalidData, reason));
    }
    // One byte more than it says to hold: at the end the archive's own sum is looked at, which is all that guards the manifest.
    take(&mut part.by_ref().take(length + 1), length)
}

/// Takes a bundle's parts one by one, and puts them where they belong.
pub enum Writing {
    /// Each becomes a file of the folder at once.
    Folder(PathBuf),
    /// All become one file, which has its name when it is whole.
    File(PathBuf, Box<ZipWriter<AtomicWriteFile>>),
}

impl Writing {
    /// Begins a bundle: in one file where the name ends in `.falx`, else in a folder.
    ///
    /// # Errors
    /// [`BundleError::Io`] where that cannot be made.
    pub fn to(path: &Path) -> Result<Self, BundleError> {
        if is_one_file(path) {
            let file = AtomicWriteFile::open(path).map_err(io(path))?;
            Ok(Self::File(path.to_owned(), Box::new(ZipWriter::new(file))))
        } else {
            std::fs::create_dir_all(path).map_err(io(path))?;
            Ok(Self::Folder(path.to_owned()))
        }
    }

    /// Adds a part.
    ///
    /// # Errors
    /// [`BundleError::Io`] where it cannot be written.
    pub fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), BundleError> {
        match self {
            Self::Folder(folder) => {
                let path = folder.join(name);
                let attempt = || {
                    let mut file = AtomicWriteFile::open(&path)?;
                    file.write_all(bytes)?;
                    file.commit()
                };
                attempt().map_err(io(&path))
            }
            Self::File(path, archive) => {
                // Weights hardly become smaller, and are read faster as they are. The date is always the same.
                let options = SimpleFileOptions::default()
                    .compression_method(CompressionMethod::Stored)
                    .last_modified_time(zip::DateTime::default());
                let attempt = |archive: &mut ZipWriter<_>| {
                    archive.start_file(name, options)?;
                    archive.write_all(bytes)
                };
                attempt(archive).map_err(io(path))
            }
        }
    }

    /// Ends the bundle, and tells where its parts are.
    ///
    /// # Errors
    /// [`BundleError::Io`] where the file cannot be written to its end.
    pub fn finish(self) -> Result<Parts, BundleError> {
        match self {
            Self::Folder(folder) => Ok(Parts::Folder(folder)),
            Self::File(path, archive) => {
                let file = archive.finish().map_err(Error::from);
                file.and_then(AtomicWriteFile::commit).map_err(io(&path))?;
                Ok(Parts::File(path))
            }
        }
    }
}

/// Whether a bundle of this name is one file.
pub fn is_one_file(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == EXTENSION)
}

/// What comes of one network's file: its bytes, borrowed or read.
pub type PartBytes<'a> = Result<Cow<'a, [u8]>, BundleError>;

fn io(path: &Path) -> impl FnOnce(Error) -> BundleError {
    let path = path.to_owned();
    move |source| BundleError::Io { path, source }
}

/// SHA-256 of bytes, as manifests write it.
pub fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

fn hex(digest: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut hex = String::with_capacity(2 * digest.len());
    for byte in digest {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
