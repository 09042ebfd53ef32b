//! Parts of the population, and how far apart they lie.

use maud::{Markup, html};

use super::super::table::{self, Kind};
use super::super::{charts, svg};
use super::Section;
use crate::subgroup::{AxisScores, ByGroup, Gap, GroupScore, Subgroups};
use crate::text::{count, interval, p_value, thousands, threshold, value};
use crate::{Estimate, Evaluation, LabelScore, UnitOfAnalysis};

pub(super) fn section(e: &Evaluation) -> Option<Section> {
    let s = e.subgroups.as_ref()?;
    let unit = match e.unit {
        UnitOfAnalysis::Slice => "slices",
        UnitOfAnalysis::Study => "studies",
    };
    let body = html! {
        p {
            "Any, over " (unit) ", in each group that the data name. Drawn: the area under the ROC curve; dashed: over everybody. "
            "A group needs ten patients of each class that a score is about; else its numbers stand and its scores do not. "
            "Group by group these are descriptions: no interval here is adjusted for their number."
        }
        @for axis in &s.axes {
            @for scores in axis.labels.iter().filter(|l| any_score(axis, l)) {
                (groups(axis, scores, s, whole(&e.labels, scores)))
            }
        }
        (too_small(s))
        h3 { "Gaps between groups" }
        (gaps(s))
        @for note in &s.notes { p class="how" { (note) } }
    };
    Some(Section {
        id: "groups",
        title: "Parts of the population",
        body,
    })
}

/// The area over everybody, for all drawings to share.
fn whole(labels: &[LabelScore], scores: &ByGroup) -> Option<f64> {
    let score = labels.iter().find(|s| s.label == scores.label)?;
    Some(score.auc?.value)
}

/// One axis for the areas of all groups: from chance, or lower where an interval is, to one.
fn scale(s: &Subgroups) -> (f64, f64) {
    let all = s.axes.iter().flat_map(|a| &a.labels);
    let areas = all.flat_map(|l| &l.groups).filter_map(|g| g.auc);
    let (low, _) = svg::range(areas.flat_map(|a| [Some(a.value), a.low]).flatten());
    ((low.min(0.5) * 10.0).floor() / 10.0, 1.0)
}

fn groups(axis: &AxisScores, scores: &ByGroup, s: &Subgroups, whole: Option<f64>) -> Markup {
    let range = scale(s);
    let columns = [
        table::words("Group"),
        table::number("AUC"),
        (
            charts::axis(&format!("AUC drawn from {} to {}", range.0, range.1), range),
            Kind::Drawing,
        ),
        table::number("Sensitivity"),
        table::number("Specificity"),
        table::number("Observed less predicted (0 is right)"),
        table::number("Loss, all labels"),
    ];
    let rows: Vec<Vec<Markup>> = scores
        .groups
        .iter()
        .zip(&axis.groups)
        .map(|(group, loss)| row(group, loss.weighted_log_loss.as_ref(), range, whole))
        .collect();
    let at = scores.threshold.map_or_else(String::new, |t| {
        format!(
            " Sensitivity and specificity at a probability of at least {}.",
            threshold(t)
        )
    });
    let caption = html! { b { "By " (axis.axis) } ". Small figures: 95 % intervals." (at) };
    table::table(
        &format!("Scores of {} by {}", scores.label, axis.axis),
        &caption,
        &columns,
        &rows,
    )
}

fn row(
    g: &GroupScore,
    loss: Option<&Estimate>,
    range: (f64, f64),
    whole: Option<f64>,
) -> Vec<Markup> {
    vec![
        html! {
            (g.group)
            span class="interval size" { (size(g)) }
            @if let Some(why) = &g.withheld { span class="note" { (why) } }
        },
        scored(g.auc.as_ref()),
        charts::whisker(g.auc.as_ref(), range, whole, false),
        table::share(g.sensitivity.as_ref()),
        table::share(g.specificity.as_ref()),
        scored(g.calibration_in_the_large.as_ref()),
        scored(loss),
    ]
}

