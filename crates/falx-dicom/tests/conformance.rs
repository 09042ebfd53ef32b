//! Every file of the conformance set: values bit for bit, the exact set of defects, or the right refusal.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use falx_dicom::{
    CtSlice, Decoded, Defect, DicomError, PixelFormat, Refusal, read, read_bytes, read_headers,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Files on which this reader differs from the set on purpose: the refusal it gives, and why.
const EXCEPTIONS: [(&str, Refusal, &str); 0] = [];

#[test]
fn every_file_gives_the_expected_values_or_the_expected_refusal() {
    let Some(root) = falx_fixtures::shared("conformance") else {
        return;
    };
    let expected = json_of(&root.join("expected.json"));
    let files = expected["files"].as_object().unwrap();
    let mut failures = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, want) in files {
        let got = read(&root.join(name));
        let exception = EXCEPTIONS.iter().find(|(file, ..)| file == name);
        let (kind, verdict) = if let Some((_, refusal, _)) = exception {
            ("exception", refused_with(&got, &[refusal.name()]))
        } else if want["verdict"] == "refuse" {
            ("refused", refused_with(&got, &reasons(want)))
        } else if let (Err(DicomError::Refused { refused, .. }), Some(may)) =
            (&got, want["may_refuse"].as_array())
        {
            let allowed = may.iter().any(|r| r == refused.refusal.name());
            let verdict = allowed.then_some(()).ok_or(format!("refused: {refused}"));
            ("refused as the set allows", verdict)
        } else if want.get("lossy").is_some() {
            (
                "decoded within tolerance",
                got_of(got).and_then(|got| agrees_closely(&got, want, &root, name)),
            )
        } else {
            (
                "decoded exactly",
                got_of(got).and_then(|got| agrees(&got, want)),
            )
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
    let expected = json_of(&root.join("expected.json"));
    for name in expected["files"].as_object().unwrap().keys() {
        let path = root.join(name);
        match (read(&path), read_headers(&path)) {
            (Ok(decoded), headers) => {
                let whole: Vec<_> = decoded.slices.into_iter().map(|s| s.header).collect();
                assert_eq!(whole, headers.unwrap(), "{name}");
            }
            (Err(whole), Err(header)) => {
                assert_eq!(whole.to_string(), header.to_string(), "{name}");
            }
            // Only the pixels themselves, or what follows them, can refuse a file whose header is right.
            (Err(error), Ok(_)) => assert!(
                matches!(
                    error.refused().unwrap().refusal,
                    Refusal::InconsistentPixelGeometry
                        | Refusal::Truncated
                        | Refusal::CorruptCodestream
                        | Refusal::TooLarge
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
    assert_eq!(read(&odd).unwrap(), read(&plain).unwrap());
}

#[test]
fn refusals_and_defects_are_the_sets_closed_lists() {
    let Some(path) = falx_fixtures::shared("conformance/expected.json") else {
        return;
    };
    let expected = json_of(&path);
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

fn reasons(want: &Value) -> Vec<&str> {
    let also = want["also_acceptable"].as_array();
    let also = also.into_iter().flatten().filter_map(Value::as_str);
    want["reason"].as_str().into_iter().chain(also).collect()
}

fn got_of(got: Result<Decoded, DicomError>) -> Result<Decoded, String> {
    got.map_err(|error| error.to_string())
}

fn refused_with(got: &Result<Decoded, DicomError>, reasons: &[&str]) -> Result<(), String> {
    match got {
        Ok(decoded) => Err(format!(
            "decoded with {:?}, expected {reasons:?}",
            decoded.defects()
        )),
        Err(DicomError::Refused { refused, .. }) if reasons.contains(&refused.refusal.name()) => {
            Ok(())
        }
        Err(error) => Err(format!("{error}; expected {reasons:?}")),
    }
}

/// Everything but the values: size, rescale of each frame, and the exact set of defects.
fn differences(got: &Decoded, want: &Value) -> Vec<String> {
    let image = &want["image"];
    let headers = || got.slices.iter().map(|slice| &slice.header);
    // What is the same for all frames is given once.
    let of_frames = |of: fn(&PixelFormat) -> f64, want: &Value| {
        let values: Vec<f64> = headers().map(|header| of(&header.format)).collect();
        let wanted: Vec<f64> = match want.as_array() {
            Some(list) => list.iter().map(|value| value.as_f64().unwrap()).collect(),
            None => vec![want.as_f64().unwrap(); values.len()],
        };
        (values != wanted).then(|| format!("rescale is {values:?}, expected {want}"))
    };
    let mut names: Vec<&str> = got.defects().iter().map(|d| d.name()).collect();
    names.sort_unstable();
    let wanted = want.get("warnings").cloned().unwrap_or_else(|| json!([]));
    let shape = json!([
        headers().all(
            |header| json!([header.rows, header.cols]) == json!([image["rows"], image["cols"]])
        ),
        got.slices.len(),
    ]);
    [
        of_frames(|format| format.rescale_slope, &image["slope"]),
        of_frames(|format| format.rescale_intercept, &image["intercept"]),
        (json!(names) != wanted).then(|| format!("defects are {names:?}, expected {wanted}")),
        (shape != json!([true, image["frames"]])).then(|| format!("shape is {shape}")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn verdict(differences: &[String]) -> Result<(), String> {
    if differences.is_empty() {
        Ok(())
    } else {
        Err(differences.join("; "))
    }
}

fn values(got: &Decoded) -> impl Iterator<Item = f32> {
    got.slices
        .iter()
        .flat_map(|slice| slice.hu.iter().map(|hu| hu.0))
}

fn mask(got: &Decoded) -> Vec<u8> {
    let mask = |slice: &CtSlice| match &slice.padding {
        Some(mask) => mask.iter().copied().map(u8::from).collect(),
        None => vec![0; slice.hu.len()],
    };
    got.slices.iter().flat_map(mask).collect()
}

/// Values bit for bit.
fn agrees(got: &Decoded, want: &Value) -> Result<(), String> {
    let image = &want["image"];
    let mut differences = differences(got, want);
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
    let low = values(got).fold(f32::INFINITY, f32::min);
    let high = values(got).fold(f32::NEG_INFINITY, f32::max);
    same("hu_min", f64::from(low).into(), &image["hu_min"]);
    same("hu_max", f64::from(high).into(), &image["hu_max"]);
    for at in image["hu_at"].as_array().unwrap() {
        let index = |i: usize| at[i].as_u64().unwrap() as usize;
        let slice = &got.slices[index(0)];
        let hu = slice.hu[index(1) * slice.header.cols + index(2)];
        same("hu_at", f64::from(hu.0).into(), &at[3]);
    }
    let bytes: Vec<u8> = values(got).flat_map(f32::to_le_bytes).collect();
    same("hu_sha256", sha256(&bytes).into(), &image["hu_sha256"]);
    let mask = mask(got);
    let padding = &image["padding"];
    let padded = mask.iter().map(|&p| u64::from(p)).sum::<u64>();
    same("padded", padded.into(), &padding["pixels"]);
    same("mask_sha256", sha256(&mask).into(), &padding["mask_sha256"]);
    verdict(&differences)
}

/// Values within the set's tolerance of a reference decoder's.
///
/// A pixel that close to the padding value or to the limit of physical values may fall on either side of the mask.
fn agrees_closely(got: &Decoded, want: &Value, root: &Path, name: &str) -> Result<(), String> {
    let tolerance = want["lossy"]["max_abs_hu_against_reference"]
        .as_f64()
        .unwrap();
    let file = format!("reference/{}", name.replace('/', "__"));
    let mut bytes = Vec::new();
    let packed = std::fs::File::open(root.join(file).with_extension("i32le.gz")).unwrap();
    flate2::read::GzDecoder::new(packed)
        .read_to_end(&mut bytes)
        .unwrap();
    let reference = bytes
        .as_chunks()
        .0
        .iter()
        .map(|&four| f64::from(i32::from_le_bytes(four)));
    let mut differences = differences(got, want);
    let mask = mask(got);
    let format = got.slices[0].header.format;
    let declared = want["image"]["padding"]["declared"].as_array();
    let mut largest: f64 = 0.0;
    for ((hu, is_padding), stored) in values(got).zip(mask.iter()).zip(reference.clone()) {
        let expected = stored * format.rescale_slope + format.rescale_intercept;
        let near_declared = declared.is_some_and(|ends| {
            let steps = tolerance / format.rescale_slope.abs();
            stored >= ends[0].as_f64().unwrap() - steps
                && stored <= ends[1].as_f64().unwrap() + steps
        });
        if *is_padding == 1 {
            if !near_declared && expected > -2000.0 + tolerance {
                differences.push(format!("{expected} HU was taken for padding"));
            }
        } else {
            largest = largest.max((f64::from(hu) - expected).abs());
        }
    }
    if largest > tolerance {
        differences.push(format!("off by {largest} HU, allowed are {tolerance}"));
    }
    if reference.count() != mask.len() {
        differences.push("the reference has another size".to_owned());
    }
    differences.truncate(8);
    verdict(&differences)
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

fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn bytes_and_file_give_the_same() {
    let Some(path) = falx_fixtures::shared("conformance/traps/wrap12/wrapped_intercept_0.dcm")
    else {
        return;
    };
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(read_bytes(&bytes).unwrap(), read(&path).unwrap());
}
