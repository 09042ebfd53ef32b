//! `training.html`: how a run goes, while it goes on and after.

use std::collections::BTreeMap;

use falx_eval::report::{Block, Figure, LineChart, PlainPage, TrainingCurve};
use falx_eval::text::duration;

use super::{About, EpochTiming};
use crate::EpochMetrics;
use crate::events::Told;

pub(super) const LOSS: &str = "train/loss";
pub(super) const RATE: &str = "train/learning_rate";
pub(super) const NORM: &str = "train/gradient_norm";
pub(super) const SPEED: &str = "time/images_per_second";
pub(super) const WAITING: &str = "time/waiting_share";
pub(super) const EPOCH: &str = "epoch/number";
pub(super) const EPOCH_LOSS: &str = "epoch/training_loss";
pub(super) const VALIDATION: &str = "validation/weighted_log_loss";
pub(super) const NO_SKILL: &str = "validation/no_skill";
pub(super) const AUC: &str = "validation/auc_any";

/// A page of a run that goes on loads itself again after so many seconds.
const REFRESH: u32 = 30;
/// More points than this say nothing more in a drawing.
const DRAWN: usize = 200;
/// The last points, of which the speed is told.
const RECENT: usize = 20;

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Running,
    Finished,
    Stopped,
    Failed,
}

/// The course of a run up to now.
pub(super) struct Course {
    pub state: State,
    /// Steps taken.
    pub step: u64,
    pub epochs: Vec<EpochMetrics>,
    values: BTreeMap<String, Vec<(f64, f64)>>,
}

impl Course {
    pub(super) fn new(step: u64, epochs: &[EpochMetrics]) -> Self {
        Self {
            state: State::Running,
            step,
            epochs: epochs.to_vec(),
            values: BTreeMap::new(),
        }
    }

    /// Takes up what earlier calls have told, up to the checkpoint.
    pub(super) fn take_up(&mut self, told: Vec<Told>) {
        let last = self.step;
        for value in told.into_iter().filter(|told| told.step <= last) {
            self.add(&value.tag, value.step, value.value.into());
        }
    }

    pub(super) fn add(&mut self, tag: &str, step: u64, value: f64) {
        let point = (step as f64, value);
        if let Some(points) = self.values.get_mut(tag) {
            points.push(point);
        } else {
            self.values.insert(tag.to_owned(), vec![point]);
        }
    }

    fn of(&self, tag: &str) -> &[(f64, f64)] {
        self.values.get(tag).map_or(&[], Vec::as_slice)
    }

    /// The mean of the last points.
    fn recent(&self, tag: &str) -> Option<f64> {
        let points = self.of(tag);
        let points = &points[points.len().saturating_sub(RECENT)..];
        let sum: f64 = points.iter().map(|point| point.1).sum();
        (!points.is_empty()).then(|| sum / points.len() as f64)
    }

    /// A line of not too many points, each the mean of those that it stands for.
    fn curve(&self, tag: &str, name: String) -> TrainingCurve {
        let points = self.of(tag);
        let together = points.len().div_ceil(DRAWN).max(1);
        let mean = |part: &[(f64, f64)]| {
            let sum: f64 = part.iter().map(|point| point.1).sum();
            let step = part.last().map_or(0.0, |point| point.0);
            (step, sum / part.len() as f64)
        };
        TrainingCurve {
            name,
            points: points.chunks(together).map(mean).collect(),
            baseline: None,
        }
    }
}

/// The page; `seconds_left` where that is known.
pub(super) fn of(
    about: &About,
    course: &Course,
    timing: &[EpochTiming],
    seconds_left: Option<f64>,
) -> PlainPage {
    let mut facts = about.facts.clone();
    facts.extend(best(course));
    let mut sections = vec![(
        "Where it stands".to_owned(),
        vec![
            Block::Figures(figures(about, course, timing, seconds_left)),
            Block::Words(verdict(course)),
        ],
    )];
    if !course.values.is_empty() || !course.epochs.is_empty() {
        sections.push((
            "Curves".to_owned(),
            vec![Block::Charts(charts(about, course))],
        ));
    }
    sections.push((
        "What runs".to_owned(),
        vec![
            Block::Facts(
                "What computes, and the best epoch so far.".to_owned(),
                facts,
            ),
            Block::Listing("The recipe".to_owned(), about.recipe.clone()),
        ],
    ));
    PlainPage {
        title: about.title.clone(),
        subtitle: match course.state {
            State::Running => format!(
                "Training goes on. This page loads itself again every {REFRESH} seconds until it ends."
            ),
            State::Finished => "Training has finished.".to_owned(),
            State::Stopped => {
                "Training was stopped; --resume goes on from its last checkpoint.".to_owned()
            }
            State::Failed => {
                "Training ended with an error, which its log names. The last checkpoint is intact."
                    .to_owned()
            }
        },
        refresh: (course.state == State::Running).then_some(REFRESH),
        sections,
    }
}

