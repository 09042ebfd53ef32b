//! The end of a run: the best weights as a bundle, and what that bundle says of slices it never learnt from.

use falx_core::{Interrupt, Progress};
use falx_data::index::Index;
use falx_infer::{
    Bundle, BundleManifest, BundleMetrics, BundleParts, PredictOptions, model_card, predict,
};
use falx_nn::onnx;

use crate::TrainError;
use crate::cases::Rows;
use crate::checkpoint::Checkpoints;
use crate::decisions::decisions;
use crate::folder::Part;
use crate::sequence::Sequence;
use crate::train::Run;

pub(crate) const INTENDED_USE: &str = "Research on the detection of intracranial haemorrhage in slices of non-contrast head CT. \
Research use; not a medical device.";
pub(crate) const LICENCE: &str = "not stated; the terms of the training data apply";

/// Writes the bundle of a run whose stages are done, and its predictions.
///
/// # Errors
/// [`TrainError`] when a file cannot be read or written, or somebody asked to stop.
pub(crate) fn finish(
    run: &Run<'_>,
    second: Option<&Sequence>,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<(), TrainError> {
    let parameters = Checkpoints::load_weights(&run.folder.best_weights(), &run.graph)?;
    let model = match second {
        Some(_) => onnx::to_bytes(&run.graph.with_embedding()?, &parameters)?,
        None => onnx::to_bytes(&run.graph, &parameters)?,
    };
    let sequence = second.map(|second| onnx::to_bytes(&second.graph, &second.parameters));
    let sequence = sequence.transpose()?;
    let mut manifest = manifest(run, second);
    let write = |manifest: &BundleManifest| {
        let parts = BundleParts {
            model_onnx: &model,
            sequence_onnx: sequence.as_deref(),
            model_card: &model_card(manifest),
        };
        Bundle::write(&run.folder.bundle(), manifest.clone(), &parts)
    };
    let bundle = write(&manifest)?;
    let options = PredictOptions {
        threads: run.threads,
        ..PredictOptions::default()
    };
    let is_joined = second.is_some() || manifest.smooth_mm.is_some();
    for part in [Part::Validation, Part::Test] {
        let samples = run.data.part(part);
        let labelled = run.data.labelled(part);
        if labelled.is_empty() {
            continue;
        }
        // Slices without a label still tell of their neighbours.
        let places = if is_joined { samples.all() } else { labelled };
        let predicted = predict(&bundle, samples, places, &options, progress, interrupt)?;
        let mut predictions = predicted.predictions;
        if is_joined {
            let labels = run.data.labels_by_id(part)?;
            predictions.retain(|prediction| labels.contains_key(&prediction.image_id));
            // The epochs were judged without what is done with whole series.
            let judged = predictions.iter();
            let judged = judged.filter_map(|p| Some((*labels.get(&p.image_id)?, p.probabilities)));
            let (truth, rows): (Vec<_>, Vec<_>) = judged.unzip();
            let loss = falx_eval::weighted_log_loss(&truth, &rows);
            if let (Part::Validation, Ok(loss)) = (part, loss) {
                manifest.metrics.weighted_log_loss = loss;
            }
        }
        if part == Part::Validation {
            let found_on = manifest.metrics.measured_on.clone();
            let index = Index::read(&run.recipe.data.index)?;
            manifest.decisions = decisions(&Rows::new(&index), &predictions, found_on);
            write(&manifest)?;
        }
        falx_eval::predictions::write_csv(&predictions, &run.folder.predictions(part))?;
    }
    Ok(())
}

fn manifest(run: &Run<'_>, second: Option<&Sequence>) -> BundleManifest {
    let fold = run.recipe.data.fold;
    let (measured_on, loss) = match (&run.averaged, second) {
        (_, Some(second)) => (
            format!("the patients of validation fold {fold}, which chose the epoch"),
            second.best.0,
        ),
        (Some(mean), None) => (
            format!(
                "the patients of validation fold {fold}; the weights are the mean of {} epochs' weights, none of which was \
                 chosen",
                mean.epochs
            ),
            mean.validation_loss,
        ),
        (None, None) => (
            format!("the patients of validation fold {fold}, which chose the epoch"),
            run.position.best.map_or(f64::NAN, |(loss, _)| loss),
        ),
    };
    BundleManifest {
        format: 0,
        network: run.recipe.network.name.clone(),
        falx_version: env!("CARGO_PKG_VERSION").to_owned(),
        labels: Vec::new(),
        data_hash: run.data.data_hash.clone(),
        shuffled_labels: run.recipe.data.shuffle_labels,
        licence: LICENCE.to_owned(),
        intended_use: INTENDED_USE.to_owned(),
        test_time_flip: run.recipe.prediction.flip,
        smooth_mm: run.recipe.prediction.smooth_mm,
        input: run.recipe.input.clone(),
        calibration: Vec::new(),
        // The second stage was shown every series once.
        prior: run.prior.filter(|_| second.is_none()),
        sequence: second.map(|second| second.config.clone()),
        prevalence: run.data.prevalence,
        training_prevalence: None,
        metrics: BundleMetrics {
            measured_on,
            weighted_log_loss: loss,
            prevalence_baseline: run.baseline(&run.data.truth(Part::Validation)),
        },
        // Found on what the bundle predicts.
        decisions: None,
        members: Vec::new(),
        parts: std::collections::BTreeMap::new(),
    }
}
