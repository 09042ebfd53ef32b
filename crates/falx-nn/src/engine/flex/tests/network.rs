//! Whole networks against the reference's records, all parts of each, with a table of the largest errors.

use serde_json::Value;

use super::super::*;
use crate::Gradients;
use crate::optim::{AdamW, Optimizer, OptimizerConfig, Sgd};
use crate::reference::{
    distance, floats, formula, formula_parameters, json, shape, summary_distance, targets,
};
use crate::zoo::{self, NetworkConfig, SequenceConfig};

struct Case {
    name: &'static str,
    record: Value,
    graph: Graph,
    parameters: Parameters,
    input: Tensor,
    lengths: Option<Vec<usize>>,
    targets: Option<Targets>,
    /// The largest error of each part as a multiple of what PyTorch loses in 32 bits.
    rows: Vec<(String, f64, f64)>,
}

/// How far `other` is from `ours`, as a share of its length.
fn relative(ours: &Tensor, other: &Tensor) -> f64 {
    let pairs = ours.data.iter().zip(&other.data);
    let squares = pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
    let length = ours.data.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
    (squares / length.max(f64::MIN_POSITIVE)).sqrt()
}

/// What one turned rectifier can add to a gradient, as a share of its length.
const FLIP: f64 = 1e-3;
/// What an error may be at least: a few roundings of 32 bits.
const FLOOR: f64 = 3e-7;

fn case(name: &'static str) -> Option<Case> {
    let record = json(&falx_fixtures::shared(&format!(
        "reference/nets/{name}.json"
    ))?);
    let input = &record["input"];
    let sizes = shape(&input["shape"]);
    let graph = if sizes.len() == 3 {
        zoo::build_sequence(&SequenceConfig {
            slices: sizes[1],
            features: sizes[2],
            hidden: 32,
            ..SequenceConfig::default()
        })
        .unwrap()
    } else {
        let (network, size) = name.rsplit_once('_').unwrap();
        zoo::build(&NetworkConfig {
            name: network.to_owned(),
            size: size.parse().unwrap(),
            stochastic_depth: Some(0.0),
            ..NetworkConfig::default()
        })
        .unwrap()
    };
    let lengths = record.get("lengths").map(shape);
    let labels = record.get("labels").map(|labels| match sizes.len() {
        3 => sequence_targets(labels, lengths.as_deref()),
        _ => targets(labels),
    });
    Some(Case {
        name,
        parameters: formula_parameters(&graph),
        input: formula(input["name"].as_str().unwrap(), &sizes),
        lengths,
        targets: labels,
        graph,
        record,
        rows: Vec::new(),
    })
}

/// A row for each slice, unknown past the end of its series.
fn sequence_targets(labels: &Value, lengths: Option<&[usize]>) -> Targets {
    let mut all = Vec::new();
    for (series, at) in labels.as_array().unwrap().iter().zip(0..) {
        let mut rows = targets(series).labels;
        if let Some(&length) = lengths.and_then(|lengths| lengths.get(at)) {
            for row in rows.iter_mut().skip(length) {
                row.0 = [None; 6];
            }
        }
        all.extend(rows);
    }
    Targets {
        labels: all,
        weights: Vec::new(),
    }
}

