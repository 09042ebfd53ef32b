//! Files that other programs wrote (`golden/make_weights.py`).

use std::path::PathBuf;

use crate::Tensor;
use crate::weights::{Format, FormatError, parse, read};

fn golden(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    folder.join("golden/weights").join(name)
}

fn counted(shape: &[usize]) -> Tensor {
    let count: usize = shape.iter().product();
    let data = (0..count).map(|index| index as f32 / 8.0).collect();
    Tensor::new(shape, data).unwrap()
}

fn of(shape: &[usize], eighths: &[u8]) -> Tensor {
    let data = eighths.iter().map(|&n| f32::from(n) / 8.0).collect();
    Tensor::new(shape, data).unwrap()
}

/// Both of PyTorch's containers, every width, shared and strided storages, parameters, counters, a trainer's dictionary.
#[test]
fn pytorchs_tensors_come_as_they_were_saved() {
    let expected = [
        ("conv.weight", counted(&[2, 1, 2, 2])),
        ("half", counted(&[3])),
        ("bfloat", counted(&[3])),
        ("double", counted(&[3])),
        ("whole", counted(&[4, 3])),
        (
            "turned",
            of(&[3, 4], &[0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]),
        ),
        ("row", of(&[3], &[6, 7, 8])),
        ("column", of(&[3], &[4, 7, 10])),
        ("last", counted(&[1, 2, 2, 2])),
        ("scalar", of(&[], &[12])),
        ("none", counted(&[0, 3])),
    ];
    let files = [
        ("modern.pth", Format::Pytorch),
        ("legacy.pth", Format::PytorchLegacy),
    ];
    for (file, format) in files {
        let named = read(&golden(file)).unwrap();
        assert_eq!(named.format, format);
        let counter = ("bn.num_batches_tracked".to_owned(), "int64".to_owned());
        assert_eq!(named.left_out, [counter], "{file}");
        assert_eq!(named.tensors.len(), expected.len());
        for ((name, tensor), (wanted, values)) in named.tensors.iter().zip(&expected) {
            assert_eq!((name.as_str(), tensor), (*wanted, values), "{file}");
        }
    }
}

#[test]
fn kerass_layers_get_pytorchs_names_and_layout() {
    let named = read(&golden("keras.h5")).unwrap();
    assert_eq!(named.format, Format::Keras);
    // Kernel of 2 x 1 taps, 3 inputs, 2 outputs: element (h, i, o) is h * 6 + i * 2 + o.
    let kernel = of(&[2, 3, 2, 1], &[0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11]);
    let expected = [
        ("conv2d_1.weight", kernel),
        ("batch_normalization_1.bias", counted(&[2])),
        ("batch_normalization_1.running_mean", counted(&[2])),
        ("old.weight", of(&[2, 3], &[0, 2, 4, 1, 3, 5])),
        ("old.bias", counted(&[2])),
    ];
    let found: Vec<(&str, Tensor)> = named
        .tensors
        .iter()
        .map(|(name, t)| (name.as_str(), t.clone()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_pickle_that_wants_more_than_tensors_is_refused_by_name() {
    let error = read(&golden("forbidden.pth")).unwrap_err().to_string();
    assert!(
        error.contains("`pathlib.PosixPath`") && error.contains("forbidden.pth"),
        "{error}"
    );
    assert!(error.contains("state_dict()"), "{error}");
}

#[test]
fn what_is_not_there_or_nothing_known_says_so() {
    let error = read(&golden("nowhere.pth")).unwrap_err().to_string();
    assert!(error.contains("nowhere.pth"), "{error}");
    for bytes in [&b""[..], b"PK", b"hello, world", b"\x80\x02K\x01."] {
        assert!(
            matches!(parse(bytes), Err(FormatError::Unknown)),
            "{bytes:?}"
        );
    }
}

/// Every byte changed in three ways, and every cut: an error or tensors, never a panic, never more than the file can hold.
#[test]
fn damaged_files_never_do_harm() {
    for name in ["modern.pth", "legacy.pth", "keras.h5"] {
        let sound = std::fs::read(golden(name)).unwrap();
        let check = |bytes: &[u8]| {
            if let Ok(named) = parse(bytes) {
                for (_, tensor) in named.tensors {
                    assert_eq!(tensor.shape.iter().product::<usize>(), tensor.data.len());
                    assert!(tensor.data.len() <= bytes.len());
                }
            }
        };
        for cut in 0..sound.len() {
            check(&sound[..cut]);
        }
        let mut bytes = sound.clone();
        for at in 0..sound.len() {
            for change in [0x01, 0x80, 0xff] {
                bytes[at] = sound[at] ^ change;
                check(&bytes);
            }
            bytes[at] = sound[at];
        }
    }
}
