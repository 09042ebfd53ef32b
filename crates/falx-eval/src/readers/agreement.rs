//! The readers among themselves, and the model among them.

use falx_core::Label;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::all::{AllReaders, all_readers};
use super::model::{ModelAmongReaders, ModelReads, among};
use super::pair::PairTable;
use super::table::{ReaderTable, Votes};
use crate::conformal::Share;
use crate::{Estimate, Resampling};

/// One reader's answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReaderReads {
    /// The reader.
    pub reader: String,
    /// Cases read.
    pub reads: u64,
    /// Cases called positive.
    pub positives: u64,
    /// The share called positive.
    pub prevalence: Option<Estimate>,
}

/// How far two readers agree, over the cases that both read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PairAgreement {
    /// The one.
    pub first: String,
    /// The other.
    pub second: String,
    /// How often they said what.
    pub table: PairTable,
    /// The share of cases on which they said the same.
    pub agreement: Option<Estimate>,
    /// Cohen's kappa, the interval by resampling patients; `None` where both said the same of everything.
    pub kappa: Option<Estimate>,
    /// Kappa's standard error when cases are independent.
    pub kappa_standard_error: Option<f64>,
    /// Agreement on the positive cases.
    pub positive_agreement: Option<f64>,
    /// Agreement on the negative cases.
    pub negative_agreement: Option<f64>,
    /// (both yes − both no) ÷ all: far from 0, kappa is low even for readers who agree well.
    pub prevalence_index: Option<f64>,
    /// (only the first yes − only the second) ÷ all: far from 0, one says yes more readily.
    pub bias_index: Option<f64>,
    /// Kappa adjusted for prevalence and bias.
    pub adjusted_kappa: Option<f64>,
}

/// How far several readers agree on one label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReaderAgreement {
    /// The label.
    #[schemars(with = "String")]
    pub label: Label,
    /// Each reader.
    pub readers: Vec<ReaderReads>,
    /// How the votes fall.
    pub votes: Votes,
    /// Each pair of readers.
    pub pairs: Vec<PairAgreement>,
    /// The mean of the pairs' kappas.
    pub mean_kappa: Option<Estimate>,
    /// All readers at once.
    pub all: AllReaders,
    /// The model among them, where one was given.
    pub model: Option<ModelAmongReaders>,
    /// What a reader of these numbers must know, in words.
    pub notes: Vec<String>,
}

/// The cells of a pair of answers, by cluster.
pub(crate) struct Crossed {
    by_cluster: Vec<PairTable>,
}

impl Crossed {
    pub(crate) fn new(
        first: &[Option<bool>],
        second: &[Option<bool>],
        cluster: &[u32],
        clusters: usize,
    ) -> Self {
        let mut by_cluster = vec![PairTable::default(); clusters];
        for ((first, second), &cluster) in first.iter().zip(second).zip(cluster) {
            if let (Some(first), Some(second), Some(table)) =
                (first, second, by_cluster.get_mut(cluster as usize))
            {
                table.add(*first, *second, 1.0);
            }
        }
        Self { by_cluster }
    }

    pub(crate) fn under(&self, weights: &[u32]) -> PairTable {
        let mut table = PairTable::default();
        for (of_cluster, &weight) in self.by_cluster.iter().zip(weights) {
            table.add_all(of_cluster, f64::from(weight));
        }
        table
    }

    pub(crate) fn table(&self) -> PairTable {
        self.under(&vec![1; self.by_cluster.len()])
    }
}

/// The mean of those that have a value; `None` where none has.
pub(crate) fn mean(values: impl IntoIterator<Item = Option<f64>>) -> Option<f64> {
    let known = values.into_iter().flatten();
    let (sum, n) = known.fold((0.0, 0_u32), |(sum, n), v| (sum + v, n + 1));
    (n > 0).then(|| sum / f64::from(n))
}

