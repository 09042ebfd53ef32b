//! Prints what one training step of a network costs: `step_time [repetitions]`.
//!
//! Processor time is read from `/proc/self/stat` (Linux), so that a busy machine disturbs less.

use std::time::Instant;

use falx_core::{LABELS, LabelRow};
use falx_nn::zoo::{NetworkConfig, build};
use falx_nn::{Parameters, Targets, Tensor, flex_engine};

const BATCH: usize = 16;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let repetitions = std::env::args()
        .nth(1)
        .map_or(Ok(15), |word| word.parse())?;
    println!(
        "simple_cnn, batch {BATCH}, {} threads, medians of {repetitions}, ms",
        rayon::current_num_threads()
    );
    println!(
        "{:>5} {:>12} {:>12} {:>12} {:>12}",
        "size", "step", "step (cpu)", "evaluation", "eval. (cpu)"
    );
    for size in [96, 128] {
        let graph = build(&NetworkConfig {
            size,
            ..NetworkConfig::default()
        })?;
        let mut parameters = Parameters::initialise(&graph, 1);
        let mut engine = flex_engine(1);
        let count = BATCH * 3 * size * size;
        let images = (0..count).map(|i| (i as f32 * 0.618_034).fract()).collect();
        let images = Tensor::new(&[BATCH, 3, size, size], images)?;
        let labels =
            (0..BATCH).map(|n| LabelRow(LABELS.map(|label| Some((n + label.index()) % 3 == 0))));
        let targets = Targets::new(labels.collect());
        let (mut steps, mut evaluations) = (Vec::new(), Vec::new());
        for step in 0..repetitions + 2 {
            let begin = Moment::now();
            engine.gradients(&graph, &mut parameters, &images, &targets, step)?;
            steps.push(begin.elapsed());
            let begin = Moment::now();
            engine.logits(&graph, &parameters, &images)?;
            evaluations.push(begin.elapsed());
        }
        let [[step, step_cpu], [evaluation, evaluation_cpu]] =
            [&steps, &evaluations].map(|times| median(&times[2..]));
        println!(
            "{size:>5} {step:>12.1} {step_cpu:>12.1} {evaluation:>12.1} {evaluation_cpu:>12.1}"
        );
    }
    Ok(())
}

struct Moment {
    wall: Instant,
    processor: f64,
}

impl Moment {
    fn now() -> Self {
        Self {
            wall: Instant::now(),
            processor: processor_ms(),
        }
    }

    fn elapsed(&self) -> [f64; 2] {
        [
            self.wall.elapsed().as_secs_f64() * 1e3,
            processor_ms() - self.processor,
        ]
    }
}

/// User time of this process in ticks of 10 ms; 0 where there is no `/proc`.
fn processor_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name
        .split_whitespace()
        .nth(11)
        .and_then(|word| word.parse::<f64>().ok());
    ticks.unwrap_or_default() * 10.0
}

/// The median of the wall times and the mean of the processor times, whose ticks are too coarse for one step.
fn median(times: &[[f64; 2]]) -> [f64; 2] {
    let mut wall: Vec<f64> = times.iter().map(|time| time[0]).collect();
    wall.sort_by(f64::total_cmp);
    let processor = times.iter().map(|time| time[1]).sum::<f64>() / times.len().max(1) as f64;
    [
        wall.get(wall.len() / 2).copied().unwrap_or_default(),
        processor,
    ]
}
