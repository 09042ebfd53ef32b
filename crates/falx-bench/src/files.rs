//! Files of predictions: how fast a submission is linted, and predictions are read.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use falx_core::{Interrupt, LABELS, Prediction};
use falx_eval::{Case, Scale, kaggle, lint, predictions};
use serde::Serialize;

use crate::BenchError;
use crate::index::forget_peak;
use crate::io::status_mib;
use crate::report::median;

/// Images of RSNA's stage 2 test.
const TEST_IMAGES: usize = 121_232;

/// Speeds of files.
#[derive(Clone, Debug, Serialize)]
pub struct FilesReport {
    /// A submission of stage 2's size, checked against a sample and scored against labels: three files of as many rows.
    pub lint: FileSpeed,
    /// A predictions.csv of all slices.
    pub predictions: FileSpeed,
    /// The same in Kaggle's form.
    pub kaggle_form: FileSpeed,
}

/// How fast a file was read.
#[derive(Clone, Debug, Serialize)]
pub struct FileSpeed {
    /// Rows below the header.
    pub rows: u64,
    /// Bytes read, in MB.
    pub megabytes: f64,
    /// Seconds, median.
    pub seconds: f64,
    /// MB a second.
    pub megabytes_per_s: f64,
    /// Peak memory of the process, the benchmark's own cases included.
    pub peak_mib: Option<f64>,
}

impl FilesReport {
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        for (name, speed) in [
            ("lint and score a submission", &self.lint),
            ("read predictions.csv", &self.predictions),
            ("read Kaggle's form", &self.kaggle_form),
        ] {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{name:<28}{:>9} rows {:>7.1} MB {:>6.2} s {:>5.0} MB/s",
                speed.rows, speed.megabytes, speed.seconds, speed.megabytes_per_s
            );
        }
        text
    }
}

pub(crate) fn measure(
    cases: &[Case],
    rounds: usize,
    folder: &Path,
    interrupt: &Interrupt,
) -> Result<FilesReport, BenchError> {
    let all: Vec<Prediction> = cases
        .iter()
        .map(|case| Prediction {
            image_id: case.image_id.clone(),
            probabilities: case.prediction,
        })
        .collect();
    let path = |name: &str| folder.join(name);
    let tested = all.get(..TEST_IMAGES).unwrap_or(&all);
    let names = [
        "submission.csv",
        "sample.csv",
        "truth.csv",
        "predictions.csv",
        "all.csv",
    ];
    let [submission, sample, truth, wide, long] = names.map(path);
    kaggle::write_submission(tested, None, &submission)?;
    predictions::write_csv(&all, &wide)?;
    kaggle::write_submission(&all, None, &long)?;
    for (file, is_truth) in [(&sample, false), (&truth, true)] {
        let mut text = "ID,Label\n".to_owned();
        for case in cases.iter().take(TEST_IMAGES) {
            for label in LABELS {
                let value = match (is_truth, case.truth.get(label)) {
                    (false, _) => "0.5",
                    (true, Some(true)) => "1",
                    (true, _) => "0",
                };
                let _ = writeln!(text, "{}_{label},{value}", case.image_id);
            }
        }
        std::fs::write(file, text)?;
    }
    drop(all);
    let time = |files: &[&Path], once: &dyn Fn() -> Result<u64, BenchError>| {
        let mut seconds = Vec::new();
        let mut rows = 0;
        forget_peak();
        for _ in 0..rounds {
            if interrupt.is_requested() {
                return Err(BenchError::Interrupted);
            }
            let start = Instant::now();
            rows = once()?;
            seconds.push(start.elapsed().as_secs_f64());
        }
        let mut bytes = 0;
        for file in files {
            bytes += std::fs::metadata(file)?.len();
        }
        let megabytes = bytes as f64 / 1e6;
        let seconds = median(&seconds);
        Ok(FileSpeed {
            rows,
            megabytes,
            seconds,
            megabytes_per_s: megabytes / seconds,
            peak_mib: status_mib("VmHWM"),
        })
    };
    Ok(FilesReport {
        lint: time(&[&submission, &sample, &truth], &|| {
            Ok(lint::lint(&submission, &sample, Some(&truth))?.rows)
        })?,
        predictions: time(&[&wide], &|| {
            Ok(predictions::read(&wide, Scale::Probabilities)?.rows.len() as u64)
        })?,
        kaggle_form: time(&[&long], &|| {
            Ok(6 * predictions::read(&long, Scale::Probabilities)?.rows.len() as u64)
        })?,
    })
}
