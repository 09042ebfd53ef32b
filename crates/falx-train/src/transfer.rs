//! Transfer learning: the weights a network starts from, and which of its modules learn, when and how fast.

use falx_nn::loss::Loss;
use falx_nn::optim::{ParameterGroup, layer_wise};
use falx_nn::weights::{self, MapRules, Mapping};
use falx_nn::zoo::{self, Modules};
use falx_nn::{Backbone, Graph, Parameters, Training};

use crate::recipe::Phase;
use crate::{Recipe, TrainError};

const BACKBONE: &str = "backbone";
const HEAD: &str = "head";

/// The network of a recipe.
///
/// # Errors
/// [`TrainError`] when the zoo has none of that name, the file is no network, or the input does not fit.
pub fn graph(recipe: &Recipe) -> Result<Graph, TrainError> {
    match from_file(recipe)? {
        Some(network) => Ok(network.graph),
        None => Ok(zoo::build(&recipe.network.config(&recipe.input))?),
    }
}

/// The network whose backbone is a file, where the recipe names one.
fn from_file(recipe: &Recipe) -> Result<Option<Backbone>, TrainError> {
    let Some(path) = &recipe.network.onnx else {
        return Ok(None);
    };
    let config = recipe.network.config(&recipe.input);
    let network = falx_nn::backbone(path, recipe.network.cut.as_deref(), &config);
    network.map(Some).map_err(|source| TrainError::Backbone {
        path: path.clone(),
        source: Box::new(source),
    })
}

/// The network's first parameters: drawn from the seed, then the backbone's from the recipe's weights.
///
/// # Errors
/// [`TrainError::Start`] where the weights leave a part of the backbone without its own.
pub fn start(recipe: &Recipe, graph: &Graph) -> Result<(Parameters, Option<Mapping>), TrainError> {
    if let Some(network) = from_file(recipe)? {
        for note in &network.notes {
            tracing::info!("{note}");
        }
        return Ok((network.first(recipe.seed), None));
    }
    let drawn = Parameters::initialise(graph, recipe.seed);
    let Some(path) = &recipe.network.weights else {
        return Ok((drawn, None));
    };
    let refused = |reason: String| TrainError::Start {
        path: path.clone(),
        reason,
    };
    let named = weights::read(path).map_err(|error| refused(error.to_string()))?;
    let rules = MapRules {
        leave: zoo::modules(graph).head,
        ..MapRules::default()
    };
    let mapping =
        weights::map(&named, graph, &rules).map_err(|error| refused(error.to_string()))?;
    let is_whole = mapping.misfit.is_empty() && mapping.lacks().next().is_none();
    if is_whole {
        Ok((mapping.apply(drawn), Some(mapping)))
    } else {
        Err(refused(mapping.to_text()))
    }
}

/// What a recipe says of modules, for one network.
pub struct Plan {
    phases: Vec<Phase>,
    /// Rates and decays of modules.
    pub groups: Vec<ParameterGroup>,
    common: Training,
}

impl Plan {
    /// The plan of `recipe` for `graph`.
    ///
    /// # Errors
    /// [`TrainError::Module`] for a module that the network does not have.
    pub fn new(recipe: &Recipe, graph: &Graph) -> Result<Self, TrainError> {
        let modules = zoo::modules(graph);
        let named = |names: &[String]| -> Result<Vec<String>, TrainError> {
            let named = names.iter().map(|name| expanded(name, graph, &modules));
            Ok(named.collect::<Result<Vec<_>, _>>()?.concat())
        };
        let phases = recipe.phases.iter().map(|phase| {
            let kept = phase.running_statistics.as_ref().unwrap_or(&phase.frozen);
            Ok(Phase {
                running_statistics: Some(named(kept)?),
                frozen: named(&phase.frozen)?,
                ..phase.clone()
            })
        });
        let phases: Vec<Phase> = phases.collect::<Result<_, TrainError>>()?;
        let mut groups: Vec<ParameterGroup> = Vec::new();
        if let Some(decay) = recipe.layer_decay {
            let below: Vec<&str> = modules.backbone.iter().map(String::as_str).collect();
            // The head is above all of the backbone and keeps the base rate.
            groups = layer_wise(&[below.as_slice(), &[HEAD]].concat(), decay);
            groups.retain(|group| group.module != HEAD);
        }
        for group in &recipe.groups {
            for module in expanded(&group.module, graph, &modules)? {
                // What is said of a module alone counts more than the decay of all layers.
                groups.retain(|known| known.module != module);
                groups.push(ParameterGroup {
                    module,
                    ..group.clone()
                });
            }
        }
        let loss = recipe
            .loss
            .loss()
            .map_err(|error| TrainError::Loss(error.to_string()))?;
        Ok(Self {
            phases,
            groups,
            common: Training {
                checkpoints: recipe.training.checkpoints,
                loss,
                ..Training::default()
            },
        })
    }

    /// What is made small.
    pub fn loss(&self) -> Loss {
        self.common.loss
    }

    /// How the steps of `epoch` (from 0) train, and the factor on their learning rate.
    pub fn of_epoch(&self, epoch: u64) -> (Training, f64) {
        let Some(phase) = Phase::at(&self.phases, epoch) else {
            return (self.common.clone(), 1.0);
        };
        let training = Training {
            frozen: phase.frozen.clone(),
            running_statistics: phase.running_statistics.clone().unwrap_or_default(),
            ..self.common.clone()
        };
        (training, phase.rate.unwrap_or(1.0))
    }
}

/// The modules that a recipe's word means.
fn expanded(name: &str, graph: &Graph, modules: &Modules) -> Result<Vec<String>, TrainError> {
    let known = match name {
        BACKBONE => return Ok(modules.backbone.clone()),
        HEAD => return Ok(modules.head.clone()),
        name => graph.parameters().iter().any(|spec| spec.is_in(name)),
    };
    if known {
        return Ok(vec![name.to_owned()]);
    }
    Err(TrainError::Module {
        name: name.to_owned(),
        network: graph.name().to_owned(),
        modules: [modules.backbone.as_slice(), &modules.head].concat(),
    })
}

#[cfg(test)]
mod tests;
