//! `falx split`

use std::path::Path;

use falx_data::split::{
    FoldName, GivenSplit, IndexColumns, Split, SplitAudit, SplitOptions, is_split_file,
    split_and_audit,
};
use serde::Serialize;

use crate::cli;
use crate::output::Outcome;

#[derive(Serialize)]
struct Summary {
    #[serde(flatten)]
    audit: SplitAudit,
    /// How the folds of a CSV are named there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    names: Vec<FoldName>,
    /// True where the split has no leak and fits the index.
    fine: bool,
}

pub fn run(arguments: &cli::Split) -> anyhow::Result<Outcome> {
    let index = IndexColumns::read(&arguments.index)?;
    let out = arguments.out.as_deref();
    if let Some(path) = &arguments.check {
        return check(path, &index, out);
    }
    let options = SplitOptions {
        folds: arguments.folds,
        test_fraction: arguments.test_fraction,
        seed: arguments.seed,
    };
    let (split, audit) = split_and_audit(&index, &options)?;
    if let Some(out) = out {
        split.write(out)?;
    }
    outcome(audit, Vec::new())
}

/// Audits a split that is there, and writes it for this index where it does not leak.
fn check(path: &Path, index: &IndexColumns, out: Option<&Path>) -> anyhow::Result<Outcome> {
    let (split, names) = if is_split_file(path)? {
        (Split::read(path)?, Vec::new())
    } else {
        let given = GivenSplit::read(path)?;
        (given.for_index(index)?, given.folds().to_vec())
    };
    let audit = split.audit(index);
    if let Some(out) = out
        && !audit.leaks()
    {
        split.locked_to(index)?.write(out)?;
    }
    outcome(audit, names)
}

fn outcome(audit: SplitAudit, names: Vec<FoldName>) -> anyhow::Result<Outcome> {
    let mut text = audit.to_text();
    let renamed: Vec<_> = names
        .iter()
        .filter(|name| name.name != name.fold.to_string())
        .map(|name| format!("{} is fold {}", name.name, name.fold))
        .collect();
    if !renamed.is_empty() {
        text = format!("{}\n\n{text}", renamed.join(", "));
    }
    let fine = !audit.leaks() && audit.fits();
    let summary = Summary { audit, names, fine };
    Ok(Outcome::done(text, &summary)?.fine_if(fine))
}
