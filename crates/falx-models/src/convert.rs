//! From a registry's archive to tensors with the terms they come under.

use std::io::{Cursor, Read};
use std::path::Path;

use falx_nn::weights::{self, NamedTensors};

use crate::pretrained::Archive;
use crate::{ModelsError, Pretrained, nsfwjs};

/// No part of a known archive is larger; a broken one must not fill the memory.
const LARGEST_PART: u64 = 200 << 20;
const MODEL: &str = "package/dist/models/inception_v3/";

/// The tensors in the archive at `path`, and the text of their licence.
pub fn read(known: &Pretrained, path: &Path) -> Result<(NamedTensors, String), ModelsError> {
    let bytes = std::fs::read(path).map_err(ModelsError::io(path))?;
    match known.archive {
        Archive::Wheel => wheel(&bytes, path),
        Archive::Nsfwjs => script(&bytes, path),
    }
}

fn wheel(bytes: &[u8], path: &Path) -> Result<(NamedTensors, String), ModelsError> {
    let broken = |error: zip::result::ZipError| ModelsError::archive(path, &error);
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    let (mut tensors, mut licence) = (None, String::new());
    for index in 0..archive.len() {
        let file = archive.by_index(index).map_err(broken)?;
        let name = file.name().map_err(broken)?.into_owned();
        let mut content = Vec::new();
        if has_ending(&name, "pth") || name.ends_with("/LICENSE") {
            let read = file.take(LARGEST_PART).read_to_end(&mut content);
            read.map_err(|error| ModelsError::archive(path, &error))?;
        }
        if has_ending(&name, "pth") {
            tensors =
                Some(weights::parse(&content).map_err(|error| ModelsError::format(path, error))?);
        } else if name.ends_with("/LICENSE") {
            licence = String::from_utf8_lossy(&content).into_owned();
        }
    }
    let tensors = tensors.ok_or_else(|| ModelsError::archive(path, &"holds no .pth file"))?;
    Ok((tensors, licence))
}

fn has_ending(name: &str, ending: &str) -> bool {
    Path::new(name).extension().is_some_and(|own| own == ending)
}

fn script(bytes: &[u8], path: &Path) -> Result<(NamedTensors, String), ModelsError> {
    let broken = |error: std::io::Error| ModelsError::archive(path, &error);
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(bytes));
    let (mut manifest, mut licence, mut shards) = (String::new(), String::new(), Vec::new());
    for entry in archive.entries().map_err(broken)? {
        let entry = entry.map_err(broken)?;
        let name = entry.path().map_err(broken)?.to_string_lossy().into_owned();
        let is_script = name.starts_with(MODEL) && has_ending(&name, "js");
        if !is_script && name != "package/LICENSE" {
            continue;
        }
        let mut content = String::new();
        entry
            .take(LARGEST_PART)
            .read_to_string(&mut content)
            .map_err(broken)?;
        match name.strip_prefix(MODEL) {
            None => licence = content,
            Some("model.min.js") => manifest = content,
            Some(shard) => shards.push((shard.to_owned(), content)),
        }
    }
    shards.sort();
    let shards: Vec<String> = shards.into_iter().map(|(_, content)| content).collect();
    let tensors = nsfwjs::tensors(&manifest, &shards);
    Ok((
        tensors.map_err(|reason| ModelsError::archive(path, &reason))?,
        licence,
    ))
}
