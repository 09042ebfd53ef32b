//! What a run tells while it goes on: event files for TensorBoard, `training.html`, `timing.jsonl`.
//!
//! All three hold times of the clock, so they are no part of what is the same byte for byte in equal runs, and nothing is
//! computed from them; `metrics.jsonl` holds what is. Nor do they stop a run: what cannot be written is warned of once,
//! and training goes on without it.

mod page;
#[cfg(test)]
mod tests;
mod timing;

use std::fmt::Display;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::events::{EventWriter, read_scalars};
use crate::{EpochMetrics, Recipe, RunFolder, folder};
use page::{Course, State};
pub use timing::EpochTiming;

/// The live page is written again after so long.
const PAGE_EVERY: Duration = Duration::from_secs(10);
/// A run tells of about so many steps, however long it is.
const POINTS: u64 = 10_000;

/// What stands on the page besides the course.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    /// The page's title.
    pub title: String,
    /// Names with their values: engine, device, data, parts.
    pub facts: Vec<(String, String)>,
    /// The recipe with every default written out.
    pub recipe: String,
    /// On which slices the training loss is measured.
    pub shown: String,
    /// Epochs of the whole run.
    pub epochs: u64,
    /// Steps of the whole run.
    pub steps: u64,
}

impl About {
    /// What a recipe says of its run.
    ///
    /// `engine` is the engine's name, which says its device too.
    pub fn new(recipe: &Recipe, engine: &str, threads: usize, steps: u64) -> Self {
        Self {
            title: format!("Training of {}", recipe.network.name),
            facts: vec![
                ("Engine and device".to_owned(), engine.to_owned()),
                ("Threads".to_owned(), threads.to_string()),
                ("falx".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            ],
            recipe: recipe.to_toml().unwrap_or_default(),
            shown: shown(recipe),
            epochs: recipe.training.epochs,
            steps,
        }
    }
}

/// On what the training loss is measured, so that nobody takes it for a score.
fn shown(recipe: &Recipe) -> String {
    let mut ways = Vec::new();
    if recipe.sampler != falx_data::sampler::SamplerConfig::default() {
        ways.push("resampled".to_owned());
    }
    if recipe.augment.is_some() {
        ways.push(match recipe.training.no_augment_words() {
            None => "augmented".to_owned(),
            Some(last) => format!("augmented but for {last}"),
        });
    }
    if recipe.network.dropout > 0.0 {
        ways.push("dropout on".to_owned());
    }
    if ways.is_empty() {
        ways.push("before each step".to_owned());
    }
    format!("on slices as shown: {}", ways.join(", "))
}

/// What one step tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepFacts {
    /// Steps taken, this one among them.
    pub step: u64,
    /// The mean loss of the batch.
    pub loss: f64,
    /// The learning rate.
    pub learning_rate: f64,
    /// The length of the gradients before they were clipped.
    pub gradient_norm: f64,
    /// Slices in the batch.
    pub slices: usize,
    /// How long this epoch has waited for slices by now.
    pub waited: Duration,
}

/// Sums since the last point that was told.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    steps: u64,
    loss: f64,
    slices: usize,
}

/// The teller of one run.
pub struct Watch {
    about: About,
    page_path: PathBuf,
    timing_path: PathBuf,
    events: Option<EventWriter>,
    course: Course,
    timing: Vec<EpochTiming>,
    tells_page: bool,
    tells_timing: bool,
    page_written: Instant,
    window: Window,
    /// When the window began, and how long its epoch had waited by then.
    window_began: (Instant, Duration),
    epoch: Epoch,
    begun: Instant,
    steps_here: u64,
}

/// The epoch in progress.
#[derive(Clone, Copy, Debug)]
struct Epoch {
    began: Instant,
    trained: Duration,
    waited: Duration,
    slices: u64,
}

impl Epoch {
    fn begin() -> Self {
        Self {
            began: Instant::now(),
            trained: Duration::ZERO,
            waited: Duration::ZERO,
            slices: 0,
        }
    }
}

impl Watch {
    /// Begins, or goes on after `step` steps and the epochs in `metrics`.
    pub fn begin(folder: &RunFolder, about: About, step: u64, metrics: &[EpochMetrics]) -> Self {
        let events_folder = folder.events();
        let mut course = Course::new(step, metrics);
        match read_scalars(&events_folder) {
            Ok(told) => course.take_up(told),
            Err(error) => warn("the course so far cannot be read", &error),
        }
        let mut events = EventWriter::begin(&events_folder, step + 1)
            .inspect_err(|error| warn("no event files for TensorBoard are written", error))
            .ok();
        if step == 0
            && let Some(writer) = &mut events
        {
            let fenced = format!("```toml\n{}\n```", about.recipe.trim_end());
            let settings = about.recipe.parse().unwrap_or_default();
            let told = writer
                .text(0, "recipe", &fenced)
                .and_then(|()| writer.settings(&settings));
            if let Err(error) = told {
                warn("the recipe is not shown in TensorBoard", &error);
            }
        }
        let epochs = metrics.len() as u64;
        let timing = folder::read_lines::<EpochTiming>(&folder.timing()).unwrap_or_else(|error| {
            warn("the times of earlier epochs cannot be read", &error);
            Vec::new()
        });
        let now = Instant::now();
        let mut watch = Self {
            page_path: folder.page(),
            timing_path: folder.timing(),
            about,
            events,
            course,
            timing: timing.into_iter().filter(|t| t.epoch <= epochs).collect(),
            tells_page: true,
            tells_timing: true,
            page_written: now,
            window: Window::default(),
            window_began: (now, Duration::ZERO),
            epoch: Epoch::begin(),
            begun: now,
            steps_here: 0,
        };
        watch.write_page(State::Running);
        watch
    }

