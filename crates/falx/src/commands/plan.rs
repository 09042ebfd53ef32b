//! `falx plan`

use falx_train::{OtherMachine, PlanOptions, plan};

use super::Context;
use super::train::recipe;
use crate::cli::Plan;
use crate::output::Outcome;

pub fn run(arguments: &Plan, context: &Context) -> anyhow::Result<Outcome> {
    // A file that cannot be used is said before anything is measured.
    let machine = arguments.machine.as_deref().map(OtherMachine::read);
    let machine = machine.transpose()?;
    let recipe = recipe(&arguments.recipe, &arguments.asked)?;
    let options = PlanOptions {
        steps: arguments.steps as usize,
        slices: arguments.slices.get().into(),
        machine,
        threads: context.threads,
        engine: arguments.asked.engine,
    };
    let planned = plan(
        &recipe,
        &options,
        context.progress.as_ref(),
        &context.interrupt,
    )?;
    Outcome::done(planned.to_text(), &planned)
}
