//! A network's numbers by name, in an order that never changes.

use std::collections::BTreeMap;

use falx_core::random;
use rand_distr::{Distribution, Uniform};

use crate::operators::buffers;
use crate::{Graph, Tensor};

/// What a parameter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// Trained by gradients.
    Weight,
    /// Followed by batch normalisation, never by an optimiser.
    RunningStatistic,
    /// Neither trained nor followed.
    Constant,
}

/// How a parameter starts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initialisation {
    /// Uniform in ± `sqrt(6 / fan_in)`, which keeps the variance through ReLU.
    ///
    /// # Source
    /// He et al. 2015, "Delving Deep into Rectifiers".
    HeUniform {
        /// How many inputs each output sums.
        fan_in: usize,
    },
    /// Uniform in ± `1 / sqrt(fan_in)`, as PyTorch starts linear layers and biases.
    FanInUniform {
        /// How many inputs each output sums.
        fan_in: usize,
    },
    /// The same number everywhere.
    Constant(f32),
}

/// What a graph says of one of its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterSpec {
    /// PyTorch's `state_dict` key, as `blocks.0.conv.weight`.
    pub name: String,
    /// The length of each dimension.
    pub shape: Vec<usize>,
    /// What it is for.
    pub kind: ParameterKind,
    /// How it starts.
    pub initialisation: Initialisation,
}

impl ParameterSpec {
    /// Whether the parameter is `module` or lies in it: a module is how names begin, up to a dot.
    pub fn is_in(&self, module: &str) -> bool {
        crate::engine::belongs(&self.name, module)
    }
}

/// All parameters of one network, running statistics included, ordered by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters(BTreeMap<String, Tensor>);

/// The gradients of one step by parameter name, ordered by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gradients(BTreeMap<String, Tensor>);

impl Parameters {
    /// The starting values of `graph`'s parameters; equal seeds give equal values.
    pub fn initialise(graph: &Graph, seed: u64) -> Self {
        let start = |spec: &ParameterSpec| {
            let bound = match spec.initialisation {
                Initialisation::Constant(value) => return Tensor::filled(&spec.shape, value),
                Initialisation::HeUniform { fan_in } => (6.0 / fan_in.max(1) as f32).sqrt(),
                Initialisation::FanInUniform { fan_in } => (fan_in.max(1) as f32).sqrt().recip(),
            };
            let mut tensor = Tensor::filled(&spec.shape, 0.0);
            let mut stream = random::stream(seed, &format!("initialise {}", spec.name), &[]);
            if let Ok(uniform) = Uniform::new_inclusive(-bound, bound) {
                tensor.data.fill_with(|| uniform.sample(&mut stream));
            }
            tensor
        };
        graph
            .parameters()
            .iter()
            .map(|spec| (spec.name.clone(), start(spec)))
            .collect()
    }

    /// The sum of the lengths of all parameters.
    pub fn count(&self) -> usize {
        self.0.values().map(|tensor| tensor.data.len()).sum()
    }
}

macro_rules! named_tensors {
    ($name:ident) => {
        impl $name {
            /// The tensor called `name`.
            pub fn get(&self, name: &str) -> Option<&Tensor> {
                self.0.get(name)
            }

            /// The tensor called `name`, to be changed in place.
            pub fn get_mut(&mut self, name: &str) -> Option<&mut Tensor> {
                self.0.get_mut(name)
            }

            /// Names and tensors in the order of the names.
            pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
                self.0.iter().map(|(name, tensor)| (name.as_str(), tensor))
            }

            /// Names and tensors in the order of the names, to be changed in place.
            pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Tensor)> {
                self.0
                    .iter_mut()
                    .map(|(name, tensor)| (name.as_str(), tensor))
            }
        }

        impl FromIterator<(String, Tensor)> for $name {
            fn from_iter<I: IntoIterator<Item = (String, Tensor)>>(tensors: I) -> Self {
                Self(tensors.into_iter().collect())
            }
        }
    };
}

named_tensors!(Parameters);
named_tensors!(Gradients);

impl IntoIterator for Parameters {
    type Item = (String, Tensor);
    type IntoIter = std::collections::btree_map::IntoIter<String, Tensor>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Drop for Gradients {
    fn drop(&mut self) {
        // The next step's gradients lie where these lay.
        for tensor in self.0.values_mut() {
            buffers::give(std::mem::take(&mut tensor.data));
        }
    }
}

impl Gradients {
    /// The length of all gradients taken as one vector.
    pub fn norm(&self) -> f64 {
        let squares = self.0.values().flat_map(|tensor| &tensor.data);
        squares
            .map(|&g| f64::from(g) * f64::from(g))
            .sum::<f64>()
            .sqrt()
    }

    /// Shortens the gradients to at most `max_norm`, as PyTorch's `clip_grad_norm_`; returns the norm before.
    pub fn clip(&mut self, max_norm: f64) -> f64 {
        let norm = self.norm();
        let factor = (max_norm / (norm + 1e-6)).min(1.0) as f32;
        self.scale(factor);
        norm
    }

    /// Multiplies all gradients with `factor`; 1 leaves every bit.
    pub fn scale(&mut self, factor: f32) {
        if factor != 1.0 {
            for tensor in self.0.values_mut() {
                tensor.data.iter_mut().for_each(|g| *g *= factor);
            }
        }
    }

    /// Adds `factor` times other gradients of the same network; a parameter that had none takes the other's.
    pub fn add(&mut self, other: &Self, factor: f32) {
        for (name, tensor) in &other.0 {
            let sums = self.0.entry(name.clone());
            let sums = sums.or_insert_with(|| Tensor::filled(&tensor.shape, 0.0));
            let pairs = sums.data.iter_mut().zip(&tensor.data);
            pairs.for_each(|(sum, g)| *sum += factor * g);
        }
    }
}
