//! One way to lay a table out: a caption, named columns, a head for each row, and a frame that scrolls where a screen is narrow.

use maud::{Markup, html};

use crate::Estimate;
use crate::text::{interval, value};

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
            table {
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
            span class="interval" { (interval(e, digits, few)) }
        } @else {
            span class="none" { "undefined" }
        }
    }
}

/// Plain words as a cell.
pub(super) fn cell(words: impl AsRef<str>) -> Markup {
    html! { (words.as_ref()) }
}
