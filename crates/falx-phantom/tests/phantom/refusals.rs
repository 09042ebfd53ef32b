//! What `write` refuses, and how it stops.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::common::{make, small};
use falx_core::{Interrupt, Progress, Silent};
use falx_phantom::{Layout, PhantomError, PhantomOptions, write};

fn refusal(options: &PhantomOptions) -> PhantomError {
    write(options, &Silent, &Interrupt::default()).expect_err("the options are unsound")
}

#[test]
fn options_out_of_range_are_named_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let sound = small(dir.path());
    let cases = [
        (
            PhantomOptions {
                patients: 0,
                ..sound.clone()
            },
            "patients = 0",
        ),
        (
            PhantomOptions {
                matrix: 63,
                ..sound.clone()
            },
            "matrix = 63",
        ),
        (
            PhantomOptions {
                matrix: 1025,
                ..sound.clone()
            },
            "matrix = 1025",
        ),
        (
            PhantomOptions {
                slice_prevalence: 0.6,
                ..sound.clone()
            },
            "slice prevalence = 0.6",
        ),
        (
            PhantomOptions {
                slice_prevalence: f64::NAN,
                ..sound.clone()
            },
            "slice prevalence = NaN",
        ),
        (
            PhantomOptions {
                layout: Layout::Folders,
                test_patients: 1,
                ..sound.clone()
            },
            "test patients = 1",
        ),
    ];
    for (options, start) in cases {
        let message = refusal(&options).to_string();
        assert!(message.starts_with(start), "{message}");
    }
    assert!(!sound.out.exists());
}

#[test]
fn a_folder_that_holds_something_else_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let options = small(dir.path());
    std::fs::create_dir(&options.out).unwrap();
    std::fs::write(options.out.join("thesis.txt"), "ten years of work").unwrap();
    let error = refusal(&options);
    assert!(matches!(error, PhantomError::NotEmpty(_)), "{error}");
    assert_eq!(std::fs::read_dir(&options.out).unwrap().count(), 1);
}

#[test]
fn a_phantom_of_other_options_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let options = PhantomOptions {
        patients: 1,
        ..small(dir.path())
    };
    make(&options);
    let error = refusal(&PhantomOptions {
        seed: 12,
        ..options
    });
    assert!(matches!(error, PhantomError::OtherPhantom(_)), "{error}");
}

/// Asks for a stop after some slices.
struct Impatient {
    seen: AtomicU64,
    stop: Interrupt,
}

impl Progress for Impatient {
    fn begin(&self, _what: &str, total: Option<u64>) {
        assert!(total > Some(40));
    }
    fn advance(&self, parts: u64) {
        if self.seen.fetch_add(parts, Ordering::SeqCst) > 40 {
            self.stop.request();
        }
    }
    fn note(&self, _text: &str) {}
    fn finish(&self) {}
}

#[test]
fn a_stop_leaves_whole_files_and_a_folder_that_can_be_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let options = small(dir.path());
    let stop = Interrupt::default();
    let impatient = Impatient {
        seen: AtomicU64::new(0),
        stop: stop.clone(),
    };
    let error = write(&options, &impatient, &stop).expect_err("it was stopped");
    assert!(matches!(error, PhantomError::Interrupted { .. }), "{error}");
    for file in std::fs::read_dir(options.out.join("stage_2_train")).unwrap() {
        falx_dicom::read_slice(&file.unwrap().path()).unwrap();
    }
    let made = make(&options);
    let files = std::fs::read_dir(&made.images).unwrap().count() as u64;
    assert_eq!(files, made.slices);
}
