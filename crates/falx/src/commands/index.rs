//! `falx index`

use falx_data::index::{IndexOptions, build, merge};
use falx_data::labels::ColumnMap;

use super::Context;
use crate::cli::Index;
use crate::output::Outcome;

pub fn run(arguments: &Index, context: &Context) -> anyhow::Result<Outcome> {
    let mut columns = ColumnMap::default();
    for pair in &arguments.columns {
        columns.add(pair)?;
    }
    let progress = context.progress.as_ref();
    let summary = if arguments.merge {
        let (parts, labels) = (&arguments.sources, &arguments.labels);
        merge(parts, labels, &columns, &arguments.out, progress)?
    } else {
        let options = IndexOptions {
            sources: arguments.sources.clone(),
            labels: arguments.labels.clone(),
            columns,
            layout: arguments.layout,
            window: arguments.window,
            headers_only: arguments.headers_only,
            update: arguments.update,
            part: arguments.part,
            out: arguments.out.clone(),
        };
        build(&options, progress, &context.interrupt)?
    };
    // A folder that could not be listed is input that was refused.
    Ok(Outcome::done(summary.to_text(), &summary)?.fine_if(summary.unlisted.is_empty()))
}
