//! A judgement as one HTML page.

use std::path::{Path, PathBuf};

use falx_eval::report::Frame;
use maud::{Markup, html};

use super::text::{against, heading, plain, sentence, signed, titled};
use super::{Judgement, LabelJudgement, Scores};
use crate::ExplainError;
use crate::files::{make_folder, save};

/// Writes `judge.html` (tables, warnings, rules, nothing from outside) and `judge.json` into a folder, and says where the page
/// is.
///
/// # Errors
/// [`ExplainError::Write`].
pub fn write(judgement: &Judgement, folder: &Path) -> Result<PathBuf, ExplainError> {
    make_folder(folder)?;
    let json = serde_json::to_vec_pretty(judgement).unwrap_or_default();
    save(&folder.join("judge.json"), &json)?;
    let path = folder.join("judge.html");
    save(&path, page(judgement).into_string().as_bytes())?;
    Ok(path)
}

fn page(judgement: &Judgement) -> Markup {
    let subtitle = format!(
        "{}: {} slices of {} patients whose mask marks a haemorrhage",
        judgement.network, judgement.slices, judgement.patients
    );
    let frame = Frame {
        title: "Heat maps judged by masks",
        subtitle: &subtitle,
        main_holds: "result",
        ..Frame::default()
    };
    frame.around(&html! {
        (warned(judgement))
        @for label in &judgement.labels { (section(label)) }
        section id="sanity" aria-labelledby="sanity-h" {
            h2 id="sanity-h" { "Do the maps depend on what was learnt?" }
            @for sanity in &judgement.sanity { p { (capital(&sentence(sanity))) "." } }
        }
        section id="rules" aria-labelledby="rules-h" {
            h2 id="rules-h" { "How it was judged" }
            @for rule in &judgement.rules { p { (rule) } }
        }
    })
}

fn warned(judgement: &Judgement) -> Markup {
    if judgement.warnings.is_empty() {
        return html! {
            p { "Every method passed its sanity check and finds what the model finds better than either baseline." }
        };
    }
    html! {
        div class="mind" {
            h2 { "To be known before the maps are believed" }
            ul { @for warning in &judgement.warnings { li { (warning) } } }
        }
    }
}

fn section(label: &LabelJudgement) -> Markup {
    let id = label.label.name();
    let columns = ["Map", "Pointing", "IoU", "Average precision"];
    let row = |name: &str, scores: &Scores, number: fn(_) -> String| {
        html! {
            tr {
                th scope="row" { (name) }
                td class="n" { (number(scores.pointing)) }
                td class="n" { (number(scores.iou)) }
                td class="n" { (number(scores.average_precision)) }
            }
        }
    };
    html! {
        section id=(id) aria-labelledby=(format!("{id}-h")) {
            h2 id=(format!("{id}-h")) { (capital(id)) }
            div class="scroll" tabindex="0" role="group" aria-label=(format!("Scores of {id}")) {
                table {
                    caption { span { (heading(label)) ". Differences are slice by slice." } }
                    thead {
                        tr {
                            @for (at, name) in columns.iter().enumerate() {
                                th scope="col" class=[(at > 0).then_some("n")] { (name) }
                            }
                        }
                    }
                    tbody {
                        @for map in &label.scores { (row(titled(map.name), &map.scores, plain)) }
                        @for map in &label.scores {
                            @for difference in &map.more_than {
                                (row(&against(map, difference.baseline), &difference.scores, signed))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// With a capital letter.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next();
    first
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(letters)
        .collect()
}
