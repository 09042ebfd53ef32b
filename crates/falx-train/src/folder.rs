//! The run's folder: which file is what, and how they are written so that a failure never spoils one.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Recipe, TrainError};

/// What a cross-validation reached; its folder holds runs, and is none.
pub(crate) const CROSS_VALIDATION: &str = "cross-validation.json";

/// The folder of one run.
#[derive(Clone, Debug)]
pub struct RunFolder(PathBuf);

/// A set of slices that a run predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The fold that chose the best checkpoint.
    Validation,
    /// The patients that were locked away.
    Test,
}

impl Part {
    /// The part's word in file names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

impl RunFolder {
    /// A run at `path`, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What was run: the recipe with every default written out.
    pub fn recipe(&self) -> PathBuf {
        self.0.join("recipe.toml")
    }

    /// What the run depends on: hashes, seed, version, engine.
    pub fn lock(&self) -> PathBuf {
        self.0.join("run.lock")
    }

    /// One line of JSON an epoch.
    pub fn metrics(&self) -> PathBuf {
        self.0.join("metrics.jsonl")
    }

    /// One line of JSON an epoch with its times; other ones in every run.
    pub fn timing(&self) -> PathBuf {
        self.0.join("timing.jsonl")
    }

    /// The event files for TensorBoard; other ones in every run.
    pub fn events(&self) -> PathBuf {
        self.0.join("tensorboard")
    }

    /// The page that shows how the run goes; another one in every run.
    pub fn page(&self) -> PathBuf {
        self.0.join("training.html")
    }

    /// Checkpoints of the last safe point and of the best epoch.
    pub fn checkpoints(&self) -> PathBuf {
        self.0.join("checkpoints")
    }

    /// The second stage: a folder of the same kind, and the slices' embeddings.
    pub fn sequence(&self) -> PathBuf {
        self.0.join("sequence")
    }

    /// The stage that the run ends with: its second, where the recipe has one.
    pub(crate) fn last_stage(&self, recipe: &Recipe) -> Self {
        match recipe.sequence {
            Some(_) => Self(self.sequence()),
            None => self.clone(),
        }
    }

    /// The weights that the run gives: of the best epoch, or, where the recipe asks for it, the mean of several.
    pub fn best_weights(&self) -> PathBuf {
        let checkpoints = crate::checkpoint::Checkpoints::new(self.checkpoints());
        let averaged = checkpoints.averaged_path();
        if averaged.is_file() {
            averaged
        } else {
            checkpoints.best_path()
        }
    }

    /// What the mean of several epochs' weights reached, where the recipe asks for it.
    pub fn averaged(&self) -> PathBuf {
        self.0.join("averaged.json")
    }

    /// The bundle of these weights.
    pub fn bundle(&self) -> PathBuf {
        self.0.join("bundle")
    }

    /// The bundle's predictions of one part.
    pub fn predictions(&self, part: Part) -> PathBuf {
        self.0.join(format!("predictions-{}.csv", part.name()))
    }

    /// The step whose loss or gradients were not finite; its tensors lie beside it.
    pub fn failed_batch(&self) -> PathBuf {
        self.0.join("failed-batch.json")
    }

    /// Whether there are files from which a run would go on.
    pub(crate) fn has_leftovers(&self) -> bool {
        let has_any =
            |folder: PathBuf| std::fs::read_dir(folder).is_ok_and(|mut it| it.next().is_some());
        has_any(self.checkpoints()) || has_any(self.sequence())
    }

    /// Keeps other processes from training here while what is returned lives; the system lets go of it with the process,
    /// however that ends.
    ///
    /// # Errors
    /// [`TrainError::InUse`] while another one trains here.
    pub(crate) fn claim(&self) -> Result<File, TrainError> {
        let folder = self.checkpoints();
        let file = File::open(&folder).map_err(TrainError::io(&folder))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(TrainError::InUse(self.0.clone())),
            // Some file systems cannot lock; a run must go on there, too.
            Err(TryLockError::Error(error)) => {
                tracing::debug!("{} cannot be locked: {error}", folder.display());
                Ok(file)
            }
            Ok(()) => Ok(file),
        }
    }

