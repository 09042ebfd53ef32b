//! One way to lay a table out: a caption, named columns, a head for each row, and a frame that scrolls where a screen is narrow.

use maud::{Markup, html};

use crate::Estimate;
use crate::text::{interval, joined, percent, value};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Words, to the left.
    Words,
    /// Numbers, to the right.
    Number,
    /// A drawing.
    Drawing,
}

/// A column: its name and what it holds.
pub(super) type Column = (Markup, Kind);

/// A column of words.
pub(super) fn words(name: &str) -> Column {
    (html! { (name) }, Kind::Words)
}

/// A column of numbers.
pub(super) fn number(name: &str) -> Column {
    (html! { (name) }, Kind::Number)
}

/// Rows above which a table may break between pages of paper.
const LONG: usize = 10;

/// A table whose rows' first cells name them.
///
/// `label` names the scrolling frame for those who hear the page.
pub(super) fn table(
    label: &str,
    caption: &Markup,
    columns: &[Column],
    rows: &[Vec<Markup>],
) -> Markup {
    let class = |kind: Kind| match kind {
        Kind::Words => None,
        Kind::Number => Some("n"),
        Kind::Drawing => Some("wide"),
    };
    let kind = |i: usize| columns.get(i).map_or(Kind::Words, |(_, kind)| *kind);
    html! {
        div class="scroll" tabindex="0" role="group" aria-label=(label) {
            table class=[(rows.len() > LONG).then_some("long")] {
                caption { span { (caption) } }
                thead { tr {
                    @for (name, kind) in columns { th scope="col" class=[class(*kind)] { (name) } }
                } }
                tbody {
                    @for row in rows {
                        tr {
                            @for (i, cell) in row.iter().enumerate() {
                                @if i == 0 {
                                    th scope="row" { (cell) }
                                } @else {
                                    td class=[class(kind(i))] { (cell) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A drawing's figures as a table, folded away.
pub(super) fn folded(
    label: &str,
    caption: &Markup,
    columns: &[Column],
    rows: &[Vec<Markup>],
) -> Markup {
    html! {
        details class="figures-table" {
            summary { "As a table: " (label) }
            (table(label, caption, columns, rows))
        }
    }
}

/// A score with its interval below it.
pub(super) fn estimate(e: Option<&Estimate>, digits: usize, few: bool) -> Markup {
    html! {
        @if let Some(e) = e {
            span class="value" { (value(e.value, digits, few)) }
            @if e.low.is_some() { span class="interval" { (interval(e, digits, few)) } }
        } @else {
            span class="none" { "undefined" }
        }
    }
}

/// Remarks below a table. Names of which the same is to be said share a line, in the order in which they came.
pub(super) fn remarks<'a>(remarks: impl IntoIterator<Item = (&'a str, String)>) -> Markup {
    html! {
        @for (names, words) in alike(remarks) {
            p class="how" { b { (joined(&names)) } ": " (words) }
        }
    }
}

/// Names of which the same is to be said, together.
pub(super) fn alike<'a>(
    remarks: impl IntoIterator<Item = (&'a str, String)>,
) -> Vec<(Vec<&'a str>, String)> {
    let mut grouped: Vec<(Vec<&str>, String)> = Vec::new();
    for (name, words) in remarks {
        match grouped.iter_mut().find(|(_, said)| *said == words) {
            Some((names, _)) => names.push(name),
            None => grouped.push((vec![name], words)),
        }
    }
    grouped
}

/// A share in per cent with its interval below it; a dash where there is none.
pub(super) fn share(e: Option<&Estimate>) -> Markup {
    html! {
        @if let Some(e) = e {
            span class="value" { (percent(e.value, 1)) }
            @if let (Some(low), Some(high)) = (e.low, e.high) {
                span class="interval" { (format!("{:.1} to {:.1}", 100.0 * low, 100.0 * high)) }
            }
        } @else { "–" }
    }
}

/// Plain words as a cell.
pub(super) fn cell(words: impl AsRef<str>) -> Markup {
    html! { (words.as_ref()) }
}
