//! What the finders found, for people and programs.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use falx_eval::report::{Block, Figure, LineChart, PlainPage, TrainingCurve};
use serde::Serialize;

use super::{BatchEnd, BatchFinding, RateEnd, RateFinding, RateTest};
use crate::Recipe;

/// The outcome of a range test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RateReport {
    /// The network's name.
    pub network: String,
    /// What computed.
    pub engine: String,
    /// Where randomness started.
    pub seed: u64,
    /// Slices in a step.
    pub batch: usize,
    /// The recipe's own rate.
    pub recipe_rate: f64,
    /// What was tried.
    pub test: RateTest,
    /// What was found.
    #[serde(flatten)]
    pub finding: RateFinding,
    /// The file of this.
    #[serde(skip)]
    pub json: PathBuf,
    /// The page.
    #[serde(skip)]
    pub page: PathBuf,
}

impl RateReport {
    pub(super) fn new(
        recipe: &Recipe,
        engine: &str,
        test: RateTest,
        finding: RateFinding,
        out: &Path,
    ) -> Self {
        Self {
            network: recipe.network.name.clone(),
            engine: engine.to_owned(),
            seed: recipe.seed,
            batch: recipe.training.batch,
            recipe_rate: recipe.training.learning_rate,
            test,
            finding,
            json: out.join("learning_rate.json"),
            page: out.join("learning_rate.html"),
        }
    }

    /// What was found, in words.
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{} on {}, batches of {}: {} steps from a learning rate of {:.1e} up\n{}\n",
            self.network,
            self.engine,
            self.batch,
            self.finding.points.len(),
            self.test.first,
            self.end()
        );
        for (name, rate) in [
            ("falls steepest at", self.finding.steepest),
            ("lowest, divided by 10", self.finding.tenth_of_lowest),
            ("to try first", self.finding.suggestion),
        ] {
            let rate = rate.map_or_else(|| "none".to_owned(), |rate| format!("{rate:.1e}"));
            let _ = writeln!(text, "{name:>22}: {rate}");
        }
        let _ = writeln!(text, "{:>22}: {:.1e}", "the recipe's own", self.recipe_rate);
        if self.finding.suggestion.is_none() {
            text.push_str(
                "The loss never fell: take more --find-steps, or look at the data and the network.\n",
            );
        }
        let _ = writeln!(text, "page: {}", self.page.display());
        text
    }

    fn end(&self) -> &'static str {
        match self.finding.ended {
            RateEnd::Complete => "The loss did not grow far above its lowest at any rate.",
            RateEnd::Diverged => "It ended where the smoothed loss was four times its lowest.",
            RateEnd::NotFinite => "It ended where the loss was no number any more.",
        }
    }

    pub(super) fn page(&self) -> PlainPage {
        let points = &self.finding.points;
        let curve = |name: &str, value: fn(&super::RatePoint) -> f64| TrainingCurve {
            name: name.to_owned(),
            points: points
                .iter()
                .map(|point| (point.rate, value(point)))
                .collect(),
            baseline: None,
        };
        let mut marks = Vec::new();
        let mut figures = Vec::new();
        for (name, rate) in [
            ("falls steepest", self.finding.steepest),
            ("lowest, divided by 10", self.finding.tenth_of_lowest),
        ] {
            if let Some(rate) = rate {
                marks.push((rate, name.to_owned()));
                figures.push(Figure {
                    name: name.to_owned(),
                    value: format!("{rate:.1e}").replace('-', "−"),
                    remark: String::new(),
                });
            }
        }
        let found = match self.finding.suggestion {
            Some(rate) => format!(
                "Try {rate:.1e} first, the smaller of the two; the recipe has {:.1e}. It is a hint from one pass with one seed, \
                 not a measurement of what a whole run reaches.",
                self.recipe_rate
            ),
            None => "The loss never fell, so no rate can be recommended.".to_owned(),
        };
        PlainPage {
            title: format!("Learning rates for {}", self.network),
            subtitle: format!(
                "A range test of {} steps on batches of {}, by {}.",
                points.len(),
                self.batch,
                self.engine
            ),
            refresh: None,
            sections: vec![
                (
                    "What to try".to_owned(),
                    vec![
                        Block::Figures(figures),
                        Block::Words(found),
                        Block::Words(self.end().to_owned()),
                    ],
                ),
                (
                    "Loss by learning rate".to_owned(),
                    vec![Block::Charts(vec![LineChart {
                        curves: vec![
                            curve("training loss, mean of the steps around", |p| p.smoothed),
                            curve("training loss of the step", |p| p.loss),
                        ],
                        along: "learning rate".to_owned(),
                        measured: "loss".to_owned(),
                        multiplies: true,
                        marks,
                    }])],
                ),
            ],
        }
    }
}

/// The outcome of a search for a batch.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BatchReport {
    /// The network's name.
    pub network: String,
    /// What computed.
    pub engine: String,
    /// The recipe's own batch.
    pub recipe_batch: usize,
    /// The memory that this process may have, where that is known.
    pub memory_mib: Option<f64>,
    /// What was found.
    #[serde(flatten)]
    pub finding: BatchFinding,
    /// The file of this.
    #[serde(skip)]
    pub json: PathBuf,
}

impl BatchReport {
    pub(super) fn new(
        recipe: &Recipe,
        engine: &str,
        memory_mib: Option<f64>,
        finding: BatchFinding,
        out: &Path,
    ) -> Self {
        Self {
            network: recipe.network.name.clone(),
            engine: engine.to_owned(),
            recipe_batch: recipe.training.batch,
            memory_mib,
            finding,
            json: out.join("batch_size.json"),
        }
    }

    /// What was found, in words.
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "{} on {}\n\nbatch  images/s  peak MiB\n",
            self.network, self.engine
        );
        for point in &self.finding.points {
            let peak = point
                .peak_mib
                .map_or_else(|| "-".to_owned(), |mib| format!("{mib:.0}"));
            let _ = writeln!(
                text,
                "{:>5}  {:>8.1}  {peak:>8}",
                point.batch, point.images_per_second
            );
        }
        let memory = self
            .memory_mib
            .map_or_else(String::new, |mib| format!(" ({mib:.0} MiB)"));
        let _ = match self.finding.ended {
            BatchEnd::Memory => {
                writeln!(text, "\nA larger batch would not fit the memory{memory}.")
            }
            BatchEnd::Throughput => writeln!(text, "\nA larger batch is not 5 % faster."),
            BatchEnd::Slices => writeln!(text, "\nThere are no more slices to learn from."),
        };
        let _ = match self.finding.suggestion {
            Some(batch) => writeln!(
                text,
                "to try first: {batch}; the recipe has {}. Another batch wants another learning rate: --find-lr",
                self.recipe_batch
            ),
            None => writeln!(
                text,
                "no batch fits: give more --memory, or take a smaller network"
            ),
        };
        text
    }
}
