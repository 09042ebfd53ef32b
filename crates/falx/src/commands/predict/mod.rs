//! `falx predict`

mod answers;
mod evidence;
mod heat_maps;

use std::fmt::Write as _;
use std::path::PathBuf;

use falx_core::{Prediction, RESEARCH_USE};
use falx_data::index::{Index, Layout};
use falx_eval::{kaggle, predictions};
use falx_infer::{Bundle, PredictOptions, Unreadable, predict, samples};
use serde::Serialize;

use super::{Context, model, sources};
use crate::cli::{Predict, PredictFormat, PredictLevel};
use crate::output::Outcome;

#[derive(Serialize)]
struct Summary {
    out: PathBuf,
    slices: usize,
    unreadable: Vec<Unreadable>,
    /// Slices that are left out because their image id had come before.
    repeated: usize,
    given_the_prevalence: usize,
    rows: u64,
    /// Where nobody named a model.
    #[serde(skip)]
    said: Option<String>,
}

pub fn run(arguments: &Predict, context: &Context) -> anyhow::Result<Outcome> {
    let options = PredictOptions {
        runtime: arguments.runtime,
        threads: context.threads,
        memory_mib: arguments.memory,
        flip: arguments.flip,
        prevalence: arguments.prevalence,
        ..PredictOptions::default()
    };
    let index = || sources::index(&arguments.sources, layout(arguments), context);
    let of_slices = arguments.level == PredictLevel::Slice && arguments.series.is_none();
    // A damaged bundle is refused before the first of many files is read.
    match arguments.format {
        PredictFormat::Csv if of_slices => every_slice(
            arguments,
            &model::open(&arguments.model)?,
            &options,
            &index()?,
            context,
        ),
        PredictFormat::Kaggle => every_slice(
            arguments,
            &model::open(&arguments.model)?,
            &options,
            &index()?,
            context,
        ),
        PredictFormat::Csv | PredictFormat::Json | PredictFormat::Jsonl | PredictFormat::Dicom => {
            let detector = model::detector(&arguments.model, options)?;
            answers::run(arguments, detector, &index()?, context)
        }
    }
}

/// One row for every slice of every series, as tables and Kaggle want it.
fn every_slice(
    arguments: &Predict,
    bundle: &Bundle,
    options: &PredictOptions,
    index: &Index,
    context: &Context,
) -> anyhow::Result<Outcome> {
    let (samples, mut unreadable) = samples(index)?;
    let predicted = predict(
        bundle,
        &samples,
        samples.all(),
        options,
        context.progress.as_ref(),
        &context.interrupt,
    )?;
    unreadable.extend(predicted.unreadable);
    let mut predictions = predicted.predictions;
    let read = predictions.len();
    let rows = if arguments.format == PredictFormat::Kaggle {
        // A submission must have a row for every slice: one that cannot be read gets what is known without it.
        let no_skill = bundle.no_skill();
        predictions.extend(unreadable.iter().map(|slice| Prediction {
            image_id: slice.image_id.clone(),
            probabilities: no_skill,
        }));
        kaggle::write_submission(&predictions, arguments.sample.as_deref(), &arguments.out)?.rows
    } else {
        predictions::write_csv(&predictions, &arguments.out)?;
        predictions.len() as u64
    };
    let fine = unreadable.is_empty();
    let summary = Summary {
        out: arguments.out.clone(),
        slices: read,
        repeated: predicted.repeated,
        given_the_prevalence: predictions.len() - read,
        unreadable,
        rows,
        said: model::said(&arguments.model, bundle),
    };
    Ok(Outcome::done(summary.to_text(), &summary)?.fine_if(fine))
}

/// Kaggle's ids are the files' names, whatever else is known of the files.
fn layout(arguments: &Predict) -> Layout {
    match arguments.format {
        PredictFormat::Kaggle => Layout::Rsna,
        PredictFormat::Csv | PredictFormat::Json | PredictFormat::Jsonl | PredictFormat::Dicom => {
            Layout::Auto
        }
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
        if self.repeated > 0 {
            let _ = write!(
                text,
                "\n{} slices left out whose image id had come before (`falx index` and `falx audit` tell which)",
                self.repeated
            );
        }
        if self.given_the_prevalence > 0 {
            let _ = write!(
                text,
                "\n{} slices that cannot be read were given the prevalence of the training data",
                self.given_the_prevalence
            );
        }
        if let Some(said) = &self.said {
            let _ = write!(text, "\n{said}");
        }
        text.push('\n');
        text.push_str(RESEARCH_USE);
        text
    }
}