fn figure(name: &str, value: String, remark: String) -> Figure {
    Figure {
        name: name.to_owned(),
        value,
        remark,
    }
}

fn figures(
    about: &About,
    course: &Course,
    timing: &[EpochTiming],
    seconds_left: Option<f64>,
) -> Vec<Figure> {
    let done = 100.0 * course.step as f64 / about.steps.max(1) as f64;
    let mut figures = vec![
        figure(
            "Step",
            course.step.to_string(),
            format!("of {} ({:.0} %)", about.steps, done.min(100.0)),
        ),
        figure(
            "Epochs completed",
            course.epochs.len().to_string(),
            format!("of {}", about.epochs),
        ),
    ];
    let last = timing.last();
    let speed = course
        .recent(SPEED)
        .or_else(|| last.map(|t| t.images_per_second));
    if let Some(speed) = speed {
        figures.push(figure(
            "Images per second",
            format!("{speed:.1}"),
            String::new(),
        ));
    }
    let waiting = course
        .recent(WAITING)
        .or_else(|| last.map(|t| t.waiting_share));
    if let Some(waiting) = waiting {
        figures.push(figure(
            "Waiting for slices",
            format!("{:.1} %", 100.0 * waiting),
            "of the time of training".to_owned(),
        ));
    }
    if let Some(seconds) = seconds_left {
        figures.push(figure(
            "Time left",
            duration(seconds),
            "at the pace so far".to_owned(),
        ));
    }
    figures
}

/// The epoch with the lowest loss.
fn lowest(course: &Course) -> Option<&EpochMetrics> {
    let finite = course
        .epochs
        .iter()
        .filter(|e| e.validation_loss.is_finite());
    finite.min_by(|a, b| a.validation_loss.total_cmp(&b.validation_loss))
}

fn best(course: &Course) -> Option<(String, String)> {
    let best = lowest(course)?;
    Some((
        "Best epoch".to_owned(),
        format!(
            "{}: validation weighted log loss {:.4}, no skill {:.4}",
            best.epoch, best.validation_loss, best.validation_baseline
        ),
    ))
}

fn verdict(course: &Course) -> String {
    let Some(best) = lowest(course) else {
        return "No epoch has been validated yet, so nothing can be said of what was learnt."
            .to_owned();
    };
    let (loss, baseline) = (best.validation_loss, best.validation_baseline);
    if loss < baseline {
        format!(
            "On the validation fold the best epoch's weighted log loss is {loss:.4}, below the {baseline:.4} of predicting \
             prevalence. That fold chooses the epoch, so the loss is a little too good."
        )
    } else {
        format!(
            "On the validation fold the best epoch's weighted log loss is {loss:.4}, not below the {baseline:.4} of predicting \
             prevalence: nothing useful has been learnt yet."
        )
    }
}

fn charts(about: &About, course: &Course) -> Vec<LineChart> {
    let chart = |curves: Vec<TrainingCurve>, along: &str, measured: &str| LineChart {
        curves,
        along: along.to_owned(),
        measured: measured.to_owned(),
        multiplies: false,
        marks: Vec::new(),
    };
    let by_epoch = |name: String, value: fn(&EpochMetrics) -> f64| TrainingCurve {
        name,
        points: course
            .epochs
            .iter()
            .map(|epoch| (epoch.epoch as f64, value(epoch)))
            .collect(),
        baseline: None,
    };
    let mut charts = Vec::new();
    if let Some(last) = course.epochs.last() {
        let validation = TrainingCurve {
            baseline: Some(last.validation_baseline),
            ..by_epoch(
                "weighted log loss on the validation fold".to_owned(),
                |epoch| epoch.validation_loss,
            )
        };
        let training = by_epoch(
            format!("training loss of the epoch, {}", about.shown),
            |epoch| epoch.training_loss,
        );
        charts.push(chart(vec![validation, training], "epoch", "loss"));
    }
    let by_step = |tag: &str, name: &str, measured: &str| {
        chart(vec![course.curve(tag, name.to_owned())], "step", measured)
    };
    if !course.of(LOSS).is_empty() {
        let name = format!("training loss of the steps, {}", about.shown);
        charts.push(by_step(LOSS, &name, "loss"));
        charts.push(by_step(RATE, "learning rate", "rate"));
        charts.push(by_step(
            NORM,
            "length of the gradients before clipping",
            "norm",
        ));
        charts.push(by_step(SPEED, "images per second", "images per second"));
    }
    charts
}
