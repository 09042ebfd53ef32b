//! Where the result comes from, and how to have it again.

use maud::{Markup, html};

use super::super::{Report, table};
use super::Section;

pub(super) fn section(report: &Report) -> Option<Section> {
    let rows = report.provenance.rows();
    let rows: Vec<Vec<Markup>> = rows
        .iter()
        .map(|(name, value)| vec![table::cell(name), table::cell(value)])
        .collect();
    let columns = [table::words("What"), table::words("Value")];
    let caption = table::cell("What this result rests on.");
    (!rows.is_empty()).then(|| Section {
        id: "origin",
        title: "Data, model and versions",
        body: html! { div class="facts" { (table::table("Data, model and versions", &caption, &columns, &rows)) } },
    })
}

pub(super) fn again(report: &Report) -> Option<Section> {
    let p = &report.provenance;
    let body = html! {
        @if !p.commands.is_empty() {
            p { "The same data, recipe, seed and version give the same result." }
            pre tabindex="0" aria-label="Commands" { code { (p.commands.join("\n")) } }
        }
        @if let Some(recipe) = &p.recipe {
            details {
                summary { "The recipe" }
                pre tabindex="0" aria-label="Recipe" { code { (recipe) } }
            }
        }
    };
    (!p.commands.is_empty() || p.recipe.is_some()).then_some(Section {
        id: "again",
        title: "Having it again",
        body,
    })
}

pub(super) fn notes(report: &Report) -> Option<Section> {
    (!report.notes.is_empty()).then(|| Section {
        id: "notes",
        title: "Notes",
        body: html! { @for note in &report.notes { p { (note) } } },
    })
}
