use safetensors::SafeTensors;

use super::*;
use crate::reference::{distance, json};

fn floats(file: &SafeTensors<'_>, name: &str) -> Vec<f32> {
    let view = file.tensor(name).unwrap();
    let words = view.data().as_chunks().0.iter();
    words.map(|&word| f32::from_le_bytes(word)).collect()
}

fn whole_numbers(file: &SafeTensors<'_>, name: &str) -> Option<Vec<usize>> {
    let view = file.tensor(name).ok()?;
    let words = view.data().as_chunks().0.iter();
    Some(
        words
            .map(|&word| i64::from_le_bytes(word) as usize)
            .collect(),
    )
}

/// One case: the outputs and gradients of stacked passes against PyTorch's.
fn case(file: &SafeTensors<'_>, case: &serde_json::Value) -> f64 {
    let (batch, steps, hidden, mut features) = (3, 7, 4, 5);
    let name = case["name"].as_str().unwrap();
    let of = |tensor: &str| floats(file, &format!("{name}/{tensor}"));
    let cell = if case["op"] == "GRU" {
        Cell::Gru
    } else {
        Cell::Lstm
    };
    let layers = case["attributes"]["num_layers"].as_u64().unwrap() as usize;
    let mut worst = 0.0_f64;
    let mut agree = |tensor: &str, ours: &[f32]| {
        let theirs: Vec<f64> = of(tensor).into_iter().map(f64::from).collect();
        let scale = theirs.iter().map(|x| x.abs()).fold(1.0, f64::max);
        worst = worst.max(distance(ours, &theirs) / scale);
    };
    let lengths = whole_numbers(file, &format!("{name}/sequence_lens"));
    let (mut x, mut done) = (of("X"), Vec::new());
    for layer in passes(layers, true) {
        let mut parts = Vec::new();
        for (ending, reverse) in layer {
            let recurrence = Recurrence {
                cell,
                steps,
                features,
                hidden,
                reverse,
                lengths: lengths.clone(),
            };
            let weights = PARTS.map(|part| of(&format!("{part}_{ending}")));
            let (output, kept) = recurrence.forward(&x, weights.each_ref().map(Vec::as_slice));
            parts.push((recurrence, ending, weights, output, kept));
        }
        let rows = parts[0].3.chunks(hidden).zip(parts[1].3.chunks(hidden));
        let joined = rows.flat_map(|(a, b)| [a, b].concat()).collect();
        done.push((std::mem::replace(&mut x, joined), parts));
        features = 2 * hidden;
    }
    agree("Y", &x);
    let mut slopes = of("upstream.Y");
    let states = |tensor: &str| match file.tensor(&format!("{name}/{tensor}")) {
        Ok(_) => of(tensor),
        Err(_) => Vec::new(),
    };
    let (last_h, last_c) = (states("upstream.Y_h"), states("upstream.Y_c"));
    let mut place = 2 * layers;
    for (input, parts) in done.into_iter().rev() {
        place -= 2;
        let mut before = vec![0.0; input.len()];
        for (direction, (recurrence, ending, weights, output, kept)) in
            parts.into_iter().enumerate()
        {
            let own: Vec<f32> = slopes
                .chunks(2 * hidden)
                .flat_map(|row| row[direction * hidden..][..hidden].to_vec())
                .collect();
            let state = |all: &[f32]| {
                let start = (place + direction) * batch * hidden;
                all.get(start..start + batch * hidden)
                    .unwrap_or_default()
                    .to_vec()
            };
            let last = States {
                hidden: state(&last_h),
                cell: state(&last_c),
            };
            let weights = weights.each_ref().map(Vec::as_slice);
            let [x, gradients @ ..] =
                recurrence.backward([&input, &output, &kept], weights, &own, &last);
            before.iter_mut().zip(x).for_each(|(sum, x)| *sum += x);
            for (part, gradient) in PARTS.into_iter().zip(gradients) {
                agree(&format!("grad.{part}_{ending}"), &gradient);
            }
        }
        slopes = before;
    }
    agree("grad.X", &slopes);
    worst
}

#[test]
fn recurrent_layers_are_the_references() {
    let Some(list) = falx_fixtures::shared("reference/ops/ops.json") else {
        return;
    };
    let Some(path) = falx_fixtures::shared("reference/ops/ops.safetensors") else {
        return;
    };
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let list = json(&list);
    let cases = list["cases"].as_array().unwrap().iter();
    let cases: Vec<_> = cases
        .filter(|case| case["op"] == "GRU" || case["op"] == "LSTM")
        .collect();
    assert_eq!(cases.len(), 8);
    for one in cases {
        let worst = case(&file, one);
        println!("{:24} {worst:.1e}", one["name"].as_str().unwrap());
        assert!(worst < 2e-6, "{}: {worst}", one["name"]);
    }
}
