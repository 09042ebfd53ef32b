//! `.pth` and `.pt`: what `torch.save` writes of a `state_dict`.

use std::collections::HashMap;
use std::io::{Cursor, Read};

use zip::{CompressionMethod, ZipArchive};

use super::pickle::{self, Handle, Loaded, Object, StorageKey, TensorView};
use super::{Format, FormatError, NamedTensors};
use crate::Tensor;

/// What each file from before PyTorch 1.6 begins with, as a pickle of its own.
const MAGIC: i128 = 0x1950_a86a_20f9_469c_fc6c;
/// Its bytes as protocol 2 and later write them.
const MAGIC_BYTES: &[u8] = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
const LEGACY_VERSION: i128 = 1001;
/// Dictionaries in dictionaries, as a trainer's checkpoint holds them.
const DEEPEST: usize = 8;
/// A value may stand under several names; its bytes may not be made hundreds of times as many.
const MOST_SHARING: usize = 16;
/// Under these a trainer's checkpoint keeps the network's weights.
const WRAPPERS: [&str; 5] = ["state_dict", "model_state_dict", "model", "net", "weights"];

/// Whether `bytes` begin as files from before PyTorch 1.6.
pub fn is_legacy(bytes: &[u8]) -> bool {
    let head = bytes.get(..64.min(bytes.len())).unwrap_or_default();
    head.windows(MAGIC_BYTES.len())
        .any(|part| part == MAGIC_BYTES)
}

/// Reads the zip archive of PyTorch 1.6 and later.
pub fn zip(bytes: &[u8]) -> Result<NamedTensors, FormatError> {
    let broken = |error: zip::result::ZipError| FormatError::Archive(error.to_string());
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    let names: Vec<String> = archive
        .file_names()
        .filter_map(|name| Some(name.ok()?.into_owned()))
        .collect();
    let main = names
        .iter()
        .find(|name| *name == "data.pkl" || name.ends_with("/data.pkl"))
        .ok_or_else(|| FormatError::Archive("a zip archive without data.pkl".to_owned()))?;
    let folder = main.strip_suffix("data.pkl").unwrap_or_default().to_owned();
    let mut part = |name: &str| -> Result<Vec<u8>, FormatError> {
        let mut file = archive
            .by_name(&format!("{folder}{name}"))
            .map_err(broken)?;
        // torch.save stores without compression, and a short file must not unfold into a long one.
        if file.compression() != CompressionMethod::Stored || file.size() > bytes.len() as u64 {
            return Err(FormatError::Archive(format!("{name} is compressed")));
        }
        let mut content = Vec::with_capacity(file.size() as usize);
        let read = file.read_to_end(&mut content);
        read.map_err(|error| FormatError::Archive(format!("{name}: {error}")))?;
        Ok(content)
    };
    if names.contains(&format!("{folder}byteorder")) && part("byteorder")?.starts_with(b"big") {
        return Err(big_endian());
    }
    let loaded = pickle::load(&part("data.pkl")?)?;
    let mut storages = HashMap::new();
    let views = views(&loaded)?;
    for (_, view) in &views {
        let StorageKey { key, element, .. } = &view.storage;
        if element.whole().is_none() && !storages.contains_key(key) {
            storages.insert(key.clone(), part(&format!("data/{key}"))?);
        }
    }
    let get = |key: &str| storages.get(key).map(Vec::as_slice);
    tensors(Format::Pytorch, views, get, bytes.len())
}

/// Reads the row of pickles that PyTorch wrote before 1.6, with the storages behind them.
pub fn legacy(bytes: &[u8]) -> Result<NamedTensors, FormatError> {
    let broken = |reason: &str| FormatError::Archive(reason.to_owned());
    let mut at = 0;
    let mut next = || {
        let loaded = pickle::load(bytes.get(at..).unwrap_or_default())?;
        at += loaded.length;
        Ok::<_, FormatError>((loaded, at))
    };
    for expected in [MAGIC, LEGACY_VERSION] {
        if !matches!(next()?.0.root(), Object::Int(number) if *number == expected) {
            return Err(broken("its first numbers are not PyTorch's"));
        }
    }
    if is_big_endian(&next()?.0) {
        return Err(big_endian());
    }
    let (loaded, _) = next()?;
    let views = views(&loaded)?;
    let (keys, mut at) = next()?;
    let Object::List(listed) = keys.root() else {
        return Err(broken("the list of its storages is missing"));
    };
    // The lengths in front of the storages do not say how wide a number is; the tensors do.
    let known: HashMap<&str, &StorageKey> = loaded
        .storages()
        .map(|storage| (storage.key.as_str(), storage))
        .collect();
    let mut storages = HashMap::new();
    for &key in listed {
        let Object::Text(key) = keys.get(key) else {
            return Err(broken("a storage's key is no text"));
        };
        let storage = known.get(key.as_str());
        let storage = storage.ok_or_else(|| broken("a storage belongs to no tensor"))?;
        let stored = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>());
        if stored.map(|&stored| u64::from_le_bytes(stored)) != Some(storage.length as u64) {
            return Err(broken("a storage has another length than its tensors say"));
        }
        let length = storage.length.checked_mul(storage.element.size());
        let end = length.and_then(|length| (at + 8).checked_add(length));
        let content = end.and_then(|end| bytes.get(at + 8..end));
        let content = content.ok_or_else(|| broken("it ends within its storages"))?;
        at += 8 + content.len();
        storages.insert(key.as_str(), content);
    }
    let get = |key: &str| storages.get(key).copied();
    tensors(Format::PytorchLegacy, views, get, bytes.len())
}

