//! The page from top to foot: the summary, the contents, the details, where it all comes from, the check-lists.

use maud::{Markup, html};

use super::sections::{self, Part};
use super::{Frame, Report, minute};

pub(super) fn page(report: &Report) -> Markup {
    let parts = sections::parts(report);
    let frame = Frame {
        title: &report.title,
        subtitle: &report.subtitle,
        main_holds: "result",
        ..Frame::default()
    };
    frame.around(&html! {
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
    })
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
