//! `falx cache` from the outside: killed at many moments, damaged, on a full disk, of files that cannot be read.

mod common;

use std::path::{Path, PathBuf};
use std::process::Stdio;

use assert_cmd::prelude::*;
use common::{Study, closed, falx, falx_of_a_reader, files, json, run, stderr};

/// An indexed study whose slices fill several shards.
fn study() -> Study {
    let study = Study::new();
    let folder = study.path("many");
    std::fs::create_dir(&folder).unwrap();
    let slices = std::fs::read_dir(study.images()).unwrap();
    let mut slices: Vec<PathBuf> = slices.map(|entry| entry.unwrap().path()).collect();
    slices.sort();
    for (number, file) in slices.iter().cycle().take(2000).enumerate() {
        std::fs::hard_link(file, folder.join(format!("ID_{number:09x}.dcm"))).unwrap();
    }
    run(
        "index {} --out {} -q",
        &[&folder, &study.path("index.parquet")],
    )
    .success();
    study
}

const CACHE: &str = "cache {} --out {} --json -q";

fn shards(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, |entries| {
        let names = entries.map(|entry| entry.unwrap().file_name());
        names
            .filter(|name| name.to_string_lossy().ends_with(".hu"))
            .count()
    })
}

#[test]
fn killed_at_any_moment_it_goes_on_to_the_same_bytes() {
    let study = study();
    let index = study.path("index.parquet");
    let whole = study.path("whole");
    let made = json(&run(CACHE, &[&index, &whole]).success());
    assert_eq!((&made["slices"], &made["kept"]), (&2000.into(), &0.into()));
    let expected = files(&whole);
    let in_all = made["shards"].as_u64().unwrap() as usize;
    assert_eq!((shards(&whole), in_all), (16, 16));
    let mut went_on = 0;
    for round in 0..8 {
        let out = study.path(&format!("out{round}"));
        let mut child = falx()
            .arg("cache")
            .arg(&index)
            .arg("--out")
            .arg(&out)
            .args(["-q", "--threads", "2"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let until = 1 + round * 5 % 13;
        while child.try_wait().unwrap().is_none() {
            if shards(&out) >= until {
                // SIGKILL: nothing is tidied up.
                child.kill().unwrap();
            }
            std::thread::yield_now();
        }
        let made = json(&run(CACHE, &[&index, &out]).success());
        let kept = made["kept"].as_u64().unwrap() as usize;
        went_on += usize::from(kept > 0 && kept < in_all);
        assert!(files(&out) == expected, "round {round}");
    }
    assert!(went_on >= 4, "only {went_on} of 8 were killed half-way");
}

#[test]
fn a_flipped_bit_is_mended_on_request_and_another_index_is_refused() {
    let study = study();
    let (index, cache) = (study.path("index.parquet"), study.path("cache"));
    run(CACHE, &[&index, &cache]).success();
    let before = files(&cache);
    let shard = cache.join("shard-000003.hu");
    let mut bytes = std::fs::read(&shard).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::write(&shard, bytes).unwrap();
    let kept = json(&run(CACHE, &[&index, &cache]).success());
    assert_eq!(kept["kept"], 16);
    assert!(files(&cache) != before, "nobody asked for a check");
    let line = format!("{CACHE} --check");
    let mended = json(&run(&line, &[&index, &cache]).success());
    assert_eq!(
        (&mended["damaged"], &mended["kept"]),
        (&1.into(), &15.into())
    );
    assert!(files(&cache) == before);

    let other = study.path("other.parquet");
    run("index {} --out {} -q", &[&study.images(), &other]).success();
    let refused = run("cache {} --out {}", &[&other, &cache]).code(3);
    let words = stderr(&refused);
    assert!(words.contains("another index"), "{words}");
    let refused = run("cache {} --out {} --size 32", &[&index, &cache]).code(3);
    let words = stderr(&refused);
    assert!(words.contains("another form"), "{words}");
    assert!(files(&cache) == before);
}

#[test]
fn what_cannot_be_read_is_named_and_made_good_by_a_check() {
    let study = study();
    let (index, cache) = (study.path("index.parquet"), study.path("cache"));
    let (slice, aside) = (study.path("many/ID_000000011.dcm"), study.path("aside"));
    std::fs::rename(&slice, &aside).unwrap();
    let made = json(&run(CACHE, &[&index, &cache]).code(1));
    assert_eq!(made["skipped"]["count"], 1);
    assert_eq!(made["skipped"]["by_reason"]["io"], 1);
    assert_eq!(made["skipped"]["examples"][0], slice.display().to_string());
    let whole = std::fs::read(&aside).unwrap();
    std::fs::write(&slice, &whole[..whole.len() - 100]).unwrap();
    let line = format!("{CACHE} --check");
    let made = json(&run(&line, &[&index, &cache]).code(1));
    assert_eq!(made["skipped"]["by_reason"]["truncated"], 1);
    std::fs::write(&slice, &whole).unwrap();
    run(&line, &[&index, &cache]).success();
    run(CACHE, &[&index, &study.path("whole")]).success();
    assert!(files(&cache) == files(&study.path("whole")));
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_said_and_the_cache_goes_on_once_there_is_room() {
    let study = study();
    let (index, cache) = (study.path("index.parquet"), study.path("cache"));
    // Files may grow to 700 blocks of 512 bytes, less than a shard, as if the disk were full.
    let line = format!(
        "trap '' XFSZ; ulimit -f 700; exec '{}' cache '{}' --out '{}' -q",
        env!("CARGO_BIN_EXE_falx"),
        index.display(),
        cache.display()
    );
    let output = std::process::Command::new("sh")
        .args(["-c", &line])
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{words}");
    assert!(words.contains("room"), "{words}");
    let left = files(&cache);
    let is_part = |name: &&PathBuf| name.to_string_lossy().starts_with('.');
    let parts: Vec<_> = left.keys().filter(is_part).collect();
    assert!(parts.is_empty(), "parts of shards are left: {parts:?}");
    assert!(left.len() < 16, "the disk was not full");
    run(CACHE, &[&index, &cache]).success();
    run(CACHE, &[&index, &study.path("whole")]).success();
    assert!(files(&cache) == files(&study.path("whole")));
}

#[cfg(unix)]
#[test]
fn a_place_that_may_not_be_written_is_named() {
    let study = Study::indexed();
    let place = closed(&study);
    let mut command = falx_of_a_reader(&study);
    command
        .arg("cache")
        .arg(study.path("index.parquet"))
        .arg("--out")
        .arg(place.join("cache"))
        .arg("-q");
    let done = command.assert().code(3);
    let words = stderr(&done);
    assert!(words.contains("closed/cache"), "{words}");
    assert!(!place.join("cache").exists());
}
