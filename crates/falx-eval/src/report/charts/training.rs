//! The curves of a training run, and any lines over one axis.

use maud::{Markup, html};

use super::super::TrainingCurve;
use super::super::svg::{
    Alternative, Axes, Frame, from_zero, number, powers, px, range, slug, ticks,
};
use super::super::table;
use super::{key, line_class};

/// Lines over one axis.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Lines<'a> {
    /// What the drawing is, for those who hear the page; with the lines' names it is unlike any other on the page.
    pub title: &'a str,
    /// What the table of its figures is called.
    pub label: &'a str,
    /// The lines, with their no-skill values.
    pub curves: &'a [&'a TrainingCurve],
    /// What the lower axis counts.
    pub along: &'a str,
    /// What the left axis measures.
    pub measured: &'a str,
    /// Whether equal steps along the lower axis multiply.
    pub multiplies: bool,
    /// Places on the lower axis that stand out, by name.
    pub marks: &'a [(f64, String)],
}

/// Curves that share a chart, with their no-skill value.
pub(in super::super) fn training(curves: &[&TrainingCurve]) -> Markup {
    let names: Vec<&str> = curves.iter().map(|c| c.name.as_str()).collect();
    lines(&Lines {
        title: "Training curves",
        label: &format!("training curves, {}", names.join(", ")),
        curves,
        along: "epoch or step",
        measured: curves.first().map_or("", |curve| last_word(&curve.name)),
        multiplies: false,
        marks: &[],
    })
}

/// The drawing, its key, and its figures as a table.
pub(in super::super) fn lines(chart: &Lines<'_>) -> Markup {
    let curves = chart.curves;
    let drawn =
        |p: &&(f64, f64)| p.0.is_finite() && p.1.is_finite() && (p.0 > 0.0 || !chart.multiplies);
    let lines: Vec<Vec<(f64, f64)>> = curves
        .iter()
        .map(|c| c.points.iter().filter(drawn).copied().collect())
        .collect();
    let mut baselines: Vec<f64> = curves.iter().filter_map(|c| c.baseline).collect();
    baselines.retain(|b| b.is_finite());
    baselines.sort_by(f64::total_cmp);
    baselines.dedup();
    let points = || lines.iter().flatten();
    let xs = range(points().map(|p| p.0));
    let ys = range(points().map(|p| p.1).chain(baselines.iter().copied()));
    let frame = Frame {
        multiplies: chart.multiplies && xs.0 > 0.0,
        ..Frame::wide(xs, from_zero(ys))
    };
    let floor = frame.height - frame.bottom;
    let content = html! {
        @for &b in &baselines { path class="chance strong" d=(frame.path(&[(xs.0, b), (xs.1, b)])) {} }
        @for (y, words) in no_skill(&frame, &baselines) {
            text class="name halo" text-anchor="end" x=(px(frame.width - frame.right)) y=(px(y)) { (words) }
        }
        @for (i, line) in lines.iter().enumerate() {
            path class=(format!("curve {}", line_class(i))) d=(frame.path(line)) {}
            @if let [(x, y)] = line.as_slice() {
                circle class=(format!("point {}", line_class(i))) cx=(px(frame.x(*x))) cy=(px(frame.y(*y))) r="4" {}
            }
        }
        @for (i, (at, _)) in chart.marks.iter().enumerate() {
            @let x = px(frame.x(*at));
            path class=(format!("curve {}", line_class(lines.len() + i))) d=(format!("M{x} {}L{x} {}", px(frame.top), px(floor))) {}
        }
    };
    let axes = Axes {
        x_name: chart.along,
        y_name: chart.measured,
        x_ticks: &places(&frame, &lines),
        y_ticks: &ticks(frame.y),
    };
    let names: Vec<&str> = curves.iter().map(|c| c.name.as_str()).collect();
    html! {
        figure class="chart" {
            figcaption {
                @for (i, (name, line)) in names.iter().zip(&lines).enumerate() {
                    @let last = line.last().map_or_else(String::new, |(_, y)| format!(" (last {})", number(*y, 4)));
                    (key(i, "curve", &format!("{name}{last}")))
                }
                @for (i, (at, name)) in chart.marks.iter().enumerate() {
                    (key(lines.len() + i, "curve", &format!("{name} ({})", number(*at, 3))))
                }
            }
            (frame.draw(&alternative(chart, &names, &lines), &axes, &content))
            (figures(chart, &names, &lines))
        }
    }
}

