//! `falx predict`

use std::fmt::Write as _;

use falx_core::Prediction;
use falx_data::index::{Index, Layout, scan};
use falx_eval::{kaggle, predictions};
use falx_infer::{Bundle, PredictOptions, Unreadable, predict, samples};
use falx_train::bundle_in;
use serde::Serialize;

use super::Context;
use crate::cli::{Predict, PredictFormat};
use crate::output::Outcome;

#[derive(Serialize)]
struct Summary {
    out: std::path::PathBuf,
    slices: usize,
    unreadable: Vec<Unreadable>,
    given_the_prevalence: usize,
    rows: u64,
}

pub fn run(arguments: &Predict, context: &Context) -> anyhow::Result<Outcome> {
    let bundle = Bundle::open(&bundle_in(&arguments.model))?;
    let index = match arguments.sources.as_slice() {
        [file] if file.extension().is_some_and(|e| e == "parquet") => Index::read(file)?,
        sources => scan(
            sources,
            layout(arguments),
            context.progress.as_ref(),
            &context.interrupt,
        )?,
    };
    let (samples, mut unreadable) = samples(&index)?;
    let options = PredictOptions {
        runtime: arguments.runtime,
        threads: context.threads,
        flip: arguments.flip,
        prevalence: arguments.prevalence,
        ..PredictOptions::default()
    };
    let predicted = predict(
        &bundle,
        &samples,
        samples.all(),
        &options,
        context.progress.as_ref(),
        &context.interrupt,
    )?;
    unreadable.extend(predicted.unreadable);
    let mut predictions = predicted.predictions;
    let read = predictions.len();
    let rows = match arguments.format {
        PredictFormat::Csv => {
            predictions::write_csv(&predictions, &arguments.out)?;
            predictions.len() as u64
        }
        PredictFormat::Kaggle => {
            // A submission must have a row for every slice: one that cannot be read gets what is known without it.
            let no_skill = bundle.no_skill();
            predictions.extend(unreadable.iter().map(|slice| Prediction {
                image_id: slice.image_id.clone(),
                probabilities: no_skill,
            }));
            kaggle::write_submission(&predictions, arguments.sample.as_deref(), &arguments.out)?
                .rows
        }
    };
    let fine = unreadable.is_empty();
    let summary = Summary {
        out: arguments.out.clone(),
        slices: read,
        given_the_prevalence: predictions.len() - read,
        unreadable,
        rows,
    };
    Ok(Outcome::done(summary.to_text(), &summary)?.fine_if(fine))
}

/// Kaggle's ids are the files' names, whatever else is known of the files.
fn layout(arguments: &Predict) -> Layout {
    match arguments.format {
        PredictFormat::Kaggle => Layout::Rsna,
        PredictFormat::Csv => Layout::Auto,
    }
}

impl Summary {
    fn to_text(&self) -> String {
        let mut text = format!(
            "{} slices predicted, {} rows in {}",
            self.slices,
            self.rows,
            self.out.display()
        );
        for slice in &self.unreadable {
            let _ = write!(
                text,
                "\nnot read: {} ({})",
                slice.path.display(),
                slice.reasons.join(", ")
            );
        }
        if self.given_the_prevalence > 0 {
            let _ = write!(
                text,
                "\n{} slices that cannot be read were given the prevalence of the training data",
                self.given_the_prevalence
            );
        }
        text.push_str("\nResearch use; not a medical device.");
        text
    }
}
