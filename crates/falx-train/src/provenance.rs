//! What a run knows of where its predictions come from: for the report, the check-lists and the model card.

use std::path::Path;

use falx_eval::Provenance;

use crate::data::{Indexed, RunData};
use crate::finish::{INTENDED_USE, LICENCE};
use crate::folder::Part;
use crate::lock::RunLock;
use crate::{Recipe, TrainError};

/// The provenance of a run's predictions of `part`, whose validation fold `chose` an epoch or did not.
///
/// # Errors
/// [`TrainError`] when the recipe cannot be written down.
pub(crate) fn of_run(
    recipe: &Recipe,
    data: &RunData,
    lock: &RunLock,
    (part, chose): (Part, bool),
) -> Result<Provenance, TrainError> {
    let unseen = match (part, chose) {
        (Part::Test, _) => {
            "the locked test: neither training nor the choice of the epoch ever saw its patients"
        }
        (Part::Validation, true) => {
            "the validation fold: training never saw it, and it chose the epoch"
        }
        (Part::Validation, false) => {
            "the validation fold: training never saw it, and it chose no epoch"
        }
    };
    let choice = if chose { "chooses" } else { "chooses nothing" };
    let judged = data.part(part).len();
    let windows: Vec<String> = recipe
        .input
        .windows
        .iter()
        .map(|w| format!("{}/{}", w.center(), w.width()))
        .collect();
    let Indexed {
        rows,
        refused,
        data_sets,
    } = &data.indexed;
    Ok(Provenance {
        data_sets: data_sets.clone(),
        data_lock: Some(lock.data_hash.clone()),
        split_lock: Some(lock.split_hash.clone()),
        partition: Some(format!(
            "By patient; no patient, study, series, id or picture is on two sides. Fold {} of the others {choice}, fold −1 is locked",
            recipe.data.fold
        )),
        learnt_from: Some(format!("{} slices", data.training.labelled().count())),
        developed_on: Some(format!(
            "{} slices of fold {}",
            data.count(crate::Part::Validation),
            recipe.data.fold
        )),
        judged_on: Some(format!("{judged} slices of {unseen}")),
        left_out: Some(format!(
            "{refused} of {rows} indexed slices cannot be read or used; they are in no part"
        )),
        input: Some(format!(
            "{0} in HU, {1} × {1} pixels at true proportions, windows {2} HU",
            slices(&recipe.input.planes_mm),
            recipe.input.size,
            windows.join(", ")
        )),
        network: Some(format!(
            "{}, width {}",
            recipe.networks(),
            recipe.network.width
        )),
        initial_weights: Some(initial_weights(recipe, lock.seed)),
        training: Some(training(recipe)),
        selection: Some(selection(recipe, chose)),
        ensemble: Some("None: one network".to_owned()),
        intended_use: Some(INTENDED_USE.to_owned()),
        licence: Some(LICENCE.to_owned()),
        software: vec![
            format!("falx {}", lock.falx_version),
            format!("engine {}", lock.engine),
        ],
        recipe_lock: Some(lock.recipe_hash.clone()),
        recipe: Some(without_folders(recipe).to_toml()?),
        seed: Some(lock.seed),
        commands: [
            "falx train recipe.toml --out RUN",
            "falx evaluate RUN --html report.html",
        ]
        .map(str::to_owned)
        .to_vec(),
        explanation: None,
        other: Vec::new(),
    })
}

/// Which slices a network is shown at a time.
fn slices(planes_mm: &[f32]) -> String {
    if planes_mm.iter().all(|&mm| mm == 0.0) {
        return "one slice".to_owned();
    }
    let places: Vec<String> = planes_mm.iter().map(ToString::to_string).collect();
    format!("the slices nearest to {} mm", places.join(", "))
}

fn initial_weights(recipe: &Recipe, seed: u64) -> String {
    let name = |path: &Path| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    };
    match (&recipe.network.onnx, &recipe.network.weights) {
        (Some(file), _) => format!(
            "The backbone's of {}; the head random, seed {seed}",
            name(file)
        ),
        (None, Some(file)) => {
            format!(
                "The backbone's from {}; the head random, seed {seed}",
                name(file)
            )
        }
        (None, None) => format!("Random, seed {seed}"),
    }
}

fn selection(recipe: &Recipe, chose: bool) -> String {
    match &recipe.training.swa {
        Some(swa) if !chose => format!(
            "None: the mean of the weights of every {} epochs after {:.0} % of them",
            swa.every,
            100.0 * swa.start
        ),
        _ => format!(
            "The epoch with the lowest weighted log loss on fold {}",
            recipe.data.fold
        ),
    }
}

fn training(recipe: &Recipe) -> String {
    let t = &recipe.training;
    let shown = recipe.sampler.positive_any_share.map_or_else(
        || "each slice once an epoch".to_owned(),
        |share| {
            format!(
                "positive slices repeated to {:.0} % of an epoch",
                100.0 * share
            )
        },
    );
    let changed = match (&recipe.augment, t.no_augment_words()) {
        (None, _) => "no augmentation".to_owned(),
        (Some(_), None) => "seeded augmentation".to_owned(),
        (Some(_), Some(last)) => format!("seeded augmentation but for {last}"),
    };
    let then = recipe.sequence.as_ref().map_or_else(String::new, |s| {
        format!(
            "; then of the network over series {} epochs of batches of {} series, learning rate {}",
            s.epochs, s.batch, s.learning_rate
        )
    });
    format!(
        "{} epochs of batches of {}, learning rate {}, {shown}, {changed}, dropout {}{then}; the recipe has the rest",
        t.epochs, t.batch, t.learning_rate, recipe.network.dropout
    )
}

/// The recipe without the folders of its files, which say nothing and are nobody's business.
fn without_folders(recipe: &Recipe) -> Recipe {
    let mut shown = recipe.clone();
    for path in shown.files() {
        *path = path.file_name().map(Into::into).unwrap_or_default();
    }
    shown
}
