//! A study's page: its slices to scroll through, with windows and heat maps; and the page that leads to all studies.
//!
//! There is no script. Slices are one below the other in a frame that stops at each of them, so that the wheel, a finger, the
//! arrow and page keys go from slice to slice; windows and maps are chosen by radio buttons that style sheets alone obey.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use falx_core::{LABELS, Label};
use falx_eval::report::{Frame, png_data_uri};
use maud::{Markup, html};

use crate::Method;
use crate::explain::{Explained, ExplainedSeries, ExplainedSlice};
use crate::series::{Shown, WINDOWS};

const OWN_STYLE: &str = include_str!("study.css");

/// A series as it is told and as it is shown.
type Part = (ExplainedSeries, Vec<Shown>);

/// The page of a study.
pub(crate) fn page(number: usize, series: &[Part], explained: &Explained) -> String {
    let labels: BTreeSet<Label> = series
        .iter()
        .flat_map(|(_, shown)| shown)
        .flat_map(|slice| slice.layers.iter().map(|(label, _)| *label))
        .collect();
    let labels: Vec<Label> = LABELS.into_iter().filter(|l| labels.contains(l)).collect();
    let slices: usize = series.iter().map(|(_, shown)| shown.len()).sum();
    let title = format!("Study {number}: where the model looked");
    let body = html! {
        (method(explained))
        (choices(&labels))
        @for (at, (told, shown)) in series.iter().enumerate() {
            (section(at + 1, series.len(), told, shown))
        }
    };
    let subtitle = format!(
        "{slices} slices, from the feet upwards; {}",
        explained.network
    );
    frame(&title, &subtitle, &rules(&labels), &body)
}

