//! Pages of other rooms in the report's style: sections of words, figures, drawings and listings, whose markup and
//! alternatives stay here.

use std::path::Path;

use maud::{Markup, html};

use super::charts::{self, Lines};
use super::svg::slug;
use super::{Frame, ReportError, TrainingCurve, table, write_page};

/// A page of sections.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlainPage {
    /// The page's title.
    pub title: String,
    /// One line below it.
    pub subtitle: String,
    /// After so many seconds the page loads itself again; for work that goes on.
    pub refresh: Option<u32>,
    /// Headings, and what stands below them.
    pub sections: Vec<(String, Vec<Block>)>,
}

/// A part of a section.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A paragraph.
    Words(String),
    /// A paragraph that warns.
    Warning(String),
    /// Some large figures beside each other.
    Figures(Vec<Figure>),
    /// Drawings beside each other.
    Charts(Vec<LineChart>),
    /// Names with their values, below a caption.
    Facts(String, Vec<(String, String)>),
    /// Lines of a file, by its name.
    Listing(String, String),
}

/// A large figure with its name and a remark.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// What it is.
    pub name: String,
    /// The figure.
    pub value: String,
    /// What else is to be said; empty for nothing.
    pub remark: String,
}

/// Lines over one axis, each called what it is.
#[derive(Clone, Debug, PartialEq)]
pub struct LineChart {
    /// The lines, with their no-skill values.
    pub curves: Vec<TrainingCurve>,
    /// What the lower axis counts, as `step`.
    pub along: String,
    /// What the left axis measures, as `loss`.
    pub measured: String,
    /// Whether equal steps along the lower axis multiply; values that are not above 0 are left out then.
    pub multiplies: bool,
    /// Places on the lower axis that stand out, by name.
    pub marks: Vec<(f64, String)>,
}

/// The page as HTML.
pub fn plain_to_html(plain: &PlainPage) -> String {
    super::together(&page(plain).into_string())
}

/// Writes the page as one HTML file; who reads it meanwhile sees the old one or the new one.
///
/// # Errors
/// [`ReportError`] when the file cannot be written.
pub fn write_plain(plain: &PlainPage, path: &Path) -> Result<(), ReportError> {
    write_page(&plain_to_html(plain), path)
}

fn page(plain: &PlainPage) -> Markup {
    let frame = Frame {
        title: &plain.title,
        subtitle: &plain.subtitle,
        main_holds: "result",
        refresh: plain.refresh,
        ..Frame::default()
    };
    frame.around(&html! {
        @for (title, blocks) in &plain.sections {
            @let id = slug(title);
            section id=(id) aria-labelledby=(format!("{id}-h")) {
                h2 id=(format!("{id}-h")) { (title) }
                @for block in blocks { (markup(block)) }
            }
        }
    })
}

fn markup(block: &Block) -> Markup {
    match block {
        Block::Words(words) => html! { p { (words) } },
        Block::Warning(words) => html! { div class="mind" { p { (words) } } },
        Block::Figures(figures) => html! {
            dl class="figures" {
                @for figure in figures {
                    div {
                        dt { (figure.name) }
                        dd class="big" { (figure.value) }
                        @if !figure.remark.is_empty() { dd { (figure.remark) } }
                    }
                }
            }
        },
        Block::Charts(drawn) => html! {
            div class="charts" { @for chart in drawn { (drawing(chart)) } }
        },
        Block::Facts(caption, facts) => {
            let rows: Vec<Vec<Markup>> = facts
                .iter()
                .map(|(name, value)| vec![table::cell(name), table::cell(value)])
                .collect();
            let columns = [table::words("What"), table::words("Value")];
            html! { div class="facts" { (table::table(caption, &table::cell(caption), &columns, &rows)) } }
        }
        Block::Listing(name, lines) => html! {
            details {
                summary { (name) }
                pre tabindex="0" aria-label=(name) { code { (lines) } }
            }
        },
    }
}

fn drawing(chart: &LineChart) -> Markup {
    let curves: Vec<&TrainingCurve> = chart.curves.iter().collect();
    charts::lines(&Lines {
        title: "Training curves",
        label: &format!("{} by {}", chart.measured, chart.along),
        curves: &curves,
        along: &chart.along,
        measured: &chart.measured,
        multiplies: chart.multiplies,
        marks: &chart.marks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: Vec<(f64, f64)>, multiplies: bool) -> String {
        let page = PlainPage {
            title: "A <page>".to_owned(),
            refresh: Some(30),
            sections: vec![(
                "Curves & more".to_owned(),
                vec![
                    Block::Charts(vec![LineChart {
                        curves: vec![TrainingCurve {
                            name: "loss".to_owned(),
                            points,
                            baseline: Some(0.5),
                        }],
                        along: "learning rate".to_owned(),
                        measured: "loss".to_owned(),
                        multiplies,
                        marks: vec![(1e-3, "here".to_owned())],
                    }]),
                    Block::Facts(
                        "Facts.".to_owned(),
                        vec![("a".to_owned(), "b <c>".to_owned())],
                    ),
                    Block::Warning("Mind.".to_owned()),
                ],
            )],
            ..PlainPage::default()
        };
        plain_to_html(&page)
    }

    #[test]
    fn a_multiplying_axis_has_powers_of_ten_at_equal_distances_and_leaves_out_what_is_not_above_0()
    {
        let points = vec![(0.0, 9.0), (1e-5, 1.0), (1e-3, 0.4), (1e-1, 0.8)];
        let html = chart(points, true);
        for (tick, x) in [
            ("1e−5", "70.0"),
            ("1e−4", "178.5"),
            ("0.001", "287.0"),
            ("0.1", "504.0"),
        ] {
            let drawn = format!("x=\"{x}\" y=\"276.0\">{tick}<");
            assert!(html.contains(&drawn), "{drawn} is not in {html}");
        }
        assert!(html.contains("M287.0 26.0L287.0 260.0"), "{html}");
        assert!(html.contains("here (0.001)") && html.contains("here: at 0.001"));
        assert!(!html.contains(">9<"), "a rate of 0 was drawn");
    }

    #[test]
    fn whole_steps_have_whole_ticks_and_words_are_escaped() {
        let html = chart(vec![(1.0, 0.4), (2.0, 0.3)], false);
        assert!(!html.contains(">1.2<"), "{html}");
        assert!(html.contains(">2<"));
        assert!(html.contains("A &lt;page&gt;") && html.contains("b &lt;c&gt;"));
        assert!(html.contains("id=\"curves-more\""));
        assert!(html.contains("content=\"30\""));
        assert!(html.contains("As a table: loss by learning rate"));
        // Nothing to draw is no error.
        assert!(chart(Vec::new(), true).contains("no skill"));
    }
}
