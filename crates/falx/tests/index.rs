//! `falx index` from the outside: killed at random moments, in parts, on bad input, on a full disk.

mod common;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use assert_cmd::prelude::*;
use common::{Study, falx, json, run, stderr};

/// A flat folder of `count` links to the slices of a phantom.
fn many(study: &Study, count: usize) -> PathBuf {
    let files: Vec<PathBuf> = std::fs::read_dir(study.images())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let folder = study.path("many");
    std::fs::create_dir(&folder).unwrap();
    for (number, file) in files.iter().cycle().take(count).enumerate() {
        std::fs::hard_link(file, folder.join(format!("ID_{number:09x}.dcm"))).unwrap();
    }
    folder
}

#[test]
fn killed_at_any_moment_it_goes_on_to_the_same_bytes() {
    let study = Study::new();
    let folder = many(&study, 4000);
    let whole = study.path("whole.parquet");
    run("index {} --out {} -q", &[&folder, &whole]).success();
    let expected = std::fs::read(&whole).unwrap();
    let journal_length = std::fs::metadata(study.path("whole.parquet.journal"))
        .unwrap()
        .len();
    let (out, journal) = (study.path("out.parquet"), study.path("out.parquet.journal"));
    let mut went_on = 0;
    for round in 0..20_u64 {
        for file in [&out, &journal] {
            let _ = std::fs::remove_file(file);
        }
        // Anywhere from the first block to the sorting; a round's own place, the same in every run of this test.
        let until = journal_length * (round * 7 % 20 + 1) / 21;
        let mut child = falx()
            .arg("index")
            .arg(&folder)
            .arg("--out")
            .args([&out])
            .args(["-q", "--threads", "2"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        while child.try_wait().unwrap().is_none() {
            if std::fs::metadata(&journal).is_ok_and(|journal| journal.len() >= until) {
                // SIGKILL: nothing is tidied up.
                child.kill().unwrap();
            }
            std::thread::yield_now();
        }
        let summary = json(&run("index {} --out {} --json -q", &[&folder, &out]).success());
        went_on += u32::from(summary["reused"].as_u64().unwrap() > 0);
        assert_eq!(std::fs::read(&out).unwrap(), expected, "round {round}");
    }
    assert!(went_on >= 10, "only {went_on} of 20 were killed half-way");
    let left: Vec<_> = std::fs::read_dir(study.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("out.parquet"))
        .collect();
    assert_eq!(left.len(), 2, "temporary files are left behind: {left:?}");
}

#[test]
fn parts_from_several_processes_merge_to_the_whole_for_any_number_of_threads() {
    let study = Study::new();
    let (images, labels) = (study.images(), study.labels());
    let at = |name: &str| study.path(name);
    let whole = "index {} --labels {} --out {} -q --threads 1";
    run(whole, &[&images, &labels, &at("whole.parquet")]).success();
    run(
        "index {} --part 1/2 --out {} -q --threads 2",
        &[&images, &at("1.part")],
    )
    .success();
    run("index {} --part 2/2 --out {} -q", &[&images, &at("2.part")]).success();
    let merge = "index --merge {} {} --labels {} --out {} -q";
    let merged = at("merged.parquet");
    run(merge, &[&at("2.part"), &at("1.part"), &labels, &merged]).success();
    assert_eq!(
        std::fs::read(&merged).unwrap(),
        std::fs::read(at("whole.parquet")).unwrap()
    );
    let one = run("index --merge {} --out {} -q", &[&at("1.part"), &merged]).code(3);
    assert!(stderr(&one).contains("missing: 2"), "{}", stderr(&one));
    run("index {} --part 3/2 --out {}", &[&images, &merged]).code(2);
    run("index {} --part 1/2 --update --out {}", &[&images, &merged]).code(2);
}

/// Runs `falx index` with a label CSV of this text.
fn with_labels(study: &Study, text: &str) -> (Option<i32>, String, serde_json::Value) {
    let labels = study.path("labels.csv");
    std::fs::write(&labels, text).unwrap();
    let out = study.path("labelled.parquet");
    let images = study.images();
    let done = run(
        "index {} --labels {} --out {} --json -q",
        &[&images, &labels, &out],
    );
    let code = done.get_output().status.code();
    let words = stderr(&done);
    let value = if code == Some(0) {
        json(&done)
    } else {
        serde_json::Value::Null
    };
    (code, words, value)
}

#[test]
fn label_tables_are_taken_as_people_write_them_and_mistakes_are_named_by_line() {
    let study = Study::new();
    let ids: Vec<String> = std::fs::read_dir(study.images())
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .take(2)
        .collect();
    let header = "epidural,intraparenchymal,intraventricular,subarachnoid,subdural,any";
    // Byte order mark, CRLF, quotes, extra columns, capitals, 1.0, NaN.
    let odd = format!(
        "\u{feff}\"Note\",\"IMAGE_ID\",{}\r\n\"a, b\",\"{}\",0.0,0,0,0,1.0,1\r\n,{},NaN,0,0,0,,0\r\n",
        header.to_uppercase(),
        ids[0],
        ids[1]
    );
    let (code, words, summary) = with_labels(&study, &odd);
    assert_eq!(code, Some(0), "{words}");
    assert_eq!(summary["labelled"], 2);
    assert_eq!(summary["positives"], serde_json::json!([0, 0, 0, 0, 1, 1]));

    let mut long = "ID,Label\n".to_owned();
    for number in 0..30_000 {
        writeln!(
            long,
            "ID_{number:09x}_any,{}",
            if number == 23_456 { "2" } else { "0" }
        )
        .unwrap();
    }
    let (code, words, _) = with_labels(&study, &long);
    assert_eq!(code, Some(3));
    assert!(
        words.contains("line 23458") && words.contains("`2` is neither 0 nor 1"),
        "{words}"
    );

    let (code, words, _) = with_labels(&study, &format!("image_id,{header}\nID_1,0,0,0\n"));
    assert_eq!(code, Some(3));
    assert!(
        words.contains("labels.csv") && words.contains("line"),
        "{words}"
    );

    let (code, words, _) = with_labels(&study, "name,blood\nx,1\n");
    assert_eq!(code, Some(3));
    assert!(words.contains("--columns"), "{words}");
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_said_and_leaves_the_old_index_alone() {
    let study = Study::indexed();
    let index = study.path("index.parquet");
    let before = std::fs::read(&index).unwrap();
    // Files may grow to 8 blocks of 512 bytes and no further, as if the disk were full.
    let line = format!(
        "trap '' XFSZ; ulimit -f 8; exec '{}' index '{}' --out '{}' -q",
        env!("CARGO_BIN_EXE_falx"),
        study.images().display(),
        index.display()
    );
    let output = std::process::Command::new("sh")
        .args(["-c", &line])
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{words}");
    assert!(
        words.contains("index.parquet") && words.contains("has room"),
        "{words}"
    );
    assert_eq!(std::fs::read(&index).unwrap(), before);
}

#[cfg(unix)]
fn is_root() -> bool {
    std::fs::read_dir("/root").is_ok()
}

#[cfg(unix)]
#[test]
fn an_unreadable_folder_is_named_and_the_rest_is_read() {
    use std::os::unix::fs::PermissionsExt;
    let study = Study::new();
    let closed = study.path("phantom/closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    let (source, out) = (study.path("phantom"), study.path("out.parquet"));
    let mut command = falx();
    command
        .arg("index")
        .arg(&source)
        .arg("--out")
        .arg(&out)
        .args(["--json", "-q"]);
    if is_root() {
        // Root may list everything: let it be done by somebody who may not.
        use std::os::unix::process::CommandExt;
        std::fs::set_permissions(study.folder.path(), std::fs::Permissions::from_mode(0o777))
            .unwrap();
        command.uid(65534).gid(65534);
    }
    let done = command.assert();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o755)).unwrap();
    let done = done.code(1);
    let summary = json(&done);
    assert_eq!(summary["unlisted"][0]["path"], closed.display().to_string());
    assert!(summary["usable"].as_u64().unwrap() > 0);
}

#[test]
fn archives_need_not_be_unpacked_and_names_that_climb_out_are_refused() {
    let study = Study::new();
    let slice = std::fs::read_dir(study.images())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let bytes = std::fs::read(slice).unwrap();
    let folder = study.path("archives");
    std::fs::create_dir(&folder).unwrap();
    let mut tar = tar::Builder::new(std::fs::File::create(folder.join("x.tar")).unwrap());
    for name in ["inside/a.dcm", "../outside.dcm"] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        tar.append(&header, bytes.as_slice()).unwrap();
    }
    tar.finish().unwrap();
    let out = study.path("out.parquet");
    let summary = json(&run("index {} --out {} --json -q", &[&folder, &out]).success());
    assert_eq!(
        (&summary["rows"], &summary["usable"]),
        (&2.into(), &1.into())
    );
    assert_eq!(summary["refused"]["unsafe_archive_path"], 1);
    assert!(!study.path("outside.dcm").exists() && !folder.join("inside").exists());
    let audit = run("audit {}", &[&out]).code(1);
    let text = String::from_utf8_lossy(&audit.get_output().stdout).into_owned();
    assert!(text.contains("refused.unsafe_archive_path"), "{text}");
}

#[test]
fn what_cannot_be_indexed_is_said_without_a_trace() {
    let study = Study::new();
    let out = study.path("out.parquet");
    let texts = study.path("texts");
    std::fs::create_dir(&texts).unwrap();
    std::fs::write(texts.join("a.txt"), "words").unwrap();
    for source in [study.path("gone"), texts] {
        let done = run("index {} --out {}", &[&source, &out]).code(3);
        assert!(
            stderr(&done).contains(&*source.to_string_lossy()),
            "{}",
            stderr(&done)
        );
        assert!(!out.exists() && !study.path("out.parquet.journal").exists());
    }
    let images = study.images();
    let done = run(
        "index {} --out {}",
        &[&images, &study.path("no/folder/x.parquet")],
    )
    .code(3);
    assert!(stderr(&done).contains("no/folder"), "{}", stderr(&done));
    let labels = study.labels();
    run(
        "index {} --labels {} --columns colour=red --out {}",
        &[&images, &labels, &out],
    )
    .failure();
    run(
        "index {} --layout odd --out {}",
        &[&images, Path::new(&out)],
    )
    .code(2);
}
