//! `falx train`

use std::path::Path;

use falx_train::{
    Change, FindOptions, RateTest, Recipe, TrainOptions, cross_validate, find_batch_size,
    find_learning_rate, recipe_schema, train,
};

use super::Context;
use crate::cli::{Asked, Train};
use crate::output::Outcome;

pub fn run(arguments: &Train, context: &Context) -> anyhow::Result<Outcome> {
    let (Some(path), Some(out)) = (&arguments.recipe, &arguments.out) else {
        // The command line asks for both, but where the schema is wanted.
        let schema = recipe_schema();
        return Outcome::done(serde_json::to_string_pretty(&schema)?, &schema);
    };
    let recipe = recipe(path, &arguments.asked)?;
    if arguments.find.find_lr || arguments.find.find_batch {
        return find(&recipe, out, arguments, context);
    }
    let options = TrainOptions {
        out: out.clone(),
        resume: arguments.resume,
        slices: arguments.slices.clone(),
        threads: context.threads,
        engine: arguments.asked.engine,
    };
    let (progress, interrupt) = (context.progress.as_ref(), &context.interrupt);
    if let Some(folds) = &arguments.folds {
        let summary = cross_validate(&recipe, folds, &options, progress, interrupt)?;
        return Ok(Outcome::done(summary.to_text(), &summary)?.fine_if(summary.finished));
    }
    let summary = train(&recipe, &options, progress, interrupt)?;
    Ok(Outcome::done(summary.to_text(), &summary)?.fine_if(summary.finished))
}

/// The recipe with what the command line says instead, its weights found.
pub fn recipe(path: &Path, asked: &Asked) -> anyhow::Result<Recipe> {
    let mut changes = asked.changes.clone();
    let files = [
        ("index", &asked.index),
        ("split", &asked.split),
        ("cache", &asked.cache),
    ];
    for (key, path) in files {
        if let Some(path) = path {
            changes.push(Change::file(["data", key], path)?);
        }
    }
    changes.extend(
        asked
            .fold
            .map(|fold| Change::number(["data", "fold"], fold)),
    );
    let mut recipe = Recipe::read_with(path, &changes)?;
    if let Some(name) = recipe.pretrained() {
        recipe.network.weights = Some(falx_models::fetched(name)?);
    }
    Ok(recipe)
}

fn find(
    recipe: &Recipe,
    out: &Path,
    arguments: &Train,
    context: &Context,
) -> anyhow::Result<Outcome> {
    let options = FindOptions {
        out: out.to_owned(),
        threads: context.threads,
        engine: arguments.asked.engine,
    };
    let (progress, interrupt) = (context.progress.as_ref(), &context.interrupt);
    let asked = &arguments.find;
    if asked.find_lr {
        let test = RateTest {
            steps: asked.find_steps as usize,
            ..RateTest::default()
        };
        let report = find_learning_rate(recipe, &test, &options, progress, interrupt)?;
        let is_found = report.finding.suggestion.is_some();
        return Ok(Outcome::done(report.to_text(), &report)?.fine_if(is_found));
    }
    let memory = asked.memory.map(f64::from);
    let report = find_batch_size(recipe, memory, &options, progress, interrupt)?;
    let is_found = report.finding.suggestion.is_some();
    Ok(Outcome::done(report.to_text(), &report)?.fine_if(is_found))
}
