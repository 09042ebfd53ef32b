//! The optimisers' arithmetic on libtorch's values, in place: what `optim` does on plain buffers.

use rayon::prelude::*;
use tch::Tensor as Value;

use crate::EngineError;
use crate::optim::{OptimizerConfig, RmsProp, Sgd};

/// So many numbers are moved at once on the processor: they stay in its cache from one operation to the next, and libtorch
/// does not divide them among threads, which is done here.
const CHUNK: i64 = 1 << 14;

type Done = Result<(), EngineError>;

/// Neighbouring parameters that move alike, as one row of numbers each.
pub struct Piece {
    pub parameters: Value,
    pub gradients: Value,
    /// What the optimiser remembers.
    pub memory: [Option<Value>; 3],
    /// A factor on the learning rate.
    pub rate: f32,
    /// The pull towards 0.
    pub pull: f32,
}

/// How one step moves all pieces.
#[derive(Clone, Copy)]
pub struct Motions {
    pub config: OptimizerConfig,
    /// The number of the step, from 1.
    pub step: u64,
    /// The learning rate.
    pub rate: f32,
    /// What the gradients are multiplied with; at most 1.
    pub shrink: f32,
}

/// The numbers that Adam and AdamW share.
struct Adamlike {
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    /// Whether the pull is added to the gradient.
    in_gradient: bool,
}

impl Piece {
    /// The piece in chunks.
    fn split(self) -> Result<Vec<Self>, EngineError> {
        let mut memory = Vec::new();
        for part in self.memory {
            let chunks = part.map(|part| part.f_split(CHUNK, 0)).transpose()?;
            memory.push(chunks.map(Vec::into_iter));
        }
        let parameters = self.parameters.f_split(CHUNK, 0)?;
        let gradients = self.gradients.f_split(CHUNK, 0)?;
        let mut memory = memory.into_iter();
        let mut memory: [_; 3] = std::array::from_fn(|_| memory.next().flatten());
        let pairs = parameters.into_iter().zip(gradients);
        let chunk = |(parameters, gradients)| Self {
            parameters,
            gradients,
            memory: memory
                .each_mut()
                .map(|part| part.as_mut().and_then(Iterator::next)),
            rate: self.rate,
            pull: self.pull,
        };
        Ok(pairs.map(chunk).collect())
    }
}

impl Motions {
    /// Moves everything; on the processor all threads of rayon's share the work.
    pub fn all(&self, pieces: Vec<Piece>) -> Done {
        let on_card = |piece: &Piece| piece.parameters.device().is_cuda();
        if pieces.iter().any(on_card) {
            let mut pieces = pieces.into_iter();
            return pieces.try_for_each(|piece| self.one(piece));
        }
        let mut chunks = Vec::new();
        for piece in pieces {
            chunks.extend(piece.split()?);
        }
        let moved = |chunk| tch::no_grad(|| self.one(chunk));
        chunks.into_par_iter().try_for_each(moved)
    }

    fn one(&self, mut piece: Piece) -> Done {
        if self.shrink < 1.0 {
            piece.gradients = piece.gradients.f_mul_scalar(f64::from(self.shrink))?;
        }
        let rate = self.rate * piece.rate;
        match self.config {
            OptimizerConfig::Sgd(sgd) => sgd_step(&sgd, piece, rate, self.step == 1),
            OptimizerConfig::Adam(adam) => Adamlike {
                beta1: adam.beta1,
                beta2: adam.beta2,
                epsilon: adam.epsilon,
                in_gradient: true,
            }
            .step(piece, rate, self.step),
            OptimizerConfig::AdamW(adam) => Adamlike {
                beta1: adam.beta1,
                beta2: adam.beta2,
                epsilon: adam.epsilon,
                in_gradient: false,
            }
            .step(piece, rate, self.step),
            OptimizerConfig::RmsProp(rms_prop) => rms_prop_step(&rms_prop, piece, rate),
        }
    }
}

