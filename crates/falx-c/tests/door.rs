//! The functions as C sees them: their header, and a C program that uses them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use falx_core::{Interrupt, Silent};
use falx_infer::{Detector, PredictOptions};
use falx_phantom::PhantomOptions;

const HERE: &str = env!("CARGO_MANIFEST_DIR");

#[test]
fn the_header_is_made_from_the_functions() {
    // The functions register themselves where they are linked.
    use falx_c as _;

    let mut made = Vec::new();
    let header = safer_ffi::headers::builder().with_guard("FALX_H");
    header.to_writer(&mut made).generate().unwrap();
    let kept = std::fs::read_to_string(Path::new(HERE).join("include/falx.h")).unwrap();
    assert!(
        kept == String::from_utf8(made).unwrap(),
        "cargo run -p falx-c --example header > crates/falx-c/include/falx.h"
    );
}

#[test]
fn a_c_program_says_what_rust_says_and_why_it_cannot() {
    let folder = tempfile::tempdir().unwrap();
    let program = compiled(folder.path());
    let images = folder.path().join("phantom");
    let phantom = PhantomOptions {
        patients: 1,
        matrix: 64,
        out: images.clone(),
        ..PhantomOptions::default()
    };
    falx_phantom::write(&phantom, &Silent, &Interrupt::default()).unwrap();
    let said = run(&program, &[&images]);
    assert!(said.status.success(), "{}", words(&said.stderr));
    let detector = Detector::in_the_box(PredictOptions::default()).unwrap();
    let answer = serde_json::to_string(&detector.study(&[images]).unwrap()).unwrap();
    assert_eq!(words(&said.stdout).trim_end(), answer);

    let missing = folder.path().join("missing");
    let said = run(&program, &[&missing]);
    assert_eq!(said.status.code(), Some(1));
    assert!(
        words(&said.stderr).contains("missing"),
        "{}",
        words(&said.stderr)
    );
    let said = run(&program, &[&missing, folder.path()]);
    assert_eq!(said.status.code(), Some(1));
    assert!(
        words(&said.stderr).contains("no bundle here"),
        "{}",
        words(&said.stderr)
    );
}

fn run(program: &Path, paths: &[&Path]) -> Output {
    Command::new(program).args(paths).output().unwrap()
}

fn words(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// `examples/study.c` as a program in `folder`.
fn compiled(folder: &Path) -> PathBuf {
    // The library lies where Cargo has put this test.
    let test = std::env::current_exe().unwrap();
    let library = test.parent().unwrap();
    let program = folder.join("study");
    let mut cc = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".to_owned()));
    cc.args(["-std=c99", "-Wall", "-Wextra", "-Werror"]);
    cc.arg(Path::new(HERE).join("examples/study.c"));
    cc.arg("-I").arg(Path::new(HERE).join("include"));
    cc.arg("-L").arg(library).arg("-lfalx_c");
    cc.arg(format!("-Wl,-rpath,{}", library.display()));
    let built = cc.arg("-o").arg(&program).output();
    let built = built.expect("a C compiler, which falx needs to be built, too");
    assert!(built.status.success(), "{}", words(&built.stderr));
    program
}
