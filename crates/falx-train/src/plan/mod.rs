//! Before a long run: how long it takes, what memory and disk it needs, what limits it.
//!
//! Some steps are taken and thrown away; everything else is arithmetic on what they cost. Nothing is written.

mod forecast;
mod machine;
mod measure;
mod remedies;
mod speeds;
#[cfg(test)]
mod tests;
mod text;

use falx_core::{Interrupt, Progress};
use falx_nn::EngineKind;
use serde::Serialize;

pub use forecast::{Forecast, ForecastStage, Memory, Size};
pub use machine::OtherMachine;
pub use measure::{Measured, MeasuredStage};
pub use speeds::{Limit, Speeds, StageSpeeds};

use crate::data::RunData;
use crate::folder::Part;
use crate::{Recipe, TrainError};

/// Where a figure comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Measured here and now.
    Measured,
    /// Said by the file of another machine.
    Given,
    /// Computed from what was measured or given.
    Extrapolated,
}

/// A figure, and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// The value, in the unit of its name.
    pub value: f64,
    /// Where it comes from.
    pub origin: Origin,
}

impl Figure {
    const fn measured(value: f64) -> Self {
        Self {
            value,
            origin: Origin::Measured,
        }
    }

    const fn given(value: f64) -> Self {
        Self {
            value,
            origin: Origin::Given,
        }
    }

    const fn extrapolated(value: f64) -> Self {
        Self {
            value,
            origin: Origin::Extrapolated,
        }
    }
}

/// How to plan.
#[derive(Clone, Debug)]
pub struct PlanOptions {
    /// Steps to measure, for each phase.
    pub steps: usize,
    /// Labelled slices of the data to foretell besides those at hand.
    pub slices: u64,
    /// Another machine, whose figures take the place of those measured here.
    pub machine: Option<OtherMachine>,
    /// Threads that load slices.
    pub threads: usize,
    /// What computes.
    pub engine: EngineKind,
}

/// What a recipe costs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrainingPlan {
    /// The network's name.
    pub network: String,
    /// What computed.
    pub engine: String,
    /// Threads that loaded.
    pub threads: usize,
    /// What was measured here.
    pub measured: Measured,
    /// The other machine, where one is asked for.
    pub machine: Option<OtherMachine>,
    /// The speeds that the forecasts go by.
    pub speeds: Speeds,
    /// What limits the speed.
    pub limit: Limit,
    /// For the data at hand, then for the size asked for.
    pub forecasts: Vec<Forecast>,
    /// What may help, in words.
    pub remedies: Vec<String>,
}

impl TrainingPlan {
    /// The plan as the tables that the command line prints.
    pub fn to_text(&self) -> String {
        text::plan(self)
    }
}

/// Takes some steps of `recipe`, and says what all of it costs here, or on another machine.
///
/// # Errors
/// [`TrainError`] as training has them.
pub fn plan(
    recipe: &Recipe,
    options: &PlanOptions,
    progress: &dyn Progress,
    interrupt: &Interrupt,
) -> Result<TrainingPlan, TrainError> {
    let data = RunData::load(recipe)?;
    data.check(recipe)?;
    let measured = measure::measure(recipe, &data, options, progress, interrupt)?;
    let machine = options.machine;
    let speeds = Speeds::of(&measured, machine.as_ref(), options.threads);
    let limit = speeds.limit();
    let here = Size {
        training: data.training.labelled().count() as u64,
        validation: data.count(Part::Validation) as u64,
        test: data.count(Part::Test) as u64,
        shown: data.sampler(&recipe.sampler)?.len() as u64,
    };
    let there = here.scaled(options.slices);
    let forecasts: Vec<Forecast> = [here, there]
        .into_iter()
        .map(|size| Forecast::of(recipe, &measured, &speeds, size, here))
        .collect();
    let remedies = remedies::of(recipe, options, &measured, &speeds, &forecasts);
    Ok(TrainingPlan {
        network: recipe.network.name.clone(),
        engine: options.engine.to_string(),
        threads: options.threads,
        measured,
        machine,
        speeds,
        limit,
        forecasts,
        remedies,
    })
}
