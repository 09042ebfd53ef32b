//! The end of a run: the best weights as a bundle, and what that bundle says of slices it never learnt from.

use falx_core::{Interrupt, Progress};
use falx_infer::{
    Bundle, BundleManifest, BundleMetrics, BundleParts, PredictOptions, model_card, predict,
};
use falx_nn::onnx;

use crate::TrainError;
use crate::checkpoint::Checkpoints;
use crate::folder::Part;
use crate::train::Run;

pub(crate) const INTENDED_USE: &str = "Research on the detection of intracranial haemorrhage in slices of non-contrast head CT. \
Research use; not a medical device.";
pub(crate) const LICENCE: &str = "not stated; the terms of the training data apply";

pub(crate) fn finish(
    run: &Run<'_>,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<(), TrainError> {
    let parameters = Checkpoints::load_weights(&run.folder.best_weights(), &run.graph)?;
    let model = onnx::to_bytes(&run.graph, &parameters)?;
    let fold = run.recipe.data.fold;
    let (measured_on, loss) = match &run.averaged {
        Some(mean) => (
            format!(
                "the patients of validation fold {fold}; the weights are the mean of {} epochs' weights, none of which was \
                 chosen",
                mean.epochs
            ),
            mean.validation_loss,
        ),
        None => (
            format!("the patients of validation fold {fold}, which chose the epoch"),
            run.position.best.map_or(f64::NAN, |(loss, _)| loss),
        ),
    };
    let manifest = BundleManifest {
        format: 0,
        network: run.recipe.network.name.clone(),
        falx_version: env!("CARGO_PKG_VERSION").to_owned(),
        labels: Vec::new(),
        data_hash: run.data.data_hash.clone(),
        licence: LICENCE.to_owned(),
        intended_use: INTENDED_USE.to_owned(),
        test_time_flip: run.recipe.prediction.flip,
        input: run.recipe.input.clone(),
        prior: run.prior,
        prevalence: run.data.prevalence,
        metrics: BundleMetrics {
            measured_on,
            weighted_log_loss: loss,
            prevalence_baseline: run.baseline(&run.data.truth(Part::Validation)),
        },
        members: Vec::new(),
        parts: std::collections::BTreeMap::new(),
    };
    let card = model_card(&manifest);
    let parts = BundleParts {
        model_onnx: &model,
        model_card: &card,
    };
    let bundle = Bundle::write(&run.folder.bundle(), manifest, &parts)?;

    let options = PredictOptions {
        threads: run.threads,
        ..PredictOptions::default()
    };
    for part in [Part::Validation, Part::Test] {
        let samples = run.data.part(part);
        let labelled = run.data.labelled(part);
        if !labelled.is_empty() {
            let predicted = predict(&bundle, samples, labelled, &options, progress, interrupt)?;
            let path = run.folder.predictions(part);
            falx_eval::predictions::write_csv(&predicted.predictions, &path)?;
        }
    }
    Ok(())
}
