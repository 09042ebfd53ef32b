//! Several models on one page: losses, areas, paired differences, and what others have published.

use std::path::Path;

use maud::{Markup, html};

use super::{Frame, ReportError, runs, svg, table, write_page};
use crate::compare::{Comparison, Difference, EntryScores, Metric, remark};
use crate::text::{count, interval, p_value, skill, thousands, value, with_interval};
use crate::{Estimate, UnitOfAnalysis, Verdict};

/// The comparison as HTML, in the report's style.
pub fn comparison_to_html(comparison: &Comparison) -> String {
    super::together(&page(comparison).into_string())
}

/// Writes the comparison as one HTML file.
///
/// # Errors
/// [`ReportError`] when the file cannot be written.
pub fn write_comparison(comparison: &Comparison, path: &Path) -> Result<(), ReportError> {
    write_page(&comparison_to_html(comparison), path)
}

fn page(c: &Comparison) -> Markup {
    let mut sections = vec![("losses", "Loss beside no skill", losses(c))];
    sections.extend(runs::sections(c));
    sections.extend([
        ("labels", "Label by label", labels(c)),
        ("differences", "Paired differences", differences(c)),
        ("published", "Published values", published(c)),
    ]);
    let title = format!("Comparison of {}", count(c.entries.len() as u64, "model"));
    let subtitle = format!(
        "On the same {} of {}, each beside its no-skill baseline.",
        count(c.slices, c.unit.one()),
        count(c.patients, "patient")
    );
    let frame = Frame {
        title: &title,
        subtitle: &subtitle,
        main_holds: "result",
        ..Frame::default()
    };
    frame.around(&html! {
        (minute(c))
        @for (id, title, body) in sections {
            section id=(id) aria-labelledby=(format!("{id}-h")) {
                h2 id=(format!("{id}-h")) { (title) }
                (body)
            }
        }
    })
}

/// What a clinician reads first: who has the lowest loss, who differs from the reference, who is no better than no skill.
fn minute(c: &Comparison) -> Markup {
    html! {
        section class="minute" aria-labelledby="minute-h" {
            h2 id="minute-h" { "In a minute" }
            @for sentence in summary(c) { p { (sentence) } }
            (mind(c))
            div class="say" {
                h3 { "What must not be concluded" }
                ul class="plain" {
                    li { "That the lowest of several losses stays lowest: to choose the best of them here is to learn from the test." }
                    li { "That two models are equal where no difference is found: too few patients find none." }
                }
            }
        }
    }
}

fn summary(c: &Comparison) -> Vec<String> {
    let loss = |e: &EntryScores| e.evaluation.weighted_log_loss;
    let mut sentences = Vec::new();
    let lowest = c
        .entries
        .iter()
        .min_by(|a, b| loss(a).value.total_cmp(&loss(b).value));
    if let Some(best) = lowest {
        let beside = best
            .evaluation
            .baselines
            .first()
            .map_or_else(String::new, |b| {
                format!(
                    "; predicting the {} for everything has {}",
                    b.name,
                    value(b.weighted_log_loss, 4, false)
                )
            });
        sentences.push(format!(
            "The lowest weighted log loss is that of {}: {}{beside}.",
            best.name,
            with_interval(&loss(best), 4, false)
        ));
    }
    let of_loss = |d: &&Difference| d.metric == Metric::WeightedLogLoss;
    for d in c.differences.iter().filter(of_loss) {
        let Some(difference) = &d.difference else {
            continue;
        };
        let lower = Estimate {
            value: -difference.value,
            low: difference.high.map(|x| -x),
            high: difference.low.map(|x| -x),
        };
        let (stands, by, how_much) = match (difference.low, difference.high) {
            (Some(low), _) if low > 0.0 => ("is worse than", "is higher by", difference),
            (_, Some(high)) if high < 0.0 => ("is better than", "is lower by", &lower),
            _ => ("cannot be told from", "differs by", difference),
        };
        sentences.push(format!(
            "{} {stands} {}: its loss {by} {}.",
            d.entry,
            c.reference,
            with_interval(how_much, 4, false)
        ));
    }
    sentences
}

/// Who is no better than no skill, and what was left out.
fn mind(c: &Comparison) -> Markup {
    let worse: Vec<&EntryScores> = c
        .entries
        .iter()
        .filter(|e| e.evaluation.verdict == Verdict::WorseThanNoSkill)
        .collect();
    let left_out: Vec<&EntryScores> = c.entries.iter().filter(|e| e.left_out > 0).collect();
    let parts = remark(c);
    html! {
        @if !worse.is_empty() || !left_out.is_empty() || parts.is_some() {
            div class=(if worse.is_empty() { "mind" } else { "mind bad" }) {
                h3 { "Mind" }
                ul {
                    @for entry in worse {
                        li { "WORSE THAN NO SKILL: " (entry.name) " has a higher loss than a prediction that never looked." }
                    }
                    @for entry in left_out {
                        li {
                            (count(entry.left_out, c.unit.one())) " of " (entry.name)
                            " left out, as another entry lacks them or their truth."
                        }
                    }
                    @if let Some(parts) = parts { li { (parts) } }
                }
            }
        }
    }
}

