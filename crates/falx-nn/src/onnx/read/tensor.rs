//! The numbers of a stored tensor, whatever their type and wherever they lie.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use super::array::{Array, Data, Size, count};
use super::error::ReadError;
use crate::onnx::message::TensorData;

/// `TensorProto.DataType`, as far as it is read.
pub mod element {
    pub const FLOAT: i32 = 1;
    pub const UINT8: i32 = 2;
    pub const INT8: i32 = 3;
    pub const UINT16: i32 = 4;
    pub const INT16: i32 = 5;
    pub const INT32: i32 = 6;
    pub const INT64: i32 = 7;
    pub const BOOL: i32 = 9;
    pub const FLOAT16: i32 = 10;
    pub const DOUBLE: i32 = 11;
    pub const UINT32: i32 = 12;
    pub const UINT64: i32 = 13;
    pub const BFLOAT16: i32 = 16;
}
use element::{
    BFLOAT16, BOOL, DOUBLE, FLOAT, FLOAT16, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32,
    UINT64,
};

/// The tensor's numbers; `folder` is where external data may lie.
///
/// # Errors
/// [`ReadError`] when type, shape and bytes do not fit together, or external data cannot be had.
pub fn array(tensor: &TensorData, name: &str, folder: Option<&Path>) -> Result<Array, ReadError> {
    let fault = |reason: String| ReadError::Tensor {
        tensor: name.to_owned(),
        reason,
    };
    let shape: Option<Vec<usize>> = tensor
        .dims
        .iter()
        .map(|&length| usize::try_from(length).ok())
        .collect();
    let shape = shape.ok_or_else(|| fault("has a negative length".to_owned()))?;
    let count = count(&shape).ok_or_else(|| {
        fault(format!(
            "announces more numbers than there can be: {shape:?}"
        ))
    })?;
    let kind = tensor.data_type.unwrap_or(0);
    let width = width(kind).ok_or_else(|| {
        fault(format!(
            "has elements of the ONNX type {kind}, which is not read; store it as 32-bit floats"
        ))
    })?;
    let data = if tensor.data_location == Some(1) {
        let length = count
            .checked_mul(width)
            .ok_or_else(|| fault(format!("announces too many numbers: {shape:?}")))?;
        from_bytes(kind, &external(tensor, name, folder, length as u64)?)
    } else if let Some(bytes) = &tensor.raw_data {
        if count.checked_mul(width) != Some(bytes.len()) {
            return Err(fault(format!(
                "has the shape {shape:?}, which is {count} numbers of {width} bytes, but {} bytes",
                bytes.len()
            )));
        }
        from_bytes(kind, bytes)
    } else {
        from_fields(tensor, kind)
    };
    Array::new(shape, data).ok_or_else(|| {
        let dims = &tensor.dims;
        fault(format!("has the shape {dims:?}, but not as many numbers"))
    })
}

/// The bytes of one number of the type.
fn width(kind: i32) -> Option<usize> {
    match kind {
        UINT8 | INT8 | BOOL => Some(1),
        UINT16 | INT16 | FLOAT16 | BFLOAT16 => Some(2),
        FLOAT | INT32 | UINT32 => Some(4),
        INT64 | UINT64 | DOUBLE => Some(8),
        _ => None,
    }
}

fn from_bytes(kind: i32, bytes: &[u8]) -> Data {
    fn words<const N: usize, T>(bytes: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
        let (words, _) = bytes.as_chunks();
        words.iter().map(|&word| read(word)).collect()
    }
    let size = |number: i64| Size::of(number);
    match kind {
        FLOAT => Data::Floats(words(bytes, f32::from_le_bytes)),
        DOUBLE => Data::Floats(words(bytes, |word| f64::from_le_bytes(word) as f32)),
        FLOAT16 => Data::Floats(words(bytes, |word| half(u16::from_le_bytes(word)))),
        BFLOAT16 => Data::Floats(words(bytes, |word| brain(u16::from_le_bytes(word)))),
        BOOL => Data::Flags(bytes.iter().map(|&byte| byte != 0).collect()),
        UINT8 => Data::Sizes(words(bytes, |[byte]| size(byte.into()))),
        INT8 => Data::Sizes(words(bytes, |word| size(i8::from_le_bytes(word).into()))),
        UINT16 => Data::Sizes(words(bytes, |word| size(u16::from_le_bytes(word).into()))),
        INT16 => Data::Sizes(words(bytes, |word| size(i16::from_le_bytes(word).into()))),
        UINT32 => Data::Sizes(words(bytes, |word| size(u32::from_le_bytes(word).into()))),
        INT32 => Data::Sizes(words(bytes, |word| size(i32::from_le_bytes(word).into()))),
        _ => Data::Sizes(words(bytes, |word| size(i64::from_le_bytes(word)))),
    }
}

