//! A drawing of a network: one box an operator, top to bottom, branches side by side.

use std::fmt::Write as _;

use falx_nn::{Graph, cost};

use crate::list::{giga, lengths};

const BOX_WIDTH: usize = 210;
const BOX_HEIGHT: usize = 34;
const GAP_X: usize = 24;
const GAP_Y: usize = 22;
const MARGIN: usize = 20;

/// The drawing as SVG.
pub fn svg(graph: &Graph) -> String {
    let places = places(graph);
    let columns = places
        .iter()
        .map(|place| place.column + 1)
        .max()
        .unwrap_or(1);
    let rows = places.iter().map(|place| place.row + 1).max().unwrap_or(1);
    let width = 2 * MARGIN + columns * BOX_WIDTH + (columns - 1) * GAP_X;
    let height = 2 * MARGIN + rows * (BOX_HEIGHT + GAP_Y);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"11\" role=\"img\">\n<title>{}</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        escaped(graph.name())
    );
    draw_lines(graph, &places, &mut text);
    let input = format!("input  {}", lengths(graph.input()));
    draw_box(
        &mut text,
        places.first().copied().unwrap_or_default(),
        "#e8e8e8",
        &input,
        "",
    );
    for ((node, place), cost) in graph
        .nodes()
        .iter()
        .zip(places.iter().skip(1))
        .zip(cost::of_nodes(graph))
    {
        let operator = node.operator.name();
        let adds = if cost.multiply_adds > 0 {
            format!("  {}", giga(cost.multiply_adds))
        } else {
            String::new()
        };
        let title = format!("{operator}  {}{adds}", lengths(&node.shape));
        draw_box(&mut text, *place, colour(operator), &title, &node.name);
    }
    text.push_str("</svg>\n");
    text
}

/// Where a box stands: rows from the top, columns from the left.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    row: usize,
    column: usize,
}

impl Place {
    const fn left(self) -> usize {
        MARGIN + self.column * (BOX_WIDTH + GAP_X)
    }

    const fn top(self) -> usize {
        MARGIN + self.row * (BOX_HEIGHT + GAP_Y)
    }
}

/// Each value's row is one below its lowest input; its column the first that is free there, its input's if it can.
fn places(graph: &Graph) -> Vec<Place> {
    let mut places = vec![Place::default()];
    let mut taken = vec![vec![true]];
    for node in graph.nodes() {
        let inputs = node
            .inputs
            .iter()
            .map(|value| value.node().map_or(0, |node| node + 1));
        let above: Vec<Place> = inputs
            .filter_map(|index| places.get(index).copied())
            .collect();
        let row = above.iter().map(|place| place.row + 1).max().unwrap_or(1);
        let wish = above.iter().map(|place| place.column).min().unwrap_or(0);
        if taken.len() <= row {
            taken.resize(row + 1, Vec::new());
        }
        let columns = &mut taken[row];
        let is_taken = |column: &usize| columns.get(*column).copied().unwrap_or(false);
        let column = wish + (wish..columns.len()).take_while(is_taken).count();
        if columns.len() <= column {
            columns.resize(column + 1, false);
        }
        columns[column] = true;
        places.push(Place { row, column });
    }
    places
}

fn draw_lines(graph: &Graph, places: &[Place], text: &mut String) {
    for (node, to) in graph.nodes().iter().zip(places.iter().skip(1)) {
        for value in &node.inputs {
            let from = places.get(value.node().map_or(0, |node| node + 1));
            let Some(from) = from else { continue };
            let (x0, y0) = (from.left() + BOX_WIDTH / 2, from.top() + BOX_HEIGHT);
            let (x1, y1) = (to.left() + BOX_WIDTH / 2, to.top());
            // A line that jumps over boxes of its column goes round them on the right.
            let jumps = to.row > from.row + 1 && from.column == to.column;
            let path = if jumps {
                let side = from.left() + BOX_WIDTH + GAP_X / 2;
                let (y0, y1) = (y0 - BOX_HEIGHT / 2, y1 + BOX_HEIGHT / 2);
                let (x0, x1) = (from.left() + BOX_WIDTH, to.left() + BOX_WIDTH);
                format!("M{x0} {y0}H{side}V{y1}H{x1}")
            } else {
                let turn = y1 - GAP_Y / 2;
                format!("M{x0} {y0}V{turn}H{x1}V{y1}")
            };
            let _ = writeln!(
                text,
                "<path d=\"{path}\" fill=\"none\" stroke=\"#777\" stroke-width=\"1.3\" stroke-linejoin=\"round\"/>"
            );
        }
    }
}

fn draw_box(text: &mut String, place: Place, fill: &str, title: &str, name: &str) {
    let (x, y) = (place.left(), place.top());
    let middle = x + BOX_WIDTH / 2;
    let first = if name.is_empty() { y + 21 } else { y + 14 };
    let _ = writeln!(
        text,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{BOX_WIDTH}\" height=\"{BOX_HEIGHT}\" rx=\"5\" fill=\"{fill}\" stroke=\"#555\"/>\
         <text x=\"{middle}\" y=\"{first}\" text-anchor=\"middle\" fill=\"#111\">{}</text>",
        escaped(title)
    );
    if !name.is_empty() {
        let _ = writeln!(
            text,
            "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" fill=\"#444\" font-size=\"10\">{}</text>",
            y + 28,
            escaped(&shortened(name))
        );
    }
}

/// The end of a long name says more than its beginning.
fn shortened(name: &str) -> String {
    const MOST: usize = 34;
    let length = name.chars().count();
    if length <= MOST {
        return name.to_owned();
    }
    let end: String = name.chars().skip(length + 1 - MOST).collect();
    format!("…{end}")
}

fn colour(operator: &str) -> &'static str {
    match operator {
        "Conv" | "ConvTranspose" => "#cfe2f7",
        "Gemm" | "MatMul" | "GRU" | "LSTM" => "#f7d9cf",
        "BatchNormalization" | "LayerNormalization" => "#e6dcf2",
        "MaxPool" | "AveragePool" | "GlobalAveragePool" | "GlobalMaxPool" | "Resize" => "#d5efd9",
        "Add" | "Mul" | "Concat" | "Sub" | "Div" => "#fbe9b7",
        _ => "#f4f4f4",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
