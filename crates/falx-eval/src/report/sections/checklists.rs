//! The reporting check-lists.

use maud::{Markup, html};

use super::super::{Report, table};
use super::Section;
use crate::checklist::{self, Item, OPEN};

pub(super) fn claim(report: &Report) -> Section {
    let items = checklist::claim(&report.provenance, &report.evaluation);
    Section {
        id: "claim",
        title: "CLAIM 2024",
        body: list(
            &items,
            "CLAIM",
            "Tejani et al., Checklist for Artificial Intelligence in Medical Imaging (CLAIM): 2024 Update, Radiology: Artificial \
             Intelligence 6(4), e240300.",
        ),
    }
}

pub(super) fn stard_ai(report: &Report) -> Section {
    let items = checklist::stard_ai(&report.provenance, &report.evaluation);
    Section {
        id: "stard-ai",
        title: "STARD-AI",
        body: list(
            &items,
            "STARD-AI",
            "Sounderajah et al., The STARD-AI reporting guideline for diagnostic accuracy studies using artificial intelligence, \
             Nature Medicine 31, 2025, 3283–3289.",
        ),
    }
}

fn list(items: &[Item], name: &str, source: &str) -> Markup {
    let columns = [
        table::words("Item"),
        table::words("What it asks for"),
        table::words("Answer"),
    ];
    let rows: Vec<Vec<Markup>> = items
        .iter()
        .map(|item| {
            vec![
                table::cell(&item.number),
                html! { span class="value" { (item.topic) } span class="interval" { (item.section) } },
                item.answer.as_ref().map_or_else(
                    || html! { span class="none" { "☐ " (OPEN) } },
                    |answer| html! { "☑ " (answer) },
                ),
            ]
        })
        .collect();
    html! {
        p {
            (checklist::answered(items)) " of " (items.len()) " rows have an answer from this run. An answer is what was computed or \
             recorded here: the authors check it, complete it, and answer the rest. Topics are in our words. " cite { (source) }
        }
        details class="checklist" {
            summary { "The items of " (name) }
            (table::table(&format!("{name} check-list"), &table::cell("Numbers are the guideline's."), &columns, &rows))
        }
    }
}
