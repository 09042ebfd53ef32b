//! The Python peer: a process that answers one line with another, so that rounds can alternate.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use falx_core::Window;
use serde_json::{Value, json};

use crate::BenchError;

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
    /// Headers alone.
    Headers,
}

impl Way {
    pub const ALL: [Self; 3] = [Self::Seed, Self::Lookup, Self::Mean];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Seed => "seed",
            Self::Lookup => "lookup",
            Self::Mean => "mean",
            Self::Headers => "headers",
        }
    }
}

/// A Python program that answers one line of JSON with another.
pub struct Process {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    needs: &'static str,
}

impl Process {
    /// Starts a program; `needs` are the packages that it is missing when it does not answer.
    pub fn start(python: &Path, script: &str, needs: &'static str) -> Result<Self, BenchError> {
        let mut command = Command::new(python);
        command.args(["-c", script]);
        Self::spawn(command, needs).map_err(|error| match error {
            BenchError::Io(source) => BenchError::NoPython {
                python: python.to_owned(),
                source,
            },
            other => other,
        })
    }

    /// Starts any program that answers lines.
    pub fn spawn(mut command: Command, needs: &'static str) -> Result<Self, BenchError> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (requests, answers) = (child.stdin.take(), child.stdout.take());
        let (Some(requests), Some(answers)) = (requests, answers) else {
            return Err(BenchError::Peer { needs });
        };
        Ok(Self {
            child,
            requests,
            answers: BufReader::new(answers),
            needs,
        })
    }

    /// One answer to one request.
    pub fn ask(&mut self, request: &Value) -> Result<Value, BenchError> {
        // A peer that ended has said why on standard error; its closed pipe says no more.
        let asked = writeln!(self.requests, "{request}").and_then(|()| self.requests.flush());
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        asked.map_err(|_| self.silent())?;
        serde_json::from_str(&answer).map_err(|_| self.silent())
    }

    /// The error of an answer that makes no sense.
    pub const fn silent(&self) -> BenchError {
        BenchError::Peer { needs: self.needs }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may wait for a request that will not come; nothing of it is needed any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The reader's peer.
pub struct Peer {
    process: Process,
    /// The versions of what it runs on.
    pub versions: String,
}

impl Peer {
    /// Starts it with what it is to make.
    pub fn start(python: &Path, size: usize, windows: &[Window]) -> Result<Self, BenchError> {
        let mut peer = Self {
            process: Process::start(python, SCRIPT, "pydicom numpy opencv-python-headless")?,
            versions: String::new(),
        };
        let windows: Vec<[f32; 2]> = windows.iter().map(|&window| window.into()).collect();
        let answer = peer.ask(&json!({ "setup": { "size": size, "windows": windows } }))?;
        let versions = answer["versions"].as_str();
        versions.unwrap_or_default().clone_into(&mut peer.versions);
        Ok(peer)
    }

    /// CPU milliseconds for each file.
    pub fn cpu_ms(&mut self, way: Way, files: &[PathBuf]) -> Result<Vec<f64>, BenchError> {
        let answer = self.ask(&json!({ "cpu": way.name(), "files": files }))?;
        let times = answer["ms"]
            .as_array()
            .ok_or_else(|| self.process.silent())?;
        Ok(times.iter().filter_map(Value::as_f64).collect())
    }

    /// Seconds for all files with so many processes.
    pub fn wall_s(
        &mut self,
        way: Way,
        files: &[PathBuf],
        processes: usize,
    ) -> Result<f64, BenchError> {
        let request = json!({ "wall": way.name(), "files": files, "processes": processes });
        self.ask(&request)?["s"]
            .as_f64()
            .ok_or_else(|| self.process.silent())
    }

    /// The largest difference of its picture of `file` to the one in the file `tensor`.
    pub fn difference(&mut self, way: Way, file: &Path, tensor: &Path) -> Result<f64, BenchError> {
        let request = json!({ "difference": way.name(), "file": file, "tensor": tensor });
        self.ask(&request)?["largest"]
            .as_f64()
            .ok_or_else(|| self.process.silent())
    }

    /// Its peak memory.
    pub fn peak_mib(&mut self) -> Result<f64, BenchError> {
        let kib = self.ask(&json!({}))?["peak_kib"].as_f64();
        Ok(kib.ok_or_else(|| self.process.silent())? / 1024.0)
    }

    fn ask(&mut self, request: &Value) -> Result<Value, BenchError> {
        self.process.ask(request)
    }
}
