//! Recurrent layers as ONNX has them: time first, gates in another order.

use super::Cell;
use crate::onnx::message::{Node, TensorData};
use crate::onnx::{Attribute, Place};

/// A `GRU` or `LSTM` node for each layer between transpositions.
pub fn nodes(place: &Place, cell: Cell, hidden: usize, bidirectional: bool) -> Vec<Node> {
    let directions = 1 + usize::from(bidirectional);
    // ONNX's gates are z, r, h and i, o, f, c; PyTorch's r, z, n and i, f, g, o.
    let order: &[usize] = match cell {
        Cell::Gru => &[1, 0, 2],
        Cell::Lstm => &[0, 3, 1, 2],
    };
    let rows = order
        .iter()
        .flat_map(|gate| gate * hidden..(gate + 1) * hidden);
    let rows: Vec<i64> = rows.map(|row| row as i64).collect();
    let steps = place.shape.first().map_or(0, |&steps| steps as i64);
    let lengths = [steps, -1, (directions * hidden) as i64];
    let Some(input) = place.inputs.first() else {
        return Vec::new();
    };
    let mut nodes = vec![
        place.constant("rows", TensorData::integers(&rows)),
        place.constant("first", TensorData::integers(&[0])),
        place.constant("joined_shape", TensorData::integers(&lengths)),
        place.part(
            "time_first",
            "Transpose",
            &[input],
            vec![Attribute::ints("perm", &[1, 0, 2])],
        ),
    ];
    let mut x = place.of("time_first");
    for (layer, parameters) in place.parameters.chunks(4 * directions).enumerate() {
        let [w, r, b] = ["w", "r", "b"].map(|part| {
            let name = format!("{part}{layer}");
            let gathered: Vec<String> = parameters
                .chunks(4)
                .zip(0..)
                .map(|(direction, at)| {
                    let picked = format!("{name}.{at}");
                    let (rows, first) = (place.of("rows"), place.of("first"));
                    let axis = || vec![Attribute::int("axis", 0)];
                    let pick = |nodes: &mut Vec<Node>, name: &str, parameter: &str| {
                        nodes.push(place.part(name, "Gather", &[parameter, &rows], axis()));
                        place.of(name)
                    };
                    let whole = match part {
                        "w" => pick(&mut nodes, &format!("{picked}.rows"), &direction[0]),
                        "r" => pick(&mut nodes, &format!("{picked}.rows"), &direction[1]),
                        _ => {
                            let own = pick(&mut nodes, &format!("{picked}.own"), &direction[2]);
                            let past = pick(&mut nodes, &format!("{picked}.past"), &direction[3]);
                            let both = format!("{picked}.both");
                            nodes.push(place.part(&both, "Concat", &[&own, &past], axis()));
                            place.of(&both)
                        }
                    };
                    nodes.push(place.part(&picked, "Unsqueeze", &[&whole, &first], Vec::new()));
                    place.of(&picked)
                })
                .collect();
            let gathered: Vec<&str> = gathered.iter().map(String::as_str).collect();
            nodes.push(place.part(&name, "Concat", &gathered, vec![Attribute::int("axis", 0)]));
            place.of(&name)
        });
        let direction = if bidirectional {
            "bidirectional"
        } else {
            "forward"
        };
        let mut attributes = vec![
            Attribute::int("hidden_size", hidden),
            Attribute::text("direction", direction),
        ];
        let operator = match cell {
            Cell::Gru => {
                attributes.push(Attribute::int("linear_before_reset", 1));
                "GRU"
            }
            Cell::Lstm => "LSTM",
        };
        let part = |part: &str| format!("{part}{layer}");
        nodes.push(place.part(&part("states"), operator, &[&x, &w, &r, &b], attributes));
        let perm = vec![Attribute::ints("perm", &[0, 2, 1, 3])];
        nodes.push(place.part(
            &part("side"),
            "Transpose",
            &[&place.of(&part("states"))],
            perm,
        ));
        let inputs = [place.of(&part("side")), place.of("joined_shape")];
        nodes.push(place.part(
            &part("joined"),
            "Reshape",
            &inputs.each_ref().map(String::as_str),
            Vec::new(),
        ));
        x = place.of(&part("joined"));
    }
    nodes.push(place.last(
        "Transpose",
        &[&x],
        vec![Attribute::ints("perm", &[1, 0, 2])],
    ));
    nodes
}