/// How far readers agree on a label, and where a model stands among them. Intervals resample patients.
pub fn agreement(
    table: &ReaderTable,
    label: Label,
    model: Option<&ModelReads<'_>>,
    resampling: &Resampling,
) -> ReaderAgreement {
    let resampling = resampling.covering(table.clusters());
    let cluster: Vec<u32> = table.cases().iter().map(|c| c.cluster).collect();
    let names = table.readers();
    let reads: Vec<Vec<Option<bool>>> = (0..names.len())
        .map(|r| table.of_reader(r, label))
        .collect();
    let mut pairs = Vec::new();
    for (second, b) in reads.iter().enumerate() {
        for (first, a) in reads.iter().enumerate().take(second) {
            let crossed = Crossed::new(a, b, &cluster, resampling.clusters());
            pairs.push((first, second, crossed));
        }
    }
    pairs.sort_by_key(|(first, second, _)| (*first, *second));
    let mean_kappa =
        resampling.estimate(|w| mean(pairs.iter().map(|(_, _, c)| c.under(w).kappa())));
    let name = |i: usize| names.get(i).cloned().unwrap_or_default();
    let readers = u32::try_from(names.len()).unwrap_or(u32::MAX);
    let mut found = ReaderAgreement {
        label,
        readers: (0..)
            .zip(&reads)
            .map(|(i, said)| reader_reads(name(i), said, &cluster, &resampling))
            .collect(),
        votes: table.votes(label),
        pairs: pairs
            .iter()
            .map(|(first, second, c)| pair(name(*first), name(*second), c, &resampling))
            .collect(),
        mean_kappa,
        all: all_readers(&table.counts(label), &cluster, readers, &resampling),
        model: model.map(|m| {
            let crossed: Vec<&Crossed> = pairs.iter().map(|(_, _, c)| c).collect();
            among(table, label, m, &crossed, &resampling)
        }),
        notes: Vec::new(),
    };
    found.notes = notes(&found);
    found
}

fn reader_reads(
    reader: String,
    said: &[Option<bool>],
    cluster: &[u32],
    resampling: &Resampling,
) -> ReaderReads {
    let known = said
        .iter()
        .zip(cluster)
        .filter_map(|(said, &c)| Some((c, (*said)?)));
    let share = Share::of(
        resampling.clusters(),
        known.map(|(c, yes)| (c, f64::from(u8::from(yes)), 1.0)),
    );
    ReaderReads {
        reader,
        reads: said.iter().flatten().count() as u64,
        positives: said.iter().flatten().filter(|yes| **yes).count() as u64,
        prevalence: resampling.estimate(|w| share.under(w)),
    }
}

fn pair(
    first: String,
    second: String,
    crossed: &Crossed,
    resampling: &Resampling,
) -> PairAgreement {
    let table = crossed.table();
    let found = resampling.estimates(|w| {
        let table = crossed.under(w);
        vec![table.agreement(), table.kappa()]
    });
    let estimate = |i: usize| found.get(i).copied().flatten();
    PairAgreement {
        first,
        second,
        table,
        agreement: estimate(0),
        kappa: estimate(1),
        kappa_standard_error: table.kappa_standard_error(),
        positive_agreement: table.positive_agreement(),
        negative_agreement: table.negative_agreement(),
        prevalence_index: table.prevalence_index(),
        bias_index: table.bias_index(),
        adjusted_kappa: table.adjusted_kappa(),
    }
}

/// From here on a prevalence index says that kappa is pulled down.
const SKEWED: f64 = 0.6;

fn notes(found: &ReaderAgreement) -> Vec<String> {
    let mut notes = Vec::new();
    let skewed = found.pairs.iter().filter_map(|p| p.prevalence_index);
    if skewed.into_iter().any(|i| i.abs() >= SKEWED) {
        notes.push(
            "Nearly all cases are of one class: kappa is low even where readers agree well, so read it beside their \
             agreement on positive and on negative cases."
                .to_owned(),
        );
    }
    let undefined = found.pairs.iter().filter(|p| p.kappa.is_none()).count();
    if undefined > 0 {
        notes.push(format!(
            "{undefined} of {} pairs of readers have no kappa: they share no case, or both said the same of everything.",
            found.pairs.len()
        ));
    }
    if found.all.incomplete_cases > 0 {
        notes.push(format!(
            "{} cases lack reads: they are missing from Fleiss' kappa, and in Krippendorff's alpha where two readers or \
             more read them.",
            found.all.incomplete_cases
        ));
    }
    if found.votes.tied > 0 {
        notes.push(format!(
            "{} cases have tied votes: they have no majority and are left out of what is judged by it.",
            found.votes.tied
        ));
    }
    notes
}
