//! Means over slices with intervals over patients, and differences on the same slices.

use std::collections::BTreeMap;

use falx_core::Label;
use falx_eval::{Estimate, Resampling};

use super::cases::Scored;
use super::{Difference, JudgeOptions, LabelJudgement, Localisation, MapScores, Scores};
use crate::Method;
use crate::baseline::Baseline;

const NUMBERS: usize = Localisation::COUNT;

/// One label's scores; `None` where no slice marks it.
pub(super) fn of(
    label: Label,
    scored: &[Scored],
    methods: &[Method],
    auc: Option<f64>,
    options: &JudgeOptions,
) -> Option<LabelJudgement> {
    let cases: Vec<&Scored> = scored.iter().filter(|case| case.label == label).collect();
    if cases.is_empty() {
        return None;
    }
    // Patients without such a slice say nothing here.
    let mut patients: BTreeMap<u32, usize> = BTreeMap::new();
    for case in &cases {
        let next = patients.len();
        patients.entry(case.patient).or_insert(next);
    }
    let of_patient = |case: &Scored| patients.get(&case.patient).copied().unwrap_or(0);
    let maps = methods.len() + Baseline::ALL.len();
    let means = |weights: &[u32]| {
        let (mut sums, mut all) = (vec![0.0; maps * NUMBERS], 0.0);
        for case in &cases {
            let weight = f64::from(weights.get(of_patient(case)).copied().unwrap_or(0));
            all += weight;
            let numbers = case.maps.iter().flat_map(|map| map.numbers());
            for (sum, number) in sums.iter_mut().zip(numbers) {
                *sum += weight * number;
            }
        }
        let mut means: Vec<Option<f64>> = sums
            .iter()
            .map(|sum| (all > 0.0).then(|| sum / all))
            .collect();
        // Differences of every method and each baseline, number by number.
        for method in 0..methods.len() {
            for baseline in methods.len()..maps {
                for number in 0..NUMBERS {
                    let of = |map: usize| means.get(map * NUMBERS + number).copied().flatten();
                    let difference = of(method).zip(of(baseline)).map(|(a, b)| a - b);
                    means.push(difference);
                }
            }
        }
        means
    };
    let resampling = Resampling::new(patients.len(), options.replicates, options.seed);
    let estimates = resampling.estimates(means);
    let mut triples = estimates.chunks_exact(NUMBERS).map(scores);
    let names = methods.iter().map(|method| method.name());
    let names = names.chain(Baseline::ALL.map(Baseline::name));
    let mut judged: Vec<MapScores> = names
        .zip(triples.by_ref())
        .map(|(name, scores)| MapScores {
            name,
            scores,
            more_than: Vec::new(),
        })
        .collect();
    for map in judged.iter_mut().take(methods.len()) {
        for baseline in Baseline::ALL {
            let Some(scores) = triples.next() else { break };
            map.more_than.push(Difference {
                baseline: baseline.name(),
                scores,
            });
        }
    }
    let marked: f64 = cases.iter().map(|case| case.marked).sum();
    Some(LabelJudgement {
        label,
        slices: cases.len(),
        patients: patients.len(),
        marked: marked / cases.len() as f64,
        auc,
        scores: judged,
    })
}

fn scores(numbers: &[Option<Estimate>]) -> Scores {
    let at = |number: usize| numbers.get(number).copied().flatten();
    Scores {
        pointing: at(0),
        iou: at(1),
        average_precision: at(2),
    }
}