fn is_big_endian(system: &Loaded) -> bool {
    let Object::Dict(system_facts) = system.root() else {
        return false;
    };
    system_facts.iter().any(|&(key, value)| {
        matches!(system.get(key), Object::Text(key) if key == "little_endian")
            && matches!(system.get(value), Object::Bool(false))
    })
}

fn big_endian() -> FormatError {
    FormatError::Archive(
        "written on a big-endian machine; load it there and save it as safetensors".to_owned(),
    )
}

/// The tensors of a `state_dict` by name, from a dictionary that may lie in another one.
fn views(loaded: &Loaded) -> Result<Vec<(String, &TensorView)>, FormatError> {
    let Object::Dict(root) = loaded.root() else {
        return Err(FormatError::NoStateDict(loaded.root().kind()));
    };
    let wrapped = WRAPPERS.iter().find_map(|wrapper| {
        let named = |&&(key, value): &&(Handle, Handle)| {
            matches!(loaded.get(key), Object::Text(key) if key == wrapper)
                && matches!(loaded.get(value), Object::Dict(_))
        };
        root.iter().find(named).map(|&(_, value)| value)
    });
    let mut views = Vec::new();
    // Dictionaries can contain each other many times over: the walk has an end of its own.
    let mut left = loaded.length;
    collect(
        loaded,
        wrapped.unwrap_or(loaded.root),
        "",
        0,
        &mut left,
        &mut views,
    )?;
    Ok(views)
}

fn collect<'a>(
    loaded: &'a Loaded,
    from: Handle,
    prefix: &str,
    depth: usize,
    left: &mut usize,
    views: &mut Vec<(String, &'a TensorView)>,
) -> Result<(), FormatError> {
    let Object::Dict(items) = loaded.get(from) else {
        return Ok(());
    };
    let spent = left.checked_sub(items.len() + prefix.len());
    *left = spent.filter(|_| depth < DEEPEST).ok_or_else(|| {
        FormatError::Archive("its dictionaries lie in each other too often".to_owned())
    })?;
    for &(key, value) in items {
        let Object::Text(key) = loaded.get(key) else {
            continue;
        };
        // A name costs what it is long, as often as it is used.
        *left = left.saturating_sub(key.len());
        let name = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        match loaded.get(value) {
            Object::Tensor(view) => views.push((name, view)),
            Object::Dict(_) => collect(loaded, value, &name, depth + 1, left, views)?,
            _ => {}
        }
    }
    Ok(())
}

fn tensors<'a>(
    format: Format,
    views: Vec<(String, &TensorView)>,
    storage: impl Fn(&str) -> Option<&'a [u8]>,
    file: usize,
) -> Result<NamedTensors, FormatError> {
    let mut named = NamedTensors {
        format,
        tensors: Vec::new(),
        left_out: Vec::new(),
    };
    let mut left = file.saturating_mul(MOST_SHARING);
    for (name, view) in views {
        if let Some(kind) = view.storage.element.whole() {
            named.left_out.push((name, kind.to_owned()));
            continue;
        }
        let missing = || FormatError::tensor(&name, "has no bytes in the file: it was cut off");
        let bytes = storage(&view.storage.key).ok_or_else(missing)?;
        let count = view
            .shape
            .iter()
            .try_fold(1usize, |n, &length| n.checked_mul(length));
        let count = count.filter(|count| *count <= view.storage.length);
        let count = count.ok_or_else(|| {
            let reason = format!(
                "claims the shape {:?}, more than its bytes hold",
                view.shape
            );
            FormatError::tensor(&name, reason)
        })?;
        left = left.checked_sub(count).ok_or_else(|| {
            FormatError::tensor(
                &name,
                "shares its bytes with too many others; save each once",
            )
        })?;
        let data = gather(view, bytes, count).ok_or_else(|| {
            FormatError::tensor(
                &name,
                "reaches beyond its bytes: the file was cut off or lies",
            )
        })?;
        let shape = view.shape.clone();
        named.tensors.push((name, Tensor { shape, data }));
    }
    Ok(named)
}

/// The view's numbers in row-major order, however they lie.
fn gather(view: &TensorView, bytes: &[u8], count: usize) -> Option<Vec<f32>> {
    let (storage, element) = (&view.storage, view.storage.element);
    let [start, length] = storage.part.unwrap_or([0, storage.length]);
    let end = start
        .checked_add(length)
        .filter(|&end| end <= storage.length)?;
    let bytes = bytes.get(..end.checked_mul(element.size())?)?;
    let first = start.checked_add(view.offset)?;
    if count == 0 {
        return Some(Vec::new());
    }
    if is_row_major(view) {
        let from = first.checked_mul(element.size())?;
        let part = bytes
            .get(from..)?
            .get(..count.checked_mul(element.size())?)?;
        return Some(element.all(part));
    }
    let mut place = vec![0; view.shape.len()];
    let mut data = Vec::with_capacity(count);
    for _ in 0..count {
        let steps = place.iter().zip(&view.strides);
        let at = steps.into_iter().try_fold(first, |at, (&place, &stride)| {
            at.checked_add(usize::checked_mul(place, stride)?)
        })?;
        data.push(element.get(bytes, at)?);
        for (place, &length) in place.iter_mut().zip(&view.shape).rev() {
            *place += 1;
            if *place < length {
                break;
            }
            *place = 0;
        }
    }
    Some(data)
}

fn is_row_major(view: &TensorView) -> bool {
    let mut step = 1;
    view.shape
        .iter()
        .zip(&view.strides)
        .rev()
        .all(|(&length, &stride)| {
            let fits = length == 1 || stride == step;
            step *= length;
            fits
        })
}
