//! A model as one more reader.

use falx_core::Label;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::agreement::{Crossed, mean};
use super::table::ReaderTable;
use crate::operating::ChosenOn;
use crate::ranked::Ranked;
use crate::{Estimate, Resampling};

/// A model's predictions of the cases that were read.
#[derive(Clone, Copy, Debug)]
pub struct ModelReads<'a> {
    /// One for each case of the table, in its order; `None` where the model has none (or no finite number).
    pub prediction: &'a [Option<f64>],
    /// From here on the model says yes; locked beforehand on other cases. Without one only areas are given.
    pub threshold: Option<f64>,
    /// Each case's own threshold, in the table's order, where each was chosen on other patients than the case's; the one above
    /// is then that of all patients, for new ones.
    pub own_thresholds: Option<&'a [f64]>,
    /// On whom the thresholds were chosen.
    pub chosen_on: Option<ChosenOn>,
}

/// A model against one reference: a reader, or the readers' majority.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AgainstReference {
    /// Who, or "majority".
    pub reference: String,
    /// Cases with a prediction and a read.
    pub cases: u64,
    /// Those that the reference calls positive.
    pub positives: u64,
    /// Area under the ROC curve with the reference as the truth; `None` where it said the same of everything.
    pub auc: Option<Estimate>,
    /// Cohen's kappa at the threshold.
    pub kappa: Option<Estimate>,
    /// Kappa's standard error when cases are independent.
    pub kappa_standard_error: Option<f64>,
    /// The share of cases on which model and reference say the same.
    pub agreement: Option<Estimate>,
    /// The share of the reference's positives that the model calls.
    pub sensitivity: Option<Estimate>,
    /// The share of the reference's negatives that the model does not call.
    pub specificity: Option<Estimate>,
}

/// Where a model stands among readers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelAmongReaders {
    /// The locked threshold, where one was given.
    pub threshold: Option<f64>,
    /// On whom it was chosen. With folds each study is judged at the threshold that the other folds' patients chose, and the one
    /// above is that of all of them.
    pub chosen_on: Option<ChosenOn>,
    /// The model against each reader.
    pub readers: Vec<AgainstReference>,
    /// The model against what most readers said; tied votes are left out.
    pub majority: AgainstReference,
    /// The mean kappa of the model with each reader.
    pub mean_kappa_with_readers: Option<Estimate>,
    /// The mean kappa of the pairs of readers.
    pub mean_kappa_among_readers: Option<Estimate>,
    /// The former minus the latter, from the same resamples: above 0 the model agrees with the readers better than they
    /// do with each other.
    pub difference: Option<Estimate>,
}

pub(crate) fn among(
    table: &ReaderTable,
    label: Label,
    model: &ModelReads<'_>,
    pairs: &[&Crossed],
    resampling: &Resampling,
) -> ModelAmongReaders {
    let cluster: Vec<u32> = table.cases().iter().map(|c| c.cluster).collect();
    let reads: Vec<Vec<Option<bool>>> = (0..table.readers().len())
        .map(|reader| table.of_reader(reader, label))
        .collect();
    let calls = calls(model);
    let crossed: Vec<Crossed> = reads
        .iter()
        .map(|said| Crossed::new(&calls, said, &cluster, resampling.clusters()))
        .collect();
    let found = resampling.estimates(|w| {
        let with = mean(crossed.iter().map(|c| c.under(w).kappa()));
        let between = mean(pairs.iter().map(|c| c.under(w).kappa()));
        vec![with, between, with.zip(between).map(|(a, b)| a - b)]
    });
    let estimate = |i: usize| found.get(i).copied().flatten();
    let majority: Vec<Option<bool>> = table.majority().iter().map(|row| row.get(label)).collect();
    ModelAmongReaders {
        threshold: model.threshold,
        chosen_on: model.threshold.and(model.chosen_on),
        readers: table
            .readers()
            .iter()
            .zip(&reads)
            .map(|(name, said)| against(name.clone(), said, model, &cluster, resampling))
            .collect(),
        majority: against(
            "majority".to_owned(),
            &majority,
            model,
            &cluster,
            resampling,
        ),
        mean_kappa_with_readers: estimate(0),
        mean_kappa_among_readers: estimate(1),
        difference: estimate(2),
    }
}

/// What the model says at its threshold; unknown without one.
fn calls(model: &ModelReads<'_>) -> Vec<Option<bool>> {
    let call = |(case, p): (usize, &Option<f64>)| {
        let own = model.own_thresholds.and_then(|own| own.get(case));
        let threshold = own.copied().or(model.threshold)?;
        Some((*p).filter(|p| p.is_finite())? >= threshold)
    };
    model.prediction.iter().enumerate().map(call).collect()
}

fn against(
    reference: String,
    said: &[Option<bool>],
    model: &ModelReads<'_>,
    cluster: &[u32],
    resampling: &Resampling,
) -> AgainstReference {
    let cases: Vec<(bool, f64, u32)> = said
        .iter()
        .zip(model.prediction)
        .zip(cluster)
        .filter_map(|((said, p), &cluster)| {
            Some(((*said)?, (*p).filter(|p| p.is_finite())?, cluster))
        })
        .collect();
    let ranked = Ranked::new(cases.iter().map(|&(truth, p, _)| (truth, p)));
    let crossed = Crossed::new(&calls(model), said, cluster, resampling.clusters());
    let found = resampling.estimates(|w| {
        let weight = |case: u32| {
            let cluster = cases.get(case as usize).map(|c| c.2 as usize);
            cluster.and_then(|c| w.get(c)).copied().unwrap_or(0)
        };
        let table = crossed.under(w);
        let share = |of: f64, all: f64| (all > 0.0).then(|| of / all);
        vec![
            ranked.auc(weight).ok(),
            table.kappa(),
            table.agreement(),
            share(table.both, table.both + table.second),
            share(table.neither, table.neither + table.first),
        ]
    });
    let estimate = |i: usize| found.get(i).copied().flatten();
    AgainstReference {
        reference,
        cases: cases.len() as u64,
        positives: cases.iter().filter(|c| c.0).count() as u64,
        auc: estimate(0),
        kappa: estimate(1),
        kappa_standard_error: crossed.table().kappa_standard_error(),
        agreement: estimate(2),
        sensitivity: estimate(3),
        specificity: estimate(4),
    }
}
