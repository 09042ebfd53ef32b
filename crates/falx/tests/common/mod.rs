//! What the tests of the binary share: the command itself, and a small phantom with index, split and recipe.

// Each test file is a crate of its own and uses a part of this.
#![allow(dead_code)]

pub mod trained;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;

use assert_cmd::assert::Assert;
use assert_cmd::prelude::*;

/// The binary under test.
pub fn falx() -> Command {
    Command::new(env!("CARGO_BIN_EXE_falx"))
}

/// Runs `falx` with words separated by spaces; `{}` stands for the next path.
pub fn run(line: &str, paths: &[&Path]) -> Assert {
    let mut paths = paths.iter();
    let mut command = falx();
    for word in line.split_whitespace() {
        match word {
            "{}" => command.arg(paths.next().expect("a path for every {}")),
            word => command.arg(word),
        };
    }
    command.assert()
}

/// Standard output as JSON; fails where it is not exactly one document.
pub fn json(assert: &Assert) -> serde_json::Value {
    serde_json::from_slice(&assert.get_output().stdout).expect("one JSON document")
}

/// Standard error as text.
pub fn stderr(assert: &Assert) -> String {
    String::from_utf8_lossy(&assert.get_output().stderr).into_owned()
}

/// Starts training and sends `signal` once a line of standard error begins with `begun`.
pub fn train_until(
    begun: &str,
    flags: &[&str],
    recipe: &Path,
    out: &Path,
    signal: &str,
) -> ExitStatus {
    let mut child = falx()
        .args(["train", "--threads", "2"])
        .args(flags)
        .arg("--out")
        .arg(out)
        .arg(recipe)
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let said = lines.by_ref().map_while(Result::ok);
    let found = said.into_iter().find(|line| line.starts_with(begun));
    assert!(found.is_some(), "`{begun}` was never said");
    send(&child, signal);
    // Reading on keeps the child from waiting for us.
    lines.map_while(Result::ok).for_each(drop);
    child.wait().unwrap()
}

/// Sends a signal to a process.
pub fn send(child: &Child, signal: &str) {
    let status = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

/// Fails where the results of two runs differ by a byte.
pub fn assert_same_run(a: &Path, b: &Path) {
    let (a, b) = (results(a), results(b));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (path, bytes) in &a {
        assert!(b[path] == *bytes, "{} differs", path.display());
    }
}

/// A small phantom in RSNA's layout, with an index and a split.
pub struct Study {
    pub folder: tempfile::TempDir,
}

impl Study {
    /// Twelve patients of 64 × 64 pixels, half of their slices positive, so that every fold has both classes.
    pub fn new() -> Self {
        Self::of(12)
    }

    fn of(patients: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let study = Self { folder };
        let line = format!(
            "phantom --patients {patients} --test-patients 1 --matrix 64 --prevalence 0.4 --seed 8 --out {{}} -q"
        );
        run(&line, &[&study.path("phantom")]).success();
        study
    }

    /// The same, indexed and split.
    pub fn indexed() -> Self {
        Self::indexed_of(12)
    }

    /// The same of so many patients.
    pub fn indexed_of(patients: u32) -> Self {
        let study = Self::of(patients);
        let (images, labels) = (study.images(), study.labels());
        run(
            "index {} --labels {} --out {} -q",
            &[&images, &labels, &study.path("index.parquet")],
        )
        .success();
        run(
            "split {} --folds 3 --out {}",
            &[&study.path("index.parquet"), &study.path("split.parquet")],
        )
        .success();
        study
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn images(&self) -> PathBuf {
        self.path("phantom/stage_2_train")
    }

    pub fn labels(&self) -> PathBuf {
        self.path("phantom/stage_2_train.csv")
    }

    /// The same, but of the labels `any` alone counts: some splits of so few patients leave a subtype out.
    pub fn recipe_of_any(&self, epochs: u32) -> PathBuf {
        let path = self.recipe(epochs);
        let text = std::fs::read_to_string(&path).unwrap();
        let loss = "[loss]\nlabel_weights = [0, 0, 0, 0, 0, 1]\n";
        std::fs::write(&path, text + loss).unwrap();
        path
    }

    /// Writes a recipe that is quick to run.
    pub fn recipe(&self, epochs: u32) -> PathBuf {
        let path = self.path("recipe.toml");
        let text = format!(
            "seed = 3\n\
             [data]\nindex = \"index.parquet\"\nsplit = \"split.parquet\"\n\
             [input]\nsize = 32\n\
             [sampler]\npositive_any_share = 0.5\n\
             [augment]\n\
             [training]\nepochs = {epochs}\nbatch = 16\n"
        );
        std::fs::write(&path, text).unwrap();
        path
    }
}

/// What of a run tells the time of the clock, and so differs in every run.
const OF_THE_CLOCK: [&str; 3] = ["tensorboard", "timing.jsonl", "training.html"];

/// Every file below a folder with its bytes, by relative path, but what tells the time of the clock.
pub fn results(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = files(folder);
    found.retain(|path, _| {
        let mut parts = path.iter();
        !parts.any(|part| OF_THE_CLOCK.iter().any(|clock| part == *clock))
    });
    found
}

/// A run that is trained once for all tests of a file: the same study and recipe give the same bytes.
pub struct TrainedOnce(OnceLock<BTreeMap<PathBuf, Vec<u8>>>);

impl TrainedOnce {
    /// Not trained yet.
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Puts the run on [`Study::indexed`] into the folder of such a study.
    pub fn put(&self, study: &Study, recipe: impl Fn(&Study) -> PathBuf) -> PathBuf {
        let out = study.path("run");
        let files = self.0.get_or_init(|| {
            let study = Study::indexed();
            let out = study.path("run");
            run("train {} --out {} -q", &[&recipe(&study), &out]).success();
            files(&out)
        });
        put(files, &out);
        out
    }
}

/// A folder of a study that may not be written to.
#[cfg(unix)]
pub fn closed(study: &Study) -> PathBuf {
    let place = study.path("closed");
    std::fs::create_dir(&place).unwrap();
    permit(&place, 0o555);
    place
}

/// falx to be run by somebody who may read a study's folder, and not write where it is [`closed`].
#[cfg(unix)]
pub fn falx_of_a_reader(study: &Study) -> Command {
    use std::os::unix::process::CommandExt;

    let mut command = falx();
    if std::fs::read_dir("/root").is_ok() {
        // Root may write anywhere.
        permit(study.folder.path(), 0o755);
        command.uid(65534).gid(65534);
    }
    command
}

#[cfg(unix)]
fn permit(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;

    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Writes what [`files`] found into a folder.
pub fn put(files: &BTreeMap<PathBuf, Vec<u8>>, folder: &Path) {
    for (file, bytes) in files {
        let path = folder.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// Every file below a folder with its bytes, by relative path.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), bytes);
            }
        }
    }
    found
}
