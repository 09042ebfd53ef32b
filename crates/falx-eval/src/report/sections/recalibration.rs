//! What repairing the probabilities would gain, on patients who did not choose the repair.

use maud::{Markup, html};

use super::super::table;
use super::Section;
use crate::calibration::{FittedOn, Method, Quality, Recalibrations};
use crate::text::{count, joined, value};
use crate::{Evaluation, LabelScore};

pub(super) fn section(e: &Evaluation) -> Option<Section> {
    let all = || e.labels.iter().filter_map(|s| s.recalibration.as_ref());
    let first = all().next()?;
    // A table of dashes shows nothing.
    all().flat_map(|r| &r.methods).find(|m| m.after.is_some())?;
    let body = html! {
        p {
            "Four ways to repair probabilities, from one parameter to a free curve. " (fitted(&first.fitted_on))
            " The order of the cases, and so the AUC, hardly changes; what can change is whether a probability means what it says."
        }
        (losses(&e.labels))
        (errors(&e.labels))
        (table::remarks(e.labels.iter().flat_map(without)))
    };
    Some(Section {
        id: "recalibration",
        title: "Recalibration",
        body,
    })
}

fn fitted(on: &FittedOn) -> String {
    match *on {
        FittedOn::DevelopmentSet { cases, .. } => {
            format!(
                "Fitted on {} of other patients, judged here.",
                count(cases, "case")
            )
        }
        FittedOn::CrossFitted { folds, .. } => {
            format!(
                "Cross-fitted: each of {folds} folds of patients is judged with what the others gave."
            )
        }
    }
}

/// One row a label: a measure of the predictions as they are, and after each repair.
fn each(
    labels: &[LabelScore],
    name: &str,
    caption: &str,
    measure: impl Fn(&Quality) -> Option<f64>,
) -> Markup {
    let columns: Vec<table::Column> = [table::words("Label"), table::number("As they are")]
        .into_iter()
        .chain(Method::ALL.map(|method| table::number(method.name())))
        .collect();
    let row = |s: &LabelScore, r: &Recalibrations| -> Vec<Markup> {
        let words = |x: Option<f64>| {
            table::cell(x.map_or_else(|| "–".to_owned(), |x| value(x, 4, s.few || r.few)))
        };
        let before = measure(&r.before);
        let after = Method::ALL.map(|method| {
            let found = r.methods.iter().find(|m| m.method == method);
            let after = found.and_then(|m| m.after.as_ref()).and_then(&measure);
            words(after)
        });
        [table::cell(s.label.name()), words(before)]
            .into_iter()
            .chain(after)
            .collect()
    };
    let rows: Vec<Vec<Markup>> = labels
        .iter()
        .filter_map(|s| Some(row(s, s.recalibration.as_ref()?)))
        .collect();
    table::table(name, &table::cell(caption), &columns, &rows)
}

/// Which repairs a label is without, and why.
fn without(s: &LabelScore) -> Vec<(&str, String)> {
    let methods = s.recalibration.iter().flat_map(|r| &r.methods);
    let undefined =
        methods.filter_map(|m| Some((m.method.name(), m.undefined.as_ref()?.to_string())));
    table::alike(undefined)
        .into_iter()
        .map(|(methods, why)| {
            let words = format!("no {}, for {why}.", joined(&methods));
            (s.label.name(), words)
        })
        .collect()
}

fn losses(labels: &[LabelScore]) -> Markup {
    each(
        labels,
        "Log loss before and after recalibration",
        "Log loss; lower is better.",
        |q| Some(q.log_loss),
    )
}

fn errors(labels: &[LabelScore]) -> Markup {
    each(
        labels,
        "Expected calibration error before and after recalibration",
        "Expected calibration error; lower is better.",
        |q| Some(q.expected_error),
    )
}