    /// An epoch begins, or what is left of it.
    pub fn begin_epoch(&mut self) {
        self.epoch = Epoch::begin();
        self.window = Window::default();
        self.window_began = (self.epoch.began, Duration::ZERO);
    }

    /// A step was taken.
    pub fn step(&mut self, facts: &StepFacts) {
        self.steps_here += 1;
        self.epoch.trained = self.epoch.began.elapsed();
        self.epoch.waited = facts.waited;
        self.epoch.slices += facts.slices as u64;
        self.window.steps += 1;
        self.window.loss += facts.loss * facts.slices as f64;
        self.window.slices += facts.slices;
        self.course.step = facts.step;
        if self.window.steps * POINTS >= self.about.steps {
            self.tell(facts);
        }
        if self.page_written.elapsed() >= PAGE_EVERY {
            self.write_page(State::Running);
        }
    }

    /// Tells of the steps since the last point.
    fn tell(&mut self, facts: &StepFacts) {
        let (began, waited) = self.window_began;
        let seconds = began.elapsed().as_secs_f64().max(1e-9);
        let waiting = facts.waited.saturating_sub(waited).as_secs_f64() / seconds;
        let slices = self.window.slices as f64;
        let values = [
            (page::LOSS, self.window.loss / slices.max(1.0)),
            (page::RATE, facts.learning_rate),
            (page::NORM, facts.gradient_norm),
            (page::SPEED, slices / seconds),
            (page::WAITING, waiting.min(1.0)),
        ];
        for (tag, value) in values {
            self.course.add(tag, facts.step, value);
        }
        self.events(|writer| writer.scalars(facts.step, &values));
        self.window = Window::default();
        self.window_began = (Instant::now(), facts.waited);
    }

    /// An epoch has ended with its validation.
    pub fn end_epoch(&mut self, metrics: &EpochMetrics) {
        let mut values = vec![
            (page::EPOCH, metrics.epoch as f64),
            (page::EPOCH_LOSS, metrics.training_loss),
            (page::VALIDATION, metrics.validation_loss),
            (page::NO_SKILL, metrics.validation_baseline),
        ];
        values.extend(metrics.validation_auc_any.map(|auc| (page::AUC, auc)));
        self.events(|writer| writer.scalars(metrics.step, &values));
        self.course.epochs.push(metrics.clone());
        let trained = self.epoch.trained.as_secs_f64();
        self.timing.push(EpochTiming {
            epoch: metrics.epoch,
            slices: self.epoch.slices,
            seconds: trained,
            validation_seconds: self.epoch.began.elapsed().as_secs_f64() - trained,
            images_per_second: self.epoch.slices as f64 / trained.max(1e-9),
            waiting_share: self.epoch.waited.as_secs_f64() / trained.max(1e-9),
        });
        if self.tells_timing
            && let Err(error) = folder::write_lines(&self.timing_path, &self.timing)
        {
            warn("timing.jsonl is no longer written", &error);
            self.tells_timing = false;
        }
        self.write_page(State::Running);
    }

    /// A checkpoint is about to be written: what it will not tell again must be on the disk before it.
    pub fn before_checkpoint(&mut self) {
        self.events(EventWriter::flush);
        self.write_page(State::Running);
    }

    /// The run has reached its end.
    pub fn finished(mut self) {
        self.events(EventWriter::flush);
        self.write_page(State::Finished);
    }

    /// The run was stopped in good order.
    pub fn stopped(mut self) {
        self.events(EventWriter::flush);
        self.write_page(State::Stopped);
    }

    fn events(&mut self, tell: impl FnOnce(&mut EventWriter) -> std::io::Result<()>) {
        let Some(writer) = &mut self.events else {
            return;
        };
        if let Err(error) = tell(writer) {
            warn(
                "the event file for TensorBoard is no longer written",
                &error,
            );
            self.events = None;
        }
    }

    fn write_page(&mut self, state: State) {
        self.page_written = Instant::now();
        self.course.state = state;
        if !self.tells_page {
            return;
        }
        let left = self.about.steps.saturating_sub(self.course.step);
        let seconds_left = (self.steps_here > 0 && state == State::Running)
            .then(|| self.begun.elapsed().as_secs_f64() / self.steps_here as f64 * left as f64);
        let page = page::of(&self.about, &self.course, &self.timing, seconds_left);
        if let Err(error) = falx_eval::report::write_plain(&page, &self.page_path) {
            warn("training.html is no longer written", &error);
            self.tells_page = false;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.course.state == State::Running {
            self.write_page(State::Failed);
        }
    }
}

fn warn(what: &str, error: &dyn Display) {
    tracing::warn!("{what}: {error}");
}
