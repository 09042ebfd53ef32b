//! `falx phantom`

use falx_core::LABELS;
use falx_phantom::{PhantomOptions, PhantomSummary};

use super::Context;
use crate::cli::Phantom;
use crate::output::Outcome;

pub fn run(arguments: &Phantom, context: &Context) -> anyhow::Result<Outcome> {
    let options = PhantomOptions {
        patients: arguments.patients,
        test_patients: arguments.test_patients,
        out: arguments.out.clone(),
        seed: arguments.seed,
        layout: arguments.layout,
        defects: arguments.defects,
        matrix: arguments.matrix,
        slice_prevalence: arguments.prevalence,
        ..PhantomOptions::default()
    };
    let summary = falx_phantom::write(&options, context.progress.as_ref(), &context.interrupt)?;
    Outcome::done(to_text(&summary), &summary)
}

fn to_text(summary: &PhantomSummary) -> String {
    let positives: Vec<String> = LABELS
        .iter()
        .zip(summary.positive_slices)
        .map(|(label, count)| format!("{label} {count}"))
        .collect();
    format!(
        "{} patients with {} slices in {}\npositive slices: {}\nlabels: {}",
        summary.patients,
        summary.slices,
        summary.images.display(),
        positives.join(", "),
        summary.labels.display()
    )
}
