//! The curves of a training run.

use maud::{Markup, html};

use super::super::TrainingCurve;
use super::super::svg::{Alternative, Axes, Frame, from_zero, number, px, range, slug, ticks};
use super::super::table;
use super::key;

/// Curves that share a chart, with their no-skill value.
pub(in super::super) fn training(curves: &[&TrainingCurve]) -> Markup {
    let lines: Vec<Vec<(f64, f64)>> = curves
        .iter()
        .map(|c| {
            let finite = |p: &&(f64, f64)| p.0.is_finite() && p.1.is_finite();
            c.points.iter().filter(finite).copied().collect()
        })
        .collect();
    let mut baselines: Vec<f64> = curves.iter().filter_map(|c| c.baseline).collect();
    baselines.retain(|b| b.is_finite());
    baselines.sort_by(f64::total_cmp);
    baselines.dedup();
    let points = || lines.iter().flatten();
    let xs = range(points().map(|p| p.0));
    let ys = range(points().map(|p| p.1).chain(baselines.iter().copied()));
    let frame = Frame::wide(xs, from_zero(ys));
    let names: Vec<&str> = curves.iter().map(|c| c.name.as_str()).collect();
    let word = names.first().map_or("", |name| last_word(name));
    let content = html! {
        @for &b in &baselines {
            path class="chance strong" d=(frame.path(&[(xs.0, b), (xs.1, b)])) {}
            text class="name halo" text-anchor="end" x=(px(frame.width - frame.right)) y=(px(frame.y(b) - 6.0)) { "no skill " (number(b, 4)) }
        }
        @for (i, line) in lines.iter().enumerate() {
            path class=(format!("curve c{}", i % 4)) d=(frame.path(line)) {}
            @if let [(x, y)] = line.as_slice() {
                circle class=(format!("point c{}", i % 4)) cx=(px(frame.x(*x))) cy=(px(frame.y(*y))) r="4" {}
            }
        }
    };
    let last: Vec<String> = names
        .iter()
        .zip(&lines)
        .filter_map(|(name, line)| Some(format!("{name}: last {}", number(line.last()?.1, 4))))
        .collect();
    let says = Alternative {
        id: slug(&format!("training {}", names.join(" "))),
        title: format!("Training curves: {}", names.join(", ")),
        description: if last.is_empty() {
            "There is no value to draw.".to_owned()
        } else {
            format!("{}.", last.join("; "))
        },
    };
    let axes = Axes {
        x_name: "epoch or step",
        y_name: word,
        x_ticks: &ticks(frame.x),
        y_ticks: &ticks(frame.y),
    };
    html! {
        figure class="chart" {
            figcaption {
                @for (i, (name, line)) in names.iter().zip(&lines).enumerate() {
                    @let last = line.last().map_or_else(String::new, |(_, y)| format!(" (last {})", number(*y, 4)));
                    (key(i, "curve", &format!("{name}{last}")))
                }
            }
            (frame.draw(&says, &axes, &content))
            (figures(&names, &lines))
        }
    }
}

fn figures(names: &[&str], lines: &[Vec<(f64, f64)>]) -> Markup {
    let mut steps: Vec<f64> = lines.iter().flatten().map(|p| p.0).collect();
    steps.sort_by(f64::total_cmp);
    steps.dedup();
    let columns: Vec<table::Column> = std::iter::once(table::words("Epoch or step"))
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
    let label = format!("training curves, {}", names.join(", "));
    table::folded(&label, &table::cell("Each epoch or step."), &columns, &rows)
}

/// The word that decides with which curves a curve shares its chart.
pub(in super::super) fn last_word(name: &str) -> &str {
    name.split_whitespace().next_back().unwrap_or(name)
}
