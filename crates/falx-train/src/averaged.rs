//! Stochastic weight averaging: the mean of the weights of several epochs as the result of a run.
//!
//! The rule: where a recipe asks for it and at least one epoch was taken in, the mean is what the run gives, whether or not the
//! best epoch is better on the validation fold. No epoch is chosen then, and `averaged.json` tells both losses.

use std::sync::Arc;

use falx_core::{Interrupt, Progress};
use falx_data::loader::Loader;
use falx_nn::optim::{Optimizer, OptimizerConfig, Sgd, WeightMean};
use falx_nn::{Engine, Graph, Operator, Parameters, Targets, Tensor, Training, TrainingState};
use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::epoch::{Shown, auc_of_any};
use crate::folder::{self, Part};
use crate::train::Run;

/// What the mean of the weights reached, `averaged.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AveragedMetrics {
    /// How many epochs' weights it is the mean of.
    pub epochs: u64,
    /// Batches from which the normalisations learnt their statistics anew; 0 where there are none.
    pub batches: usize,
    /// Weighted multi-label log loss on the validation fold.
    pub validation_loss: f64,
    /// The same loss when the prevalence of the training folds is predicted for each of these slices.
    pub validation_baseline: f64,
    /// Area under the curve of `any`; absent where all slices are alike.
    pub validation_auc_any: Option<f64>,
    /// The epoch (from 1) that was best by itself, and its loss.
    pub best: Option<(u64, f64)>,
}

impl Run<'_> {
    /// Takes in the weights at the end of `epoch` (from 0), where the recipe asks for it.
    pub(crate) fn average_epoch(&mut self, epoch: u64) -> Result<(), TrainError> {
        let training = &self.recipe.training;
        if !training
            .swa
            .is_some_and(|swa| swa.takes(epoch, training.epochs))
        {
            return Ok(());
        }
        let state = self.session.state()?;
        match &mut self.mean {
            Some(mean) => mean.take(&state.parameters),
            None => self.mean = Some(WeightMean::new(state.parameters.clone(), 1)),
        }
        self.position.averaged = self.mean.as_ref().map_or(0, WeightMean::count);
        Ok(())
    }

    /// Makes the mean ready for use, judges it, and keeps it as the run's result; nothing where no epoch was taken in.
    ///
    /// The run has come to its end: its session is that of the mean from here on.
    pub(crate) fn finish_mean(
        &mut self,
        progress: &dyn Progress,
        interrupt: &Interrupt,
    ) -> Result<(), TrainError> {
        let (Some(mean), Some(swa)) = (self.mean.take(), self.recipe.training.swa) else {
            return Ok(());
        };
        let mut parameters = mean.parameters().clone();
        let batches = if normalisations(&self.graph, &Training::default()).is_empty() {
            0
        } else {
            self.learn_statistics(&mut parameters, swa.batches, (progress, interrupt))?
        };
        self.checkpoints.save_averaged(&parameters)?;
        // An optimiser that remembers nothing: this session takes no step.
        let optimizer = Optimizer::new(
            &OptimizerConfig::Sgd(Sgd::default()),
            &Parameters::default(),
        );
        let state = TrainingState {
            parameters,
            optimizer,
            average: None,
        };
        self.session = self.engine.session(&self.graph, state)?;
        let truth = self.data.truth(Part::Validation);
        let predictions = self.predict(Part::Validation, progress)?;
        let loss = falx_eval::weighted_log_loss(&truth, &predictions).unwrap_or(f64::NAN);
        let metrics = AveragedMetrics {
            epochs: mean.count(),
            batches,
            validation_loss: loss,
            validation_baseline: self.baseline(&truth),
            validation_auc_any: auc_of_any(&truth, &predictions),
            best: self.position.best.map(|(loss, epoch)| (epoch + 1, loss)),
        };
        let text = serde_json::to_string_pretty(&metrics)
            .map_err(|error| TrainError::damaged(&self.folder.averaged(), error.to_string()))?;
        folder::write(&self.folder.averaged(), format!("{text}\n").as_bytes())?;
        tracing::info!(epochs = metrics.epochs, loss, "averaged the weights");
        self.averaged = Some(metrics);
        Ok(())
    }

    /// Learns the statistics of the mean's normalisations from slices as the first epoch shows them, unchanged; returns from
    /// how many batches.
    fn learn_statistics(
        &mut self,
        parameters: &mut Parameters,
        most: usize,
        (progress, interrupt): (&dyn Progress, &Interrupt),
    ) -> Result<usize, TrainError> {
        let batch = self.recipe.training.batch;
        let mut order = self.sampler.order(self.recipe.seed, 0)?;
        // A last batch that is smaller would count as much as the others.
        let whole = (order.len() / batch).clamp(1, most);
        order.truncate(whole * batch);
        let loader = Loader::new(
            Arc::clone(&self.data.training),
            order,
            self.loader_options(),
        )?;
        let last = self.recipe.training.epochs.saturating_sub(1);
        let training = self.plan.of_epoch(last).0;
        let mut statistics = Statistics::new(&self.graph, &training);
        progress.begin("average", Some(whole as u64));
        for batch in loader {
            if interrupt.is_requested() {
                return Err(TrainError::Interrupted);
            }
            let Shown {
                images, targets, ..
            } = batch?.into();
            let engine = self.engine.as_mut();
            statistics.learn(engine, &self.graph, parameters, (&images, &targets))?;
            progress.advance(1);
        }
        progress.finish();
        statistics.set(parameters);
        Ok(statistics.batches)
    }
}

