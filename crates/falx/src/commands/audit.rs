//! `falx audit`

use falx_data::audit::{audit, write_html};
use falx_data::index::Index;

use crate::cli::Audit;
use crate::output::Outcome;

pub fn run(arguments: &Audit) -> anyhow::Result<Outcome> {
    let index = Index::read(&arguments.index)?;
    let audit = audit(&index);
    if let Some(path) = &arguments.html {
        write_html(&audit, &index, path)?;
    }
    Ok(Outcome::done(audit.to_text(), &audit)?.fine_if(!audit.has_errors()))
}
