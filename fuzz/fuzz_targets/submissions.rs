//! A submission, a sample and a truth; all the same bytes, or the submission against a sound sample.
#![no_main]

use std::fmt::Write as _;

use falx_core::LABELS;
use falx_eval::lint::lint_bytes;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut sound = "ID,Label\n".to_owned();
    for image in 0..12 {
        for label in LABELS {
            let _ = writeln!(sound, "ID_{image:x}_{label},0");
        }
    }
    let against_sound = lint_bytes(bytes, sound.as_bytes(), Some(sound.as_bytes()));
    let report = against_sound.expect("a submission's faults are findings");
    assert!(!report.to_text().is_empty());
    if report.is_clean() {
        assert_eq!(report.rows, report.expected_rows, "clean, but rows differ");
    }
    if let Some(score) = report.score {
        assert!(score.weighted_log_loss.is_finite(), "a loss that is no number");
    }
    for (sample, truth) in [(bytes, None), (sound.as_bytes(), Some(bytes)), (bytes, Some(bytes))] {
        if let Err(error) = lint_bytes(sound.as_bytes(), sample, truth) {
            assert!(!error.to_string().is_empty());
        }
    }
});