/// Words for the no-skill lines, each above its line; lines that lie too close share theirs.
fn no_skill(frame: &Frame, sorted: &[f64]) -> Vec<(f64, String)> {
    /// The height of a line of words.
    const APART: f64 = 14.0;
    let mut groups: Vec<(f64, f64)> = Vec::new();
    for &b in sorted {
        match groups.last_mut() {
            Some((_, high)) if frame.y(*high) - frame.y(b) < APART => *high = b,
            _ => groups.push((b, b)),
        }
    }
    let words = groups.into_iter().map(|(low, high)| {
        let (least, most) = (number(low, 4), number(high, 4));
        let words = if least == most {
            format!("no skill {least}")
        } else {
            format!("no skill {least} to {most}")
        };
        (frame.y(high) - 6.0, words)
    });
    words.collect()
}

/// The ticks of the lower axis: powers of ten where it multiplies, and whole numbers where all points have them.
fn places(frame: &Frame, lines: &[Vec<(f64, f64)>]) -> Vec<f64> {
    if frame.multiplies {
        return powers(frame.x);
    }
    let mut found = ticks(frame.x);
    let whole = |value: f64| (value - value.round()).abs() < 1e-9;
    if lines.iter().flatten().all(|point| whole(point.0)) {
        found.retain(|&tick| whole(tick));
    }
    found
}

/// What the drawing says in words.
fn alternative(chart: &Lines<'_>, names: &[&str], lines: &[Vec<(f64, f64)>]) -> Alternative {
    let Lines {
        title,
        curves,
        marks,
        ..
    } = chart;
    let last = curves.iter().zip(lines).filter_map(|(curve, line)| {
        let last = number(line.last()?.1, 4);
        let beside = curve.baseline.filter(|b| b.is_finite());
        let beside = beside.map_or_else(String::new, |b| format!(", no skill {}", number(b, 4)));
        Some(format!("{}: last {last}{beside}", curve.name))
    });
    let marked = marks
        .iter()
        .map(|(at, name)| format!("{name}: at {}", number(*at, 3)));
    let said: Vec<String> = last.chain(marked).collect();
    Alternative {
        id: slug(&format!("{title} {}", names.join(" "))),
        title: format!("{title}: {}", names.join(", ")),
        description: if said.is_empty() {
            "There is no value to draw.".to_owned()
        } else {
            format!("{}.", said.join("; "))
        },
    }
}

fn figures(chart: &Lines<'_>, names: &[&str], lines: &[Vec<(f64, f64)>]) -> Markup {
    let mut along = chart.along.to_owned();
    if let Some(first) = along.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let mut steps: Vec<f64> = lines.iter().flatten().map(|p| p.0).collect();
    steps.sort_by(f64::total_cmp);
    steps.dedup();
    let columns: Vec<table::Column> = std::iter::once(table::words(&along))
        .chain(names.iter().map(|name| table::number(name)))
        .collect();
    let rows: Vec<Vec<Markup>> = steps
        .iter()
        .map(|step| {
            let of_line = |line: &Vec<(f64, f64)>| {
                let found = line.iter().find(|p| p.0 == *step);
                table::cell(found.map_or_else(|| "–".to_owned(), |p| number(p.1, 4)))
            };
            std::iter::once(table::cell(number(*step, 6)))
                .chain(lines.iter().map(of_line))
                .collect()
        })
        .collect();
    table::folded(
        chart.label,
        &table::cell(format!("By {}.", along.to_lowercase())),
        &columns,
        &rows,
    )
}

/// The word that decides with which curves a curve shares its chart.
pub(in super::super) fn last_word(name: &str) -> &str {
    name.split_whitespace().next_back().unwrap_or(name)
}
