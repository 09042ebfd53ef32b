//! What the suites of answers share: a trained model with the studies that it answers for.

use std::path::{Path, PathBuf};

use assert_cmd::prelude::*;
use serde_json::Value;

use super::{Study, TrainedOnce, falx, run};

/// A trained model and the studies of a phantom.
pub struct Trained {
    pub study: Study,
    pub model: PathBuf,
}

impl Trained {
    pub fn new() -> Self {
        static RUN: TrainedOnce = TrainedOnce::new();
        let study = Study::indexed();
        let model = RUN.put(&study, |study| study.recipe(1));
        Self { study, model }
    }

    pub fn on(study: Study) -> Self {
        let model = study.path("run");
        run("train {} --out {} -q", &[&study.recipe(1), &model]).success();
        Self { study, model }
    }

    pub fn answer(&self, sources: &Path, flags: &[&str]) -> Value {
        let out = self.study.path("answer.json");
        let mut command = falx();
        command.args(["predict", "--format", "json", "-q", "--model"]);
        command.arg(&self.model).arg("--out").arg(&out).args(flags);
        command.arg(sources).assert().success();
        serde_json::from_str(&std::fs::read_to_string(out).unwrap()).unwrap()
    }

    /// Predictions of slices as a table, by id.
    pub fn table(&self, flags: &[&str]) -> Vec<(String, Vec<f64>)> {
        let out = self.study.path("table.csv");
        let mut command = falx();
        command.args(["predict", "-q", "--model"]).arg(&self.model);
        command.arg("--out").arg(&out).args(flags);
        command.arg(self.study.images()).assert().success();
        let text = std::fs::read_to_string(out).unwrap();
        let row = |line: &str| {
            let mut cells = line.split(',').map(str::to_owned);
            let id = cells.next().unwrap();
            (id, cells.map(|p| p.parse().unwrap()).collect())
        };
        text.lines().skip(1).map(row).collect()
    }
}

/// The slices of all series of a study of an answer.
pub fn slices(study: &Value) -> impl Iterator<Item = &Value> {
    let series = study["series"].as_array().unwrap().iter();
    series.flat_map(|series| series["slices"].as_array().into_iter().flatten())
}