/// The page that leads to all studies.
pub(crate) fn contents(explained: &Explained) -> String {
    let subtitle = format!(
        "{} slices in {} series, {} heat maps; {}",
        explained.slices,
        explained.series.len(),
        explained.maps,
        explained.network
    );
    let highest = |series: &ExplainedSeries, label: Label| {
        let all = series.slices.iter().filter_map(|slice| slice.probabilities);
        all.map(|p| p[label.index()]).fold(f64::NAN, f64::max)
    };
    let body = html! {
        (method(explained))
        section id="studies" aria-labelledby="studies-h" {
            h2 id="studies-h" { "Series" }
            div class="scroll" tabindex="0" role="group" aria-label="Series with their highest probabilities" {
                table {
                    caption { span { "The highest probability of any of its slices, label by label." } }
                    thead {
                        tr {
                            th scope="col" { "Study" }
                            th scope="col" class="n" { "Slices" }
                            th scope="col" class="n" { "Maps" }
                            @for label in LABELS { th scope="col" class="n" { (label.name()) } }
                        }
                    }
                    tbody {
                        @for series in &explained.series {
                            tr {
                                th scope="row" { a href=(address(&series.page)) { (name(series)) } }
                                td class="n" { (series.slices.len()) }
                                td class="n" { (maps(series)) }
                                @for label in LABELS {
                                    td class="n" { (shown_share(highest(series, label))) }
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    frame("Where the model looked", &subtitle, "", &body)
}

fn shown_share(p: f64) -> String {
    if p.is_finite() {
        format!("{p:.2}")
    } else {
        "unknown".to_owned()
    }
}

fn maps(series: &ExplainedSeries) -> usize {
    series.slices.iter().map(|slice| slice.maps.len()).sum()
}

fn address(path: &Path) -> String {
    let parts: Vec<String> = path
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    parts.join("/")
}

/// The study's folder, which tells nothing of the patient.
fn name(series: &ExplainedSeries) -> String {
    let folder = series.page.parent().unwrap_or(Path::new(""));
    let montage = series.montage.file_name().unwrap_or_default();
    let series = montage.to_string_lossy().replace("-montage.png", "");
    format!("{}, {}", folder.display(), series).replace('-', " ")
}

fn frame(title: &str, subtitle: &str, rules: &str, body: &Markup) -> String {
    let frame = Frame {
        title,
        subtitle,
        main_holds: "slices",
        style: &format!("{OWN_STYLE}{rules}"),
        ..Frame::default()
    };
    frame.around(body).into_string()
}

/// What the maps are, and what they are not.
fn method(explained: &Explained) -> Markup {
    let parsed = explained.method.parse::<Method>();
    let title = parsed.map_or(explained.method, Method::title);
    let at = explained.layer.as_ref();
    let at = at.map_or_else(String::new, |layer| format!(" at the layer {layer}"));
    html! {
        p {
            "Colours show what spoke for a label by " (title) (at) ", on slices where its probability is at least "
            (explained.at_least) ", from dark to pale. They show where the network looked, not where a haemorrhage ends; whether \
            they may be believed is judged by masks (falx explain --judge)."
        }
        @if explained.members > 1 {
            p { "Each map is the mean of those of " (explained.members) " networks." }
        }
        @if explained.has_network_over_series {
            p { "The maps explain the network of slices; the answers also rest on a network over series." }
        }
        @if explained.method == Method::Occlusion.name() {
            p { "Colours show how much the label's logit falls when the place is covered." }
        }
    }
}

/// Which window and which map are shown.
fn choices(labels: &[Label]) -> Markup {
    html! {
        div class="choices" {
            fieldset {
                legend { "Window" }
                @for (at, (name, window)) in WINDOWS.iter().enumerate() {
                    label {
                        input type="radio" name="window" id=(format!("window-{name}")) checked[at == 0];
                        " " (name) " " (window.center()) "/" (window.width())
                    }
                }
            }
            @if !labels.is_empty() {
                fieldset {
                    legend { "Heat map" }
                    @for (at, label) in labels.iter().enumerate() {
                        label {
                            input type="radio" name="map" id=(format!("map-{label}")) checked[at + 1 == labels.len()];
                            " " (label.name())
                        }
                    }
                    label { input type="radio" name="map" id="map-none"; " none" }
                }
            }
        }
    }
}

/// What is hidden when something is chosen.
fn rules(labels: &[Label]) -> String {
    let mut rules = String::new();
    let mut hide = |chosen: String, hidden: String| {
        let _ = writeln!(
            rules,
            "body:has(#{chosen}:checked) .{hidden} {{ display: none; }}"
        );
    };
    for (chosen, _) in WINDOWS {
        for (other, _) in WINDOWS.iter().filter(|(other, _)| *other != chosen) {
            hide(format!("window-{chosen}"), format!("w-{other}"));
        }
    }
    let names: Vec<&str> = labels.iter().map(|label| label.name()).collect();
    for chosen in names.iter().chain(&["none"]) {
        for other in names.iter().filter(|other| *other != chosen) {
            hide(format!("map-{chosen}"), format!("m-{other}"));
        }
    }
    rules
}

fn section(at: usize, count: usize, told: &ExplainedSeries, shown: &[Shown]) -> Markup {
    let title = if count > 1 {
        format!("Series {at}")
    } else {
        "Slices".to_owned()
    };
    let called: Vec<&ExplainedSlice> = told
        .slices
        .iter()
        .filter(|slice| !slice.maps.is_empty())
        .collect();
    let montage = told
        .montage
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    html! {
        section id=(format!("series-{at}")) aria-labelledby=(format!("series-{at}-h")) {
            h2 id=(format!("series-{at}-h")) { (title) }
            @if called.is_empty() {
                p { "No slice is called: none has a map." }
            } @else {
                nav class="called" aria-label=(format!("Slices with a map, {title}")) {
                    p { "Slices with a map:" }
                    ol {
                        @for slice in &called {
                            li { a href=(format!("#s{at}-{}", slice.number)) { (slice.number) } }
                        }
                    }
                }
            }
            div class="stack" tabindex="0" role="group"
                aria-label=(format!("{title}: {} slices from the feet upwards; scroll, or use the arrow and page keys", shown.len())) {
                @for (slice, shown) in told.slices.iter().zip(shown) {
                    (figure(at, told.slices.len(), slice, shown))
                }
            }
            p class="how" { a href=(montage) { "All slices at a glance" } " (a picture)" }
        }
    }
}

fn figure(series: usize, count: usize, slice: &ExplainedSlice, shown: &Shown) -> Markup {
    let number = slice.number;
    html! {
        figure id=(format!("s{series}-{number}")) {
            div class="layers" {
                @for ((name, _), png) in WINDOWS.iter().zip(&shown.windows) {
                    img class=(format!("w-{name}")) src=(png_data_uri(png)) alt=(format!("Slice {number} in the {name} window"));
                }
                @for (label, png) in &shown.layers {
                    img class=(format!("m-{label}")) src=(png_data_uri(png)) alt=(format!("Heat map of {label} on slice {number}"));
                }
                @if let Some([left, right]) = shown.sides {
                    span class="side left" aria-hidden="true" { (left) }
                    span class="side right" aria-hidden="true" { (right) }
                }
            }
            figcaption {
                span { "Slice " (number) " of " (count) }
                @if let Some(p) = slice.probabilities {
                    @for label in LABELS {
                        @let value = p[label.index()];
                        @let has_map = slice.maps.iter().any(|map| map.label == label);
                        span class=[has_map.then_some("has-map")] { (label.name()) " " (format!("{value:.2}")) }
                    }
                }
                @if let Some(mm) = shown.width_mm { span { "picture " (format!("{mm:.0}")) " mm wide" } }
                @if let Some([left, _]) = shown.sides {
                    span { "patient's " (if left == "R" { "right" } else { "left" }) " side on the left" }
                }
            }
        }
    }
}
