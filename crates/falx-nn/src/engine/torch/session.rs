//! Training with all numbers on the device: the batch goes there, its logits come back.

use std::borrow::Cow;

use tch::{Device, Kind, Tensor as Value};

use super::TorchEngine;
use super::flat::{self, Layout, Place};
use super::held::{Held, memory};
use super::interpret::{self, Mode};
use super::motion::{Motions, Piece};
use super::numbers::{Numbers, fitting};
use super::staging::Staging;
use super::values;
use crate::engine::{Motion, TrainingSession, TrainingState, Weights};
use crate::{EngineError, Graph, Input, ParameterKind, Parameters, Targets, Tensor, Training};

/// The pace of neighbouring weights, and their gradients.
type Run<'a> = ([f32; 2], Vec<(&'a Place, Value)>);

pub struct TorchSession {
    engine: TorchEngine,
    graph: Graph,
    /// The constants, and the optimiser's steps and numbers; all that moves is old here.
    host: TrainingState,
    weights: Held,
    statistics: Held,
    /// The running statistics before a step, for one that fails.
    before: Value,
    /// What the graph computes with: places in the buffers above.
    numbers: Numbers,
    averaged: Option<Numbers>,
    /// What the optimiser remembers of the weights.
    memory: [Option<Value>; 3],
    /// The factor on the rate and the pull of each weight.
    paces: Vec<[f32; 2]>,
    /// The gradients of each weight that have not moved it yet.
    waiting: Vec<Option<Value>>,
    staging: Staging,
    /// Whether neighbours that move alike move together: a card has much to do with each order it gets.
    pub at_once: bool,
}

impl TorchSession {
    /// A session on the engine's device that goes on from `state`.
    pub fn new(
        engine: TorchEngine,
        graph: &Graph,
        state: TrainingState,
    ) -> Result<Self, EngineError> {
        let device = engine.device;
        let specs = |kind| {
            graph
                .parameters()
                .iter()
                .filter(move |spec| spec.kind == kind)
        };
        // What moves alike lies side by side, so that few operations move all.
        let mut trained = Vec::new();
        for spec in specs(ParameterKind::Weight) {
            let tensor = fitting(spec, &state.parameters)?;
            trained.push((state.optimizer.pace(&spec.name, tensor), spec));
        }
        trained.sort_by_key(|(pace, _)| pace.map(f32::to_bits));
        let weights = Held::new(&state, trained.iter().map(|(_, spec)| *spec), device)?;
        let statistics = Held::new(&state, specs(ParameterKind::RunningStatistic), device)?;
        let constants = specs(ParameterKind::Constant);
        let numbers = |[weights_of, statistics_of]: [&Value; 2], parameters: &Parameters| {
            let mut leaves = weights.views(weights_of).collect::<Result<Vec<_>, _>>()?;
            for spec in constants.clone() {
                let value = values::put(fitting(spec, parameters)?, device)?;
                leaves.push((spec.name.clone(), value));
            }
            Ok::<_, EngineError>(Numbers {
                leaves: leaves.into_iter().collect(),
                statistics: statistics.views(statistics_of).collect::<Result<_, _>>()?,
            })
        };
        let averages = weights.average.as_ref().zip(statistics.average.as_ref());
        let averages = averages.zip(state.average.as_ref());
        let averaged = averages.map(|((weights, statistics), average)| {
            numbers([weights, statistics], average.parameters())
        });
        let averaged = averaged.transpose()?;
        let numbers = numbers([&weights.whole, &statistics.whole], &state.parameters)?;
        Ok(Self {
            memory: memory(&weights.layout, &state, device)?,
            paces: trained.iter().map(|(pace, _)| *pace).collect(),
            waiting: trained.iter().map(|_| None).collect(),
            before: statistics.whole.f_detach_copy()?,
            staging: Staging::default(),
            at_once: device.is_cuda(),
            engine,
            graph: graph.clone(),
            host: state,
            weights,
            statistics,
            numbers,
            averaged,
        })
    }

    /// The loss; its gradients are added to those that wait, where it is finite.
    fn back(
        &mut self,
        input: Input<'_>,
        targets: &Targets,
        step: u64,
        training: &Training,
        share: f32,
    ) -> Result<f64, EngineError> {
        self.numbers.want(&self.graph, training)?;
        let (engine, numbers) = (&self.engine, &self.numbers);
        let mut setting = engine.setting(&self.graph, numbers, input, training)?;
        let seed = engine.seed;
        setting.mode = Mode::Training { seed, step };
        let images = self.staging.put(input.values, engine.device)?;
        let output = interpret::run(&setting, images)?;
        let logits = values::read(&output)?;
        let mut loss = training.loss.evaluate(&logits, targets)?;
        if !loss.value.is_finite() || !output.requires_grad() {
            return Ok(loss.value);
        }
        loss.gradient
            .data
            .iter_mut()
            .for_each(|slope| *slope *= share);
        let slopes = values::flat(&loss.gradient, engine.device)?;
        let product = output.f_mul(&slopes)?.f_sum(Kind::Float)?;
        let places = self.weights.layout.places.iter().enumerate();
        let wanted = places.filter_map(|(at, place)| {
            let leaf = numbers.leaves.get(&place.name)?;
            leaf.requires_grad().then_some((at, leaf))
        });
        let (places, leaves): (Vec<usize>, Vec<&Value>) = wanted.unzip();
        let gradients = Value::f_run_backward(&[product], &leaves, false, false)?;
        for (at, gradient) in places.into_iter().zip(gradients) {
            if !gradient.defined() {
                continue;
            }
            let gradient = flat::in_order(&gradient)?;
            let Some(waiting) = self.waiting.get_mut(at) else {
                continue;
            };
            // Not in place: two weights may share the memory of their gradients.
            *waiting = Some(match waiting.take() {
                Some(sum) => sum.f_add(&gradient)?,
                None => gradient,
            });
        }
        Ok(loss.value)
    }

