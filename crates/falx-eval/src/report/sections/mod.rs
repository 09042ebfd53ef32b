//! The page's sections in their order. A section without data is absent, from the page and from its contents.

mod abstention;
mod calibration;
mod checklists;
mod decision;
mod labels;
mod losses;
mod methods;
mod operating;
mod origin;
mod pictures;
mod ranking;
mod readers;
mod recalibration;
mod subgroups;
mod training;
mod worklist;

use maud::Markup;

use super::Report;

/// One section of the page.
pub(super) struct Section {
    /// Its address inside the page.
    pub(super) id: &'static str,
    /// Its heading.
    pub(super) title: &'static str,
    /// What stands below the heading.
    pub(super) body: Markup,
}

/// Sections that the contents name together.
pub(super) struct Part {
    /// What they have in common.
    pub(super) name: &'static str,
    /// The sections.
    pub(super) sections: Vec<Section>,
}

/// All that the report has data for.
pub(super) fn parts(report: &Report) -> Vec<Part> {
    let e = &report.evaluation;
    let details = [
        Some(losses::section(e)),
        Some(labels::section(e)),
        labels::series(e),
        labels::studies(e),
        ranking::section(e),
        operating::section(e),
        abstention::section(e),
        decision::section(e),
        worklist::section(e),
        calibration::section(e),
        recalibration::section(e),
        subgroups::section(e),
        readers::section(e),
        training::section(&report.curves),
        pictures::section(&report.pictures),
    ];
    let origin = [
        origin::section(report),
        origin::again(report),
        Some(methods::section(e)),
        origin::notes(report),
    ];
    let lists = vec![checklists::claim(report), checklists::stard_ai(report)];
    [
        (
            "The result in detail",
            details.into_iter().flatten().collect(),
        ),
        (
            "Where it comes from",
            origin.into_iter().flatten().collect(),
        ),
        ("Check-lists", lists),
    ]
    .map(|(name, sections): (_, Vec<Section>)| Part { name, sections })
    .into_iter()
    .filter(|part| !part.sections.is_empty())
    .collect()
}
