//! Each label, over slices and over studies.

use maud::{Markup, html};

use super::super::table::{self, Kind};
use super::super::{charts, sections::losses};
use super::Section;
use crate::text::{STUDY_LOSS, count, interval, thousands, value};
use crate::{Evaluation, LabelScore, Verdict};

pub(super) fn slices(e: &Evaluation) -> Section {
    let cases = count(e.slices, "slice");
    Section {
        id: "labels",
        title: "Each label",
        body: labels(&e.labels, &cases),
    }
}

pub(super) fn studies(e: &Evaluation) -> Option<Section> {
    let s = e.study.as_ref()?;
    let cases = format!(
        "{} of {}",
        count(s.studies, "study"),
        count(s.patients, "patient")
    );
    let body = html! {
        p {
            "A study's prediction is the highest of its slices'; a label is positive where one slice is. Weighted log loss "
            b { (value(s.weighted_log_loss.value, 4, false)) }
            " (" (interval(&s.weighted_log_loss, 4, false).replace('–', "no interval")) ")"
            @if let Some(b) = s.baselines.first() {
                "; the " (b.name) " scores " (value(b.weighted_log_loss, 4, false)) ". "
                @if s.verdict == Verdict::WorseThanNoSkill {
                    span class="bad" { "✖ Worse than no skill. " (STUDY_LOSS) }
                }
            }
        }
        (labels(&s.labels, &cases))
        (losses::baselines(&s.baselines, "studies"))
    };
    Some(Section {
        id: "studies",
        title: "Each study",
        body,
    })
}

/// One row a label.
fn labels(scores: &[LabelScore], cases: &str) -> Markup {
    let columns = [
        table::words("Label"),
        table::number("Positive"),
        table::number("Patients"),
        table::number("Log loss"),
        table::number("No skill"),
        table::number("AUC"),
        (
            charts::axis("AUC drawn from 0 to 1", (0.0, 1.0)),
            Kind::Drawing,
        ),
        table::number("Average precision"),
    ];
    let rows: Vec<Vec<Markup>> = scores.iter().map(label).collect();
    let caption = html! { "Each label, over " (cases) ". Small figures: 95 % intervals. Dashed: no skill (AUC 0.5)." };
    table::table(
        &format!("Scores of each label, {cases}"),
        &caption,
        &columns,
        &rows,
    )
}

fn label(s: &LabelScore) -> Vec<Markup> {
    let worse = matches!(
        (s.log_loss, s.baseline_log_loss),
        (Some(loss), Some(baseline)) if loss.value > baseline
    );
    let baseline = s
        .baseline_log_loss
        .map_or_else(|| "–".to_owned(), |b| value(b, 4, s.few));
    let below_chance = s.auc.is_some_and(|auc| auc.value < 0.5);
    vec![
        html! {
            (s.label)
            @if s.few { span class="note" { "an indication only" } }
            @if worse { span class="note bad" { "✖ worse than no skill" } }
        },
        table::cell(thousands(s.positives)),
        table::cell(thousands(s.positive_patients)),
        table::estimate(s.log_loss.as_ref(), 4, s.few),
        table::cell(baseline),
        table::estimate(s.auc.as_ref(), 3, s.few),
        charts::whisker(s.auc.as_ref(), (0.0, 1.0), Some(0.5), below_chance),
        table::estimate(s.average_precision.as_ref(), 3, s.few),
    ]
}