    /// Removes the temporary files that a killed process has left beside what it was writing.
    ///
    /// Only who has [claimed](RunFolder::claim) the folder may do so.
    pub(crate) fn sweep(&self) {
        let sequence = Self::new(self.sequence());
        let folders = [self.path(), &sequence.0, &self.bundle()];
        let inner = [self.checkpoints(), sequence.checkpoints()];
        let folders = folders
            .into_iter()
            .chain(inner.iter().map(PathBuf::as_path));
        for folder in folders {
            let entries = std::fs::read_dir(folder).into_iter().flatten();
            for entry in entries.filter_map(Result::ok) {
                if is_temporary(&entry.file_name().to_string_lossy()) {
                    // What stays only takes room.
                    let _ = std::fs::remove_file(entry.path());
                }
            }
        }
    }

    pub(crate) fn create(&self) -> Result<(), TrainError> {
        for folder in [&self.0, &self.checkpoints()] {
            std::fs::create_dir_all(folder).map_err(TrainError::io(folder))?;
        }
        Ok(())
    }
}

/// The bundle of a folder: of a run or a cross-validation its own, else the folder itself.
pub fn bundle_in(folder: &Path) -> PathBuf {
    let run = RunFolder::new(folder);
    if run.lock().is_file() || folder.join(CROSS_VALIDATION).is_file() {
        run.bundle()
    } else {
        folder.to_owned()
    }
}

/// Whether a name is one that a file has until it is whole: `.NAME.` and six characters.
fn is_temporary(name: &str) -> bool {
    let Some((file, random)) = name.strip_prefix('.').and_then(|n| n.rsplit_once('.')) else {
        return false;
    };
    file.contains('.') && random.len() == 6 && random.chars().all(|c| c.is_ascii_alphanumeric())
}

pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let attempt = || {
        let mut file = AtomicWriteFile::open(path)?;
        file.write_all(bytes)?;
        file.commit()
    };
    attempt().map_err(TrainError::io(path))
}

pub(crate) fn write_toml(path: &Path, value: &impl Serialize) -> Result<(), TrainError> {
    let text = toml::to_string_pretty(value)
        .map_err(|error| TrainError::damaged(path, error.to_string()))?;
    write(path, text.as_bytes())
}

pub(crate) fn read_toml<T: DeserializeOwned>(path: &Path) -> Result<T, TrainError> {
    let text = std::fs::read_to_string(path).map_err(TrainError::io(path))?;
    toml::from_str(&text).map_err(|error| TrainError::damaged(path, error.to_string()))
}

/// Reads a file of JSON; `None` where there is no file.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, TrainError> {
    if !path.exists() {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path).map_err(TrainError::io(path))?;
    let read = serde_json::from_str(&text);
    read.map(Some)
        .map_err(|error| TrainError::damaged(path, error.to_string()))
}

/// Reads a file of one line of JSON each; no file has no lines.
pub(crate) fn read_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, TrainError> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(path).map_err(TrainError::io(path))?;
    text.lines()
        .map(|line| {
            serde_json::from_str(line).map_err(|error| TrainError::damaged(path, error.to_string()))
        })
        .collect()
}

/// Writes all lines anew: such files are small, and so a stop can never leave half a line.
pub(crate) fn write_lines(path: &Path, values: &[impl Serialize]) -> Result<(), TrainError> {
    let mut text = String::new();
    for value in values {
        let line = serde_json::to_string(value)
            .map_err(|error| TrainError::damaged(path, error.to_string()))?;
        text.push_str(&line);
        text.push('\n');
    }
    write(path, text.as_bytes())
}