/// Numbers that do not lie in `raw_data` lie in the field of their type; small ones share `int32_data`.
fn from_fields(tensor: &TensorData, kind: i32) -> Data {
    let small = || tensor.int32_data.iter();
    match kind {
        FLOAT => Data::Floats(tensor.float_data.clone()),
        DOUBLE => Data::Floats(tensor.double_data.iter().map(|&x| x as f32).collect()),
        FLOAT16 => Data::Floats(small().map(|&bits| half(bits as u16)).collect()),
        BFLOAT16 => Data::Floats(small().map(|&bits| brain(bits as u16)).collect()),
        BOOL => Data::Flags(small().map(|&x| x != 0).collect()),
        INT64 => Data::Sizes(tensor.int64_data.iter().map(|&x| Size::of(x)).collect()),
        UINT32 | UINT64 => {
            let wide = tensor.uint64_data.iter();
            Data::Sizes(wide.map(|&x| Size::of(x as i64)).collect())
        }
        _ => Data::Sizes(small().map(|&x| Size::of(x.into())).collect()),
    }
}

/// A 16-bit float of IEEE 754.
fn half(bits: u16) -> f32 {
    let (sign, exponent, fraction) = (bits >> 15, (bits >> 10) & 31, bits & 1023);
    let size = match exponent {
        0 => f32::from(fraction) * 2_f32.powi(-24),
        31 if fraction == 0 => f32::INFINITY,
        31 => f32::NAN,
        _ => f32::from(1024 + fraction) * 2_f32.powi(i32::from(exponent) - 25),
    };
    if sign == 1 { -size } else { size }
}

/// The upper half of a 32-bit float.
fn brain(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// The `length` bytes that lie in a file of their own.
fn external(
    tensor: &TensorData,
    name: &str,
    folder: Option<&Path>,
    length: u64,
) -> Result<Vec<u8>, ReadError> {
    let fault = |reason: String| ReadError::Tensor {
        tensor: name.to_owned(),
        reason,
    };
    let entry = |key: &str| {
        let entry = tensor
            .external_data
            .iter()
            .find(|entry| entry.key.as_deref() == Some(key));
        entry.and_then(|entry| entry.value.as_deref())
    };
    let number = |key: &str| match entry(key).map(str::parse::<u64>) {
        None => Ok(None),
        Some(Ok(number)) => Ok(Some(number)),
        Some(Err(_)) => Err(fault(format!("has an external `{key}` that is no number"))),
    };
    let (offset, stated) = (number("offset")?.unwrap_or(0), number("length")?);
    let location = entry("location").unwrap_or_default();
    let folder = folder.ok_or_else(|| {
        fault(format!(
            "lies in the file `{location}`; read the model from its path, not from bytes"
        ))
    })?;
    let path = inside(folder, location, name)?;
    if stated.is_some_and(|stated| stated != length) {
        let stated = stated.unwrap_or_default();
        return Err(fault(format!(
            "needs {length} bytes of `{location}`, but the model says {stated}"
        )));
    }
    let failed = |source| ReadError::ExternalData {
        tensor: name.to_owned(),
        path: path.clone(),
        source,
    };
    let mut file = std::fs::File::open(&path).map_err(failed)?;
    let held = file.metadata().map_err(failed)?.len();
    // Nothing is allocated before it is known to be there.
    if offset.checked_add(length).is_none_or(|end| end > held) {
        return Err(fault(format!(
            "needs {length} bytes from byte {offset} on of `{location}`, which has {held}"
        )));
    }
    let mut bytes = vec![0; length as usize];
    file.seek(SeekFrom::Start(offset)).map_err(failed)?;
    file.read_exact(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// The external file, which must lie in the model's folder, also behind links.
fn inside(folder: &Path, location: &str, tensor: &str) -> Result<PathBuf, ReadError> {
    let escape = || ReadError::Escape {
        tensor: tensor.to_owned(),
        location: location.to_owned(),
    };
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    // A backslash parts folders on Windows alone: refused everywhere, so that a model is read alike.
    if location.is_empty()
        || location.contains(['\\', '\0'])
        || !Path::new(location).components().all(plain)
    {
        return Err(escape());
    }
    let path = folder.join(location);
    let failed = |source| ReadError::ExternalData {
        tensor: tensor.to_owned(),
        path: path.clone(),
        source,
    };
    let real = path.canonicalize().map_err(failed)?;
    let home = folder.canonicalize().map_err(failed)?;
    if real.starts_with(home) {
        Ok(real)
    } else {
        Err(escape())
    }
}
