//! `falx compare`

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use atomic_write_file::AtomicWriteFile;
use falx_eval::report::write_comparison;
use falx_train::{Contender, Contest, JudgeOptions, compare_models};

use super::Context;
use crate::cli::Compare;
use crate::output::Outcome;

pub fn run(arguments: &Compare, context: &Context) -> anyhow::Result<Outcome> {
    let contenders: Vec<Contender> = arguments
        .contenders
        .iter()
        .map(|text| Contender::from(text.as_str()))
        .collect();
    if let Some(missing) = contenders.iter().find(|c| !c.path.exists()) {
        bail!(
            "{}: no such file or folder; give a run's folder or a predictions.csv, or NAME=path",
            missing.path.display()
        );
    }
    let contest = Contest {
        contenders: &contenders,
        reference: arguments.reference.as_deref(),
        labels: arguments.labels.as_deref(),
        index: arguments.index.as_deref(),
        scale: arguments.scale.scale(),
    };
    let options = JudgeOptions {
        replicates: arguments.replicates,
        seed: arguments.seed,
        aggregation: arguments.aggregation,
        groups: None,
    };
    let comparison = compare_models(&contest, &options, context.progress.as_ref())?;
    let mut text = comparison.to_text();
    if let Some(path) = &arguments.html {
        write_comparison(&comparison, path)?;
        let _ = write!(text, "\nreport: {}", path.display());
    }
    if let Some(path) = &arguments.csv {
        write(path, &comparison.to_csv())?;
        let _ = write!(text, "\nscores: {}", path.display());
    }
    if let Some(path) = &arguments.table {
        write(path, &comparison.to_table_csv())?;
        let _ = write!(text, "\ntable: {}", path.display());
    }
    Outcome::done(text, &comparison)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let attempt = || {
        let mut file = AtomicWriteFile::open(path)?;
        file.write_all(text.as_bytes())?;
        file.commit()
    };
    attempt().with_context(|| {
        format!(
            "cannot write {}; choose a folder that exists and is writable",
            path.display()
        )
    })
}
