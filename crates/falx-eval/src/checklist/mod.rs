//! Reporting check-lists, filled where the run knows the answer and left open where it does not.
//!
//! Item numbers are the guidelines' own; topics are said in our words. An answer states what the evaluation and its
//! provenance hold, nothing else: the authors check it, complete it, and answer the rest.

mod answers;
mod claim;
mod population;
mod stard_ai;

use serde::{Deserialize, Serialize};

pub use claim::claim;
pub use stard_ai::stard_ai;

/// One item of a check-list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its number in the guideline, say `15b`.
    pub number: String,
    /// The part of the guideline that it stands in.
    pub section: String,
    /// What it asks for, in a few words.
    pub topic: String,
    /// What this evaluation knows of it; `None` where the authors must answer.
    pub answer: Option<String>,
}

/// What stands where nobody but the authors can answer.
pub const OPEN: &str = "to be answered by the authors";

/// How an item stands in its guideline: number, section, topic.
type Row = (&'static str, &'static str, &'static str);

fn items(rows: &[Row], answer: impl Fn(&str) -> Option<String>) -> Vec<Item> {
    rows.iter()
        .map(|&(number, section, topic)| Item {
            number: number.to_owned(),
            section: section.to_owned(),
            topic: topic.to_owned(),
            answer: answer(number),
        })
        .collect()
}

/// How many items have an answer.
pub fn answered(items: &[Item]) -> usize {
    items.iter().filter(|item| item.answer.is_some()).count()
}

/// The check-list as a Markdown table.
pub fn to_markdown(items: &[Item]) -> String {
    // A bar ends a cell; a line break ends the row.
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    let rows = items.iter().map(|item| {
        format!(
            "| {} | {} | {} | {} |\n",
            cell(&item.number),
            cell(&item.section),
            cell(&item.topic),
            cell(item.answer.as_deref().unwrap_or(OPEN))
        )
    });
    std::iter::once("| item | section | topic | answer |\n|---|---|---|---|\n".to_owned())
        .chain(rows)
        .collect()
}

#[cfg(test)]
mod tests;
