//! TensorBoard's event files: the course of a run for `tensorboard --logdir RUN`.
//!
//! A run writes a new file each time it starts, because another may have ended in the middle of a record. Its second event
//! tells readers from which step on earlier files no longer count: what a killed run had written after its last checkpoint
//! is learnt again and shown once. Steps are counted as taken: the first step's values stand at 1, an epoch's at its last
//! step.
//!
//! Events carry the time of the clock, as TensorBoard shows it. These files are therefore no part of what is the same
//! byte for byte in equal runs, and nothing is ever computed from them.

mod message;
mod record;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use prost::Message as _;

use message::{
    DT_FLOAT, DT_STRING, Data, DataClass, Dimension, Event, FILE_VERSION, HyperParameters, Kind,
    Metadata, PluginData, SessionLog, SessionStart, SessionStatus, Setting, Summary, TensorData,
    TensorShape, Value, What,
};

const PREFIX: &str = "events.out.tfevents.";
/// Bytes that are kept before they are written.
const BUFFER: usize = 1 << 16;

/// The event file of a run in progress.
#[derive(Debug)]
pub struct EventWriter {
    file: File,
    path: PathBuf,
    waiting: Vec<u8>,
}

impl EventWriter {
    /// Begins a file in `folder`, which is made where it is missing; `first` is the first step that it will tell of.
    ///
    /// # Errors
    /// What the file system said.
    pub fn begin(folder: &Path, first: u64) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        // Readers take files in the order of their names: a clock that was set back must not change it.
        let last = files(folder)?.last().and_then(|path| seconds_of(path));
        let seconds = (now() as u64).max(last.map_or(0, |last| last + 1));
        let path = folder.join(format!("{PREFIX}{seconds:010}.falx"));
        let mut writer = Self {
            file: File::create_new(&path)?,
            path,
            waiting: Vec::new(),
        };
        writer.event(0, What::FileVersion(FILE_VERSION.to_owned()))?;
        let status = SessionStatus::Start as i32;
        writer.event(first, What::SessionLog(SessionLog { status }))?;
        Ok(writer)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The values at `step`, by name; a slash in a name makes a group.
    ///
    /// TensorBoard keeps them in single precision.
    ///
    /// # Errors
    /// What the file system said.
    pub fn scalars(&mut self, step: u64, values: &[(&str, f64)]) -> io::Result<()> {
        let value = |&(tag, value): &(&str, f64)| Value {
            tag: tag.to_owned(),
            data: Some(Data::Simple(value as f32)),
            metadata: None,
        };
        let value = values.iter().map(value).collect();
        self.event(step, What::Summary(Summary { value }))
    }

    /// A text in Markdown.
    ///
    /// # Errors
    /// What the file system said.
    pub fn text(&mut self, step: u64, tag: &str, text: &str) -> io::Result<()> {
        let metadata = metadata("text", Vec::new(), DataClass::Tensor);
        let tensor = TensorData {
            dtype: DT_STRING,
            shape: Some(TensorShape {
                dim: vec![Dimension { size: 1 }],
            }),
            string_val: vec![text.as_bytes().to_vec()],
            float_val: Vec::new(),
        };
        self.tensor(step, tag, tensor, metadata)
    }

    /// The settings of a run by their dotted names, for TensorBoard's table of runs.
    ///
    /// # Errors
    /// What the file system said.
    pub fn settings(&mut self, settings: &toml::Table) -> io::Result<()> {
        let mut parameters = BTreeMap::new();
        flatten("", settings, &mut parameters);
        let content = HyperParameters {
            version: 0,
            session_start: Some(SessionStart {
                parameters,
                start_time: now(),
            }),
        };
        let metadata = metadata("hparams", content.encode_to_vec(), DataClass::Tensor);
        let tensor = TensorData {
            dtype: DT_FLOAT,
            shape: Some(TensorShape::default()),
            float_val: vec![0.0],
            string_val: Vec::new(),
        };
        self.tensor(0, "_hparams_/session_start_info", tensor, metadata)
    }

    /// Writes what waits, and lets it survive a loss of power.
    ///
    /// # Errors
    /// What the file system said.
    pub fn flush(&mut self) -> io::Result<()> {
        self.write()?;
        self.file.sync_data()
    }

    fn tensor(
        &mut self,
        step: u64,
        tag: &str,
        tensor: TensorData,
        metadata: Metadata,
    ) -> io::Result<()> {
        let value = Value {
            tag: tag.to_owned(),
            metadata: Some(metadata),
            data: Some(Data::Tensor(tensor)),
        };
        self.event(step, What::Summary(Summary { value: vec![value] }))
    }

    fn event(&mut self, step: u64, what: What) -> io::Result<()> {
        let event = Event {
            wall_time: now(),
            step: step as i64,
            what: Some(what),
        };
        record::frame(&event.encode_to_vec(), &mut self.waiting);
        if self.waiting.len() >= BUFFER {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        self.file.write_all(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }
}

impl Drop for EventWriter {
    fn drop(&mut self) {
        // Nobody is left to be told.
        let _ = self.write();
    }
}

fn metadata(plugin: &str, content: Vec<u8>, class: DataClass) -> Metadata {
    Metadata {
        plugin_data: Some(PluginData {
            plugin_name: plugin.to_owned(),
            content,
        }),
        summary_description: String::new(),
        data_class: class as i32,
    }
}

/// `a = { b = 1 }` as `a.b = 1`; lists are told in words.
fn flatten(before: &str, table: &toml::Table, out: &mut BTreeMap<String, Setting>) {
    for (key, value) in table {
        let name = if before.is_empty() {
            key.clone()
        } else {
            format!("{before}.{key}")
        };
        let kind = match value {
            toml::Value::Table(inner) => {
                flatten(&name, inner, out);
                continue;
            }
            toml::Value::Boolean(truth) => Kind::Truth(*truth),
            toml::Value::Integer(number) => Kind::Number(*number as f64),
            toml::Value::Float(number) => Kind::Number(*number),
            toml::Value::String(words) => Kind::Words(words.clone()),
            other => Kind::Words(other.to_string()),
        };
        out.insert(name, Setting { kind: Some(kind) });
    }
}

/// A value that a run has told of.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// What it is.
    pub tag: String,
    /// Steps taken.
    pub step: u64,
    /// The value, as precise as TensorBoard keeps it.
    pub value: f32,
}

/// The scalars in a run's event files, in the order in which they were written, without steps that were taken again
/// later.
///
/// # Errors
/// What the file system said; no folder means no values.
pub fn read_scalars(folder: &Path) -> io::Result<Vec<Told>> {
    let mut told: Vec<Told> = Vec::new();
    for path in files(folder)? {
        let bytes = std::fs::read(path)?;
        let events = record::records(&bytes).map_while(|record| Event::decode(record).ok());
        for event in events {
            let step = event.step.max(0) as u64;
            match event.what {
                Some(What::SessionLog(log)) if log.status() == SessionStatus::Start => {
                    told.retain(|earlier| earlier.step < step);
                }
                Some(What::Summary(summary)) => {
                    told.extend(summary.value.into_iter().filter_map(|value| {
                        let Some(Data::Simple(number)) = value.data else {
                            return None;
                        };
                        Some(Told {
                            tag: value.tag,
                            step,
                            value: number,
                        })
                    }));
                }
                _ => {}
            }
        }
    }
    Ok(told)
}

/// The event files of a folder, oldest first.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if seconds_of(&path).is_some() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn seconds_of(path: &Path) -> Option<u64> {
    let rest = path.file_name()?.to_str()?.strip_prefix(PREFIX)?;
    rest.split('.').next()?.parse().ok()
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}
