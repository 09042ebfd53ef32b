//! The slices that a command is given.

use std::io::BufRead as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use falx_data::index::{Index, Layout, scan};

use super::Context;

/// What files, folders and archives hold, or an index says; `-` reads a list of paths from standard input, one a line.
pub(super) fn index(given: &[PathBuf], layout: Layout, context: &Context) -> anyhow::Result<Index> {
    let sources = listed(given)?;
    if let [file] = sources.as_slice()
        && file.extension().is_some_and(|e| e == "parquet")
    {
        return Ok(Index::read(file)?);
    }
    let progress = context.progress.as_ref();
    Ok(scan(&sources, layout, progress, &context.interrupt)?)
}

/// The paths that were given; in place of `-` those that standard input lists.
fn listed(given: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut sources = Vec::new();
    for path in given {
        if path != Path::new("-") {
            sources.push(path.clone());
            continue;
        }
        for line in std::io::stdin().lock().lines() {
            let line = line.context("standard input is no list of paths, one a line")?;
            let line = line.trim_end_matches('\r');
            if !line.trim().is_empty() {
                sources.push(line.into());
            }
        }
        anyhow::ensure!(
            !sources.is_empty(),
            "standard input lists no path; give one a line, as `find study -name '*.dcm'` does"
        );
    }
    Ok(sources)
}
