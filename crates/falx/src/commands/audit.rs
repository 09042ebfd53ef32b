//! `falx audit`

use falx_data::index::Index;

use crate::cli::Audit;
use crate::output::Outcome;

pub fn run(arguments: &Audit) -> anyhow::Result<Outcome> {
    let audit = falx_data::audit::audit(&Index::read(&arguments.index)?);
    Ok(Outcome::done(audit.to_text(), &audit)?.fine_if(!audit.has_errors()))
}