/// The running statistics that move in training, with how far a batch moves each.
fn normalisations(graph: &Graph, training: &Training) -> Vec<(String, f32)> {
    let nodes = graph.nodes().iter();
    let moving = nodes.filter(|node| !training.keeps_statistics(&node.name));
    let pairs = moving.filter_map(|node| match &node.operator {
        Operator::BatchNormalization(normalisation) => Some((&node.name, normalisation.momentum)),
        _ => None,
    });
    let names = pairs.flat_map(|(name, momentum)| {
        ["running_mean", "running_var"].map(|part| (format!("{name}.{part}"), momentum))
    });
    names.collect()
}

/// The mean over batches of each batch's own statistics, as PyTorch's `update_bn` takes it.
struct Statistics {
    sums: Vec<(String, f32, Vec<f64>)>,
    batches: usize,
    training: Training,
}

impl Statistics {
    fn new(graph: &Graph, training: &Training) -> Self {
        let sums = normalisations(graph, training).into_iter();
        Self {
            sums: sums
                .map(|(name, momentum)| (name, momentum, Vec::new()))
                .collect(),
            batches: 0,
            training: Training {
                // No gradient is asked for.
                frozen: vec![String::new()],
                ..training.clone()
            },
        }
    }

    fn learn(
        &mut self,
        engine: &mut dyn Engine,
        graph: &Graph,
        parameters: &mut Parameters,
        (images, targets): (&Tensor, &Targets),
    ) -> Result<(), TrainError> {
        // From 0 a batch moves a statistic to `momentum` times its own.
        for (name, ..) in &self.sums {
            if let Some(tensor) = parameters.get_mut(name) {
                tensor.data.fill(0.0);
            }
        }
        let step = self.batches as u64;
        engine.step(
            graph,
            parameters,
            images.into(),
            targets,
            step,
            &self.training,
        )?;
        for (name, momentum, sums) in &mut self.sums {
            let Some(tensor) = parameters.get(name) else {
                continue;
            };
            sums.resize(tensor.data.len(), 0.0);
            for (sum, moved) in sums.iter_mut().zip(&tensor.data) {
                *sum += f64::from(*moved) / f64::from(*momentum);
            }
        }
        self.batches += 1;
        Ok(())
    }

    fn set(&self, parameters: &mut Parameters) {
        for (name, _, sums) in &self.sums {
            if let Some(tensor) = parameters.get_mut(name) {
                for (value, sum) in tensor.data.iter_mut().zip(sums) {
                    *value = (sum / self.batches as f64) as f32;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
