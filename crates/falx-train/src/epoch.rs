//! One epoch: steps, validation, the best weights.

use std::sync::Arc;
use std::time::Instant;

use falx_core::{ImageId, Interrupt, Label, LabelRow, Probability, Progress};
use falx_data::loader::{Batch, Loader, LoaderOptions};
use falx_infer::{Mean, mirrored};
use falx_nn::schedule::Schedule;
use falx_nn::{Motion, Targets, Tensor, Training, Weights};

use crate::TrainError;
use crate::checkpoint::Validated;
use crate::failed::FailedStep;
use crate::folder::{self, Part};
use crate::metrics::EpochSums;
use crate::train::Run;
use crate::watch::StepFacts;

/// A batch as the network sees it.
pub(crate) struct Shown {
    pub ids: Vec<ImageId>,
    pub images: Tensor,
    pub targets: Targets,
}

impl From<Batch> for Shown {
    fn from(batch: Batch) -> Self {
        Self {
            ids: batch.ids,
            images: Tensor {
                shape: batch.shape.to_vec(),
                data: batch.images.into(),
            },
            targets: Targets {
                labels: batch.labels,
                weights: batch.weights,
            },
        }
    }
}

impl Run<'_> {
    /// One epoch, or what is left of it; false when it was stopped.
    pub(crate) fn epoch(
        &mut self,
        progress: &dyn Progress,
        interrupt: &Interrupt,
    ) -> Result<bool, TrainError> {
        let epoch = self.position.epoch;
        let order = self.sampler.order(self.recipe.seed, epoch)?;
        let mut loader = Loader::new(
            Arc::clone(&self.data.training),
            order,
            LoaderOptions {
                augment: self.recipe.augment_of_epoch(epoch),
                epoch,
                start_batch: self.position.batch,
                ..self.loader_options()
            },
        )?;
        let batches = loader.batches();
        let left = batches.saturating_sub(self.position.batch) as u64;
        progress.begin(
            &format!("train {}/{}", epoch + 1, self.recipe.training.epochs),
            Some(left),
        );
        let (training, factor) = self.plan.of_epoch(epoch);
        self.watch.begin_epoch();
        let start = Instant::now();
        let mut rate = 0.0;
        let mut is_stopped = false;
        let mut sums = EpochSums::default();
        let accumulate = self.recipe.training.accumulate;
        while let Some(batch) = loader.next() {
            let shown = Shown::from(batch?);
            sums.add(self.learn(&shown, &training, factor)?, shown.ids.len());
            progress.advance(1);
            progress.note(&format!("loss {:.4}", self.position.sums.mean()));
            let done = self.position.batch;
            if done < batches && !done.is_multiple_of(accumulate) {
                loader.recycle(shown.images.data);
                continue;
            }
            let gradient_norm;
            (rate, gradient_norm) = self.take_step(factor, &shown)?;
            loader.recycle(shown.images.data);
            self.watch.step(&StepFacts {
                step: self.position.step,
                loss: sums.mean(),
                learning_rate: rate,
                gradient_norm,
                slices: sums.slices as usize,
                waited: loader.waited(),
            });
            sums = EpochSums::default();
            if self.position.step >= self.steps_in_all {
                break;
            }
            // Gradients that wait are in no checkpoint: a run stops between two steps.
            if interrupt.is_requested() {
                is_stopped = true;
                break;
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        self.timing.training_seconds += seconds;
        self.timing.waiting_seconds += loader.waited().as_secs_f64();
        if self.recipe.training.minutes.is_some() {
            *self.position.seconds.get_or_insert(0.0) += seconds;
        }
        if loader.damaged() > 0 {
            tracing::warn!(
                slices = loader.damaged(),
                "copies in the cache are damaged, and their files were read; `falx cache --check` mends it"
            );
        }
        // Its buffers make room for those of the validation.
        drop(loader);
        if is_stopped {
            self.save()?;
            return Ok(false);
        }
        progress.finish();
        self.end_epoch(rate, progress)?;
        Ok(true)
    }

    /// Learns from one batch; returns its mean loss. The phase has a `factor` on the rate.
    fn learn(
        &mut self,
        shown: &Shown,
        training: &Training,
        factor: f64,
    ) -> Result<f64, TrainError> {
        let accumulate = self.recipe.training.accumulate;
        let within = self.position.batch % accumulate;
        let rng_step = self.position.step * accumulate as u64 + within as u64;
        let slices = shown.ids.len();
        let share = self.share_of_step(slices);
        let images = (&shown.images).into();
        let loss = self
            .session
            .accumulate(images, &shown.targets, rng_step, training, share)?;
        if !loss.is_finite() {
            return Err(self.failed("loss", shown, self.rate(factor)));
        }
        self.position.sums.add(loss, slices);
        self.position.batch += 1;
        Ok(loss)
    }

    /// Keeps a batch from which nothing could be learnt; gives the error to return.
    fn failed(&self, what: &'static str, shown: &Shown, learning_rate: f64) -> TrainError {
        let state = match self.session.state() {
            Ok(state) => state,
            Err(error) => return error.into(),
        };
        let failed = FailedStep {
            what,
            step: self.position.step,
            epoch: self.position.epoch + 1,
            batch: self.position.batch,
            seed: self.recipe.seed,
            learning_rate,
            augment: self.recipe.augment_of_epoch(self.position.epoch),
            ids: &shown.ids,
            images: &shown.images,
            targets: &shown.targets,
            parameters: &state.parameters,
        };
        failed.keep(&self.folder)
    }

    /// The share that a batch of so many slices has in its step.
    fn share_of_step(&self, slices: usize) -> f32 {
        let training = &self.recipe.training;
        if training.accumulate == 1 {
            return 1.0;
        }
        let whole = training.accumulate * training.batch;
        let first = self.position.batch / training.accumulate * whole;
        let of_step = self.sampler.len().saturating_sub(first).min(whole);
        (slices as f64 / of_step.max(1) as f64) as f32
    }

    /// The learning rate of the step in progress.
    fn rate(&self, factor: f64) -> f64 {
        let base = self.recipe.training.learning_rate;
        let schedule = &self.recipe.schedule;
        factor
            * match schedule {
                Schedule::Plateau(plateau) => plateau.rate(&self.position.plateau, base),
                _ => schedule.rate(base, self.position.step, self.steps_in_all),
            }
    }

    /// Moves the weights after the last batch of a step; returns the learning rate, and the gradients' length.
    fn take_step(&mut self, factor: f64, last: &Shown) -> Result<(f64, f64), TrainError> {
        let (step, total) = (self.position.step, self.steps_in_all);
        let (training, schedule) = (&self.recipe.training, &self.recipe.schedule);
        let rate = self.rate(factor);
        let momentum = schedule.momentum(step, total);
        let norm = self.session.move_parameters(&Motion {
            rate: rate as f32,
            momentum: momentum.map(|momentum| momentum as f32),
            // Without a limit the length is measured all the same.
            clip_norm: Some(training.clip_norm.unwrap_or(f64::INFINITY)),
        })?;
        let norm = norm.unwrap_or(0.0);
        if !norm.is_finite() {
            return Err(self.failed("gradient", last, rate));
        }
        self.position.sums.add_norm(norm);
        self.position.step += 1;
        Ok((rate, norm))
    }

    /// Validates, keeps the best, and saves.
    fn end_epoch(&mut self, rate: f64, progress: &dyn Progress) -> Result<(), TrainError> {
        let truth = self.data.truth(Part::Validation);
        let predictions = self.predict(Part::Validation, progress)?;
        // RunData has checked that the validation fold has labels.
        let loss = falx_eval::weighted_log_loss(&truth, &predictions).unwrap_or(f64::NAN);
        let epoch = self.position.epoch;
        let validated = Validated {
            rate,
            loss,
            baseline: self.baseline(&truth),
            auc_any: auc_of_any(&truth, &predictions),
        };
        let (metrics, is_best) = self.position.end_epoch(&validated);
        self.metrics.push(metrics);
        if is_best {
            let state = self.session.state()?;
            self.checkpoints
                .save_best(state.weights(Weights::Averaged))?;
        }
        if let Schedule::Plateau(plateau) = &self.recipe.schedule {
            plateau.observe(&mut self.position.plateau, loss);
        }
        tracing::info!(
            epoch = epoch + 1,
            loss,
            baseline = validated.baseline,
            "validated"
        );
        self.average_epoch(epoch)?;
        folder::write_lines(&self.folder.metrics(), &self.metrics)?;
        if let Some(line) = self.metrics.last() {
            self.watch.end_epoch(line);
        }
        self.save()
    }

    pub(crate) fn predict(
        &mut self,
        part: Part,
        progress: &dyn Progress,
    ) -> Result<Vec<[Probability; 6]>, TrainError> {
        let order = self.data.labelled(part);
        let count = order.len();
        let samples = Arc::clone(self.data.part(part));
        let loader = Loader::new(samples, order, self.loader_options())?;
        progress.begin("validate", Some(count as u64));
        let mut predictions = Vec::with_capacity(count);
        for batch in loader {
            let batch = batch?;
            let images = Tensor {
                shape: batch.shape.to_vec(),
                data: batch.images.into(),
            };
            let rows = self.probabilities(images)?;
            progress.advance(rows.len() as u64);
            predictions.extend(rows);
        }
        progress.finish();
        Ok(predictions)
    }

    /// What the bundle will say of pictures: corrected for the prior, and the mean over the views that the recipe asks for.
    fn probabilities(&mut self, mut images: Tensor) -> Result<Vec<[Probability; 6]>, TrainError> {
        let mut mean = Mean::default();
        let views = if self.recipe.prediction.flip { 2 } else { 1 };
        for view in 0..views {
            if view == 1 {
                let width = images.shape.last().copied().unwrap_or(1);
                images.data = mirrored(&images.data, width);
            }
            let logits = self.session.logits((&images).into(), Weights::Averaged)?;
            let rows = logits.data.as_chunks::<6>().0.iter().map(|row| {
                let row = row.map(|logit| Probability::from_logit(logit.into()));
                self.prior.map_or(row, |prior| prior.correct(row))
            });
            mean.add(&rows.collect::<Vec<_>>());
        }
        Ok(mean.rows())
    }

    pub(crate) fn baseline(&self, truth: &[LabelRow]) -> f64 {
        let row = self
            .data
            .prevalence
            .map(|share| Probability::new(share).unwrap_or_default());
        falx_eval::weighted_log_loss(truth, &vec![row; truth.len()]).unwrap_or(f64::NAN)
    }

    pub(crate) fn loader_options(&self) -> LoaderOptions {
        LoaderOptions {
            batch: self.recipe.training.batch,
            threads: self.threads,
            memory_mib: self.recipe.training.loader_memory_mib,
            input: self.recipe.input.clone(),
            seed: self.recipe.seed,
            cache: self.cache.clone(),
            kept: self.kept.clone(),
            ..LoaderOptions::default()
        }
    }
}

pub(crate) fn auc_of_any(truth: &[LabelRow], predictions: &[[Probability; 6]]) -> Option<f64> {
    let any = Label::Any;
    let (truth, scores): (Vec<bool>, Vec<f64>) = truth
        .iter()
        .zip(predictions)
        .filter_map(|(row, p)| Some((row.get(any)?, p[any.index()].get())))
        .unzip();
    falx_eval::auc(&truth, &scores).ok()
}
