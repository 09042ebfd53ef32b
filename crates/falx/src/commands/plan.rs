//! `falx plan`

use falx_train::{OtherMachine, PlanOptions, Recipe, plan};

use super::Context;
use super::train::{Data, changes};
use crate::cli::Plan;
use crate::output::Outcome;

pub fn run(arguments: &Plan, context: &Context) -> anyhow::Result<Outcome> {
    // A file that cannot be used is said before anything is measured.
    let machine = arguments.machine.as_deref().map(OtherMachine::read);
    let machine = machine.transpose()?;
    let changes = changes(
        &arguments.changes,
        &Data {
            index: arguments.index.as_deref(),
            split: arguments.split.as_deref(),
            cache: arguments.cache.as_deref(),
            fold: arguments.fold,
        },
    )?;
    let mut recipe = Recipe::read_with(&arguments.recipe, &changes)?;
    if let Some(name) = recipe.pretrained() {
        recipe.network.weights = Some(falx_models::fetched(name)?);
    }
    let options = PlanOptions {
        steps: arguments.steps as usize,
        slices: arguments.slices.get().into(),
        machine,
        threads: context.threads,
        engine: arguments.engine,
    };
    let planned = plan(
        &recipe,
        &options,
        context.progress.as_ref(),
        &context.interrupt,
    )?;
    Outcome::done(planned.to_text(), &planned)
}
