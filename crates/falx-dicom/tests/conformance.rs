//! Every file of the conformance set: values bit for bit, the exact set of defects, or the right refusal.

use std::collections::BTreeMap;
use std::path::Path;

use falx_dicom::{CtSlice, Defect, DicomError, Refusal, read_bytes, read_file, read_header};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Files on which this reader differs from the set on purpose: the refusal it gives, and why.
const EXCEPTIONS: [(&str, Refusal, &str); 1] = [(
    "real/pydicom-data/eCT_Supplemental.dcm",
    Refusal::UnsupportedMultiframe,
    "an enhanced CT of two frames; its unit stands in the functional groups of frames this reader does not read",
)];

/// Whether the Transfer Syntax UID that the file's meta group declares is one this reader decodes.
///
/// A file without one is bare, broken or no DICOM at all: the common rules hold for it.
fn is_decoded(file: &Path) -> bool {
    let bytes = std::fs::read(file).unwrap();
    let head = b"\x02\x00\x10\x00UI";
    let Some(at) = bytes.windows(head.len()).position(|window| window == head) else {
        return true;
    };
    let Some((length, rest)) = bytes[at + head.len()..].split_first_chunk::<2>() else {
        return true;
    };
    let uid = &rest[..usize::from(u16::from_le_bytes(*length)).min(rest.len())];
    let uid = String::from_utf8_lossy(uid);
    let uid = uid.trim_end_matches(['\0', ' ']);
    ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"].contains(&uid)
}

#[test]
fn every_file_gives_the_expected_values_or_the_expected_refusal() {
    let Some(root) = falx_fixtures::shared("conformance") else {
        return;
    };
    let expected = json(&root.join("expected.json"));
    let files = expected["files"].as_object().unwrap();
    let mut failures = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, want) in files {
        let got = read_file(&root.join(name));
        let exception = EXCEPTIONS.iter().find(|(file, ..)| file == name);
        let (kind, verdict) = if let Some((_, refusal, _)) = exception {
            ("exception", refused_with(&got, &[refusal.name()]))
        } else if !is_decoded(&root.join(name)) {
            let reasons = reasons(want, true);
            ("syntax not decoded, refused", refused_with(&got, &reasons))
        } else if want["verdict"] == "refuse" {
            ("refused", refused_with(&got, &reasons(want, false)))
        } else if let (Err(DicomError::Refused { refused, .. }), Some(may)) =
            (&got, want["may_refuse"].as_array())
        {
            let allowed = may.iter().any(|r| r == refused.refusal.name());
            let verdict = allowed.then_some(()).ok_or(format!("refused: {refused}"));
            ("refused as the set allows", verdict)
        } else {
            ("decoded", agrees(got, want))
        };
        *counts.entry(kind).or_default() += 1;
        if let Err(what) = verdict {
            failures.push(format!("{name}: {what}"));
        }
    }
    println!("{} files: {counts:?}", files.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!(counts.values().sum::<usize>(), files.len());
}

#[test]
fn a_header_alone_says_what_the_whole_file_says() {
    let Some(root) = falx_fixtures::shared("conformance") else {
        return;
    };
    let expected = json(&root.join("expected.json"));
    for name in expected["files"].as_object().unwrap().keys() {
        let path = root.join(name);
        match (read_file(&path), read_header(&path)) {
            (Ok(slice), header) => assert_eq!(slice.header, header.unwrap(), "{name}"),
            (Err(whole), Err(header)) => {
                assert_eq!(whole.to_string(), header.to_string(), "{name}");
            }
            // Only the pixels themselves, or what follows them, can refuse a file whose header is right.
            (Err(error), Ok(_)) => assert!(
                matches!(
                    error.refused().unwrap().refusal,
                    Refusal::InconsistentPixelGeometry | Refusal::Truncated
                ),
                "{name}: {error}"
            ),
        }
    }
}

#[test]
fn a_file_name_that_is_not_utf8_is_read_like_any_other() {
    use std::os::unix::ffi::OsStrExt;
    let Some(plain) = falx_fixtures::shared("conformance/traps/encodings/expl_le_unsigned.dcm")
    else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let odd = folder
        .path()
        .join(std::ffi::OsStr::from_bytes(b"caf\xE9.dcm"));
    std::fs::copy(&plain, &odd).unwrap();
    assert_eq!(read_file(&odd).unwrap(), read_file(&plain).unwrap());
}