/// "40 patients, 211 of 1,200 positive".
fn size(g: &GroupScore) -> String {
    format!(
        "{}, {} of {} positive",
        count(g.patients, "patient"),
        thousands(g.positives),
        thousands(g.cases)
    )
}

/// Whether a table of the axis would hold a number.
fn any_score(axis: &AxisScores, scores: &ByGroup) -> bool {
    let losses = axis.groups.iter().any(|g| g.weighted_log_loss.is_some());
    let of_group = |g: &GroupScore| {
        [g.auc, g.sensitivity, g.specificity]
            .iter()
            .any(Option::is_some)
    };
    losses || scores.groups.iter().any(of_group)
}

/// Axes whose groups are all too small for a score: who is in them, in a line each.
fn too_small(s: &Subgroups) -> Markup {
    let axes = s.axes.iter().flat_map(|axis| {
        let small = axis.labels.iter().filter(|l| !any_score(axis, l));
        small.map(move |scores| (&axis.axis, scores))
    });
    let lines: Vec<(&String, String)> = axes
        .map(|(axis, scores)| {
            let groups: Vec<String> = scores
                .groups
                .iter()
                .map(|g| format!("{} ({})", g.group, size(g)))
                .collect();
            (axis, groups.join("; "))
        })
        .collect();
    html! {
        @if !lines.is_empty() {
            h3 { "Groups too small for a score" }
            @for (axis, groups) in &lines { p class="how" { b { "By " (axis) } ": " (groups) "." } }
        }
    }
}

/// A withheld score is a dash: it has a value, but too few patients stand behind it.
fn scored(e: Option<&Estimate>) -> Markup {
    html! {
        @if e.is_some() { (table::estimate(e, 3, false)) } @else { "–" }
    }
}

fn gaps(s: &Subgroups) -> Markup {
    if s.gaps.is_empty() {
        return html! { p { "On no axis do two groups have enough patients to be compared." } };
    }
    let widest = s.gaps.iter().map(|g| {
        let ends = [Some(g.gap.value), g.gap.high, g.gap.low.map(f64::abs)];
        ends.into_iter().flatten().fold(0.0, f64::max)
    });
    let widest = (widest.fold(0.1, f64::max) * 10.0).ceil() / 10.0;
    let lowest = s.gaps.iter().filter_map(|g| g.gap.low).fold(0.0, f64::min);
    let range = ((lowest * 10.0).floor() / 10.0, widest);
    let columns = [
        table::words("Axis"),
        table::words("Gap in"),
        table::words("Lowest"),
        table::words("Highest"),
        table::number("Gap"),
        (
            charts::axis(&format!("gap drawn from {} to {}", range.0, range.1), range),
            Kind::Drawing,
        ),
        table::number("p"),
        table::number("p, corrected"),
    ];
    let rows: Vec<Vec<Markup>> = s.gaps.iter().map(|g| gap(g, range)).collect();
    let caption = table::cell(format!(
        "Largest less smallest value of the groups. Many comparisons: {} tested, each by dealing the groups to the patients at random {} \
         times; p corrected by {} over all of them. Dashed: no gap.",
        count(s.multiplicity.tests, "gap"),
        thousands(u64::from(s.permutations)),
        s.multiplicity.corrected
    ));
    table::table("Gaps between groups", &caption, &columns, &rows)
}

fn gap(g: &Gap, range: (f64, f64)) -> Vec<Markup> {
    let group = |name: &str, v: f64| html! { (name) " " (value(v, 3, false)) };
    vec![
        table::cell(&g.axis),
        table::cell(g.metric.to_string()),
        group(&g.lowest, g.lowest_value),
        group(&g.highest, g.highest_value),
        html! {
            span class="value" { (value(g.gap.value, 3, false)) }
            span class="interval" { (interval(&g.gap, 3, false)) }
        },
        charts::whisker(Some(&g.gap), range, Some(0.0), false),
        table::cell(p_value(g.p)),
        table::cell(p_value(g.p_corrected)),
    ]
}