    /// What is to be moved.
    fn pieces(&mut self) -> Result<Vec<Piece>, EngineError> {
        let at_once = self.at_once;
        let mut runs: Vec<Run<'_>> = Vec::new();
        let places = self.weights.layout.places.iter().zip(&self.paces);
        for ((place, &pace), gradient) in places.zip(&mut self.waiting) {
            let Some(gradient) = gradient.take() else {
                continue;
            };
            let joins = |(other, run): &&mut Run<'_>| {
                let neighbour = run
                    .last()
                    .is_some_and(|(last, _)| last.end() == place.start);
                at_once && neighbour && *other == pace
            };
            match runs.last_mut().filter(joins) {
                Some((_, run)) => run.push((place, gradient)),
                None => runs.push((pace, vec![(place, gradient)])),
            }
        }
        let mut pieces = Vec::new();
        for ([rate, pull], run) in runs {
            let (Some((first, only)), Some((last, _))) = (run.first(), run.last()) else {
                continue;
            };
            let (gradients, length) = match run.as_slice() {
                [_] => (only.shallow_clone(), first.count),
                run => {
                    let device = self.engine.device;
                    (Layout::joined(run, device)?, last.end() - first.start)
                }
            };
            let part = |whole: &Value| whole.f_narrow(0, first.start, length);
            let [one, two, three] = self.memory.each_ref();
            let memory = |part_of: &Option<Value>| part_of.as_ref().map(part).transpose();
            pieces.push(Piece {
                parameters: part(&self.weights.whole)?,
                gradients,
                memory: [memory(one)?, memory(two)?, memory(three)?],
                rate,
                pull,
            });
        }
        Ok(pieces)
    }

    fn moved(&mut self, motion: &Motion) -> Result<Option<f64>, EngineError> {
        let pieces = self.pieces()?;
        if pieces.is_empty() {
            return Ok(None);
        }
        let norm = motion.clip_norm.map(|_| norm(&pieces)).transpose()?;
        if norm.is_some_and(|norm| !norm.is_finite()) {
            return Ok(norm);
        }
        let clipped = motion.clip_norm.zip(norm);
        let optimizer = &mut self.host.optimizer;
        if let Some(momentum) = motion.momentum {
            optimizer.set_momentum(momentum);
        }
        let step = optimizer.advance();
        let motions = Motions {
            config: optimizer.config(),
            step,
            rate: motion.rate,
            shrink: clipped.map_or(1.0, |(limit, norm)| (limit / (norm + 1e-6)) as f32),
        };
        motions.all(pieces)?;
        if let Some(average) = &self.host.average {
            let share = f64::from(average.share(step - 1));
            for held in [&mut self.weights, &mut self.statistics] {
                if let Some(average) = &mut held.average {
                    let _same = average.f_lerp_(&held.whole, share)?;
                }
            }
        }
        Ok(norm)
    }
}

/// The length of all gradients taken as one vector.
fn norm(pieces: &[Piece]) -> Result<f64, EngineError> {
    let norms = pieces.iter().map(|piece| piece.gradients.f_norm());
    let norms = Value::f_stack(&norms.collect::<Result<Vec<_>, _>>()?, 0)?;
    Ok(norms
        .f_to_kind(Kind::Double)?
        .f_norm()?
        .f_double_value(&[])?)
}

impl TrainingSession for TorchSession {
    fn name(&self) -> &'static str {
        "torch"
    }

    fn accumulate(
        &mut self,
        input: Input<'_>,
        targets: &Targets,
        rng_step: u64,
        training: &Training,
        share: f32,
    ) -> Result<f64, EngineError> {
        self.before.f_copy_(&self.statistics.whole)?;
        let loss = self.back(input, targets, rng_step, training, share);
        if !loss.as_ref().is_ok_and(|loss| loss.is_finite()) {
            self.statistics.whole.f_copy_(&self.before)?;
        }
        if loss.as_ref().is_ok_and(|loss| !loss.is_finite()) {
            self.waiting.fill_with(|| None);
        }
        loss
    }

    fn move_parameters(&mut self, motion: &Motion) -> Result<Option<f64>, EngineError> {
        tch::no_grad(|| self.moved(motion))
    }

    fn logits(&mut self, input: Input<'_>, weights: Weights) -> Result<Tensor, EngineError> {
        let averaged = self.averaged.as_ref();
        let averaged = averaged.filter(|_| weights == Weights::Averaged);
        let numbers = averaged.unwrap_or(&self.numbers);
        self.engine.logits_of(&self.graph, numbers, input)
    }

    fn state(&self) -> Result<Cow<'_, TrainingState>, EngineError> {
        let mut state = self.host.clone();
        for held in [&self.weights, &self.statistics] {
            held.read(&held.whole, &mut state.parameters)?;
            if let (Some(whole), Some(average)) = (&held.average, &mut state.average) {
                held.read(whole, average.parameters_mut())?;
            }
        }
        for (part, whole) in self.memory.iter().enumerate() {
            let Some(whole) = whole else { continue };
            self.weights.layout.read(whole, |place, data| {
                if let Some(memory) = state.optimizer.memory_mut(&place.name) {
                    memory[part] = data;
                }
            })?;
        }
        Ok(Cow::Owned(state))
    }

    fn into_state(self: Box<Self>) -> Result<TrainingState, EngineError> {
        self.state().map(Cow::into_owned)
    }

    fn synchronize(&self) {
        if let Device::Cuda(card) = self.engine.device {
            tch::Cuda::synchronize(card as i64);
        }
    }
}