#[test]
fn refusals_and_defects_are_the_sets_closed_lists() {
    let Some(path) = falx_fixtures::shared("conformance/expected.json") else {
        return;
    };
    let expected = json(&path);
    let names =
        |list: &Value| -> Vec<String> { list.as_object().unwrap().keys().cloned().collect() };
    let refusals: Vec<_> = Refusal::ALL.iter().map(|r| r.name().to_owned()).collect();
    let defects: Vec<_> = Defect::ALL.iter().map(|d| d.name().to_owned()).collect();
    assert_eq!(names(&expected["reasons"]), refusals);
    assert_eq!(names(&expected["defects"]), defects);
    for defect in Defect::ALL {
        assert_eq!(defect.name().parse(), Ok(*defect));
        assert_eq!(serde_json::to_value(defect).unwrap(), defect.name());
    }
}

fn reasons(want: &Value, or_syntax: bool) -> Vec<&str> {
    let also = want["also_acceptable"].as_array();
    let also = also.into_iter().flatten().filter_map(Value::as_str);
    let syntax = or_syntax.then_some(Refusal::UnsupportedTransferSyntax.name());
    want["reason"]
        .as_str()
        .into_iter()
        .chain(also)
        .chain(syntax)
        .collect()
}

fn refused_with(got: &Result<CtSlice, DicomError>, reasons: &[&str]) -> Result<(), String> {
    match got {
        Ok(slice) => Err(format!(
            "decoded with {:?}, expected {reasons:?}",
            slice.defects
        )),
        Err(DicomError::Refused { refused, .. }) if reasons.contains(&refused.refusal.name()) => {
            Ok(())
        }
        Err(error) => Err(format!("{error}; expected {reasons:?}")),
    }
}

fn agrees(got: Result<CtSlice, DicomError>, want: &Value) -> Result<(), String> {
    let slice = got.map_err(|error| error.to_string())?;
    let image = &want["image"];
    let (rows, cols) = (slice.header.rows, slice.header.cols);
    let mut differences = Vec::new();
    let mut same = |what: &str, got: Value, want: &Value| {
        let is_same = match (got.as_f64(), want.as_f64()) {
            // The JSON reader may be off by the last bit of a double; the values are single precision.
            (Some(got), Some(want)) => got as f32 == want as f32,
            _ => &got == want,
        };
        if !is_same {
            differences.push(format!("{what} is {got}, expected {want}"));
        }
    };
    same("rows", rows.into(), &image["rows"]);
    same("cols", cols.into(), &image["cols"]);
    same(
        "slope",
        slice.header.format.rescale_slope.into(),
        &image["slope"],
    );
    same(
        "intercept",
        slice.header.format.rescale_intercept.into(),
        &image["intercept"],
    );
    let (low, high) = slice.hu_min_max();
    same("hu_min", f64::from(low.0).into(), &image["hu_min"]);
    same("hu_max", f64::from(high.0).into(), &image["hu_max"]);
    for at in image["hu_at"].as_array().unwrap() {
        let index = |i: usize| at[i].as_u64().unwrap() as usize;
        let hu = slice.hu[index(1) * cols + index(2)];
        same("hu_at", f64::from(hu.0).into(), &at[3]);
    }
    let bytes: Vec<u8> = slice.hu.iter().flat_map(|hu| hu.0.to_le_bytes()).collect();
    same("hu_sha256", sha256(&bytes).into(), &image["hu_sha256"]);
    let mask = slice.padding.unwrap_or_else(|| vec![false; rows * cols]);
    let mask: Vec<u8> = mask.into_iter().map(u8::from).collect();
    let padding = &image["padding"];
    same(
        "padded",
        mask.iter().map(|&p| u64::from(p)).sum::<u64>().into(),
        &padding["pixels"],
    );
    same("mask_sha256", sha256(&mask).into(), &padding["mask_sha256"]);
    let mut names: Vec<&str> = slice.defects.iter().map(|d| d.name()).collect();
    names.sort_unstable();
    let none = Value::Array(Vec::new());
    same(
        "warnings",
        names.into(),
        want.get("warnings").unwrap_or(&none),
    );
    if differences.is_empty() {
        Ok(())
    } else {
        Err(differences.join("; "))
    }
}

fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        })
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn bytes_and_file_give_the_same() {
    let Some(path) = falx_fixtures::shared("conformance/traps/wrap12/wrapped_intercept_0.dcm")
    else {
        return;
    };
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(read_bytes(&bytes).unwrap(), read_file(&path).unwrap());
}