impl Case {
    fn run(&self) -> Input<'_> {
        Input {
            values: &self.input,
            lengths: self.lengths.as_deref(),
        }
    }

    /// Notes an error beside the one that is allowed.
    fn note(&mut self, part: &str, error: f64, allowed: f64) {
        self.rows.push((part.to_owned(), error, allowed));
    }

    /// What PyTorch itself loses.
    fn guide(&self, part: &str) -> f64 {
        let errors = &self.record["float32_error"];
        let value = errors[part].as_f64();
        value.unwrap_or_else(|| panic!("{} has no {part}", self.name))
    }

    fn logits(&mut self, part: &str, ours: &Tensor) {
        let (section, key) = part.split_once('.').unwrap();
        let distance = distance(&ours.data, &floats(&self.record[section][key]));
        let allowed = 5.0 * self.guide(part) + FLOOR;
        self.note(part, distance, allowed);
    }

    fn eval(&self, parameters: &Parameters) -> Tensor {
        flex_engine(0)
            .sequence_logits(&self.graph, parameters, self.run())
            .unwrap()
    }

    fn gradients(&mut self, section: &str, ours: &Gradients) {
        let theirs = self.record[section]["gradients"]
            .as_object()
            .unwrap()
            .clone();
        assert_eq!(ours.iter().count(), theirs.len(), "{}", self.name);
        let whole = self.guide(&format!("{section}.gradients (relative)"));
        let norms = theirs
            .values()
            .map(|summary| summary["norm"].as_f64().unwrap().powi(2));
        let total = norms.sum::<f64>().sqrt();
        // The worst by how much of what is allowed it takes.
        let worst = |moved: &dyn Fn(&str) -> f64| {
            let mut worst = (0.0, 1.0);
            for (name, summary) in &theirs {
                let own = summary["float32_error"].as_f64().unwrap();
                let ours = ours
                    .get(name)
                    .unwrap_or_else(|| panic!("{} has no {name}", self.name));
                let norm = summary["norm"].as_f64().unwrap();
                let loss = own.max(whole).max(moved(name));
                let (mut distance, mut allowed) =
                    (summary_distance(ours, summary), 5.0 * loss + 1e-5);
                // What is 0 but for rounding is compared with the length of all gradients.
                if own > 0.1 && whole < 0.01 {
                    (distance, allowed) = (distance * norm / total, 5.0 * whole + 1e-5);
                }
                if distance / allowed >= worst.0 / worst.1 {
                    worst = (distance, allowed);
                }
            }
            worst
        };
        let mut found = worst(&|_| 0.0);
        if found.0 > found.1 {
            // Where a rectifier stands on its edge, any other order of sums turns it, which adds up to 1e-3 (the reference's README).
            // Whether one does, our own gradients say when the input moves by a rounding.
            let others = self.nudged();
            let others: Vec<Gradients> = others.iter().map(|x| self.once(section, x)).collect();
            let moved = |name: &str| {
                let pairs = others
                    .iter()
                    .filter_map(|other| ours.get(name).zip(other.get(name)));
                pairs
                    .map(|(ours, other)| relative(ours, other))
                    .fold(0.0, f64::max)
            };
            let furthest = theirs.keys().map(|name| moved(name)).fold(0.0, f64::max);
            let turns = furthest > 5.0 * whole + 1e-5;
            found = worst(&|name| moved(name).max(if turns { FLIP / 5.0 } else { 0.0 }));
        }
        let worst = found;
        self.note(&format!("{section}.gradients"), worst.0, worst.1);
    }

    /// The input, moved by one rounding here and there.
    fn nudged(&self) -> Vec<Tensor> {
        let nudge = |step: usize| {
            let values = self.input.data.iter().enumerate();
            let moved = values.map(|(at, x)| match at % step {
                0 => x * (1.0 + f32::EPSILON),
                1 => x * (1.0 - f32::EPSILON),
                _ => *x,
            });
            Tensor {
                shape: self.input.shape.clone(),
                data: moved.collect(),
            }
        };
        [2, 3, 5, 7].map(nudge).into()
    }

    /// The gradients of one step of a section on another input.
    fn once(&self, section: &str, input: &Tensor) -> Gradients {
        let targets = self.targets.clone().unwrap();
        if section == "frozen" {
            let input = input.into();
            let output = step_in(
                Mode::Evaluation,
                &self.graph,
                &self.parameters,
                input,
                &targets,
            );
            return output.unwrap().0.gradients;
        }
        let mut parameters = self.parameters.clone();
        let output = flex_engine(0).gradients(&self.graph, &mut parameters, input, &targets, 0);
        output.unwrap().gradients
    }

    fn loss(&mut self, part: &str, ours: f64, theirs: &Value, allowed: f64) {
        let error = (ours - theirs.as_f64().unwrap()).abs();
        self.note(part, error, allowed);
    }

    fn evaluated(&mut self) {
        let logits = self.eval(&self.parameters);
        self.logits("eval.logits", &logits);
    }

    /// Running statistics equal to the batch's.
    fn calibrated(&mut self) {
        if self.record.get("eval_calibrated").is_none() {
            return;
        }
        let images = (on_tape(&self.input), self.input.shape[0]);
        let mode = Mode::Training { seed: 0, step: 0 };
        let run = interpret::run(&self.graph, &self.parameters, images, mode, false);
        let statistics = run.unwrap().statistics;
        let mut parameters = self.parameters.clone();
        let whole = |(node, statistics, _)| (node, statistics, 1.0);
        follow(
            &statistics.into_iter().map(whole).collect(),
            &mut parameters,
        );
        let logits = self.eval(&parameters);
        self.logits("eval_calibrated.logits", &logits);
    }

    fn frozen(&mut self) {
        let Some(targets) = self
            .targets
            .clone()
            .filter(|_| self.record.get("frozen").is_some())
        else {
            return;
        };
        let (output, statistics) = step_in(
            Mode::Evaluation,
            &self.graph,
            &self.parameters,
            self.run(),
            &targets,
        )
        .unwrap();
        assert!(statistics.is_empty());
        let theirs = self.record["frozen"]["loss"].clone();
        self.loss("frozen.loss", output.loss, &theirs, 5e-7);
        self.gradients("frozen", &output.gradients);
    }

    /// Three steps of an optimiser; the first is the record's training step.
    fn steps(&mut self, config: &OptimizerConfig, lr: f32, section: &str, first: bool) {
        let Some(targets) = self.targets.clone() else {
            return;
        };
        let mut parameters = self.parameters.clone();
        let mut engine = flex_engine(0);
        let mut optimizer = Optimizer::new(config, &parameters);
        let slack = self.guide(&format!("{section}.train_logits")).max(FLOOR);
        for (step, theirs) in floats(&self.record[section]["losses"])
            .into_iter()
            .enumerate()
        {
            let output = engine
                .sequence_gradients(
                    &self.graph,
                    &mut parameters,
                    self.run(),
                    &targets,
                    step as u64,
                )
                .unwrap();
            if first && step == 0 {
                let train = self.record["train"].clone();
                self.loss(
                    "train.loss",
                    output.loss,
                    &train["loss"],
                    5.0 * self.guide("train.logits") + FLOOR,
                );
                self.logits("train.logits", &output.logits);
                self.gradients("train", &output.gradients);
                self.statistics(&parameters, &train["running_stats"]);
            }
            let part = format!("{section}.losses");
            self.loss(&part, output.loss, &theirs.into(), 5.0 * slack + FLOOR);
            optimizer.step(&mut parameters, &output.gradients, lr);
        }
        let logits = self.eval(&parameters);
        let output = engine
            .sequence_gradients(&self.graph, &mut parameters, self.run(), &targets, 3)
            .unwrap();
        let ends = [("eval_logits", logits), ("train_logits", output.logits)];
        let mut moved = [0.0; 2];
        let misses = |(key, ours): &(&str, Tensor)| {
            let part = format!("{section}.{key}");
            let error = distance(&ours.data, &floats(&self.record[section][*key]));
            error > 5.0 * self.guide(&part) + FLOOR
        };
        if self.lengths.is_none() && ends.iter().any(misses) {
            for input in self.nudged() {
                let others = self.three(config, lr, &input, &targets);
                for ((moved, (_, ours)), other) in moved.iter_mut().zip(&ends).zip(&others) {
                    let other: Vec<f64> = other.data.iter().map(|&x| f64::from(x)).collect();
                    *moved = distance(&ours.data, &other).max(*moved);
                }
            }
        }
        for ((key, ours), moved) in ends.iter().zip(moved) {
            let part = format!("{section}.{key}");
            let error = distance(&ours.data, &floats(&self.record[section][*key]));
            let allowed = 5.0 * self.guide(&part).max(moved) + FLOOR;
            self.note(&part, error, allowed);
        }
    }

    /// The logits, in evaluation and in training, after three steps on another input.
    fn three(
        &self,
        config: &OptimizerConfig,
        lr: f32,
        input: &Tensor,
        targets: &Targets,
    ) -> [Tensor; 2] {
        let (mut parameters, mut engine) = (self.parameters.clone(), flex_engine(0));
        let mut optimizer = Optimizer::new(config, &parameters);
        for step in 0..3 {
            let output = engine.gradients(&self.graph, &mut parameters, input, targets, step);
            optimizer.step(&mut parameters, &output.unwrap().gradients, lr);
        }
        let logits = engine.logits(&self.graph, &parameters, input).unwrap();
        let output = engine.gradients(&self.graph, &mut parameters, input, targets, 3);
        [logits, output.unwrap().logits]
    }

    fn statistics(&mut self, ours: &Parameters, theirs: &Value) {
        let distances = theirs.as_object().unwrap().iter();
        let distances =
            distances.map(|(name, summary)| summary_distance(ours.get(name).unwrap(), summary));
        let worst = distances.fold(0.0, f64::max);
        self.note("train.running_stats", worst, 5e-6);
    }

    /// Prints the table and fails where an error is larger than allowed.
    fn judge(&self) {
        for (part, error, allowed) in &self.rows {
            let mark = if error <= allowed {
                ""
            } else {
                "  <-- too far"
            };
            println!(
                "{:24} {part:34} {error:.1e} of {allowed:.1e}{mark}",
                self.name
            );
        }
        // No number is a mistake too.
        let bad = |(_, error, allowed): &&(String, f64, f64)| error.is_nan() || error > allowed;
        let bad: Vec<_> = self.rows.iter().filter(bad).collect();
        assert!(
            !self.rows.is_empty() && bad.is_empty(),
            "{}: {bad:?}",
            self.name
        );
    }
}

