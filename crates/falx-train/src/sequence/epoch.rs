//! One epoch over series: steps, validation, the best weights.

use std::time::{Duration, Instant};

use falx_core::random;
use falx_core::{Interrupt, Probability, Progress};
use falx_nn::schedule::Schedule;
use falx_nn::{Input, Motion, StepSettings, Training, TrainingSession, Weights};
use rand::RngExt as _;
use rand::seq::SliceRandom as _;

use super::series::Series;
use crate::checkpoint::{Checkpoints, Position, Validated};
use crate::epoch::auc_of_any;
use crate::folder::{self, Part, RunFolder};
use crate::metrics::EpochMetrics;
use crate::train::Run;
use crate::watch::{StepFacts, Watch};
use crate::{SequenceChoice, TrainError};

/// The second stage in progress.
pub struct SequenceRun<'a> {
    pub run: &'a Run<'a>,
    pub choice: &'a SequenceChoice,
    /// Slices of the longest series.
    pub longest: usize,
    pub folder: RunFolder,
    pub checkpoints: Checkpoints,
    pub position: Position,
    pub session: Box<dyn TrainingSession>,
    pub training: Series,
    pub validation: Series,
    pub steps: u64,
    pub metrics: Vec<EpochMetrics>,
    pub learns: Training,
    pub watch: Watch,
}

impl SequenceRun<'_> {
    /// Whether there is nothing more to learn.
    pub fn is_over(&self) -> bool {
        let (choice, position) = (self.choice, &self.position);
        let is_fresh = position.batch == 0;
        let is_late = |most| position.since_best >= most;
        position.epoch >= choice.epochs || is_fresh && choice.patience.is_some_and(is_late)
    }

    /// One epoch, or what is left of it; false when it was stopped.
    pub fn epoch(
        &mut self,
        progress: &dyn Progress,
        interrupt: &Interrupt,
    ) -> Result<bool, TrainError> {
        let order = self.order();
        let batches: Vec<_> = order.chunks(self.choice.batch).collect();
        let left = batches.len().saturating_sub(self.position.batch) as u64;
        let title = format!("series {}/{}", self.position.epoch + 1, self.choice.epochs);
        progress.begin(&title, Some(left));
        self.watch.begin_epoch();
        let mut waited = Duration::ZERO;
        let mut rate = 0.0;
        for picked in batches.into_iter().skip(self.position.batch) {
            let asked = Instant::now();
            let batch = self.training.batch(picked, self.longest)?;
            waited += asked.elapsed();
            rate = self.rate();
            let momentum = self
                .choice
                .schedule
                .momentum(self.position.step, self.steps);
            let settings = StepSettings {
                rng_step: self.position.step,
                training: &self.learns,
                motion: Motion {
                    rate: rate as f32,
                    momentum: momentum.map(|momentum| momentum as f32),
                    clip_norm: Some(self.choice.clip_norm),
                },
            };
            let input = Input {
                values: &batch.values,
                lengths: Some(&batch.lengths),
            };
            let report = self.session.step(input, &batch.targets, &settings)?;
            let norm = report.gradient_norm.unwrap_or(0.0);
            if !(report.loss.is_finite() && norm.is_finite()) {
                return Err(TrainError::SeriesNotFinite {
                    step: self.position.step,
                });
            }
            self.position.sums.add(report.loss, batch.labelled);
            self.position.sums.add_norm(norm);
            self.position.step += 1;
            self.position.batch += 1;
            self.watch.step(&StepFacts {
                step: self.position.step,
                loss: report.loss,
                learning_rate: rate,
                gradient_norm: norm,
                slices: batch.labelled,
                waited,
            });
            progress.advance(1);
            progress.note(&format!("loss {:.4}", self.position.sums.mean()));
            if interrupt.is_requested() {
                self.save()?;
                return Ok(false);
            }
        }
        progress.finish();
        self.end_epoch(rate)?;
        Ok(true)
    }

    /// The series of this epoch in their order, each in one of its views.
    fn order(&self) -> Vec<(usize, usize)> {
        let path = [self.position.epoch];
        let mut random = random::stream(self.run.recipe.seed, "series", &path);
        let mut order: Vec<usize> = (0..self.training.spans.len()).collect();
        order.shuffle(&mut random);
        let views = self.choice.views + 1;
        let viewed = order.into_iter();
        viewed
            .map(|at| (at, random.random_range(0..views)))
            .collect()
    }

    fn rate(&self) -> f64 {
        let base = self.choice.learning_rate;
        match &self.choice.schedule {
            Schedule::Plateau(plateau) => plateau.rate(&self.position.plateau, base),
            schedule => schedule.rate(base, self.position.step, self.steps),
        }
    }

    /// Validates, keeps the best, and saves.
    fn end_epoch(&mut self, rate: f64) -> Result<(), TrainError> {
        let truth = self.run.data.truth(Part::Validation);
        let predictions = self.predict()?;
        let loss = falx_eval::weighted_log_loss(&truth, &predictions).unwrap_or(f64::NAN);
        let (metrics, is_best) = self.position.end_epoch(&Validated {
            rate,
            loss,
            baseline: self.run.baseline(&truth),
            auc_any: auc_of_any(&truth, &predictions),
        });
        tracing::info!(epoch = metrics.epoch, loss, "validated series");
        self.metrics.push(metrics);
        if is_best {
            let state = self.session.state()?;
            self.checkpoints
                .save_best(state.weights(Weights::Current))?;
        }
        if let Schedule::Plateau(plateau) = &self.choice.schedule {
            plateau.observe(&mut self.position.plateau, loss);
        }
        folder::write_lines(&self.folder.metrics(), &self.metrics)?;
        if let Some(line) = self.metrics.last() {
            self.watch.end_epoch(line);
        }
        self.save()
    }

    /// The probabilities of the validation's labelled slices, in their order.
    fn predict(&mut self) -> Result<Vec<[Probability; 6]>, TrainError> {
        let all: Vec<(usize, usize)> = (0..self.validation.spans.len()).map(|at| (at, 0)).collect();
        let mut predictions = Vec::new();
        for picked in all.chunks(self.choice.batch) {
            let batch = self.validation.batch(picked, self.longest)?;
            let input = Input {
                values: &batch.values,
                lengths: Some(&batch.lengths),
            };
            let logits = self.session.logits(input, Weights::Current)?;
            let of_series = logits.data.as_chunks::<6>().0.chunks(self.longest.max(1));
            for (&(at, _), rows) in picked.iter().zip(of_series) {
                let Some(&span) = self.validation.spans.get(at) else {
                    continue;
                };
                let labelled = rows.iter().zip(self.validation.has_label(span));
                let labelled = labelled.filter(|(_, has)| *has);
                predictions.extend(
                    labelled.map(|(row, _)| row.map(|logit| Probability::from_logit(logit.into()))),
                );
            }
        }
        Ok(predictions)
    }

    fn save(&mut self) -> Result<(), TrainError> {
        self.watch.before_checkpoint();
        let state = self.session.state()?;
        self.checkpoints.save(&self.position, &state, None)
    }
}
