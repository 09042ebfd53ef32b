//! Each label, over slices and over studies.

use maud::{Markup, html};

use super::super::table::{self, Kind};
use super::super::{charts, sections::losses};
use super::Section;
use crate::text::{STUDY_LOSS, count, interval, thousands, value};
use crate::{
    Aggregation, AggregationScore, Baseline, Estimate, Evaluation, LabelScore, SeriesScores,
    UnitOfAnalysis, Verdict,
};

pub(super) fn section(e: &Evaluation) -> Section {
    let cases = match e.unit {
        UnitOfAnalysis::Slice => count(e.slices, "slice"),
        UnitOfAnalysis::Study => "studies".to_owned(),
    };
    Section {
        id: "labels",
        title: "Each label",
        body: labels(&e.labels, &cases),
    }
}

/// A level above the slice: series or studies.
struct Whole<'a> {
    /// One of them.
    one: &'a str,
    number: u64,
    patients: u64,
    aggregation: Aggregation,
    loss: &'a Estimate,
    verdict: Verdict,
    labels: &'a [LabelScore],
    baselines: &'a [Baseline],
}

pub(super) fn series(e: &Evaluation) -> Option<Section> {
    // Where each study is one series, one table says it all.
    let scored = |labels: &[LabelScore]| -> Vec<_> {
        let scores = labels.iter().map(|l| (l.positives, l.log_loss, l.auc));
        scores.collect()
    };
    let alone = |s: &&SeriesScores| {
        let study = e.study.as_ref();
        study.is_none_or(|study| {
            study.studies != s.series || scored(&study.labels) != scored(&s.labels)
        })
    };
    let s = e.series.as_ref().filter(alone)?;
    let body = whole(&Whole {
        one: "series",
        number: s.series,
        patients: s.patients,
        aggregation: s.aggregation,
        loss: &s.weighted_log_loss,
        verdict: s.verdict,
        labels: &s.labels,
        baselines: &s.baselines,
    });
    Some(Section {
        id: "series",
        title: "Each series",
        body,
    })
}

pub(super) fn studies(e: &Evaluation) -> Option<Section> {
    let s = e.study.as_ref()?;
    let scores = whole(&Whole {
        one: "study",
        number: s.studies,
        patients: s.patients,
        aggregation: s.aggregation,
        loss: &s.weighted_log_loss,
        verdict: s.verdict,
        labels: &s.labels,
        baselines: &s.baselines,
    });
    Some(Section {
        id: "studies",
        title: "Each study",
        body: html! { (scores) (aggregations(&e.aggregations)) },
    })
}

fn whole(w: &Whole) -> Markup {
    let many = count(w.number, w.one);
    html! {
        p {
            "A " (w.one) "'s prediction is " (w.aggregation.words()) "; a label is positive where one slice is. Weighted log loss "
            b { (value(w.loss.value, 4, false)) }
            " (" (interval(w.loss, 4, false).replace('–', "no interval")) ")"
            @if let Some(b) = w.baselines.first() {
                "; the " (b.name) " scores " (value(b.weighted_log_loss, 4, false)) ". "
                @if w.verdict == Verdict::WorseThanNoSkill {
                    span class="bad" { "✖ Worse than no skill. " (STUDY_LOSS) }
                }
            }
        }
        (labels(w.labels, &format!("{many} of {}", count(w.patients, "patient"))))
        (losses::baselines(w.baselines, w.one))
    }
}

fn aggregations(scores: &[AggregationScore]) -> Markup {
    let columns = [
        table::words("A study's prediction is"),
        table::number("Weighted log loss"),
        table::number("AUC of any"),
    ];
    let rows: Vec<Vec<Markup>> = scores
        .iter()
        .map(|a| {
            let auc = a
                .auc_of_any
                .map_or_else(|| "–".to_owned(), |auc| value(auc, 3, false));
            vec![
                table::cell(a.aggregation.words()),
                table::cell(value(a.weighted_log_loss, 4, false)),
                table::cell(auc),
            ]
        })
        .collect();
    let caption = table::cell(
        "Other ways from slices to a study. To choose the best of them here is to learn from the test: name the choice beforehand.",
    );
    html! {
        @if !rows.is_empty() { (table::table("Ways from slices to a study", &caption, &columns, &rows)) }
    }
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
    let worse = s.is_worse_than_no_skill();
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