fn check(name: &'static str) {
    let Some(mut case) = case(name) else { return };
    let weights = case.graph.parameters().iter();
    let weights = weights.filter(|spec| spec.kind == crate::ParameterKind::Weight);
    let count: usize = weights
        .map(|spec| spec.shape.iter().product::<usize>())
        .sum();
    assert_eq!(
        case.record["parameters"].as_u64(),
        Some(count as u64),
        "{name}"
    );
    case.evaluated();
    case.calibrated();
    case.frozen();
    let sgd = OptimizerConfig::Sgd(Sgd::default());
    let adamw = OptimizerConfig::AdamW(AdamW::default());
    case.steps(&sgd, 0.01, "after_3_sgd_steps", true);
    case.steps(&adamw, 1e-3, "after_3_adamw_steps", false);
    case.judge();
}

macro_rules! records {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            check(stringify!($name));
        })*

        /// Every record has its test.
        #[test]
        fn no_record_is_left_out() {
            let Some(folder) = falx_fixtures::shared("reference/nets") else { return };
            let files = std::fs::read_dir(folder).unwrap();
            let mut names: Vec<String> = files
                .map(|file| file.unwrap().file_name().into_string().unwrap())
                .filter_map(|file| file.strip_suffix(".json").map(str::to_owned))
                .collect();
            names.sort();
            let mut tested = vec![$(stringify!($name)),*];
            tested.sort_unstable();
            assert_eq!(names, tested);
        }
    };
}

records! {
    simple_cnn_128 multi_head_128 resnet18_128 resnet18_256 vgg16_128 inception_v3_256 efficientnet_b0_128
    sequence_head sequence_head_lengths inception_resnet_v2_256
}
