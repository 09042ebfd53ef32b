//! A whole small training beside PyTorch's (`golden/make_fifty_steps.py`): same weights, same batches, same numbers.

use falx_core::LabelRow;

use super::super::*;
use crate::optim::{AdamW, Decay, Optimizer, OptimizerConfig};
use crate::reference::{Stream, distance, floats, formula_parameters};
use crate::schedule::Schedule;
use crate::zoo::{NetworkConfig, build};
use crate::*;

const STEPS: u64 = 50;
const BATCH: usize = 8;
const SIZE: usize = 32;

/// Noise, brighter in a band of rows for each label.
fn batch(step: u64) -> (Tensor, Targets) {
    let mut stream = Stream::new(&format!("labels.{step}"));
    let labels: Vec<[bool; 6]> = (0..BATCH)
        .map(|_| {
            let mut row = [(); 6].map(|()| stream.unit() < 0.3);
            row[5] = row[..5].contains(&true);
            row
        })
        .collect();
    let mut stream = Stream::new(&format!("images.{step}"));
    let mut images = Tensor::filled(&[BATCH, 3, SIZE, SIZE], 0.0);
    for (at, value) in images.data.iter_mut().enumerate() {
        let (row, channel) = (at / SIZE % SIZE, at / (SIZE * SIZE) % 3);
        let image = at / (3 * SIZE * SIZE);
        let is_bright = channel == 0 && row / 6 < 5 && labels[image][row / 6];
        *value = (stream.unit() - 0.5 + f64::from(u8::from(is_bright))) as f32;
    }
    let rows = labels.into_iter().map(|row| LabelRow(row.map(Some)));
    (images, Targets::new(rows.collect()))
}

#[test]
fn fifty_steps_are_pytorch_s() {
    let golden: serde_json::Value =
        serde_json::from_str(include_str!("../../../../golden/fifty_steps.json")).unwrap();
    let graph = build(&NetworkConfig {
        size: SIZE,
        width: 8,
        dropout: 0.0,
        ..NetworkConfig::default()
    })
    .unwrap();
    let parameters = formula_parameters(&graph);
    let config = OptimizerConfig::AdamW(AdamW {
        weight_decay: 0.01,
        decay: Decay::All,
        ..AdamW::default()
    });
    let optimizer = Optimizer::new(&config, &parameters);
    let state = TrainingState {
        parameters,
        optimizer,
        average: None,
    };
    let mut session = flex_engine(0).session(&graph, state).unwrap();
    let schedule = Schedule::WarmupCosine {
        warmup: 5,
        minimum: 0.0,
        start_factor: None,
    };
    let training = Training::default();
    let (mut losses, mut norms) = (Vec::new(), Vec::new());
    for step in 0..STEPS {
        let (images, targets) = batch(step);
        let settings = StepSettings {
            rng_step: step,
            training: &training,
            motion: Motion {
                rate: schedule.rate(3e-3, step, STEPS) as f32,
                momentum: None,
                clip_norm: Some(0.5),
            },
        };
        let report = session.step((&images).into(), &targets, &settings).unwrap();
        losses.push(report.loss as f32);
        norms.push(report.gradient_norm.unwrap() as f32);
    }
    let (images, _) = batch(STEPS);
    let logits = session.logits((&images).into(), Weights::Current).unwrap();
    for (what, ours) in [
        ("losses", &losses),
        ("gradient_norms", &norms),
        ("logits", &logits.data),
    ] {
        let off = distance(ours, &floats(&golden[what]));
        let of_pytorch = golden["float32_error"][what].as_f64().unwrap();
        println!("{what}: {off:.1e} from double precision, PyTorch's single {of_pytorch:.1e}");
        assert!(off < 4.0 * of_pytorch, "{what}: {off:e}");
    }
    assert!(
        losses[49] < 0.5 * losses[0],
        "nothing was learnt: {losses:?}"
    );
}
