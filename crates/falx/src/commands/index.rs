//! `falx index`

use falx_data::index::{IndexOptions, build};

use super::Context;
use crate::cli::Index;
use crate::output::Outcome;

pub fn run(arguments: &Index, context: &Context) -> anyhow::Result<Outcome> {
    let options = IndexOptions {
        sources: arguments.sources.clone(),
        labels: arguments.labels.clone(),
        layout: arguments.layout,
        out: arguments.out.clone(),
    };
    let summary = build(&options, context.progress.as_ref(), &context.interrupt)?;
    Outcome::done(summary.to_text(), &summary)
}