/// The gradient with the pull towards 0.
fn pulled(piece: &Piece) -> Result<Value, EngineError> {
    let gradients = &piece.gradients;
    Ok(if piece.pull == 0.0 {
        gradients.shallow_clone()
    } else {
        let pull = piece.parameters.f_mul_scalar(f64::from(piece.pull))?;
        gradients.f_add(&pull)?
    })
}

/// Moves the parameters against `direction`.
fn follow(parameters: &mut Value, direction: &Value, rate: f32) -> Done {
    let _same = parameters.f_sub_(&direction.f_mul_scalar(f64::from(rate))?)?;
    Ok(())
}

fn sgd_step(sgd: &Sgd, mut piece: Piece, rate: f32, first: bool) -> Done {
    let gradients = pulled(&piece)?;
    let [momentum, ..] = &mut piece.memory;
    let Some(memory) = momentum.as_mut().filter(|_| sgd.momentum != 0.0) else {
        return follow(&mut piece.parameters, &gradients, rate);
    };
    let momentum = f64::from(sgd.momentum);
    if first {
        memory.f_copy_(&gradients)?;
    } else {
        let _same = memory.f_mul_scalar_(momentum)?.f_add_(&gradients)?;
    }
    if sgd.nesterov {
        let ahead = gradients.f_add(&memory.f_mul_scalar(momentum)?)?;
        follow(&mut piece.parameters, &ahead, rate)
    } else {
        follow(&mut piece.parameters, memory, rate)
    }
}

impl Adamlike {
    fn step(&self, mut piece: Piece, rate: f32, step: u64) -> Done {
        let gradients = if self.in_gradient {
            pulled(&piece)?
        } else {
            let kept = 1.0 - f64::from(rate * piece.pull);
            if kept != 1.0 {
                let _same = piece.parameters.f_mul_scalar_(kept)?;
            }
            piece.gradients.shallow_clone()
        };
        let [Some(mean), Some(square), _] = &mut piece.memory else {
            return Ok(());
        };
        let _same = mean.f_lerp_(&gradients, f64::from(1.0 - self.beta1))?;
        let _same = square.f_lerp_(&gradients.f_square()?, f64::from(1.0 - self.beta2))?;
        // p -= rate m / (sqrt(v) / scale + epsilon), with both sides of the fraction times scale.
        let correction = |beta: f32| 1.0 - f64::from(beta).powf(step as f64);
        let rate = f64::from(rate) / correction(self.beta1);
        let scale = correction(self.beta2).sqrt();
        let mut divisor = square.f_sqrt()?;
        let divisor = divisor.f_add_scalar_(f64::from(self.epsilon) * scale)?;
        let step = mean.f_mul_scalar(-rate * scale)?;
        let _same = piece.parameters.f_addcdiv_(&step, &divisor)?;
        Ok(())
    }
}

fn rms_prop_step(rms_prop: &RmsProp, mut piece: Piece, rate: f32) -> Done {
    let gradients = pulled(&piece)?;
    let [Some(square), direction, mean] = &mut piece.memory else {
        return Ok(());
    };
    let share = f64::from(1.0 - rms_prop.alpha);
    let _same = square.f_lerp_(&gradients.f_square()?, share)?;
    let mut root = match mean {
        Some(mean) => {
            let _same = mean.f_lerp_(&gradients, share)?;
            square
                .f_sub(&mean.f_square()?)?
                .f_clamp_min(0.0)?
                .f_sqrt()?
        }
        None => square.f_sqrt()?,
    };
    let root = root.f_add_scalar_(f64::from(rms_prop.epsilon))?;
    let step = gradients.f_div(&root)?;
    match direction {
        Some(direction) => {
            let momentum = f64::from(rms_prop.momentum);
            let _same = direction.f_mul_scalar_(momentum)?.f_add_(&step)?;
            follow(&mut piece.parameters, direction, rate)
        }
        None => follow(&mut piece.parameters, &step, rate),
    }
}
