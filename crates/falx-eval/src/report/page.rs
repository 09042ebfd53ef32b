//! The page from top to foot: the summary, the contents, the details, where it all comes from, the check-lists.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::sections::{self, Part};
use super::{Report, STYLE, minute};

pub(super) fn page(report: &Report) -> Markup {
    let parts = sections::parts(report);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (report.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a class="skip" href="#main" { "Skip to the result" }
                header class="top" {
                    h1 { (report.title) }
                    p class="subtitle" { (report.subtitle) }
                }
                main id="main" tabindex="-1" {
                    (minute::summary(&report.evaluation))
                    (contents(&parts))
                    @for part in &parts {
                        @for section in &part.sections {
                            section id=(section.id) aria-labelledby=(format!("{}-h", section.id)) {
                                h2 id=(format!("{}-h", section.id)) { (section.title) }
                                (section.body)
                            }
                        }
                    }
                }
                footer { p { "Research use; not a medical device." } }
            }
        }
    }
}

fn contents(parts: &[Part]) -> Markup {
    html! {
        nav class="contents" aria-labelledby="contents-h" {
            h2 id="contents-h" { "Contents" }
            div class="columns" {
                @for part in parts {
                    div {
                        h3 { (part.name) }
                        ol class=[(part.sections.len() > 8).then_some("two")] {
                            @for section in &part.sections {
                                li { a href=(format!("#{}", section.id)) { (section.title) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