fn losses(c: &Comparison) -> Markup {
    let columns = [
        table::words("Model"),
        table::number("Weighted log loss"),
        table::words("No skill"),
        table::number("Its loss"),
        table::number("Skill"),
    ];
    let mut rows = Vec::new();
    for entry in &c.entries {
        let e = &entry.evaluation;
        for (i, b) in e.baselines.iter().enumerate() {
            rows.push(vec![
                html! { @if i == 0 { (entry.name) } @else { span class="some" { (entry.name) } } },
                if i == 0 {
                    table::estimate(Some(&e.weighted_log_loss), 4, false)
                } else {
                    html! {}
                },
                table::cell(&b.name),
                table::cell(value(b.weighted_log_loss, 4, false)),
                table::cell(skill(b.skill.as_ref())),
            ]);
        }
    }
    html! {
        (table::table(
            "Losses and skill",
            &table::cell("Lower is better. Skill: 1 − loss / no-skill loss; 0 is no skill, below 0 worse than none."),
            &columns,
            &rows,
        ))
        p class="how" {
            "Intervals from " (thousands(u64::from(c.replicates))) " resamples of whole patients (seed " (c.seed) ")."
        }
    }
}

fn labels(c: &Comparison) -> Markup {
    let mut columns = vec![
        table::words("Model"),
        table::number("Log loss"),
        table::number("AUC"),
        table::number("Average precision"),
    ];
    if c.unit == UnitOfAnalysis::Slice {
        columns.push(table::number("AUC per study"));
    }
    let Some(first) = c.entries.first() else {
        return html! {};
    };
    html! {
        @for (i, label) in first.evaluation.labels.iter().enumerate() {
            h3 id=(svg::slug(label.label.name())) { (label.label) }
            (table::table(
                &format!("Scores of {}", label.label),
                &table::cell(format!(
                    "{} of {}",
                    count(label.positives, &format!("positive {}", c.unit.one())),
                    count(label.positive_patients, "patient"),
                )),
                &columns,
                &c.entries.iter().map(|entry| label_row(entry, i)).collect::<Vec<_>>(),
            ))
        }
    }
}

fn label_row(entry: &EntryScores, label: usize) -> Vec<Markup> {
    let e = &entry.evaluation;
    let mut row = vec![table::cell(&entry.name)];
    let Some(s) = e.labels.get(label) else {
        return row;
    };
    let study = e.study.as_ref().and_then(|s| s.labels.get(label));
    row.extend([
        table::estimate(s.log_loss.as_ref(), 4, s.few),
        table::estimate(s.auc.as_ref(), 3, s.few),
        table::estimate(s.average_precision.as_ref(), 3, s.few),
    ]);
    if e.unit == UnitOfAnalysis::Slice {
        row.push(study.map_or_else(
            || html! { span class="none" { "no studies" } },
            |s| table::estimate(s.auc.as_ref(), 3, s.few),
        ));
    }
    row
}

fn differences(c: &Comparison) -> Markup {
    let columns = [
        table::words("Model"),
        table::words("Score"),
        table::number("Difference"),
        table::number("By formula"),
        table::number("p"),
        table::number("p, adjusted"),
    ];
    let rows: Vec<Vec<Markup>> = c.differences.iter().map(difference).collect();
    html! {
        (table::table(
            "Differences to the reference",
            &table::cell(format!(
                "Each model less {}, on the same {}. A loss is better lower, an AUC higher.",
                c.reference,
                c.unit.many()
            )),
            &columns,
            &rows,
        ))
        p class="how" {
            "Intervals over resamples of patients, the same for both; by formula: DeLong’s, clustered by patient (Obuchowski 1997). "
            "p: of areas by formula, of the loss by resamples; adjusted by Holm for " (count(c.tests, "test"))
            ", so that the chance of any false finding among them stays below the level at which each is read."
        }
    }
}

fn difference(d: &Difference) -> Vec<Markup> {
    let digits = match d.metric {
        Metric::WeightedLogLoss => 4,
        Metric::Auc { .. } => 3,
    };
    let signed = |e: Option<&Estimate>| {
        let Some(e) = e else {
            return html! { span class="none" { "undefined" } };
        };
        let sign = if e.value < 0.0 { '−' } else { '+' };
        html! {
            span class="value" { (sign) (value(e.value.abs(), digits, false)) }
            @if e.low.is_some() { span class="interval" { (interval(e, digits, false)) } }
        }
    };
    vec![
        table::cell(&d.entry),
        table::cell(d.metric.words()),
        signed(d.difference.as_ref()),
        match d.metric {
            Metric::WeightedLogLoss => html! {},
            Metric::Auc { .. } => signed(d.by_formula.as_ref()),
        },
        table::cell(p_value(d.p)),
        table::cell(
            d.note
                .map_or_else(|| p_value(d.p_holm), |note| note.to_string()),
        ),
    ]
}

fn published(c: &Comparison) -> Markup {
    let columns = [
        table::words("Whose"),
        table::number("Weighted log loss"),
        table::words("On"),
    ];
    let rows: Vec<Vec<Markup>> = c
        .published
        .iter()
        .map(|p| {
            vec![
                table::cell(&p.name),
                // As many digits as were published.
                table::cell(p.weighted_log_loss.to_string()),
                table::cell(&p.on),
            ]
        })
        .collect();
    table::table(
        "Published losses",
        &table::cell(
            "Published, not measured here, and on other cases: for scale, not for comparison.",
        ),
        &columns,
        &rows,
    )
}
