//! The Python peer: a process that answers one line with another, so that rounds can alternate.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, bail};
use falx_core::Window;
use serde_json::{Value, json};

const SCRIPT: &str = include_str!("io_peer.py");

/// A way of the peer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// As the notebooks of 2019 did.
    Seed,
    /// Look-up tables, then resizing: windows first.
    Lookup,
    /// Resizing in HU, then windows: what falx computes.
    Mean,
}

impl Way {
    pub const ALL: [Self; 3] = [Self::Seed, Self::Lookup, Self::Mean];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Seed => "seed",
            Self::Lookup => "lookup",
            Self::Mean => "mean",
        }
    }
}

/// The process.
pub struct Peer {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// The versions of what it runs on.
    pub versions: String,
}

impl Peer {
    /// Starts it with what it is to make.
    pub fn start(python: &Path, size: usize, windows: &[Window]) -> anyhow::Result<Self> {
        let name = python.display();
        let mut child = Command::new(python)
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| {
                format!("{name} cannot be started; install Python 3, or name one with --python")
            })?;
        let (requests, answers) = (child.stdin.take(), child.stdout.take());
        let (Some(requests), Some(answers)) = (requests, answers) else {
            bail!("{name} has no standard input or output");
        };
        let mut peer = Self {
            child,
            requests,
            answers: BufReader::new(answers),
            versions: String::new(),
        };
        let windows: Vec<[f32; 2]> = windows.iter().map(|&window| window.into()).collect();
        let answer = peer
            .ask(&json!({ "setup": { "size": size, "windows": windows } }))
            .context("the peer did not start; it needs: pip install pydicom numpy opencv-python-headless")?;
        let versions = answer["versions"].as_str();
        versions.unwrap_or_default().clone_into(&mut peer.versions);
        Ok(peer)
    }

    /// CPU milliseconds for each file.
    pub fn cpu_ms(&mut self, way: Way, files: &[PathBuf]) -> anyhow::Result<Vec<f64>> {
        let answer = self.ask(&json!({ "cpu": way.name(), "files": files }))?;
        let times = answer["ms"].as_array().context("the peer gave no times")?;
        Ok(times.iter().filter_map(Value::as_f64).collect())
    }

    /// Seconds for all files with so many processes.
    pub fn wall_s(&mut self, way: Way, files: &[PathBuf], processes: usize) -> anyhow::Result<f64> {
        let request = json!({ "wall": way.name(), "files": files, "processes": processes });
        self.ask(&request)?["s"]
            .as_f64()
            .context("the peer gave no time")
    }

    /// The largest difference of its picture of `file` to the one in the file `tensor`.
    pub fn difference(&mut self, way: Way, file: &Path, tensor: &Path) -> anyhow::Result<f64> {
        let request = json!({ "difference": way.name(), "file": file, "tensor": tensor });
        self.ask(&request)?["largest"]
            .as_f64()
            .context("the peer gave no difference")
    }

    /// Its peak memory.
    pub fn peak_mib(&mut self) -> anyhow::Result<f64> {
        let kib = self.ask(&json!({}))?["peak_kib"].as_f64();
        Ok(kib.context("the peer gave no memory")? / 1024.0)
    }

    fn ask(&mut self, request: &Value) -> anyhow::Result<Value> {
        writeln!(self.requests, "{request}")?;
        self.requests.flush()?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        if answer.is_empty() {
            bail!("the peer ended before it answered; its message is above");
        }
        Ok(serde_json::from_str(&answer)?)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may wait for a request that will not come; nothing of it is needed any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
