//! The audit as one self-contained HTML page.

mod charts;
mod pictures;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use atomic_write_file::AtomicWriteFile;
use falx_core::LABELS;
use falx_eval::Estimate;
use falx_eval::report::Frame;
use falx_eval::text::{count, thousands};
use maud::{Markup, html};

use super::text::percent;
use super::{Audit, Finding, Severity, Shortcut, SourceSummary};
use crate::index::Index;
use pictures::Card;

const AUDIT_STYLE: &str = include_str!("page/audit.css");

/// Why a page cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The file system refused.
    #[error("cannot write the page {path}: {source}; choose a folder that exists and is writable")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: std::io::Error,
    },
}

/// Writes the audit of `index` as one HTML file, with pictures of some of the slices that findings concern.
///
/// Pictures are read from the index's paths; a file that is gone is named on the page and is no error.
///
/// # Errors
/// [`PageError`] when the file cannot be written.
pub fn write_html(audit: &Audit, index: &Index, path: &Path) -> Result<(), PageError> {
    let page = page(audit, index).into_string();
    let write = || {
        let mut file = AtomicWriteFile::open(path)?;
        file.write_all(page.as_bytes())?;
        file.commit()
    };
    write().map_err(|source| PageError::Write {
        path: path.to_owned(),
        source,
    })
}

fn page(audit: &Audit, index: &Index) -> Markup {
    let cards = pictures::of(audit, index);
    let title = format!("Audit of {}", names(&audit.sources));
    let frame = Frame {
        title: &title,
        subtitle: &subtitle(index),
        main_holds: "findings",
        style: AUDIT_STYLE,
        ..Frame::default()
    };
    frame.around(&html! {
        (headline(audit))
        (contents(audit))
        (findings(audit, &cards))
        (sources(&audit.sources))
        (shortcut(audit))
        section {
            h2 { "Geometry" }
            p { "Usable slices by the series' distance between slices, by slice thickness and by size of a pixel, as far as the files tell." }
            div class="charts" { @for h in &audit.histograms { (charts::histogram(h)) } }
        }
    })
}

/// A name that a narrow screen may break after its dots and underscores.
fn breaking(name: &str) -> Markup {
    html! { @for piece in name.split_inclusive(['.', '_']) { (piece) wbr; } }
}

/// The sources' names, or how many there are.
fn names(sources: &[SourceSummary]) -> String {
    match sources {
        [] => "nothing".to_owned(),
        [one] => one.dataset.clone(),
        [a, b] => format!("{} and {}", a.dataset, b.dataset),
        many => format!("{} sources", many.len()),
    }
}

fn subtitle(index: &Index) -> String {
    let s = &index.summary;
    format!(
        "{}, {}, {}, {}",
        count(s.rows, "slice"),
        count(s.series, "series"),
        count(s.studies, "study"),
        count(s.patients, "patient")
    )
}

fn headline(audit: &Audit) -> Markup {
    let of = |severity| audit.count(severity) as u64;
    let (errors, warnings, notes) = (
        of(Severity::Error),
        of(Severity::Warning),
        of(Severity::Note),
    );
    let (class, verdict) = match (errors, warnings) {
        (0, 0) => ("verdict good", "Nothing stands against using these data."),
        (0, _) => (
            "verdict unclear",
            "Nothing is lost or wrong; look at the warnings before training.",
        ),
        _ => (
            "verdict bad",
            "Something is lost or wrong: look at the errors first.",
        ),
    };
    let figure = |class: &str, name: &str, value: u64, what: &str| {
        let class = if value == 0 { "big quiet" } else { class };
        html! { div { dt { (name) } dd class=(class) { (thousands(value)) } dd { (what) } } }
    };
    html! {
        section class="headline" {
            dl class="figures" {
                (figure("big", "Usable slices", audit.usable, &format!("of {} ({})", thousands(audit.rows), share(audit.usable, audit.rows))))
                (figure("big bad", "Kinds of errors", errors, "something is lost or wrong"))
                (figure("big unclear", "Kinds of warnings", warnings, "look before training"))
                (figure("big", "Kinds of notes", notes, "good to know"))
            }
            p class=(class) { (verdict) }
        }
    }
}

