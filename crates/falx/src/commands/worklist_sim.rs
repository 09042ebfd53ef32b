//! `falx worklist-sim`

use std::path::Path;

use anyhow::{Context as _, bail};
use falx_eval::worklist::{
    Assumptions, Detector, Discipline, FoundDetector, ReadingTime, read_evaluation, read_studies,
    simulate,
};

use crate::cli::{ReadingKind, ReadingOrder, WorklistSim};
use crate::output::Outcome;

pub fn run(arguments: &WorklistSim) -> anyhow::Result<Outcome> {
    let found = detector(arguments)?;
    let mut gain = simulate(&Assumptions {
        arrivals_per_hour: arguments.arrivals_per_hour,
        hours: arguments.hours.clone(),
        reading: reading(arguments)?,
        readers: arguments.readers,
        prevalence: arguments.prevalence.unwrap_or(found.prevalence),
        detector: found.detector,
        detector_minutes: arguments.detector_minutes,
        longest_wait_minutes: arguments.longest_wait,
        target_minutes: arguments.target_minutes,
        disciplines: arguments.order.iter().map(|&order| order.into()).collect(),
        days: arguments.days,
        warm_up_hours: arguments.warm_up,
        replications: arguments.replications,
        seed: arguments.seed,
    })?;
    gain.notes.extend(found.note);
    Outcome::done(gain.to_text(), &gain)
}

fn detector(arguments: &WorklistSim) -> anyhow::Result<FoundDetector> {
    if let Some(path) = &arguments.from {
        return Ok(read_evaluation(path, &arguments.point)?);
    }
    if let Some(path) = &arguments.predictions {
        return Ok(read_studies(path, arguments.threshold)?);
    }
    let default = Assumptions::default();
    let (sensitivity, specificity) = default.detector.rates();
    Ok(FoundDetector {
        detector: Detector::Rates {
            sensitivity: arguments.sensitivity.unwrap_or(sensitivity),
            specificity: arguments.specificity.unwrap_or(specificity),
        },
        prevalence: default.prevalence,
        note: None,
    })
}

fn reading(arguments: &WorklistSim) -> anyhow::Result<ReadingTime> {
    if let Some(path) = &arguments.reading_times {
        return measured(path);
    }
    let mean = arguments.reading_minutes;
    Ok(match arguments.reading {
        ReadingKind::LogNormal => ReadingTime::LogNormal {
            mean,
            variation: arguments.reading_variation,
        },
        ReadingKind::Exponential => ReadingTime::Exponential { mean },
        ReadingKind::Fixed => ReadingTime::Fixed { mean },
    })
}

fn measured(path: &Path) -> anyhow::Result<ReadingTime> {
    let name = path.display();
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read {name}; check the path and its permissions"))?;
    let mut minutes = Vec::new();
    for (line, number) in (1..)
        .zip(text.lines())
        .filter(|(_, n)| !n.trim().is_empty())
    {
        match number.trim().parse() {
            Ok(time) => minutes.push(time),
            Err(_) => {
                bail!("{name}: line {line} is no number; give one reading time in minutes a line")
            }
        }
    }
    Ok(ReadingTime::Measured { minutes })
}

impl From<ReadingOrder> for Discipline {
    fn from(order: ReadingOrder) -> Self {
        match order {
            ReadingOrder::FlaggedFirst => Self::FlaggedFirst,
            ReadingOrder::HighestScore => Self::HighestScore,
            ReadingOrder::FlaggedInterrupts => Self::FlaggedInterrupts,
        }
    }
}