/// All findings on a line each, leading to their details.
fn contents(audit: &Audit) -> Markup {
    html! {
        @if !audit.findings.is_empty() {
            section {
                h2 { "At a glance" }
                div class="scroll" tabindex="0" role="region" aria-label="Findings" {
                    table class="glance" {
                        thead { tr { th scope="col" { "Finding" } th class="n" scope="col" { "Cases" } th class="n" scope="col" { "Series" } th scope="col" { "What it is" } } }
                        tbody {
                            @for finding in &audit.findings {
                                tr {
                                    th scope="row" { (badge(finding.severity)) a href=(format!("#{}", finding.name)) { (breaking(&finding.name)) } }
                                    td class="n" { (thousands(finding.count)) }
                                    td class="n" { @if finding.series > 0 { (thousands(finding.series)) } @else { "–" } }
                                    td { (prose(&finding.what)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn badge(severity: Severity) -> Markup {
    html! { span class=(format!("badge of-{severity}")) { (severity) } }
}

fn findings(audit: &Audit, cards: &[Vec<Card>]) -> Markup {
    let groups = [
        (Severity::Error, "Errors"),
        (Severity::Warning, "Warnings"),
        (Severity::Note, "Notes"),
    ];
    html! {
        @for (severity, title) in groups {
            @if audit.count(severity) > 0 {
                section {
                    h2 { (title) }
                    @for (finding, cards) in audit.findings.iter().zip(cards).filter(|(f, _)| f.severity == severity) {
                        (one(finding, cards))
                    }
                }
            }
        }
    }
}

fn one(finding: &Finding, cards: &[Card]) -> Markup {
    html! {
        article class=(format!("finding of-{}", finding.severity)) id=(finding.name) {
            h3 {
                span class="code" { (finding.name) }
                span class="count" {
                    "× " (thousands(finding.count))
                    @if finding.series > 0 { " in " (count(finding.series, "series")) }
                }
            }
            p { (prose(&finding.what)) }
            p class="remedy" { b { "What to do: " } (prose(&finding.remedy)) "." }
            @if !finding.examples.is_empty() {
                p class="examples" {
                    "Such as "
                    @for (i, example) in finding.examples.iter().enumerate() {
                        @if i > 0 { ", " }
                        span class="code" { (example) }
                    }
                    @if finding.count as usize > finding.examples.len() { ", …" }
                }
            }
            @if !cards.is_empty() {
                div class="pictures" {
                    @for card in cards {
                        figure {
                            @match &card.png {
                                Ok(png) => img src=(png) alt=(format!("Slice {}, {}", card.image_id, card.label)) width="160" height="160";,
                                Err(reason) => div class="gone" { span { (reason) } },
                            }
                            figcaption { span class="code" { (card.image_id) } br; (card.label) }
                        }
                    }
                }
            }
        }
    }
}

fn sources(sources: &[SourceSummary]) -> Markup {
    let top = sources
        .iter()
        .flat_map(|source| source.prevalence)
        .flatten()
        .fold(0.01, f64::max);
    html! {
        section {
            h2 { "Sources" }
            div class="scroll" tabindex="0" role="region" aria-label="Sources" {
                table class="sources" {
                    caption { "Usable slices, and the share of them that is positive among those whose label is known." }
                    thead {
                        tr {
                            th scope="col" { "Source" }
                            th class="n" scope="col" { "Slices" }
                            th class="n" scope="col" { "Patients" }
                            th class="n" scope="col" { "Series" }
                            @for label in LABELS { th scope="col" { (label) } }
                        }
                    }
                    tbody {
                        @for source in sources {
                            tr {
                                th scope="row" { (source.dataset) }
                                td class="n" { (thousands(source.usable)) }
                                td class="n" { (thousands(source.patients)) }
                                td class="n" { (thousands(source.series)) }
                                @for prevalence in source.prevalence {
                                    td { @match prevalence {
                                        Some(p) => { span class="value" { (percent(p)) } (charts::share_bar(p / top)) },
                                        None => span class="none" { "unknown" },
                                    } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn shortcut(audit: &Audit) -> Markup {
    html! {
        section {
            h2 { "Metadata as a shortcut" }
            @if let Some(found) = &audit.shortcut { (shortcut_found(found)) }
            @if let Some(reason) = &audit.no_shortcut_check { p { "Not checked: " (prose(reason)) "." } }
        }
    }
}

fn shortcut_found(found: &Shortcut) -> Markup {
    let big = if found.is_worrying() {
        "big unclear"
    } else {
        "big"
    };
    let area = |name: &str, class: &str, area: &Estimate| {
        html! {
            div {
                dt { (name) }
                dd class=(class) { (format!("{:.3}", area.value)) }
                dd {
                    @if let (Some(low), Some(high)) = (area.low, area.high) {
                        "95 % interval " (format!("{low:.3} to {high:.3}"))
                    } @else { "no interval" }
                }
            }
        }
    };
    html! {
        p {
            "How well scanner, protocol, geometry and the slice's place, without any picture, tell whether a slice is positive for "
            i { "any" } ". A network that scores no better than this has learnt nothing of the brain."
        }
        dl class="figures" {
            (area("AUC of all metadata", big, &found.auc))
            (area("AUC without slice position", "big quiet", &found.auc_of_acquisition))
            div {
                dt { "Log loss of all metadata" }
                dd class="big quiet" { (format!("{:.4}", found.log_loss)) }
                dd { "prevalence alone " (format!("{:.4}", found.prevalence_log_loss)) "; skill " (percent(found.skill)) }
            }
        }
        p class="how" {
            (count(found.slices, "slice")) " in " (thousands(found.groups)) " groups (" (found.grouped_by) "), "
            (percent(found.prevalence)) " of them positive. Logistic regression over ranges, five folds by group; intervals over resampled groups, without fitting again: somewhat too narrow."
        }
        figure class="chart wide-chart" {
            figcaption { "AUC of each fact alone; grey: where in the head the slice lies; dashed: no skill" }
            (charts::features(&found.features))
        }
    }
}

/// A sentence whose names stand in backticks.
fn prose(text: &str) -> Markup {
    html! {
        @for (i, part) in text.split('`').enumerate() {
            @if i % 2 == 1 { span class="code" { (part) } } @else { (part) }
        }
    }
}

fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        "–".to_owned()
    } else if part == whole {
        "all".to_owned()
    } else {
        // Not rounded up to 100 % where something is missing.
        let share = (part as f64 / whole as f64).min(0.9999);
        format!("{:.2} %", 100.0 * share)
    }
}
